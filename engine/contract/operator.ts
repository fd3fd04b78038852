/**
 * The contract of an operator: one declaration, from which types, lints, JSON Schema, reference
 * pages, the restore check and the compliance suite derive.
 *
 * An operator instance belongs to one step of one partition task. It is synchronous, sees one batch
 * at a time, keeps its state in linear memory, and knows neither threads nor sources nor clocks.
 */

import type { Kernels } from '../../wasm/host/kernels.ts';
import type { LinearMemory } from '../../wasm/host/linear-memory.ts';
import type { Batch, Dictionary, StringTable } from './batch.ts';
import { type ConfigInput, type ConfigOf, fieldMeta, type Fields } from './fields.ts';
import type { Path, Report } from './problem.ts';
import type { Schema } from './schema.ts';
import type { StateSize } from './state-size.ts';
import type { EventTime } from './time.ts';

export type Stability = 'experimental' | 'beta' | 'stable';

export interface Constraint<Config> {
  /** Field at which the lint stands. */
  readonly at: Path;
  /** What is wrong (`must not exceed size`), or undefined. */
  readonly violated: (config: Config) => string | undefined;
}

/** Output name to schema. `main` always exists; others are read as `step.name`. */
export type Outputs = { readonly main: Schema } & Readonly<Record<string, Schema>>;

export interface OperatorExample<Input> {
  readonly title: string;
  readonly config: Input;
  /**
   * A table: a header line of column names, then a line a row, cells parted by `|`. `event_time`
   * is a timestamp, `symbol` the key, other columns float64 unless the header says `name:type`. A
   * time may be written `09:30:00.5`, an empty cell is null.
   */
  readonly input: string;
  /**
   * Expected rows of the main output after the end of the input, in any order; some columns
   * suffice.
   */
  readonly output: string;
  /** Expected rows of further outputs. */
  readonly outputs?: Readonly<Record<string, string>>;
}

export interface OperatorSpec<F extends Fields> {
  /** snake_case; its folder is the same in kebab-case. */
  readonly name: string;
  readonly since: string;
  readonly stability: Stability;
  /** One sentence. */
  readonly summary: string;
  readonly guarantees: {
    readonly order: string;
    readonly lateness: string;
    readonly backPressure: string;
  };
  /**
   * `several` where `input` may be a list of steps with the same columns. How the rows of different
   * inputs follow each other then depends on how rows are cut into batches, so such an operator
   * goes by event time and watermark, which is the smallest of its inputs', and by nothing else.
   */
  readonly inputs?: 'one' | 'several';
  readonly fields: F;
  readonly constraints: readonly Constraint<ConfigOf<F>>[];
  /**
   * Checks columns and expressions against the input, and tells the schema of each output. Pure.
   */
  readonly plan: (config: ConfigOf<F>, input: Schema, report: Report) => Outputs;
  readonly state: {
    readonly version: number;
    readonly scope: 'none' | 'keyed';
    /** Table name to what it holds. */
    readonly tables: Readonly<Record<string, string>>;
    /**
     * How many bytes of a snapshot a key takes at this configuration, which has no problems; for
     * `tidemark explain`. Needed where the scope is `keyed`. Pure.
     */
    readonly bytesPerKey?: (config: ConfigOf<F>, input: Schema) => StateSize;
  };
  /** Counters beyond the rows in and out, which the runtime counts for every step. */
  readonly metrics: Readonly<Record<string, { readonly unit: string; readonly doc: string }>>;
  readonly examples: readonly OperatorExample<ConfigInput<F>>[];
  /** May throw only for reasons of the world (memory); a bad configuration was a lint. */
  readonly open: (config: ConfigOf<F>, context: OperatorContext, state?: StateTables) => Operator;
}

/** A spec whose configuration type has been erased, as catalogues hold it. */
// eslint-disable-next-line @typescript-eslint/no-explicit-any
export type OperatorDefinition = OperatorSpec<any>;

/** State of one (task, operator): table name to bytes. Relocatable: no addresses inside. */
export type StateTables = Readonly<Record<string, Uint8Array>>;

export interface OperatorContext {
  readonly input: Schema;
  readonly outputs: Outputs;
  readonly memory: LinearMemory;
  readonly kernels: Kernels;
  /**
   * Keys of this task. Key columns hold codes of it, dense from 0; it grows between batches, so
   * size the state for `keys.size` at the start of `process`.
   */
  readonly keys: Dictionary;
  /** Texts of all other string columns of this slot. */
  readonly strings: StringTable;
  /** Name of the step in the pipeline. */
  readonly step: string;
  /** Counts the source rows behind these rows of the batch, once each, as late or duplicate. */
  countRows(as: 'late' | 'duplicate', batch: Batch, rows: Uint32Array): void;
  /** Adds to a declared metric. */
  count(metric: string, amount: number): void;
}

/** A window that may still take rows. Plain data. */
export interface OpenWindow {
  readonly start: EventTime;
  readonly end: EventTime;
  readonly rows: number;
  /** The watermark that puts it out; undefined where it is out, and only a late row restates it. */
  readonly firesAt: EventTime | undefined;
}

/** Takes what an operator puts out. Returns when every step downstream is done with the batch. */
export interface Collector {
  emit(batch: Batch, output?: string): void;
}

export interface Operator {
  /** Rows in arrival order. The arena of `memory` may be used freely; it is cleared afterwards. */
  process(batch: Batch, collector: Collector): void;
  /**
   * The watermark has moved on to `watermark`; all rows before that moment have been processed.
   * Emits what is now complete, and returns the watermark of its own output: no row with an
   * event time below it will follow (a window holds it back to the start of its oldest open one).
   */
  advance(watermark: EventTime, collector: Collector): EventTime;
  /** Windows of a key that are still open, the earliest first; for operators that have windows. */
  openWindows?(key: number): readonly OpenWindow[];
  /** A copy of the state, between two batches. The operator goes on unchanged. */
  snapshot(): StateTables;
  /** Frees the state. Twice is harmless. */
  dispose(): void;
}

const NAME = /^[a-z][a-z0-9_]*$/;
const SENTENCE = /^[A-Z`].*[.]$/s;

/** Checks the prose of a declaration when it is loaded, and erases its configuration type. */
export function defineOperator<F extends Fields>(spec: OperatorSpec<F>): OperatorDefinition {
  assertDeclaration(spec);
  for (const [name, table] of Object.entries(spec.state.tables)) {
    if (name.length < 4 || table === '')
      throw new TypeError(`${spec.name}: state table ${name} needs words`);
  }
  return spec;
}

/** What all declarations share: a name, sentences, and a documented field list. */
export function assertDeclaration(spec: {
  name: string;
  summary: string;
  guarantees: Readonly<Record<string, string>>;
  fields: Fields;
}): void {
  if (!NAME.test(spec.name)) throw new TypeError(`${spec.name}: expected a snake_case name`);
  for (const text of [spec.summary, ...Object.values(spec.guarantees)]) {
    if (!SENTENCE.test(text))
      throw new TypeError(`${spec.name}: expected a sentence, got "${text}"`);
  }
  for (const [name, field] of Object.entries(spec.fields)) {
    if (!NAME.test(name)) throw new TypeError(`${spec.name}.${name}: expected a snake_case name`);
    if (fieldDoc(field) === undefined) throw new TypeError(`${spec.name}.${name}: has no doc`);
  }
}

/** The doc sentence of a field, also behind `.optional()` and `.default()`. */
export function fieldDoc(field: Fields[string]): string | undefined {
  return fieldMeta(field, 'description');
}
