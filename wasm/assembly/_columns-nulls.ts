/** Nulls in-band, as columns.ts lays them out. */

export const INT64_NULL: i64 = i64.MIN_VALUE;
export const CODE_NULL: u32 = 0xffffffff;
export const BOOLEAN_NULL: u8 = 2;
