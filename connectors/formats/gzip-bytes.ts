/**
 * Gzip files, of one member or of several one after another.
 *
 * Decompression is Node's own, in its thread pool, beside the decoding of what came before. When it
 * fails it throws away what it had decompressed and not yet delivered. So after a failure the file
 * is read a second time, in small steps whose output is taken before the next step: what had been
 * delivered is passed over, the rest up to the damage is given, and the step that fails tells where
 * the damage is. Only damaged files pay for it.
 */

import { createReadStream } from 'node:fs';
import { pipeline, type Readable } from 'node:stream';
import { constants, createGunzip, type Gunzip } from 'node:zlib';
import { EngineError } from '../../engine/contract/error.ts';
import { type ByteStream, PIECE_BYTES, streamOf } from './piece-stream.ts';
import { unreadable } from './decoder.ts';

/** Compressed bytes a step; a gzip byte becomes at most 1032 bytes, so a step at most 16 MiB. */
const STEP_BYTES = 1 << 14;

interface ZlibError extends Error {
  readonly code?: string;
  readonly errno?: number;
}

function isZlibError(error: unknown): error is ZlibError {
  return (error as ZlibError).code?.startsWith('Z_') === true;
}

export function gunzipFile(path: string): ByteStream {
  const file = createReadStream(path, { highWaterMark: PIECE_BYTES });
  return gunzip(path, file, () => file.bytesRead, salvage);
}

/**
 * The bytes of a stream, decompressed.
 * @param again Reads once more what the decompressor has thrown away; a pipe cannot.
 */
export function gunzip(
  path: string,
  file: Readable,
  bytesRead: () => number,
  again?: typeof salvage,
): ByteStream {
  const gunzip = createGunzip({ chunkSize: PIECE_BYTES });
  async function* pieces(): AsyncGenerator<Uint8Array, void> {
    let delivered = 0;
    try {
      // The error of either is thrown by the loop.
      pipeline(file, gunzip, () => undefined);
      for await (const piece of gunzip) {
        delivered += (piece as Uint8Array).length;
        yield piece as Uint8Array;
      }
    } catch (error) {
      if (!isZlibError(error)) throw unreadable(path, error);
      if (again !== undefined) yield* again(path, delivered, gunzip.bytesWritten);
      throw damage(path, error, gunzip.bytesWritten);
    } finally {
      file.destroy();
      gunzip.destroy();
    }
  }
  return streamOf(pieces(), bytesRead);
}

function damage(path: string, error: ZlibError, offset: number): EngineError {
  if (error.errno === constants.Z_BUF_ERROR) {
    return new EngineError(
      'source/truncated',
      `cannot read on in ${path}: its gzip data ends too early, at byte ${offset}`,
      { cause: error },
    );
  }
  // These are found at the end of a member, when its rows have gone their way.
  const isChecksum = /incorrect (?:data|length) check/.test(error.message);
  const processed = isChecksum ? '; its rows were processed, and some of them may be wrong' : '';
  return new EngineError(
    'source/corrupt',
    `cannot read on in ${path}: its gzip data is damaged at byte ${offset} ` +
      `(${error.message}${processed})`,
    { cause: error },
  );
}

/**
 * What can be decompressed behind the first `delivered` bytes of output; then throws.
 * @param good Compressed bytes known to be good: from there on steps are single bytes.
 */
async function* salvage(
  path: string,
  delivered: number,
  good: number,
): AsyncGenerator<Uint8Array, void> {
  const steps = new GunzipSteps();
  const file = createReadStream(path, { highWaterMark: STEP_BYTES });
  let offset = 0;
  let left = delivered;
  try {
    for await (const bytes of file) {
      const piece = bytes as Uint8Array;
      const whole = offset + piece.length <= good ? piece.length : 1;
      for (let at = 0; at < piece.length; at += whole) {
        for (const output of await steps.feed(piece.subarray(at, at + whole))) {
          if (left < output.length) yield output.subarray(left);
          left = Math.max(0, left - output.length);
        }
        offset += whole;
      }
    }
    await steps.end();
  } catch (error) {
    throw isZlibError(error) ? damage(path, error, offset) : unreadable(path, error);
  } finally {
    file.destroy();
    steps.close();
  }
}

/** Decompression in steps: the output of a step is taken before the next. */
class GunzipSteps {
  readonly #gunzip: Gunzip;
  #reject: (error: Error) => void = () => undefined;

  constructor() {
    // As much as a step can give must fit, or the step would wait for somebody to read.
    this.#gunzip = createGunzip({
      chunkSize: PIECE_BYTES,
      readableHighWaterMark: 2 ** 30,
    } as Parameters<typeof createGunzip>[0]);
    this.#gunzip.on('error', (error) => {
      this.#reject(error);
    });
  }

  async feed(bytes: Uint8Array): Promise<Uint8Array[]> {
    await new Promise<void>((resolve, reject) => {
      this.#reject = reject;
      this.#gunzip.write(bytes, () => {
        resolve();
      });
    });
    const output: Uint8Array[] = [];
    for (;;) {
      const piece = this.#gunzip.read() as Uint8Array | null;
      if (piece === null) return output;
      output.push(piece);
    }
  }

  async end(): Promise<void> {
    await new Promise<void>((resolve, reject) => {
      this.#reject = reject;
      this.#gunzip.on('end', resolve);
      this.#gunzip.end();
      this.#gunzip.resume();
    });
  }

  close(): void {
    this.#gunzip.destroy();
  }
}
