/**
 * The bytes of a file, decompressed, in pieces, read as they are asked for. Memory is a few pieces
 * whatever the size of the file: Node's streams read one ahead and then wait.
 *
 * Where compressed data is damaged, `next` first gives every byte that can be decompressed before
 * the damage, then throws an EngineError that names the place.
 */

import { createReadStream } from 'node:fs';
import { type FileHandle, open } from 'node:fs/promises';
import { EngineError } from '../../engine/contract/error.ts';
import { unreadable } from './decoder.ts';
import { gunzipFile } from './gzip-bytes.ts';
import { type ByteStream, PIECE_BYTES, streamOf } from './piece-stream.ts';
import { unzstdFile } from './zstd-bytes.ts';

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
  if (found !== 'none' || named === 'none' || first.length === 0) return found;
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

/**
 * The decompressed bytes of a file from `offset` on.
 * @throws {EngineError} Where the file cannot be opened, or is not what its name promises.
 */
export async function openBytes(path: string, offset = 0): Promise<ByteStream> {
  const compression = detectCompression(path, await firstBytes(path, 4));
  if (compression === 'none') return plainFile(path, offset);
  const stream = compression === 'gzip' ? gunzipFile(path) : unzstdFile(path);
  if (offset === 0) return stream;
  return streamOf(from(stream, offset), () => stream.bytesRead);
}
