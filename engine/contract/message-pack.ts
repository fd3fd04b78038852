/** MessagePack, named here only, so that every part reads and writes it in the same way. */

import { Packr } from 'msgpackr';

// No records: the bytes shall be readable by any other implementation. 64-bit integers stay bigint.
const packr = new Packr({ useRecords: false, int64AsType: 'bigint' });

/** Plain data to bytes; `bigint` becomes a 64-bit integer, `Uint8Array` stays bytes. */
export function pack(value: unknown): Uint8Array {
  return packr.pack(value);
}

/**
 * Bytes to plain data; what was a `bigint` is one again.
 * @throws Where the bytes are not MessagePack, or end within a value.
 */
export function unpack(bytes: Uint8Array): unknown {
  return packr.unpack(bytes);
}
