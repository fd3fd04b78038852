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

import { INT64_NULL, CODE_NULL, BOOLEAN_NULL } from './_columns-nulls';

export {
  addF64, subtractF64, multiplyF64, divideF64, remainderF64, powF64, leastF64, greatestF64,
  leastI64, greatestI64, negateF64, absF64, floorF64, ceilF64, sqrtF64, signF64, logF64,
  log10F64, expF64, roundF64,
} from './_columns-arithmetic';
export {
  equalF64, unequalF64, lessF64, lessOrEqualF64, equalI64, unequalI64, lessI64, lessOrEqualI64,
  isNullF64, isNullI64, equalU32, unequalU32, isNullU32, isNullU8, inF64, inI64, inU32,
} from './_columns-compare';
export {
  andMasks, orMasks, equalU8, unequalU8, notMask,
} from './_columns-logic';

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
