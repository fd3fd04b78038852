/**
 * Texts of rows in linear memory, for `JsonScanner.scanRows`: many messages of one object each, or
 * the rows of one message. Owns its copy of the bytes and the table of where each row stands.
 */

import type { Kernels } from './kernels.ts';

interface SplitExports {
  splitRows(start: number, end: number, rows: number, rowsMax: number): number;
}

/** The kernel reads in blocks and may look so far behind a text. */
const SLACK_BYTES = 64;
const BYTES_START = 1 << 16;
const ROWS_START = 1024;
const EXTENT_BYTES = 8;
const NEWLINE = 10;
const OPEN = 123;

const NOT_PLAIN = 0xffff_ffff;
const NO_ROOM = 0xffff_fffe;

export class JsonTexts {
  readonly #kernels: Kernels;
  #bytes: number;
  #bytesRoom = BYTES_START;
  #rowsRoom = ROWS_START;
  /** Pointer to u32[2 * count]: start and end of each row. */
  extents: number;
  /** Rows. */
  count = 0;

  constructor(kernels: Kernels) {
    this.#kernels = kernels;
    this.#bytes = kernels.memory.allocate(BYTES_START);
    this.extents = kernels.memory.allocate(ROWS_START * EXTENT_BYTES);
  }

  #makeRoom(bytes: number, rows: number): void {
    const { memory } = this.#kernels;
    const needed = bytes + SLACK_BYTES;
    if (needed > this.#bytesRoom) {
      while (needed > this.#bytesRoom) this.#bytesRoom *= 2;
      this.#bytes = memory.reallocate(this.#bytes, 0, this.#bytesRoom);
    }
    if (rows > this.#rowsRoom) {
      while (rows > this.#rowsRoom) this.#rowsRoom *= 2;
      this.extents = memory.reallocate(this.extents, 0, this.#rowsRoom * EXTENT_BYTES);
    }
  }

  /**
   * Takes messages, a row each; the bytes are copied. What cannot be one object is not taken along,
   * and stops the scan.
   */
  loadMessages(payloads: readonly Uint8Array[], bytesMax: number): void {
    let bytes = payloads.length;
    for (const payload of payloads) if (payload.length <= bytesMax) bytes += payload.length;
    this.#makeRoom(bytes, payloads.length);
    const { memory } = this.#kernels;
    const input = memory.bytes(this.#bytes, bytes);
    const extents = memory.u32(this.extents, payloads.length * 2);
    let end = 0;
    for (let index = 0; index < payloads.length; index++) {
      const payload = payloads[index]!;
      extents[index * 2] = this.#bytes + end;
      if (payload[0] === OPEN && payload.length <= bytesMax) {
        input.set(payload, end);
        end += payload.length;
        // A line end behind the object belongs to neither.
        if (input[end - 1] === NEWLINE) end--;
      }
      input[end] = NEWLINE;
      extents[index * 2 + 1] = this.#bytes + end;
      end++;
    }
    this.count = payloads.length;
  }

  /**
   * Takes the rows of a message: the elements of an array, lines of which the first is an object,
   * or one object. The bytes are copied.
   * @returns False where it is none of these, or might not be.
   */
  loadRows(payload: Uint8Array): boolean {
    const { length } = payload;
    const { memory } = this.#kernels;
    this.#makeRoom(length + 1, 0);
    const bytes = memory.bytes(this.#bytes, length + 1);
    bytes.set(payload);
    bytes[length] = NEWLINE;
    const { splitRows } = this.#kernels.module<SplitExports>('json');
    for (;;) {
      const end = this.#bytes + length;
      const count = splitRows(this.#bytes, end, this.extents, this.#rowsRoom) >>> 0;
      if (count === NOT_PLAIN) return false;
      if (count !== NO_ROOM) {
        this.count = count;
        return true;
      }
      this.#makeRoom(0, this.#rowsRoom * 2);
    }
  }

  /** The text of a row. A view. */
  row(index: number): Buffer {
    const { memory } = this.#kernels;
    const [start, end] = memory.u32(this.extents + index * EXTENT_BYTES, 2);
    return Buffer.from(memory.memory.buffer, start, end! - start!);
  }
}
