/** The size of the state in words: of each step, and of the pipeline as a whole. */

import type { Schema } from '../engine/contract/schema.ts';
import {
  boundedBytes,
  type StatePart,
  stateSizeOf,
  unboundedParts,
} from '../engine/contract/state-size.ts';
import type { OperatorDefinition } from '../engine/contract/operator.ts';
import type { StepConfig } from '../engine/plan/pipeline-plan.ts';
import { formatBytes, formatCount } from './terminal/numbers.ts';

export interface ExplainedSize {
  /** Bytes of a key in a snapshot, with as many of each bounded part as it can have. */
  readonly bytesPerKey: number;
  /** Of them, what a key takes without any parts. */
  readonly key: number;
  readonly parts: readonly StatePart[];
}

/** Undefined for a step without state, or where its declaration does not say. */
export function explainSize(
  definition: OperatorDefinition,
  config: StepConfig,
  input: Schema,
): ExplainedSize | undefined {
  if (definition.state.scope === 'none') return undefined;
  const size = stateSizeOf(definition, config, input);
  return size && { bytesPerKey: boundedBytes(size), ...size };
}

export interface TotalSize {
  readonly bytesPerKey: number;
  /** Parts that no configuration bounds, with their steps. */
  readonly unbounded: readonly (StatePart & { readonly step: string })[];
  /** Steps with state whose declarations do not tell its size. */
  readonly unknown: readonly string[];
}

export function totalSize(
  steps: readonly {
    readonly name: string;
    readonly state?: Readonly<Record<string, string>>;
    readonly stateSize?: ExplainedSize;
  }[],
): TotalSize {
  return {
    bytesPerKey: steps.reduce((sum, { stateSize }) => sum + (stateSize?.bytesPerKey ?? 0), 0),
    unbounded: steps.flatMap(({ name, stateSize }) =>
      stateSize === undefined
        ? []
        : unboundedParts(stateSize).map((part) => ({ step: name, ...part })),
    ),
    unknown: steps.flatMap(({ name, state = {}, stateSize }) =>
      stateSize === undefined && Object.keys(state).length > 0 ? [name] : [],
    ),
  };
}

/** `388 B: 4 B + 128 B for each open window (at most 3)` */
export function sizeText({ bytesPerKey, key, parts }: ExplainedSize): string {
  const texts = alike(parts).map(([{ bytes, atMost }, names]) => {
    const of = names.length > 1 ? ' of each' : '';
    const limit =
      atMost === undefined || atMost === 1 ? '' : ` (at most ${formatCount(atMost)}${of})`;
    return `${formatBytes(bytes)} for each ${names.join(', ')}${limit}`;
  });
  if (key > 0) texts.unshift(formatBytes(key));
  const isBounded = parts.every(({ atMost }) => atMost !== undefined);
  if (texts.length === 1 && isBounded) return formatBytes(bytesPerKey);
  const more = isBounded ? '' : ' or more';
  const total = bytesPerKey === 0 ? '' : `${formatBytes(bytesPerKey)}${more}: `;
  return `${total}${texts.join(' + ')}`;
}

/** Parts of one size and bound together. */
function alike(parts: readonly StatePart[]): readonly (readonly [StatePart, string[]])[] {
  const groups = new Map<string, readonly [StatePart, string[]]>();
  for (const part of parts) {
    const id = `${part.bytes} ${part.atMost}`;
    const group = groups.get(id);
    if (group === undefined) groups.set(id, [part, [part.each]]);
    else group[1].push(part.each);
  }
  return [...groups.values()];
}

const KEYS_SHOWN = 10_000;

export function totalText({ bytesPerKey, unbounded, unknown }: TotalSize, key: string): string {
  const all = formatBytes(bytesPerKey * KEYS_SHOWN);
  const steps = [...new Set(unbounded.map(({ step }) => step))];
  const more = steps.length === 0 ? '' : `, and what the rows decide in ${steps.join(', ')}`;
  const rest = unknown.length === 0 ? '' : `, without ${unknown.join(', ')}`;
  const each = `${formatBytes(bytesPerKey)} for each ${key}`;
  return `${each}, ${all} for ${formatCount(KEYS_SHOWN)}${more}${rest}`;
}
