/** Comparisons of columns: masks u8[rows] of 0, 1 and 2 for null; layouts as in columns.ts. */

import { INT64_NULL, CODE_NULL, BOOLEAN_NULL } from './_columns-nulls';

const EQUAL: i32 = 0;
const UNEQUAL: i32 = 1;
const LESS: i32 = 2;
const LESS_OR_EQUAL: i32 = 3;
const IS_NULL: i32 = 4;

const F64: i32 = 0;
const I64: i32 = 1;

/** All ones in the lanes where the comparison holds, whatever the nulls. */
// @ts-ignore: decorator
@inline
function holds2(type: i32, op: i32, a: v128, b: v128): v128 {
  if (op == IS_NULL) return nulls2(type, a, a);
  if (type == F64) {
    if (op == EQUAL) return f64x2.eq(a, b);
    if (op == UNEQUAL) return f64x2.ne(a, b);
    if (op == LESS) return f64x2.lt(a, b);
    return f64x2.le(a, b);
  }
  if (op == EQUAL) return i64x2.eq(a, b);
  if (op == UNEQUAL) return i64x2.ne(a, b);
  if (op == LESS) return i64x2.lt_s(a, b);
  return i64x2.le_s(a, b);
}

// @ts-ignore: decorator
@inline
function nulls2(type: i32, a: v128, b: v128): v128 {
  if (type == F64) return v128.or(f64x2.ne(a, a), f64x2.ne(b, b));
  const none = i64x2.splat(INT64_NULL);
  return v128.or(i64x2.eq(a, none), i64x2.eq(b, none));
}

/** Mask bytes of two lanes of all ones or zeros each: 8 lanes of 64 bits make 8 bytes. */
// @ts-ignore: decorator
@inline
function narrow8(m0: v128, m1: v128, m2: v128, m3: v128): v128 {
  const low = v128.shuffle<i32>(m0, m1, 0, 2, 4, 6);
  const high = v128.shuffle<i32>(m2, m3, 0, 2, 4, 6);
  const words = i16x8.narrow_i32x4_s(low, high);
  return i8x16.narrow_i16x8_s(words, words);
}

/** 1 where it holds, 2 where it is null, 0 elsewhere, from bytes of all ones. */
// @ts-ignore: decorator
@inline
function maskBytes(holds: v128, nulls: v128): v128 {
  const isTrue = v128.and(v128.andnot(holds, nulls), i8x16.splat(1));
  return v128.or(isTrue, v128.and(nulls, i8x16.splat(2)));
}

// @ts-ignore: decorator
@inline
function compareWide(
  type: i32, op: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (; rows >= 8; rows -= 8) {
    const a0 = v128.load(a);
    const a1 = v128.load(a, 16);
    const a2 = v128.load(a, 32);
    const a3 = v128.load(a, 48);
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    const holds = narrow8(
      holds2(type, op, a0, b0), holds2(type, op, a1, b1),
      holds2(type, op, a2, b2), holds2(type, op, a3, b3),
    );
    const nulls = op == IS_NULL
      ? i8x16.splat(0)
      : narrow8(
          nulls2(type, a0, b0), nulls2(type, a1, b1), nulls2(type, a2, b2), nulls2(type, a3, b3),
        );
    v128.store64_lane(out, maskBytes(holds, nulls), 0);
    a += aStep << 6;
    b += bStep << 6;
    out += 8;
  }
  for (; rows > 0; rows--) {
    const left = v128.load64_splat(a);
    const right = v128.load64_splat(b);
    const nulls = op == IS_NULL ? i8x16.splat(0) : nulls2(type, left, right);
    v128.store8_lane(out, maskBytes(holds2(type, op, left, right), nulls), 0);
    a += aStep << 3;
    b += bStep << 3;
    out++;
  }
}

/** Mask of f64 `a = b`; null where an operand is null. */
export function equalF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(F64, EQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of f64 `a <> b`. */
export function unequalF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(F64, UNEQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of f64 `a < b`. */
export function lessF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(F64, LESS, a, aStep, b, bStep, out, rows);
}

/** Mask of f64 `a <= b`. */
export function lessOrEqualF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(F64, LESS_OR_EQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of i64 `a = b`. */
export function equalI64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(I64, EQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of i64 `a <> b`. */
export function unequalI64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(I64, UNEQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of i64 `a < b`. */
export function lessI64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(I64, LESS, a, aStep, b, bStep, out, rows);
}

/** Mask of i64 `a <= b`. */
export function lessOrEqualI64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareWide(I64, LESS_OR_EQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of f64 `x is null`; never null itself. */
export function isNullF64(values: usize, out: usize, rows: u32): void {
  compareWide(F64, IS_NULL, values, 1, values, 1, out, rows);
}

/** Mask of i64 `x is null`. */
export function isNullI64(values: usize, out: usize, rows: u32): void {
  compareWide(I64, IS_NULL, values, 1, values, 1, out, rows);
}

// @ts-ignore: decorator
@inline
function compareCodes4(op: i32, a: v128, b: v128): v128 {
  return op == EQUAL ? i32x4.eq(a, b) : i32x4.ne(a, b);
}

// @ts-ignore: decorator
@inline
function nullCodes4(a: v128, b: v128): v128 {
  const none = i32x4.splat(-1);
  return v128.or(i32x4.eq(a, none), i32x4.eq(b, none));
}

// @ts-ignore: decorator
@inline
function narrow16(m0: v128, m1: v128, m2: v128, m3: v128): v128 {
  return i8x16.narrow_i16x8_s(i16x8.narrow_i32x4_s(m0, m1), i16x8.narrow_i32x4_s(m2, m3));
}

// @ts-ignore: decorator
@inline
function compareCodes(
  op: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (; rows >= 16; rows -= 16) {
    const a0 = v128.load(a);
    const a1 = v128.load(a, 16);
    const a2 = v128.load(a, 32);
    const a3 = v128.load(a, 48);
    const b0 = v128.load(b);
    const b1 = v128.load(b, 16);
    const b2 = v128.load(b, 32);
    const b3 = v128.load(b, 48);
    const holds = narrow16(
      compareCodes4(op, a0, b0), compareCodes4(op, a1, b1),
      compareCodes4(op, a2, b2), compareCodes4(op, a3, b3),
    );
    const nulls = narrow16(
      nullCodes4(a0, b0), nullCodes4(a1, b1), nullCodes4(a2, b2), nullCodes4(a3, b3),
    );
    v128.store(out, maskBytes(holds, nulls));
    a += aStep << 6;
    b += bStep << 6;
    out += 16;
  }
  for (; rows > 0; rows--) {
    const left = v128.load32_splat(a);
    const right = v128.load32_splat(b);
    const mask = maskBytes(compareCodes4(op, left, right), nullCodes4(left, right));
    v128.store8_lane(out, mask, 0);
    a += aStep << 2;
    b += bStep << 2;
    out++;
  }
}

/** Mask of u32 codes `a = b`; both of one dictionary. */
export function equalU32(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareCodes(EQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of u32 codes `a <> b`. */
export function unequalU32(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  compareCodes(UNEQUAL, a, aStep, b, bStep, out, rows);
}

/** Mask of u32 `x is null`. */
export function isNullU32(values: usize, out: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<u8>(out + row, <u8>(load<u32>(values) == CODE_NULL));
    values += 4;
  }
}

/** Mask of boolean `x is null`. */
export function isNullU8(values: usize, out: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<u8>(out + row, <u8>(load<u8>(values + row) == BOOLEAN_NULL));
  }
}

/** Mask of `x in (list)`: null where x is, or where it is not found and the list has a null. */
export function inF64(
  values: usize, list: usize, listCount: u32, hasNull: u32, out: usize, rows: u32,
): void {
  const unfound = <u8>(hasNull << 1);
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<f64>(values + (<usize>row << 3));
    let found: u32 = 0;
    for (let i: u32 = 0; i < listCount; i++) {
      found |= u32(load<f64>(list + (<usize>i << 3)) == value);
    }
    store<u8>(out + row, value != value ? BOOLEAN_NULL : found ? 1 : unfound);
  }
}

/** Like `inF64`, of i64. */
export function inI64(
  values: usize, list: usize, listCount: u32, hasNull: u32, out: usize, rows: u32,
): void {
  const unfound = <u8>(hasNull << 1);
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<i64>(values + (<usize>row << 3));
    let found: u32 = 0;
    for (let i: u32 = 0; i < listCount; i++) {
      found |= u32(load<i64>(list + (<usize>i << 3)) == value);
    }
    store<u8>(out + row, value == INT64_NULL ? BOOLEAN_NULL : found ? 1 : unfound);
  }
}

/** Like `inF64`, of u32 codes. */
export function inU32(
  values: usize, list: usize, listCount: u32, hasNull: u32, out: usize, rows: u32,
): void {
  const unfound = <u8>(hasNull << 1);
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<u32>(values + (<usize>row << 2));
    let found: u32 = 0;
    for (let i: u32 = 0; i < listCount; i++) {
      found |= u32(load<u32>(list + (<usize>i << 2)) == value);
    }
    store<u8>(out + row, value == CODE_NULL ? BOOLEAN_NULL : found ? 1 : unfound);
  }
}
