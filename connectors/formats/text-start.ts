/** The start of a text file: its byte order mark, and bytes until something is complete. */

import { EngineError } from '../../engine/contract/error.ts';
import { asError } from './decoder.ts';
import type { ByteStream } from './piece-stream.ts';

const BOM = Buffer.of(0xef, 0xbb, 0xbf);
const UTF16_MARKS = [Buffer.of(0xff, 0xfe), Buffer.of(0xfe, 0xff)];

/** Length of the byte order mark at the start of the file. */
export function markLength(path: string, bytes: Buffer): number {
  if (UTF16_MARKS.some((mark) => bytes.subarray(0, 2).equals(mark))) {
    throw new EngineError('source/format', `cannot read ${path}: it is UTF-16, expected UTF-8`);
  }
  return bytes.subarray(0, BOM.length).equals(BOM) ? BOM.length : 0;
}

/** What has been read of a stream before its decoder goes on with it. */
export interface TextStart<T> {
  /** All bytes read so far. */
  readonly bytes: Buffer;
  /** What was looked for; undefined where the file ended first. */
  readonly found: T | undefined;
  /** What broke the stream off, to be thrown once `bytes` have been read. */
  readonly damage: Error | undefined;
  readonly hasEnded: boolean;
}

/**
 * Reads until `find` is satisfied. At the end of the file it gets the bytes with a line end, if
 * they have none; not where the file is damaged: then the last line may be half of one.
 */
export async function readStart<T>(
  stream: ByteStream,
  bytesMax: number,
  find: (bytes: Buffer) => T | undefined,
): Promise<TextStart<T>> {
  let bytes = Buffer.alloc(0);
  for (;;) {
    let piece: Uint8Array | undefined;
    try {
      piece = await stream.next();
    } catch (damage) {
      return { bytes, found: undefined, damage: asError(damage), hasEnded: true };
    }
    if (piece === undefined) {
      const found = find(Buffer.concat([bytes, Buffer.from('\n')]));
      return { bytes, found, damage: undefined, hasEnded: true };
    }
    bytes = Buffer.concat([bytes, piece]);
    const found = find(bytes);
    if (found !== undefined || bytes.length > bytesMax) {
      return { bytes, found, damage: undefined, hasEnded: false };
    }
  }
}
