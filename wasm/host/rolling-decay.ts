/** Host side of wasm/assembly/rolling-decay.ts: 64 bytes a key, whatever has gone by. */

import { KeyedRecords } from './keyed-records.ts';
import type { Kernels } from './kernels.ts';
import type { RollingOutput, RollingRows, RollingState } from './rolling-state.ts';

interface DecayExports {
  ewm(job: number): void;
  seeded(job: number): void;
}

/** In the order of their kinds in the kernel. */
const KINDS = ['mean', 'variance', 'stddev', 'zscore'];
const RECORD_BYTES = 64;
const JOB_BYTES = 64;
const OUTPUT_BYTES = 24;

/**
 * Decaying moments of a series of f64. Arguments of an output are: whether it is that of before the
 * row, how many values it needs, and whether its variance is biased; all 0 or 1 but the second.
 */
export class DecayingMoments implements RollingState {
  readonly #kernels: Kernels;
  readonly #kernel: (job: number) => void;
  readonly #settings: readonly number[];
  readonly #records: KeyedRecords;

  /** @param settings What the kernel says of them, four at most. */
  constructor(kernels: Kernels, kernel: 'ewm' | 'seeded', settings: readonly number[]) {
    this.#kernels = kernels;
    this.#kernel = kernels.module<DecayExports>('rolling-decay')[kernel];
    this.#settings = settings;
    this.#records = new KeyedRecords(kernels.memory, RECORD_BYTES);
  }

  resize(keyCount: number): void {
    this.#records.resize(keyCount);
  }

  run(rows: RollingRows, outputs: readonly RollingOutput[]): void {
    const { memory } = this.#kernels;
    const job = memory.arena.allocate(JOB_BYTES);
    const list = memory.arena.allocate(outputs.length * OUTPUT_BYTES);
    for (const [i, { name, pointer, arguments: numbers }] of outputs.entries()) {
      const [before = 0, needed = 1, biased = 0] = numbers;
      memory
        .u32(list + i * OUTPUT_BYTES, 5)
        .set([KINDS.indexOf(name), pointer, before, needed, biased]);
    }
    const [values = 0] = rows.values;
    memory
      .u32(job, 6)
      .set([this.#records.pointer, rows.keys, values, rows.rowCount, list, outputs.length]);
    memory.f64(job + 24, 4).set([...this.#settings, 0, 0, 0, 0].slice(0, 4));
    this.#kernel(job);
  }

  advance(): void {}

  snapshot(): Uint8Array {
    return this.#records.snapshot();
  }

  restore(snapshot: Uint8Array, keyCount: number): void {
    this.#records.restore(snapshot, keyCount);
  }

  dispose(): void {
    this.#records.dispose();
  }
}
