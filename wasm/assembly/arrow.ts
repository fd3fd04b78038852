/**
 * Arrow arrays to columns: widening, units of time, decimals, truth values, texts to codes, nulls.
 *
 * Buffers are Arrow's, copied into linear memory, beginning at the first row wanted:
 *
 *   values   elements of the kind: 0 i8, 1 u8, 2 i16, 3 u16, 4 i32, 5 u32, 6 i64, 7 u64, 8 f16,
 *            9 f32, 10 f64
 *   bits     validity or boolean bitmap, least significant bit first; row 0 is bit `shift` (0-7).
 *            As validity 0 (no buffer) means that no row is null
 *   out      column of `rows` elements, nulls in-band (see engine/contract/schema.ts)
 *   flags    u8[rows]: 0, or why the row cannot be taken (BAD, RANGE or EMPTY of _decimal.ts)
 *
 * Rows whose validity bit is 0 may hold anything: values of them are converted and overwritten
 * (and their flags cleared) by `nulls*`; texts of them are not looked at.
 */

import { BAD, EMPTY, OK, RANGE } from './_decimal';
import { FULL, intern } from './_interner';
import { parseTime, scaleEpoch, time } from './_time';

const INT64_NULL: i64 = i64.MIN_VALUE;
const CODE_NULL: u32 = 0xffffffff;

// @ts-ignore: decorator
@inline
function isValid(bits: usize, shift: u32, row: u32): bool {
  if (bits == 0) return true;
  const bit = shift + row;
  return ((<u32>load<u8>(bits + (bit >> 3)) >> (bit & 7)) & 1) != 0;
}

function halfToFloat(half: u32): f64 {
  const exponent = (half >> 10) & 31;
  const fraction = <f64>(half & 1023);
  let value: f64;
  if (exponent == 31) value = fraction == 0 ? Infinity : NaN;
  else if (exponent == 0) value = fraction * 5.9604644775390625e-8;
  else value = (1 + fraction / 1024) * reinterpret<f64>(<u64>(exponent + 1008) << 52);
  return half >> 15 ? -value : value;
}

function widenFloats<T>(values: usize, rows: u32, out: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<f64>(out + (<usize>row << 3), <f64>load<T>(values + <usize>row * sizeof<T>()));
  }
}

/** Numbers of any kind as f64. */
export function toFloats(kind: u32, values: usize, rows: u32, out: usize): void {
  if (kind == 0) widenFloats<i8>(values, rows, out);
  else if (kind == 1) widenFloats<u8>(values, rows, out);
  else if (kind == 2) widenFloats<i16>(values, rows, out);
  else if (kind == 3) widenFloats<u16>(values, rows, out);
  else if (kind == 4) widenFloats<i32>(values, rows, out);
  else if (kind == 5) widenFloats<u32>(values, rows, out);
  else if (kind == 6) widenFloats<i64>(values, rows, out);
  else if (kind == 7) widenFloats<u64>(values, rows, out);
  else if (kind == 9) widenFloats<f32>(values, rows, out);
  else if (kind == 10) memory.copy(out, values, <usize>rows << 3);
  else {
    for (let row: u32 = 0; row < rows; row++) {
      store<f64>(out + (<usize>row << 3), halfToFloat(load<u16>(values + (<usize>row << 1))));
    }
  }
}

function widenIntegers<T>(values: usize, rows: u32, out: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<i64>(out + (<usize>row << 3), <i64>load<T>(values + <usize>row * sizeof<T>()));
  }
}

/** Integers of any kind as i64; RANGE where one is above 2^63 - 1, or is the null itself. */
export function toIntegers(kind: u32, values: usize, rows: u32, out: usize, flags: usize): void {
  if (kind == 0) widenIntegers<i8>(values, rows, out);
  else if (kind == 1) widenIntegers<u8>(values, rows, out);
  else if (kind == 2) widenIntegers<i16>(values, rows, out);
  else if (kind == 3) widenIntegers<u16>(values, rows, out);
  else if (kind == 4) widenIntegers<i32>(values, rows, out);
  else if (kind == 5) widenIntegers<u32>(values, rows, out);
  else {
    for (let row: u32 = 0; row < rows; row++) {
      const value = load<i64>(values + (<usize>row << 3));
      store<i64>(out + (<usize>row << 3), value);
      if (value == INT64_NULL || (kind == 7 && value < 0)) store<u8>(flags + row, <u8>RANGE);
    }
  }
}

/** Epochs to nanoseconds, in place; `unit` in nanoseconds, 0 tells it by magnitude. */
export function scaleTimes(values: usize, rows: u32, unit: i64, flags: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    const at = values + (<usize>row << 3);
    const status = scaleEpoch(load<i64>(at), unit);
    if (status == OK) store<i64>(at, time);
    else store<u8>(flags + row, <u8>status);
  }
}

/** Whole numbers 0 and 1 to booleans; BAD where one is neither. */
export function integersToBooleans(values: usize, rows: u32, out: usize, flags: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<u64>(values + (<usize>row << 3));
    store<u8>(out + row, <u8>value);
    if (value > 1) store<u8>(flags + row, <u8>BAD);
  }
}

/** A bitmap to booleans. */
export function bitsToBooleans(bits: usize, shift: u32, rows: u32, out: usize): void {
  for (let row: u32 = 0; row < rows; row++) store<u8>(out + row, isValid(bits, shift, row) ? 1 : 0);
}

/**
 * Decimals of 128 bits to doubles: the unscaled value over 10^scale, one correctly rounded division
 * where both are exact doubles; elsewhere 1 in `inexact[row]`, for the host.
 */
export function decimalsToFloats(
  values: usize, rows: u32, power: f64, out: usize, inexact: usize,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    const low = load<i64>(values + (<usize>row << 4));
    const high = load<i64>(values + (<usize>row << 4), 8);
    const isSmall = high == low >> 63 && low < 1 << 53 && low > -(1 << 53);
    store<f64>(out + (<usize>row << 3), <f64>low / power);
    if (!isSmall) store<u8>(inexact + row, 1);
  }
}

/** Decimals of 128 bits and scale 0 to i64; RANGE where one does not fit. */
export function decimalsToIntegers(values: usize, rows: u32, out: usize, flags: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    const low = load<i64>(values + (<usize>row << 4));
    const high = load<i64>(values + (<usize>row << 4), 8);
    store<i64>(out + (<usize>row << 3), low);
    if (high != low >> 63 || low == INT64_NULL) store<u8>(flags + row, <u8>RANGE);
  }
}

/**
 * Writes the null of a column of the width (8 with `isFloat`, or 4, or 1) where the bit is 0, and
 * sets the flag of those rows: to EMPTY where the column is required, else to 0. `flags` may be 0.
 */
export function putNulls(
  bits: usize, shift: u32, rows: u32, width: u32, isFloat: bool, out: usize, flags: usize,
  isRequired: bool,
): void {
  const flag: u32 = isRequired ? EMPTY : OK;
  for (let row: u32 = 0; row < rows; row++) {
    if (isValid(bits, shift, row)) continue;
    if (width == 8) {
      if (isFloat) store<f64>(out + (<usize>row << 3), NaN);
      else store<i64>(out + (<usize>row << 3), INT64_NULL);
    } else if (width == 4) store<u32>(out + (<usize>row << 2), CODE_NULL);
    else store<u8>(out + row, 2);
    if (flags != 0) store<u8>(flags + row, <u8>flag);
  }
}

/** EMPTY for every row whose code is the null, as dictionary entries may be. */
export function flagNullCodes(codes: usize, rows: u32, flags: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    if (load<u32>(codes + (<usize>row << 2)) == CODE_NULL) store<u8>(flags + row, <u8>EMPTY);
  }
}

/** EMPTY for every row whose time is the null. */
export function flagNullTimes(times: usize, rows: u32, flags: usize): void {
  for (let row: u32 = 0; row < rows; row++) {
    const isNull = load<i64>(times + (<usize>row << 3)) == INT64_NULL;
    if (isNull && load<u8>(flags + row) == 0) store<u8>(flags + row, <u8>EMPTY);
  }
}

let textStart: usize = 0;
let textLength: u32 = 0;

/** Place of a text: in `data`, whose first byte is offset `first`, by i32 or i64 offsets. */
// @ts-ignore: decorator
@inline
function textAt(offsets: usize, isLarge: bool, first: i64, data: usize, row: u32): void {
  let start: i64;
  let end: i64;
  if (isLarge) {
    start = load<i64>(offsets + (<usize>row << 3));
    end = load<i64>(offsets + (<usize>row << 3), 8);
  } else {
    start = load<i32>(offsets + (<usize>row << 2));
    end = load<i32>(offsets + (<usize>row << 2), 4);
  }
  textStart = data + <usize>(start - first);
  textLength = <u32>(end - start);
}

/**
 * Texts to codes from row `from` on. Returns the row it got to: less than `rows` where the interner
 * must grow first.
 */
export function internTexts(
  interner: usize, offsets: usize, isLarge: bool, first: i64, data: usize, bits: usize, shift: u32,
  from: u32, rows: u32, out: usize,
): u32 {
  for (let row = from; row < rows; row++) {
    let code = CODE_NULL;
    if (isValid(bits, shift, row)) {
      textAt(offsets, isLarge, first, data, row);
      code = intern(interner, textStart, textLength);
      if (code == FULL) return row;
    }
    store<u32>(out + (<usize>row << 2), code);
  }
  return rows;
}

/** The same for views: u32 length, then up to 12 bytes, or u32 prefix, u32 buffer, u32 offset. */
export function internViews(
  interner: usize, views: usize, buffers: usize, bits: usize, shift: u32, from: u32, rows: u32,
  out: usize,
): u32 {
  for (let row = from; row < rows; row++) {
    let code = CODE_NULL;
    if (isValid(bits, shift, row)) {
      const view = views + (<usize>row << 4);
      const length = load<u32>(view);
      const text =
        length <= 12
          ? view + 4
          : <usize>load<u32>(buffers + (<usize>load<u32>(view, 8) << 2)) + load<u32>(view, 12);
      code = intern(interner, text, length);
      if (code == FULL) return row;
    }
    store<u32>(out + (<usize>row << 2), code);
  }
  return rows;
}

/** The same for whole numbers: the 8 bytes of each are its text, which the host spells out. */
export function internIntegers(
  interner: usize, values: usize, bits: usize, shift: u32, from: u32, rows: u32, out: usize,
): u32 {
  for (let row = from; row < rows; row++) {
    let code = CODE_NULL;
    if (isValid(bits, shift, row)) {
      code = intern(interner, values + (<usize>row << 3), 8);
      if (code == FULL) return row;
    }
    store<u32>(out + (<usize>row << 2), code);
  }
  return rows;
}

/** Texts to times; BAD or RANGE where one is none. Blanks around a time are not taken off. */
export function parseTimes(
  offsets: usize, isLarge: bool, first: i64, data: usize, bits: usize, shift: u32, unit: i64,
  rows: u32, out: usize, flags: usize,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    if (!isValid(bits, shift, row)) continue;
    textAt(offsets, isLarge, first, data, row);
    const status = textLength == 0 ? BAD : parseTime(textStart, textStart + textLength, unit);
    store<i64>(out + (<usize>row << 3), time);
    if (status != OK) store<u8>(flags + row, <u8>status);
  }
}

function indexAt(kind: u32, indices: usize, row: u32): u32 {
  if (kind <= 1) return load<u8>(indices + row);
  if (kind <= 3) return load<u16>(indices + (<usize>row << 1));
  if (kind <= 5) return load<u32>(indices + (<usize>row << 2));
  const index = load<u64>(indices + (<usize>row << 3));
  return index > 0xffffffff ? 0xffffffff : <u32>index;
}

/**
 * Rows of a dictionary array: out[row] = table[indices[row]], elements of `width` bytes. False
 * where an index lies outside the table.
 */
export function gather(
  kind: u32, indices: usize, bits: usize, shift: u32, rows: u32, table: usize, tableSize: u32,
  width: u32, out: usize,
): bool {
  for (let row: u32 = 0; row < rows; row++) {
    if (!isValid(bits, shift, row)) continue;
    const index = indexAt(kind, indices, row);
    if (index >= tableSize) return false;
    if (width == 8) {
      store<u64>(out + (<usize>row << 3), load<u64>(table + (<usize>index << 3)));
    } else if (width == 4) {
      store<u32>(out + (<usize>row << 2), load<u32>(table + (<usize>index << 2)));
    } else store<u8>(out + row, load<u8>(table + index));
  }
  return true;
}

/** Merges the flags of a column into those of the rows; the number of rows flagged so far. */
export function mergeFlags(flags: usize, rows: u32, merged: usize): u32 {
  let count: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    const flag = load<u8>(merged + row) | load<u8>(flags + row);
    store<u8>(merged + row, flag);
    count += <u32>(flag != 0);
  }
  return count;
}

/** Moves the elements whose flag is 0 to the front; their number. */
export function compact(column: usize, width: u32, rows: u32, flags: usize): u32 {
  let kept: u32 = 0;
  for (let row: u32 = 0; row < rows; row++) {
    if (load<u8>(flags + row) != 0) continue;
    if (width == 8) store<u64>(column + (<usize>kept << 3), load<u64>(column + (<usize>row << 3)));
    else if (width == 4) {
      store<u32>(column + (<usize>kept << 2), load<u32>(column + (<usize>row << 2)));
    } else store<u8>(column + kept, load<u8>(column + row));
    kept++;
  }
  return kept;
}
