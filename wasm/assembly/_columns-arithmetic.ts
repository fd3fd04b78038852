/** Arithmetic and functions on f64 columns, and least and greatest; layouts as in columns.ts. */

import { INT64_NULL } from './_columns-nulls';

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
