/** Texts as Arrow keeps them: their bytes one behind the other, and where each begins. */

import { STRING_NULL } from '../../engine/contract/schema.ts';

export interface Utf8Texts {
  /** i32[texts + 1] */
  readonly offsets: Int32Array;
  readonly bytes: Uint8Array;
}

export function utf8Of(texts: readonly string[]): Utf8Texts {
  const joined = texts.join('');
  const bytes = Buffer.from(joined);
  const offsets = new Int32Array(texts.length + 1);
  let end = 0;
  if (bytes.length === joined.length) {
    // One byte a character: nothing has to be measured.
    for (let i = 0; i < texts.length; i++) offsets[i + 1] = end += texts[i]!.length;
    return { offsets, bytes };
  }
  for (let i = 0; i < texts.length; i++) offsets[i + 1] = end += Buffer.byteLength(texts[i]!);
  if (end === bytes.length) return { offsets, bytes };
  // Halves of a character at the end of one text and the start of the next have become one.
  return { offsets, bytes: Buffer.concat(texts.map((text) => Buffer.from(text))) };
}

/** Texts this short are copied faster byte by byte. */
const SHORT_BYTES = 24;

/** The text of each row; nulls take no bytes. */
export function utf8OfCodes(codes: Uint32Array, distinct: Utf8Texts): Utf8Texts {
  const { offsets: starts, bytes: source } = distinct;
  const offsets = new Int32Array(codes.length + 1);
  if (isRising(codes)) {
    const first = codes.length === 0 ? 0 : codes[0]!;
    const base = starts[first]!;
    for (let i = 0; i < offsets.length; i++) offsets[i] = starts[first + i]! - base;
    return { offsets, bytes: source.subarray(base, base + offsets[codes.length]!) };
  }
  let end = 0;
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code !== STRING_NULL) end += starts[code + 1]! - starts[code]!;
    offsets[i + 1] = end;
  }
  const bytes = Buffer.allocUnsafe(end);
  for (let i = 0; i < codes.length; i++) {
    const code = codes[i]!;
    if (code === STRING_NULL) continue;
    const start = starts[code]!;
    const stop = starts[code + 1]!;
    let at = offsets[i]!;
    if (stop - start > SHORT_BYTES) bytes.set(source.subarray(start, stop), at);
    else for (let from = start; from < stop; from++) bytes[at++] = source[from]!;
  }
  return { offsets, bytes };
}

/** Whether each code is the one behind the last: rows none of whose texts came before. */
function isRising(codes: Uint32Array): boolean {
  if (codes.length > 0 && codes[0] === STRING_NULL) return false;
  for (let i = 1; i < codes.length; i++) if (codes[i] !== codes[0]! + i) return false;
  return true;
}
