/** Host side of wasm/assembly/rolling.ts: aggregates of windows, and what lies before a row. */

import type { Kernels } from './kernels.ts';
import { type RingExports, RollingRings } from './rolling-rings.ts';
import type { RollingOutput, RollingRows, WindowSpec } from './rolling-state.ts';
import { RollingWindow } from './rolling-window.ts';

interface RollingExports extends RingExports {
  aggregateRows(job: number, from: number): number;
  aggregateTimes(job: number, from: number): number;
  lagRows(job: number, from: number, outputs: number, length: number): number;
  lagTimes(job: number, from: number, outputs: number, length: number): number;
}

/** Windows of rows up to this length have a kernel of their own (wasm/assembly/rolling-rows.ts). */
const NEAR_ROWS_MAX = 1024;

const SUM = 1;
const MOMENTS = 2;
const MIN = 4;
const MAX = 8;
const EXTREMES = MIN | MAX;
const HIGHER = 16;
const TREND = 32;

/** Lanes that each result needs, in the order of the job's outputs. */
const LANES = {
  count: 0,
  sum: SUM,
  mean: MOMENTS,
  min: MIN,
  max: MAX,
  variance: MOMENTS,
  stddev: MOMENTS,
  zscore: MOMENTS,
  variance_pop: MOMENTS,
  stddev_pop: MOMENTS,
  skew: MOMENTS | HIGHER,
  kurtosis: MOMENTS | HIGHER,
  slope: MOMENTS | TREND,
} as const satisfies Readonly<Record<string, number>>;

const AGGREGATES = Object.keys(LANES);

/** In the order of their kinds in the kernel. */
const LAG_KINDS = [
  'lag',
  'delta',
  'delta_integer',
  'delta_seconds',
  'pct_change',
  'pct_change_integer',
];

/** Aggregates of a series of f64; `count` is i64, all others f64. */
export class AggregateWindow extends RollingWindow {
  protected override readonly rings: RollingRings;
  readonly #exports: RollingExports;
  readonly #kernel: 'aggregateRows' | 'aggregateTimes';

  /** @param names Results that will be asked for. */
  constructor(kernels: Kernels, spec: WindowSpec, names: readonly string[]) {
    super();
    const needed = names.reduce((lanes, name) => lanes | LANES[name as keyof typeof LANES], 0);
    const { rows = Number.POSITIVE_INFINITY } = spec;
    const isNear = rows <= NEAR_ROWS_MAX && (needed & (HIGHER | TREND)) === 0;
    this.#exports = kernels.module<RollingExports>(isNear ? 'rolling-rows' : 'rolling');
    this.#kernel = spec.rows === undefined ? 'aggregateTimes' : 'aggregateRows';
    // There, minimum and maximum are kept together.
    const mask = isNear && (needed & EXTREMES) !== 0 ? needed | EXTREMES : needed;
    const ringSpec = { ...spec, mask, valueBytes: 8, isInteger: false } as const;
    this.rings = new RollingRings(kernels, this.#exports, ringSpec);
  }

  override run(rows: RollingRows, outputs: readonly RollingOutput[]): void {
    const pointers = AGGREGATES.map(
      (name) => outputs.find((output) => output.name === name)?.pointer ?? 0,
    );
    const { job } = this.rings;
    this.rings.run(rows, pointers, (from) => this.#exports[this.#kernel](job, from));
  }
}

/**
 * Values before each row. An output's argument is how many values before: at least 1, at most the
 * rows of the window. Values are f64, or i64 where the spec says so.
 */
export class LagWindow extends RollingWindow {
  protected override readonly rings: RollingRings;
  readonly #kernels: Kernels;
  readonly #exports: RollingExports;
  readonly #kernel: 'lagRows' | 'lagTimes';

  constructor(kernels: Kernels, spec: WindowSpec & { readonly isInteger: boolean }) {
    super();
    this.#kernels = kernels;
    this.#exports = kernels.module<RollingExports>('rolling');
    this.#kernel = spec.rows === undefined ? 'lagTimes' : 'lagRows';
    this.rings = new RollingRings(kernels, this.#exports, { ...spec, mask: 0, valueBytes: 8 });
  }

  override run(rows: RollingRows, outputs: readonly RollingOutput[]): void {
    const { memory } = this.#kernels;
    const length = outputs.length;
    const list = memory.arena.allocate(length * 12);
    const triples = outputs.flatMap(({ name, arguments: [distance = 1], pointer }) => [
      LAG_KINDS.indexOf(name),
      distance,
      pointer,
    ]);
    memory.u32(list, length * 3).set(triples);
    const { job } = this.rings;
    this.rings.run(rows, [], (from) => this.#exports[this.#kernel](job, from, list, length));
  }
}
