/**
 * Column loops behind the expression language, and the gathering of rows.
 *
 * Layouts. A column is an array of its elements with nulls in-band:
 *
 *   f64 NaN    i64 INT64_MIN    u32 string code 0xffffffff    u8 boolean 2 (a mask)
 *
 * Steps. An operand of a kernel is a pointer and a step: 1 for a column, 0 for a constant, which is
 * a block of CONSTANT_ROWS equal elements. The same loop then serves columns and constants: loads
 * advance by step times the width, and a load never reads past 16 elements of a constant.
 *
 * Outputs are columns of `rows` elements and may be the same buffer as an operand of step 1 and
 * the same element width: every block is loaded before it is stored, in ascending order.
 *
 * SIMD where the loop is bound by arithmetic (f64 operations, comparisons, logic); the gathers and
 * table look-ups are bound by memory and stay scalar. Arithmetic writes the one canonical NaN, so
 * that equal inputs give equal bits.
 */

const INT64_NULL: i64 = i64.MIN_VALUE;
const CODE_NULL: u32 = 0xffffffff;
const BOOLEAN_NULL: u8 = 2;

const ADD: i32 = 0;
const SUBTRACT: i32 = 1;
const MULTIPLY: i32 = 2;
const DIVIDE: i32 = 3;
const LEAST: i32 = 4;
const GREATEST: i32 = 5;
const REMAINDER: i32 = 6;
const POWER: i32 = 7;

const NEGATE: i32 = 0;
const ABSOLUTE: i32 = 1;
const FLOOR: i32 = 2;
const CEIL: i32 = 3;
const SQUARE_ROOT: i32 = 4;
const SIGN: i32 = 5;
const LOG: i32 = 6;
const LOG10: i32 = 7;
const EXP: i32 = 8;

const EQUAL: i32 = 0;
const UNEQUAL: i32 = 1;
const LESS: i32 = 2;
const LESS_OR_EQUAL: i32 = 3;
const IS_NULL: i32 = 4;

const F64: i32 = 0;
const I64: i32 = 1;

// ---------------------------------------------------------------- arithmetic on f64

/** The value, or NaN where it is not finite. */
// @ts-ignore: decorator
@inline
function finite2(value: v128): v128 {
  const isFinite = f64x2.lt(f64x2.abs(value), f64x2.splat(Infinity));
  return v128.bitselect(value, f64x2.splat(NaN), isFinite);
}

// @ts-ignore: decorator
@inline
function finite1(value: f64): f64 {
  return abs(value) < Infinity ? value : NaN;
}

// @ts-ignore: decorator
@inline
function combine2(op: i32, a: v128, b: v128): v128 {
  if (op == ADD) return finite2(f64x2.add(a, b));
  if (op == SUBTRACT) return finite2(f64x2.sub(a, b));
  if (op == MULTIPLY) return finite2(f64x2.mul(a, b));
  if (op == DIVIDE) return finite2(f64x2.div(a, b));
  // A null (NaN) is passed over: the comparison with it is false.
  if (op == LEAST) return v128.bitselect(b, a, v128.or(f64x2.lt(b, a), f64x2.ne(a, a)));
  return v128.bitselect(b, a, v128.or(f64x2.gt(b, a), f64x2.ne(a, a)));
}

// @ts-ignore: decorator
@inline
function combineColumns(
  op: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (; rows >= 2; rows -= 2) {
    v128.store(out, combine2(op, v128.load(a), v128.load(b)));
    a += aStep << 4;
    b += bStep << 4;
    out += 16;
  }
  if (rows == 0) return;
  const last = combine2(op, v128.load64_splat(a), v128.load64_splat(b));
  v128.store64_lane(out, last, 0);
}

// @ts-ignore: decorator
@inline
function combineScalars(
  op: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    const left = load<f64>(a);
    const right = load<f64>(b);
    // pow(NaN, 0) and pow(1, NaN) are 1 to the C library; a null argument makes a null here.
    const result = left != left || right != right
      ? NaN
      : op == REMAINDER ? NativeMath.mod(left, right) : NativeMath.pow(left, right);
    store<f64>(out, finite1(result));
    a += aStep << 3;
    b += bStep << 3;
    out += 8;
  }
}

/** f64 `a + b`; null where an operand is null or the result is not finite. */
export function addF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineColumns(ADD, a, aStep, b, bStep, out, rows);
}

/** f64 `a - b`. */
export function subtractF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineColumns(SUBTRACT, a, aStep, b, bStep, out, rows);
}

/** f64 `a * b`. */
export function multiplyF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineColumns(MULTIPLY, a, aStep, b, bStep, out, rows);
}

/** f64 `a / b`; null where b is 0. */
export function divideF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineColumns(DIVIDE, a, aStep, b, bStep, out, rows);
}

/** f64 `a % b` with the sign of a; null where b is 0. */
export function remainderF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineScalars(REMAINDER, a, aStep, b, bStep, out, rows);
}

/** f64 a to the power b. */
export function powF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineScalars(POWER, a, aStep, b, bStep, out, rows);
}

/** The smaller of two f64, the other where one is null; a where they are equal. */
export function leastF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineColumns(LEAST, a, aStep, b, bStep, out, rows);
}

/** The larger of two f64, the other where one is null; a where they are equal. */
export function greatestF64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  combineColumns(GREATEST, a, aStep, b, bStep, out, rows);
}

/** Like `leastF64`, of i64. */
export function leastI64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    const left = load<i64>(a);
    const right = load<i64>(b);
    const takesRight = (right < left && right != INT64_NULL) || left == INT64_NULL;
    store<i64>(out, takesRight ? right : left);
    a += aStep << 3;
    b += bStep << 3;
    out += 8;
  }
}

/** Like `greatestF64`, of i64. A null is the smallest i64, so it never wins. */
export function greatestI64(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    store<i64>(out, max(load<i64>(a), load<i64>(b)));
    a += aStep << 3;
    b += bStep << 3;
    out += 8;
  }
}

// @ts-ignore: decorator
@inline
function map2(op: i32, value: v128): v128 {
  if (op == NEGATE) return finite2(f64x2.neg(value));
  if (op == ABSOLUTE) return finite2(f64x2.abs(value));
  if (op == FLOOR) return finite2(f64x2.floor(value));
  if (op == CEIL) return finite2(f64x2.ceil(value));
  return finite2(f64x2.sqrt(value));
}

// @ts-ignore: decorator
@inline
function mapColumn(op: i32, values: usize, out: usize, rows: u32): void {
  for (; rows >= 2; rows -= 2) {
    v128.store(out, map2(op, v128.load(values)));
    values += 16;
    out += 16;
  }
  if (rows != 0) v128.store64_lane(out, map2(op, v128.load64_splat(values)), 0);
}

// @ts-ignore: decorator
@inline
function mapScalars(op: i32, values: usize, out: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<f64>(values);
    let result: f64;
    if (op == SIGN) result = value > 0 ? 1 : value < 0 ? -1 : value;
    else if (op == LOG) result = NativeMath.log(value);
    else if (op == LOG10) result = NativeMath.log10(value);
    else result = NativeMath.exp(value);
    store<f64>(out, finite1(result));
    values += 8;
    out += 8;
  }
}

/** f64 `-x`. One-operand kernels take `values` f64[rows]: a constant has rows enough for itself. */
export function negateF64(values: usize, out: usize, rows: u32): void {
  mapColumn(NEGATE, values, out, rows);
}

/** f64 `|x|`. */
export function absF64(values: usize, out: usize, rows: u32): void {
  mapColumn(ABSOLUTE, values, out, rows);
}

/** f64, the largest whole number that is at most x. */
export function floorF64(values: usize, out: usize, rows: u32): void {
  mapColumn(FLOOR, values, out, rows);
}

/** f64, the smallest whole number that is at least x. */
export function ceilF64(values: usize, out: usize, rows: u32): void {
  mapColumn(CEIL, values, out, rows);
}

/** f64 square root; null below 0. */
export function sqrtF64(values: usize, out: usize, rows: u32): void {
  mapColumn(SQUARE_ROOT, values, out, rows);
}

/** f64 -1, 0 or 1. */
export function signF64(values: usize, out: usize, rows: u32): void {
  mapScalars(SIGN, values, out, rows);
}

/** f64 natural logarithm; null at 0 and below. */
export function logF64(values: usize, out: usize, rows: u32): void {
  mapScalars(LOG, values, out, rows);
}

/** f64 logarithm to base 10; null at 0 and below. */
export function log10F64(values: usize, out: usize, rows: u32): void {
  mapScalars(LOG10, values, out, rows);
}

/** f64 e to the power x; null where it overflows. */
export function expF64(values: usize, out: usize, rows: u32): void {
  mapScalars(EXP, values, out, rows);
}

/** f64 x rounded to multiples of 1 / factor, halves away from 0; beyond 2^52 of them x itself. */
export function roundF64(values: usize, factor: f64, out: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<f64>(values);
    const scaled = value * factor;
    let result = value;
    if (abs(scaled) < 4503599627370496.0) {
      const whole = trunc(scaled);
      const isUp = abs(scaled - whole) >= 0.5;
      result = (isUp ? whole + copysign<f64>(1, scaled) : whole) / factor;
    }
    store<f64>(out, finite1(result));
    values += 8;
    out += 8;
  }
}

// ---------------------------------------------------------------- conversions

/** i64 → f64, rounded to nearest. */
export function int64ToF64(values: usize, out: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<i64>(values);
    store<f64>(out, value == INT64_NULL ? NaN : <f64>value);
    values += 8;
    out += 8;
  }
}

/** Boolean u8 → f64 0 or 1. */
export function booleanToF64(values: usize, out: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    const value = load<u8>(values + row);
    store<f64>(out, value == BOOLEAN_NULL ? NaN : <f64>value);
    out += 8;
  }
}

/** f64 seconds from b to a, both i64 nanoseconds: the difference is exact before it is divided. */
export function secondsBetween(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    const left = load<i64>(a);
    const right = load<i64>(b);
    const difference = left - right;
    const overflows = ((left ^ right) & (left ^ difference)) < 0;
    const nanoseconds = overflows ? <f64>left - <f64>right : <f64>difference;
    const isNull = left == INT64_NULL || right == INT64_NULL;
    store<f64>(out, isNull ? NaN : nanoseconds / 1e9);
    a += aStep << 3;
    b += bStep << 3;
    out += 8;
  }
}

/** u32 codes → `table[code]` (u32); null stays null. */
export function translateCodes(codes: usize, table: usize, out: usize, rows: u32): void {
  for (let row: u32 = 0; row < rows; row++) {
    const code = load<u32>(codes);
    store<u32>(out, code == CODE_NULL ? CODE_NULL : load<u32>(table + (<usize>code << 2)));
    codes += 4;
    out += 4;
  }
}

// ---------------------------------------------------------------- comparisons: masks u8[rows]

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

// ---------------------------------------------------------------- logic on masks u8[rows]

const AND: i32 = 0;
const OR: i32 = 1;
const SAME: i32 = 2;
const DIFFERENT: i32 = 3;

/** Three-valued logic on 0, 1 and 2 (null), 16 rows at a time. */
// @ts-ignore: decorator
@inline
function logic16(op: i32, a: v128, b: v128): v128 {
  const either = v128.or(a, b);
  const one = i8x16.splat(1);
  const two = i8x16.splat(2);
  const isNull = i8x16.ge_u(either, two);
  if (op == AND) {
    const zero = i8x16.splat(0);
    const isFalse = v128.or(i8x16.eq(a, zero), i8x16.eq(b, zero));
    // Where neither is false the union of bits is 1 for two trues, 2 or 3 with a null.
    return v128.andnot(v128.bitselect(two, one, isNull), isFalse);
  }
  if (op == OR) {
    // Where neither is true the union of bits is 0 for two falses, 2 with a null.
    const isTrue = v128.or(i8x16.eq(a, one), i8x16.eq(b, one));
    return v128.bitselect(one, either, isTrue);
  }
  const isSame = v128.and(op == SAME ? i8x16.eq(a, b) : i8x16.ne(a, b), one);
  return v128.bitselect(two, isSame, isNull);
}

// @ts-ignore: decorator
@inline
function logicColumns(
  op: i32, a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  for (; rows >= 16; rows -= 16) {
    v128.store(out, logic16(op, v128.load(a), v128.load(b)));
    a += aStep << 4;
    b += bStep << 4;
    out += 16;
  }
  for (; rows > 0; rows--) {
    v128.store8_lane(out, logic16(op, v128.load8_splat(a), v128.load8_splat(b)), 0);
    a += aStep;
    b += bStep;
    out++;
  }
}

/** Mask `a and b`. */
export function andMasks(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  logicColumns(AND, a, aStep, b, bStep, out, rows);
}

/** Mask `a or b`. */
export function orMasks(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  logicColumns(OR, a, aStep, b, bStep, out, rows);
}

/** Mask `a = b` of two booleans. */
export function equalU8(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  logicColumns(SAME, a, aStep, b, bStep, out, rows);
}

/** Mask `a <> b` of two booleans. */
export function unequalU8(
  a: usize, aStep: usize, b: usize, bStep: usize, out: usize, rows: u32,
): void {
  logicColumns(DIFFERENT, a, aStep, b, bStep, out, rows);
}

/** Mask `not a`: 0 and 1 change places, 2 stays. */
export function notMask(a: usize, out: usize, rows: u32): void {
  const one = i8x16.splat(1);
  const two = i8x16.splat(2);
  for (; rows >= 16; rows -= 16) {
    v128.store(out, i8x16.min_u(v128.xor(v128.load(a), one), two));
    a += 16;
    out += 16;
  }
  for (; rows > 0; rows--) {
    const value = load<u8>(a++);
    store<u8>(out++, value == BOOLEAN_NULL ? BOOLEAN_NULL : value ^ 1);
  }
}

// ---------------------------------------------------------------- choices and rows

// @ts-ignore: decorator
@inline
function choose<T>(
  mask: usize, maskStep: usize, a: usize, aStep: usize, b: usize, bStep: usize,
  out: usize, rows: u32,
): void {
  for (let row: u32 = 0; row < rows; row++) {
    const chosen = load<u8>(mask) == 1 ? load<T>(a) : load<T>(b);
    store<T>(out, chosen);
    mask += maskStep;
    a += aStep * sizeof<T>();
    b += bStep * sizeof<T>();
    out += sizeof<T>();
  }
}

/** `a` where the mask is true, else `b`; elements of 8 bytes. */
export function choose8(
  mask: usize, maskStep: usize, a: usize, aStep: usize, b: usize, bStep: usize,
  out: usize, rows: u32,
): void {
  choose<u64>(mask, maskStep, a, aStep, b, bStep, out, rows);
}

/** Like `choose8`, of 4 bytes. */
export function choose4(
  mask: usize, maskStep: usize, a: usize, aStep: usize, b: usize, bStep: usize,
  out: usize, rows: u32,
): void {
  choose<u32>(mask, maskStep, a, aStep, b, bStep, out, rows);
}

/** Like `choose8`, of 1 byte. */
export function choose1(
  mask: usize, maskStep: usize, a: usize, aStep: usize, b: usize, bStep: usize,
  out: usize, rows: u32,
): void {
  choose<u8>(mask, maskStep, a, aStep, b, bStep, out, rows);
}

/** A constant (its first 8 bytes) as a column. */
export function spread8(constant: usize, out: usize, rows: u32): void {
  const value = load<u64>(constant);
  for (let row: u32 = 0; row < rows; row++) store<u64>(out + (<usize>row << 3), value);
}

/** Like `spread8`, of 4 bytes. */
export function spread4(constant: usize, out: usize, rows: u32): void {
  const value = load<u32>(constant);
  for (let row: u32 = 0; row < rows; row++) store<u32>(out + (<usize>row << 2), value);
}

/** Like `spread8`, of 1 byte. */
export function spread1(constant: usize, out: usize, rows: u32): void {
  memory.fill(out, load<u8>(constant), rows);
}

/**
 * Numbers of the rows where the mask is true, ascending.
 * @param out u32[rows]: room for all of them.
 * @returns How many there are.
 */
export function rowsWhere(mask: usize, rows: u32, out: usize): u32 {
  let count: usize = 0;
  for (let row: u32 = 0; row < rows; row++) {
    store<u32>(out + (count << 2), row);
    count += usize(load<u8>(mask + row) == 1);
  }
  return <u32>count;
}

/** `out[i] = values[rows[i]]`, elements of 8 bytes. */
export function gather8(values: usize, rows: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u64>(out, load<u64>(values + (<usize>load<u32>(rows) << 3)));
    rows += 4;
    out += 8;
  }
}

/** Like `gather8`, of 4 bytes. */
export function gather4(values: usize, rows: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u32>(out, load<u32>(values + (<usize>load<u32>(rows) << 2)));
    rows += 4;
    out += 4;
  }
}

/** Like `gather8`, of 1 byte. */
export function gather1(values: usize, rows: usize, count: u32, out: usize): void {
  for (let i: u32 = 0; i < count; i++) {
    store<u8>(out, load<u8>(values + load<u32>(rows)));
    rows += 4;
    out++;
  }
}
