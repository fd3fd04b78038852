/**
 * The bytes of a file, decompressed, in pieces, read as they are asked for. Memory is a few pieces
 * whatever the size of the file: Node's streams read one ahead and then wait.
 *
 * Where compressed data is damaged, `next` first gives every byte that can be decompressed before
 * the damage, then throws an EngineError that names the place.
 *
 * What is no regular file (a FIFO, `<(command)` of a shell, /dev/stdin) is read once, in order.
 */

import { createReadStream, type ReadStream } from 'node:fs';
import { type FileHandle, open, stat } from 'node:fs/promises';
import { Readable } from 'node:stream';
import { EngineError } from '../../engine/contract/error.ts';
import { unreadable } from './decoder.ts';
import { gunzip, gunzipFile } from './gzip-bytes.ts';
import { type ByteStream, PIECE_BYTES, streamOf } from './piece-stream.ts';
import { unzstd, unzstdFile } from './zstd-bytes.ts';

export type Compression = 'none' | 'gzip' | 'zstd';

const GZIP_MAGIC = [0x1f, 0x8b];
const ZSTD_MAGIC = [0x28, 0xb5, 0x2f, 0xfd];
/** 0x184D2A50 to 0x184D2A5F, little endian: a frame that decompresses to nothing. */
const ZSTD_SKIPPABLE_MAGIC = [0x2a, 0x4d, 0x18];

function startsWith(bytes: Uint8Array, magic: readonly number[]): boolean {
  return magic.every((byte, index) => bytes[index] === byte);
}

function compressionOf(first: Uint8Array): Compression {
  if (startsWith(first, GZIP_MAGIC)) return 'gzip';
  if (startsWith(first, ZSTD_MAGIC)) return 'zstd';
  const isSkippable = (first[0]! & 0xf0) === 0x50 && first.length === 4;
  return isSkippable && startsWith(first.subarray(1), ZSTD_SKIPPABLE_MAGIC) ? 'zstd' : 'none';
}

/** What the name of a file says about its compression. */
export function namedCompression(path: string): Compression {
  if (/\.gz$/i.test(path)) return 'gzip';
  return /\.zst$/i.test(path) ? 'zstd' : 'none';
}

/**
 * The compression of a file: what its first bytes say. A name that promises a compression which
 * the bytes do not keep is an error, because decoding such a file as text would give rubbish.
 */
function detectCompression(path: string, first: Uint8Array): Compression {
  const found = compressionOf(first);
  const named = namedCompression(path);
  if (found !== 'none' || named === 'none') return found;
  if (first.length === 0) {
    throw new EngineError(
      'source/truncated',
      `cannot read ${path}: it is empty, expected ${named} data`,
    );
  }
  const magic = named === 'gzip' ? GZIP_MAGIC : ZSTD_MAGIC;
  if (first.length < magic.length && startsWith(first, magic.slice(0, first.length))) return named;
  const bytes = Buffer.from(first).toString('hex');
  throw new EngineError(
    'source/corrupt',
    `cannot read ${path}: it begins with the bytes ${bytes}, expected ${named} data`,
  );
}

/** The first bytes of a file, fewer where it is shorter. */
export async function firstBytes(path: string, count: number): Promise<Uint8Array> {
  let file: FileHandle | undefined;
  try {
    file = await open(path, 'r');
    const bytes = new Uint8Array(count);
    const { bytesRead } = await file.read(bytes, 0, count, 0);
    return bytes.subarray(0, bytesRead);
  } catch (error) {
    throw unreadable(path, error);
  } finally {
    await file?.close();
  }
}

function plainFile(path: string, start: number): ByteStream {
  const stream = createReadStream(path, { highWaterMark: PIECE_BYTES, start });
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    try {
      for await (const piece of stream) yield piece as Uint8Array;
    } catch (error) {
      throw unreadable(path, error);
    } finally {
      stream.destroy();
    }
  }
  return streamOf(pieces(), () => start + stream.bytesRead);
}

/** Gives the bytes from `offset` on. */
async function* from(stream: ByteStream, offset: number): AsyncGenerator<Uint8Array, void> {
  try {
    let left = offset;
    for (;;) {
      const piece = await stream.next();
      if (piece === undefined) return;
      if (left < piece.length) yield left === 0 ? piece : piece.subarray(left);
      left = Math.max(0, left - piece.length);
    }
  } finally {
    await stream.close();
  }
}

/** Is it something that can only be read once, from its beginning to its end? */
export async function isPipe(path: string): Promise<boolean> {
  try {
    return !(await stat(path)).isFile();
  } catch (error) {
    throw unreadable(path, error);
  }
}

/** Everything that a pipe gives, some of which has been read already. */
async function* withStart(
  start: readonly Uint8Array[],
  rest: AsyncIterator<Uint8Array>,
): AsyncGenerator<Uint8Array, void> {
  yield* start;
  for (;;) {
    const { value, done } = await rest.next();
    if (done === true) return;
    yield value;
  }
}

/** The decompressed bytes of a pipe, all of them. */
async function openPipe(path: string): Promise<ByteStream> {
  const pipe: ReadStream = createReadStream(path, { highWaterMark: PIECE_BYTES });
  const bytesRead = (): number => pipe.bytesRead;
  const pieces = pipe[Symbol.asyncIterator]() as AsyncIterator<Uint8Array>;
  const start: Uint8Array[] = [];
  try {
    for (let length = 0; length < 4; ) {
      const { value, done } = await pieces.next();
      if (done === true) break;
      start.push(value);
      length += value.length;
    }
    const compression = detectCompression(path, Buffer.concat(start).subarray(0, 4));
    const all = withStart(start, pieces);
    if (compression === 'none') {
      return closing(
        pipe,
        streamOf(all, bytesRead, (error) => unreadable(path, error)),
      );
    }
    const file = Readable.from(all, { objectMode: false, highWaterMark: PIECE_BYTES });
    const stream =
      compression === 'gzip'
        ? gunzip(path, file, bytesRead)
        : unzstd(path, file as AsyncIterable<Buffer>, bytesRead);
    return closing(pipe, stream);
  } catch (error) {
    pipe.destroy();
    throw error instanceof EngineError ? error : unreadable(path, error);
  }
}

function closing(pipe: ReadStream, stream: ByteStream): ByteStream {
  return {
    next: async () => stream.next(),
    get bytesRead() {
      return stream.bytesRead;
    },
    close: async () => {
      // First the pipe: whoever waits for its next bytes would wait until they come.
      pipe.destroy();
      await stream.close().catch(() => undefined);
    },
  };
}

/**
 * The decompressed bytes of a file from `offset` on.
 * @throws {EngineError} Where the file cannot be opened, or is not what its name promises.
 */
export async function openBytes(path: string, offset = 0): Promise<ByteStream> {
  if (await isPipe(path)) {
    const stream = await openPipe(path);
    return offset === 0 ? stream : streamOf(from(stream, offset), () => stream.bytesRead);
  }
  const compression = detectCompression(path, await firstBytes(path, 4));
  if (compression === 'none') return plainFile(path, offset);
  const stream = compression === 'gzip' ? gunzipFile(path) : unzstdFile(path);
  if (offset === 0) return stream;
  return streamOf(from(stream, offset), () => stream.bytesRead);
}
