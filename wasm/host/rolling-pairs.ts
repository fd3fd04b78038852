/** Host side of wasm/assembly/rolling-pairs.ts: correlation and the like of two series. */

import type { Kernels } from './kernels.ts';
import { type RingExports, RollingRings } from './rolling-rings.ts';
import type { RollingOutput, RollingRows, WindowSpec } from './rolling-state.ts';
import { RollingWindow } from './rolling-window.ts';

interface PairExports extends RingExports {
  pairRows(job: number, from: number): number;
  pairTimes(job: number, from: number): number;
}

/** In the order of the job's outputs. */
const RESULTS = ['correlation', 'covariance', 'regr_slope'];
/** Lanes that make room for the five moments of an entry: two, two and one. */
const MOMENTS = 2 | 16 | 32;

/** Results of two series of f64, all f64. */
export class PairWindow extends RollingWindow {
  protected override readonly rings: RollingRings;
  readonly #exports: PairExports;
  readonly #kernel: 'pairRows' | 'pairTimes';

  constructor(kernels: Kernels, spec: WindowSpec) {
    super();
    this.#exports = kernels.module<PairExports>('rolling-pairs');
    this.#kernel = spec.rows === undefined ? 'pairTimes' : 'pairRows';
    const ringSpec = { ...spec, mask: MOMENTS, valueBytes: 16, isInteger: false } as const;
    this.rings = new RollingRings(kernels, this.#exports, ringSpec);
  }

  override run(rows: RollingRows, outputs: readonly RollingOutput[]): void {
    const pointers = RESULTS.map(
      (name) => outputs.find((output) => output.name === name)?.pointer ?? 0,
    );
    const { job } = this.rings;
    const [, second = 0] = rows.values;
    this.rings.run(rows, [...pointers, second], (from) => this.#exports[this.#kernel](job, from));
  }
}
