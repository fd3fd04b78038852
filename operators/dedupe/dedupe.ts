/**
 * Dedupe: the first row of its kind, for a while. The kernel keeps what was kept; this file gives
 * it the columns and takes the rows apart.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { columns, type ConfigOf, duration, type Fields } from '../../engine/contract/fields.ts';
import {
  type Collector,
  type Constraint,
  defineOperator,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type Outputs,
  type StateTables,
} from '../../engine/contract/operator.ts';
import { didYouMean, type Report } from '../../engine/contract/problem.ts';
import {
  columnIndex,
  type ColumnSchema,
  type ColumnType,
  type Schema,
} from '../../engine/contract/schema.ts';
import { durationNs, type EventTime } from '../../engine/contract/time.ts';
import { selectRows } from '../../engine/expression/select-rows.ts';
import { StringCodes } from '../../engine/expression/string-codes.ts';
import { type DedupeColumn, DedupeTable } from '../../wasm/host/dedupe.ts';
import { entryBytes, readEntries, writeEntries } from './dedupe-state.ts';

/** A century: event times and this add up within 64 bits. */
const WITHIN_MAX = '36500d';

const fields = {
  columns: columns({
    doc:
      'Columns in which a duplicate equals the row it repeats, within one key. Values are ' +
      'compared exactly; a null equals a null.',
    examples: [['venue', 'sequence']],
  }),
  within: duration({
    doc:
      'How far in event time, in either direction, a duplicate lies at most from the row it ' +
      'repeats, exclusive. A row is remembered until the watermark is that far past it.',
    examples: ['1m'],
  }),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const constraints: readonly Constraint<Config>[] = [
  {
    at: ['within'],
    violated: ({ within }) => {
      if (durationNs(within) === 0n) return `must be longer than 0s, got ${within}`;
      const isTooLong = durationNs(within) > durationNs(WITHIN_MAX);
      return isTooLong ? `must not exceed ${WITHIN_MAX}, got ${within}` : undefined;
    },
  },
];

function plan(config: Config, input: Schema, report: Report): Outputs {
  for (const [index, name] of config.columns.entries()) {
    const path = ['columns', index];
    if (columnIndex(input, name) < 0) {
      const names = input.columns.map((column) => column.name);
      const near = didYouMean(name, names);
      const listed = `columns: ${names.join(', ')}`;
      report({
        path,
        code: 'config/unknown-column',
        message: `there is no column ${name}`,
        help: near === undefined ? listed : `${near}; ${listed}`,
      });
    } else if (config.columns.indexOf(name) < index) {
      report({ path, code: 'config/duplicate-column', message: `${name} is listed twice` });
    }
  }
  return { main: input, duplicates: input };
}

const KINDS: Readonly<Record<ColumnType, DedupeColumn['kind']>> = {
  float64: 'f64',
  int64: 'i64',
  timestamp: 'i64',
  string: 'u32',
  boolean: 'u8',
};

class Dedupe implements Operator {
  readonly #config: Config;
  readonly #context: OperatorContext;
  readonly #table: DedupeTable;
  readonly #keyColumn: number;
  readonly #timeColumn: number;
  /** Where the compared columns are in the input, and what they are. */
  readonly #positions: readonly number[];
  readonly #compared: readonly ColumnSchema[];
  readonly #codes = new StringCodes();

  constructor(config: Config, context: OperatorContext, state: StateTables | undefined) {
    const { input, kernels } = context;
    this.#config = config;
    this.#context = context;
    this.#keyColumn = columnIndex(input, input.key);
    this.#timeColumn = columnIndex(input, input.time);
    this.#positions = config.columns.map((name) => columnIndex(input, name));
    this.#compared = this.#positions.map((position) => input.columns[position]!);
    const entries = state && readEntries(state['kept_rows']!, this.#compared, context);
    this.#table = new DedupeTable(kernels, durationNs(config.within), config.columns.length);
    if (entries !== undefined) this.#table.restore(entries);
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount === 0) return;
    const { kept, keptCount, duplicates, duplicateCount } = this.#sort(batch);
    if (duplicateCount === 0) {
      collector.emit(batch);
      return;
    }
    const { memory } = this.#context;
    this.#context.countRows('duplicate', batch, memory.u32(duplicates, duplicateCount).slice());
    this.#context.count('duplicate_rows_total', duplicateCount);
    if (keptCount > 0) collector.emit(selectRows(batch, kept, keptCount, this.#context));
    const repeated = selectRows(batch, duplicates, duplicateCount, this.#context);
    collector.emit(repeated, 'duplicates');
  }

  #sort(batch: Batch): ReturnType<DedupeTable['sort']> {
    const rows = {
      rowCount: batch.rowCount,
      keys: batch.columns[this.#keyColumn]!.pointer,
      times: batch.columns[this.#timeColumn]!.pointer,
      rowWatermarks: batch.rowWatermarks,
      columns: this.#positions.map((position) => this.#column(batch, position)),
    };
    try {
      return this.#table.sort(rows);
    } catch (error) {
      if (!(error instanceof RangeError)) throw error;
      throw new EngineError(
        'memory/exhausted',
        `step "${this.#context.step}": the ${this.#table.size} rows of the last ` +
          `${this.#config.within} do not fit into the 4 GiB of a slot, expected a shorter ` +
          'duration or more slots',
        { cause: error },
      );
    }
  }

  /** Strings are remembered by their codes in the slot's table, whatever table a column has. */
  #column(batch: Batch, position: number): DedupeColumn {
    const { type, pointer, dictionary } = batch.columns[position]!;
    const { memory, strings } = this.#context;
    if (dictionary === undefined || dictionary === strings) {
      return { kind: KINDS[type], pointer, codes: 0 };
    }
    const table = this.#codes.table(dictionary, strings, (text) => strings.intern(text));
    const codes = memory.arena.allocate(Math.max(1, table.length) * 4);
    memory.u32(codes, table.length).set(table);
    return { kind: 'codes', pointer, codes };
  }

  advance(watermark: EventTime): EventTime {
    this.#table.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    return { kept_rows: writeEntries(this.#table.entries(), this.#compared, this.#context) };
  }

  dispose(): void {
    this.#table.dispose();
  }
}

export const dedupe: OperatorDefinition = defineOperator({
  name: 'dedupe',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Drops rows that repeat an earlier row of their key within a duration.',
  guarantees: {
    order: 'Rows keep their order; of equal rows the one that arrives first passes.',
    lateness:
      'Late rows pass. One that comes when the row it repeats is forgotten passes as a new one.',
    backPressure: 'Works in the same turn; holds no rows back.',
  },
  fields,
  constraints,
  plan,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      kept_rows: 'Key, event time and compared values of each row that passed not long ago.',
    },
    // A text stands in a snapshot once, however many rows have it.
    bytesPerKey: ({ columns, within }) => ({
      key: 0,
      parts: [{ bytes: entryBytes(columns.length), each: `distinct row within ${within}` }],
    }),
  },
  metrics: {
    duplicate_rows_total: { unit: 'rows', doc: 'Rows dropped because they repeat another.' },
  },
  examples: [
    {
      title: 'trades that a feed sends twice',
      config: { columns: ['venue', 'sequence'], within: '1m' },
      input: `
        event_time | symbol | venue:string | sequence:int64 | price
        09:30:00   | AAPL   | XNAS         | 1              | 100
        09:30:01   | AAPL   | XNYS         | 1              | 101
        09:30:02   | AAPL   | XNAS         | 1              | 100
        09:30:02   | MSFT   | XNAS         | 1              | 50
        09:30:59   | AAPL   | XNAS         | 1              | 100
        09:31:00   | AAPL   | XNAS         | 1              | 102`,
      output: `
        event_time | symbol | venue | sequence | price
        09:30:00   | AAPL   | XNAS  | 1        | 100
        09:30:01   | AAPL   | XNYS  | 1        | 101
        09:30:02   | MSFT   | XNAS  | 1        | 50
        09:31:00   | AAPL   | XNAS  | 1        | 102`,
      outputs: {
        duplicates: `
          event_time | symbol | venue | sequence | price
          09:30:02   | AAPL   | XNAS  | 1        | 100
          09:30:59   | AAPL   | XNAS  | 1        | 100`,
      },
    },
  ],
  open: (config, context, state) => new Dedupe(config, context, state),
});
