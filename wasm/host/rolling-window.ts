/** A series whose kernel keeps a window in rings. */

import type { RollingRings } from './rolling-rings.ts';
import type { RollingOutput, RollingRows, RollingState } from './rolling-state.ts';

export abstract class RollingWindow implements RollingState {
  protected abstract readonly rings: RollingRings;

  abstract run(rows: RollingRows, outputs: readonly RollingOutput[]): void;

  resize(keyCount: number): void {
    this.rings.resize(keyCount);
  }

  advance(watermark: bigint): void {
    this.rings.advance(watermark);
  }

  snapshot(): Uint8Array {
    return this.rings.snapshot();
  }

  restore(snapshot: Uint8Array, keyCount: number): void {
    this.rings.restore(snapshot, keyCount);
  }

  dispose(): void {
    this.rings.dispose();
  }
}
