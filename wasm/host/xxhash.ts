/** Host side of XXH64 over bytes that come in pieces. */

import { Kernels } from './kernels.ts';

interface XxhashExports {
  reset(state: number): void;
  update(state: number, data: number, length: number): void;
  digest(state: number): number;
}

const STATE_BYTES = 72;
const PIECE_BYTES = 1 << 17;

export class Xxhash {
  readonly #kernels = new Kernels();
  readonly #exports = this.#kernels.module<XxhashExports>('xxhash');
  readonly #state = this.#kernels.memory.allocate(STATE_BYTES);
  readonly #piece = this.#kernels.memory.allocate(PIECE_BYTES);

  constructor() {
    this.reset();
  }

  reset(): void {
    this.#exports.reset(this.#state);
  }

  update(bytes: Uint8Array): void {
    for (let at = 0; at < bytes.length; at += PIECE_BYTES) {
      const piece = bytes.subarray(at, at + PIECE_BYTES);
      this.#kernels.memory.bytes(this.#piece, piece.length).set(piece);
      this.#exports.update(this.#state, this.#piece, piece.length);
    }
  }

  /** The low 32 bits of the hash of everything since `reset`. */
  digest(): number {
    return this.#exports.digest(this.#state) >>> 0;
  }
}
