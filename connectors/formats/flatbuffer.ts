/** Reading a flatbuffer by hand: enough to see what an Arrow message is. */

/**
 * Position of a field of the table at `table`, by its number in the declaration; 0 where the table
 * lacks it, so that it has its default.
 * @throws {RangeError} Where the bytes lead outside themselves.
 */
export function fieldAt(bytes: Buffer, table: number, field: number): number {
  const vtable = table - bytes.readInt32LE(table);
  const entry = 4 + field * 2;
  if (entry >= bytes.readUInt16LE(vtable)) return 0;
  const offset = bytes.readUInt16LE(vtable + entry);
  return offset === 0 ? 0 : table + offset;
}
