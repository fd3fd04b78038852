/**
 * Whole lives of a pipeline in a simulated world: engines that die and are started again until one
 * comes to the end, compared with one that lives undisturbed.
 */

import { catalog } from '../../catalog.ts';
import { addAccounts, emptyAccounts, unaccountedRows } from '../../engine/contract/row-accounts.ts';
import type { WatermarkScope } from '../../engine/contract/connector.ts';
import type { Clock } from '../../engine/contract/time.ts';
import type { PipelinePlan } from '../../engine/plan/pipeline-plan.ts';
import { planPipeline } from '../../engine/plan/plan-pipeline.ts';
import { Pipeline } from '../../engine/runtime/pipeline.ts';
import type { RunResult } from '../../engine/runtime/run-result.ts';
import {
  type Fate,
  type Life,
  SimulatedDeath,
  type World,
} from '../../engine/testing/simulated-world.ts';
import type { Row } from '../../engine/testing/table.ts';

const SECOND = 1_000_000_000n;
const KEYS = ['AAPL', 'IBM', 'MSFT', 'SPY', 'BAC', 'AIG', 'GE'];

/** Windows, statistics over them, anomalies, duplicates and late rows: state of every kind. */
const document = {
  name: 'simulation',
  key: 'symbol',
  partitions: 4,
  sources: {
    trades: {
      type: 'file',
      path: 'unused.csv',
      columns: {
        event_time: 'event_time',
        symbol: 'symbol',
        price: 'price',
        size: 'size',
        sequence: { from: 'sequence', type: 'int64' },
      },
      watermark: { max_out_of_orderness: '2s', idle_timeout: '1d' },
    },
  },
  operators: {
    unique: { type: 'dedupe', input: 'trades', columns: ['sequence'], within: '5s' },
    bars: {
      type: 'tumbling_window',
      input: 'unique',
      size: '3s',
      allowed_lateness: '1s',
      aggregates: { open: 'first(price)', close: 'last(price)', volume: 'sum(size)' },
    },
    scores: {
      type: 'rolling',
      input: 'bars',
      over: '3 rows',
      exclude_current: true,
      columns: { z_close: 'zscore(close)' },
    },
    odd: {
      type: 'threshold',
      input: 'scores',
      rules: [{ type: 'odd_close', when: 'abs(z_close) > 1', value: 'close', score: 'z_close' }],
    },
    sessions: {
      type: 'session_window',
      input: 'trades',
      gap: '2s',
      aggregates: { trades: 'count()', last: 'last(price)' },
    },
  },
  sinks: Object.fromEntries(
    ['scores', 'odd', 'sessions', 'bars.late', 'unique.duplicates'].map((input) => [
      input.replace('.', '_'),
      { type: 'blackhole', input },
    ]),
  ),
};

/** The plan, its source and its sinks in the simulated world. */
export function simulatedPlan(): PipelinePlan {
  const { plan, problems } = planPipeline(document, catalog);
  if (plan === undefined) throw new Error(problems.map(({ message }) => message).join('\n'));
  const simulated = { type: 'simulated', config: {} };
  return {
    ...plan,
    sources: plan.sources.map((source) => ({ ...source, ...simulated })),
    sinks: plan.sinks.map((sink) => ({ ...sink, ...simulated })),
  };
}

/** Repeatable random numbers (mulberry32), so that a seed tells everything. */
export function randomOf(seed: number): () => number {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let mixed = Math.imul(state ^ (state >>> 15), state | 1);
    mixed ^= mixed + Math.imul(mixed ^ (mixed >>> 7), mixed | 61);
    return ((mixed ^ (mixed >>> 14)) >>> 0) / 2 ** 32;
  };
}

/** Trades with gaps, out of order, some too late, some twice. */
export function logOf(random: () => number, length: number): Row[] {
  const log: Row[] = [];
  let now = 1_700_000_000n * SECOND;
  for (let sequence = 0; sequence < length; sequence++) {
    now += BigInt(Math.floor(random() * 900)) * 1_000_000n;
    if (random() < 0.03) now += 5n * SECOND;
    const back =
      random() < 0.3 ? BigInt(Math.floor(random() * (random() < 0.2 ? 9000 : 1900))) : 0n;
    const row: Row = {
      event_time: now - back * 1_000_000n,
      symbol: KEYS[Math.floor(random() * KEYS.length)]!,
      price: 100 + Math.round(random() * 400) / 100,
      size: random() < 0.05 ? null : Math.ceil(random() * 500),
      sequence: BigInt(sequence),
    };
    log.push(row);
    if (random() < 0.05) log.push(row);
  }
  return log;
}

/** A clock that moves by itself, so that checkpoints come after a few batches. */
function drivenClock(stepMs: number): Clock {
  let nowMs = 0;
  return {
    nowMs: () => (nowMs += stepMs),
    sleep: async () => undefined,
  };
}

export interface Circumstances {
  readonly plan: PipelinePlan;
  readonly log: readonly Row[];
  readonly scope: WatermarkScope;
  readonly slots: number;
  readonly checkpointMs: number;
}

/** Runs one engine; undefined where it died. */
export async function live(
  life: Life,
  { plan, log, scope, slots, checkpointMs }: Circumstances,
): Promise<RunResult | undefined> {
  const simulated = life.catalog(catalog.operators, log, scope);
  const pipeline = new Pipeline(plan, simulated, life.workers(simulated), {
    slots,
    lanes: 1,
    clock: drivenClock(1),
    checkpoints: {
      intervalMs: checkpointMs,
      keep: 2,
      open: async () => life.store(),
      start: { kind: 'newest' },
    },
  });
  try {
    const result = await pipeline.run();
    return life.diedAfter === undefined ? result : undefined;
  } catch (error) {
    if (error instanceof SimulatedDeath || life.diedAfter !== undefined) return undefined;
    throw error;
  }
}

export const QUIET: Fate = {
  steps: Number.POSITIVE_INFINITY,
  batchRows: () => 16,
  carries: () => false,
  isFull: () => false,
  isSinkFull: () => false,
  pause: async () => undefined,
};

/** What each sink shows at the end, and the rows that were accounted for since the beginning. */
export function outcomeOf(world: World, plan: PipelinePlan): Record<string, string[]> {
  return Object.fromEntries(plan.sinks.map(({ name }) => [name, world.visible(name)]));
}

/** The rows of a run add up. */
export function unaccounted(result: RunResult): number {
  const sum = emptyAccounts();
  for (const own of Object.values(result.perSource)) addAccounts(sum, own);
  return unaccountedRows(sum);
}
