/**
 * Whether a checkpoint fits the pipeline as it is now, after its file may have been edited. Pure.
 *
 * State belongs to names: an operator keeps its state as long as what the state depends on is the
 * same, whatever else has changed around it. A new one starts empty, one that is gone is forgotten,
 * and one whose configuration has changed is refused, because neither its old state nor an empty
 * one would be what its name promises.
 */

import { isDeepStrictEqual } from 'node:util';
import type { Schema } from '../contract/schema.ts';
import type { Checkpoint, OperatorIdentity, SinkSnapshot } from './checkpoint.ts';

/** The pipeline as it is now. */
export interface PlanIdentity {
  readonly pipeline: string;
  readonly key: string;
  readonly partitions: number;
  readonly sources: readonly SourceIdentity[];
  readonly operators: readonly OperatorIdentity[];
  readonly sinks: readonly SinkIdentity[];
}

export interface SourceIdentity {
  readonly name: string;
  readonly type: string;
  /** Splits that the source has at this time. */
  readonly splits: readonly string[];
}

export type SinkIdentity = Pick<SinkSnapshot, 'name' | 'type' | 'config' | 'schema'>;

export interface Fit {
  /** Why the checkpoint cannot be used, with the remedy; empty where it can. */
  readonly refusals: readonly string[];
  /** What the user should know of. */
  readonly warnings: readonly string[];
}

const START_ANEW = 'start anew with --ignore-state';

export function fitPlan(checkpoint: Checkpoint, plan: PlanIdentity): Fit {
  const refusals: string[] = [];
  const warnings: string[] = [];
  if (checkpoint.pipeline !== plan.pipeline) {
    refusals.push(
      `it is of the pipeline ${checkpoint.pipeline}, this one is ${plan.pipeline}; give this one ` +
        'a checkpoint directory of its own',
    );
    return { refusals, warnings };
  }
  for (const field of ['key', 'partitions'] as const) {
    if (checkpoint[field] === plan[field]) continue;
    refusals.push(
      `${field} was ${checkpoint[field]} and is ${plan[field]} now: all state is placed by it; ` +
        `change it back, or ${START_ANEW}`,
    );
  }
  fitSources(checkpoint, plan, refusals, warnings);
  fitOperators(checkpoint, plan, refusals, warnings);
  fitSinks(checkpoint, plan, refusals, warnings);
  return { refusals, warnings };
}

function fitSources(
  checkpoint: Checkpoint,
  plan: PlanIdentity,
  refusals: string[],
  warnings: string[],
): void {
  for (const { name, type, splits } of checkpoint.sources) {
    const now = plan.sources.find((source) => source.name === name);
    if (now === undefined) {
      warnings.push(`source ${name} is gone, and where it had got to is forgotten`);
    } else if (now.type !== type) {
      refusals.push(
        `source ${name} was of type ${type} and is of type ${now.type} now; give it another ` +
          'name to read it from its start',
      );
    } else {
      for (const { id, position } of splits) {
        if (position === undefined || now.splits.includes(id)) continue;
        refusals.push(
          `source ${name} no longer has ${id}, which was being read; bring it back, or give the ` +
            'source another name to read what it has now from the start',
        );
      }
    }
  }
  for (const { name } of plan.sources) {
    if (checkpoint.sources.some((source) => source.name === name)) continue;
    warnings.push(`source ${name} is new and is read from its start`);
  }
}

function fitOperators(
  checkpoint: Checkpoint,
  plan: PlanIdentity,
  refusals: string[],
  warnings: string[],
): void {
  for (const before of checkpoint.operators) {
    const now = plan.operators.find(({ name }) => name === before.name);
    if (now === undefined) {
      const gone = `operator ${before.name} is gone, with its state`;
      if (before.stateVersion > 0) warnings.push(gone);
      continue;
    }
    if (before.stateVersion === 0 && now.stateVersion === 0) continue;
    const changes = changesOf(before, now);
    if (changes.length === 0) continue;
    refusals.push(
      `operator ${before.name} cannot keep its state: ${changes.join(', ')}; change it back, ` +
        `give it another name to start it empty, or ${START_ANEW}`,
    );
  }
  for (const { name, stateVersion } of plan.operators) {
    if (stateVersion === 0 || checkpoint.operators.some((before) => before.name === name)) continue;
    warnings.push(`operator ${name} is new and starts empty`);
  }
}

function changesOf(before: OperatorIdentity, now: OperatorIdentity): string[] {
  if (before.type !== now.type) return [`its type was ${before.type} and is ${now.type} now`];
  const changes: string[] = [];
  if (before.stateVersion !== now.stateVersion) {
    changes.push(
      `this version of Tidemark keeps it in another form (${now.stateVersion}, it has ` +
        `${before.stateVersion})`,
    );
  }
  for (const field of new Set([...Object.keys(before.config), ...Object.keys(now.config)])) {
    if (isDeepStrictEqual(plain(before.config[field]), plain(now.config[field]))) continue;
    changes.push(...valueChanges(field, plain(before.config[field]), plain(now.config[field])));
  }
  if (!isDeepStrictEqual(plain(before.input), plain(now.input))) {
    changes.push(`its input has changed (${schemaChange(before.input, now.input)})`);
  }
  return changes;
}

/** Committables are finished by the checkpoint itself; only rows that wait need the sink. */
function fitSinks(
  checkpoint: Checkpoint,
  plan: PlanIdentity,
  refusals: string[],
  warnings: string[],
): void {
  for (const { name } of plan.sinks) {
    if (checkpoint.sinks.some((before) => before.name === name)) continue;
    warnings.push(`sink ${name} is new and gets only what comes from now on`);
  }
  for (const before of checkpoint.sinks) {
    const now = plan.sinks.find(({ name }) => name === before.name);
    if (before.carried === undefined) {
      const moved = now && placeChange(before, now);
      if (moved !== undefined) warnings.push(`sink ${before.name} ${moved}`);
      continue;
    }
    const carried = `rows of sink ${before.name} wait in the checkpoint`;
    const remedy = `change it back and stop a run with Ctrl-C to write them, or ${START_ANEW}`;
    if (now === undefined) {
      refusals.push(`${carried}, and the sink is gone; ${remedy}`);
    } else if (
      now.type !== before.type ||
      !isDeepStrictEqual(plain(now.config), plain(before.config)) ||
      !isDeepStrictEqual(plain(now.schema), plain(before.schema))
    ) {
      refusals.push(`${carried}, and the sink has changed; ${remedy}`);
    }
  }
}

/** Where what a sink wrote so far is not where it goes on. */
function placeChange(before: SinkIdentity, now: SinkIdentity): string | undefined {
  if (before.type !== now.type) {
    return `was of type ${before.type} and is of type ${now.type} now: earlier rows stay there`;
  }
  const fields = new Set([...Object.keys(before.config), ...Object.keys(now.config)]);
  for (const field of ['path', 'stream', 'subject']) {
    const [old, own] = [before.config[field], now.config[field]];
    if (!fields.has(field) || isDeepStrictEqual(plain(old), plain(own))) continue;
    const change = `${field} was ${shown(old)} and is ${shown(own)} now`;
    return `has moved: ${change}; earlier rows stay there`;
  }
  return undefined;
}

/** As it is after a way through bytes: without what is undefined. */
function plain(value: unknown): unknown {
  return value === undefined ? undefined : (JSON.parse(asText(value)) as unknown);
}

function asText(value: unknown): string {
  return JSON.stringify(value, (_key, inner: unknown) =>
    typeof inner === 'bigint' ? `${inner}n` : inner,
  );
}

/** Changes told of one field. */
const CHANGES_MAX = 4;
const VALUE_CHARACTERS_MAX = 60;

/** Of a mapping or list only the entries that differ, by their path. */
function valueChanges(path: string, before: unknown, now: unknown): string[] {
  if (isDeepStrictEqual(before, now)) return [];
  if (!isNested(before) || !isNested(now) || Array.isArray(before) !== Array.isArray(now)) {
    return [`${path} was ${shown(before)} and is ${shown(now)}`];
  }
  const entries = [before, now] as [Record<string, unknown>, Record<string, unknown>];
  const names = new Set(entries.flatMap(Object.keys));
  const changes = [...names].flatMap((name) => {
    const entry = Array.isArray(before) ? `${path}[${name}]` : `${path}.${name}`;
    return valueChanges(entry, entries[0][name], entries[1][name]);
  });
  const more = changes.length - CHANGES_MAX;
  return more <= 1 ? changes : [...changes.slice(0, CHANGES_MAX), `and ${more} more in ${path}`];
}

function isNested(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function shown(value: unknown): string {
  if (value === undefined) return 'not set';
  const text = typeof value === 'string' ? value : asText(value);
  return text.length > VALUE_CHARACTERS_MAX ? `${text.slice(0, VALUE_CHARACTERS_MAX)}…` : text;
}

function schemaChange(before: Schema, now: Schema): string {
  const texts = (schema: Schema) => schema.columns.map(({ name, type }) => `${name} ${type}`);
  const old = texts(before);
  const own = texts(now);
  const gone = old.filter((column) => !own.includes(column)).map((column) => `-${column}`);
  const added = own.filter((column) => !old.includes(column)).map((column) => `+${column}`);
  return [...gone, ...added].join(' ') || 'the order or the meaning of its columns';
}
