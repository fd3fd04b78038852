/**
 * Zstandard files: frames one after another, each a header, blocks of at most 128 KiB decompressed,
 * and maybe a checksum.
 *
 *     magic 4 | descriptor 1 | window 0-1 | dictionary 0-4 | size 0-8 | blocks | checksum 0-4
 *     block: 3 bytes (bit 0: last, bits 1-2: type, rest: size), then its content
 *
 * The file is cut into blocks here, and each is given to the decompressor by itself. So the place
 * of damage is known to the block, everything before the block has been delivered, and the
 * checksum, which the decompressor ignores, can be verified.
 */

import { createReadStream } from 'node:fs';
import { Decompress } from 'fzstd';
import { EngineError } from '../../engine/contract/error.ts';
import { Xxhash } from '../../wasm/host/xxhash.ts';
import { type ByteStream, PIECE_BYTES, streamOf } from './piece-stream.ts';
import { unreadable } from './decoder.ts';

const FRAME_MAGIC = 0xfd2fb528;
const SKIPPABLE_MAGIC = 0x184d2a50;
const BLOCK_HEADER_BYTES = 3;
const CHECKSUM_BYTES = 4;
const RLE_BLOCK = 1;
const RESERVED_BLOCK = 3;

/** The file as a queue of bytes. */
class Input {
  /** Offset in the file of the next byte. */
  offset = 0;
  readonly #file: AsyncIterator<Buffer>;
  #pieces: Buffer[] = [];
  #held = 0;

  constructor(file: AsyncIterable<Buffer>) {
    this.#file = file[Symbol.asyncIterator]();
  }

  /** The next `count` bytes; fewer where the file ends. */
  async take(count: number): Promise<Buffer> {
    while (this.#held < count) {
      const { value, done } = await this.#file.next();
      if (done === true) break;
      this.#pieces.push(value);
      this.#held += value.length;
    }
    const [first] = this.#pieces;
    const all =
      first !== undefined && first.length >= Math.min(count, this.#held)
        ? first
        : Buffer.concat(this.#pieces);
    const taken = all.subarray(0, count);
    this.#pieces = all === first ? this.#pieces.slice(1) : [];
    if (all.length > taken.length) this.#pieces.unshift(all.subarray(taken.length));
    this.#held -= taken.length;
    this.offset += taken.length;
    return taken;
  }
}

export function unzstdFile(path: string): ByteStream {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  return unzstd(
    path,
    file as AsyncIterable<Buffer>,
    () => file.bytesRead,
    () => {
      file.destroy();
    },
  );
}

/** The bytes of a stream, decompressed. */
export function unzstd(
  path: string,
  file: AsyncIterable<Buffer>,
  bytesRead: () => number,
  close: () => void = () => undefined,
): ByteStream {
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    try {
      yield* new Frames(path, new Input(file)).pieces();
    } catch (error) {
      throw error instanceof EngineError ? error : unreadable(path, error);
    } finally {
      close();
    }
  }
  return streamOf(pieces(), bytesRead);
}

class Frames {
  readonly #path: string;
  readonly #input: Input;
  readonly #hash = new Xxhash();

  constructor(path: string, input: Input) {
    this.#path = path;
    this.#input = input;
  }

  async *pieces(): AsyncGenerator<Uint8Array, void> {
    for (;;) {
      const start = this.#input.offset;
      const magic = await this.#input.take(4);
      if (magic.length === 0) return;
      if (magic.length < 4) throw this.#truncated();
      const number = magic.readUInt32LE();
      if ((number & 0xfffffff0) >>> 0 === SKIPPABLE_MAGIC) {
        await this.#skip((await this.#need(4)).readUInt32LE());
      } else if (number === FRAME_MAGIC) {
        yield* this.#frame(magic, start);
      } else {
        throw this.#corrupt(start, `expected a frame, found the bytes ${magic.toString('hex')}`);
      }
    }
  }

  async *#frame(magic: Buffer, start: number): AsyncGenerator<Uint8Array, void> {
    const descriptor = (await this.#need(1))[0]!;
    const isSingleSegment = (descriptor >> 5) & 1;
    const hasChecksum = ((descriptor >> 2) & 1) === 1;
    const dictionaryBytes = [0, 1, 2, 4][descriptor & 3]!;
    const sizeBytes = [isSingleSegment, 2, 4, 8][descriptor >> 6]!;
    if (dictionaryBytes > 0) {
      throw new EngineError(
        'source/format',
        `cannot read ${this.#path}: its zstd data needs a dictionary, which is not supported`,
      );
    }
    const rest = await this.#need(1 - isSingleSegment + sizeBytes);
    const output: Uint8Array[] = [];
    const decompress = new Decompress((bytes) => {
      if (bytes.length > 0) output.push(bytes);
    });
    this.#hash.reset();
    let header: Buffer | undefined = Buffer.concat([magic, Buffer.of(descriptor), rest]);
    for (let isLast = false; !isLast; ) {
      const offset = this.#input.offset;
      const block = await this.#block(offset);
      isLast = (block[0]! & 1) === 1;
      const piece: Buffer = header === undefined ? block : Buffer.concat([header, block]);
      header = undefined;
      try {
        // The decompressor counts the checksum to the frame, but does not look at it.
        const end = isLast && hasChecksum ? Buffer.alloc(CHECKSUM_BYTES) : Buffer.alloc(0);
        decompress.push(Buffer.concat([piece, end]), isLast);
      } catch (error) {
        throw this.#corrupt(offset, (error as Error).message);
      }
      for (const bytes of output.splice(0)) {
        if (hasChecksum) this.#hash.update(bytes);
        yield bytes;
      }
    }
    if (!hasChecksum) return;
    const checksum = (await this.#need(CHECKSUM_BYTES)).readUInt32LE();
    if (checksum !== this.#hash.digest()) {
      throw this.#corrupt(
        start,
        'the checksum of the frame that starts there does not match; its rows were ' +
          'processed, and some of them may be wrong',
      );
    }
  }

  /** A block with its header. */
  async #block(offset: number): Promise<Buffer> {
    const header = await this.#need(BLOCK_HEADER_BYTES);
    const bits = header.readUIntLE(0, BLOCK_HEADER_BYTES);
    const type = (bits >> 1) & 3;
    if (type === RESERVED_BLOCK) throw this.#corrupt(offset, 'a block of no known type');
    const content = await this.#need(type === RLE_BLOCK ? 1 : bits >> 3);
    return Buffer.concat([header, content]);
  }

  async #skip(bytes: number): Promise<void> {
    for (let left = bytes; left > 0; )
      left -= (await this.#need(Math.min(left, PIECE_BYTES))).length;
  }

  async #need(count: number): Promise<Buffer> {
    const bytes = await this.#input.take(count);
    if (bytes.length < count) throw this.#truncated();
    return bytes;
  }

  #truncated(): EngineError {
    return new EngineError(
      'source/truncated',
      `cannot read on in ${this.#path}: its zstd data ends too early, ` +
        `at byte ${this.#input.offset}`,
    );
  }

  #corrupt(offset: number, what: string): EngineError {
    return new EngineError(
      'source/corrupt',
      `cannot read on in ${this.#path}: its zstd data is damaged at byte ${offset} (${what})`,
    );
  }
}
