/** Host side of wasm/assembly/rolling-order.ts: quantiles of windows, and what is made of them. */

import type { Kernels } from './kernels.ts';
import { type RingExports, RollingRings } from './rolling-rings.ts';
import type { RollingOutput, RollingRows, WindowSpec } from './rolling-state.ts';
import { RollingWindow } from './rolling-window.ts';

interface OrderExports extends RingExports {
  orderRows(job: number, from: number, outputs: number, length: number): number;
  orderTimes(job: number, from: number, outputs: number, length: number): number;
}

/** In the order of their kinds in the kernel. */
const KINDS = ['quantile', 'iqr', 'iqr_lower', 'iqr_upper', 'mad', 'robust_zscore'];
const OUTPUT_BYTES = 16;

/** Results of a series of f64, all f64. An output has one argument at most: a share or a factor. */
export class OrderedWindow extends RollingWindow {
  protected override readonly rings: RollingRings;
  readonly #kernels: Kernels;
  readonly #exports: OrderExports;
  readonly #kernel: 'orderRows' | 'orderTimes';

  constructor(kernels: Kernels, spec: WindowSpec) {
    super();
    this.#kernels = kernels;
    this.#exports = kernels.module<OrderExports>('rolling-order');
    this.#kernel = spec.rows === undefined ? 'orderTimes' : 'orderRows';
    const ringSpec = { ...spec, mask: 0, valueBytes: 8, isInteger: false } as const;
    this.rings = new RollingRings(kernels, this.#exports, ringSpec);
  }

  override run(rows: RollingRows, outputs: readonly RollingOutput[]): void {
    const list = writeOutputs(this.#kernels, KINDS, outputs);
    const { job } = this.rings;
    const { length } = outputs;
    this.rings.run(rows, [], (from) => this.#exports[this.#kernel](job, from, list, length));
  }
}

/** A list of {kind u32, pointer u32, argument f64} in the arena. May grow the memory. */
export function writeOutputs(
  { memory }: Kernels,
  kinds: readonly string[],
  outputs: readonly RollingOutput[],
): number {
  const list = memory.arena.allocate(outputs.length * OUTPUT_BYTES);
  for (const [
    i,
    {
      name,
      pointer,
      arguments: [argument = 0],
    },
  ] of outputs.entries()) {
    memory.u32(list + i * OUTPUT_BYTES, 2).set([kinds.indexOf(name), pointer]);
    memory.f64(list + i * OUTPUT_BYTES + 8, 1)[0] = argument;
  }
  return list;
}
