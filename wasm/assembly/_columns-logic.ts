/** Three-valued logic on masks u8[rows]; layouts as in columns.ts. */

import { BOOLEAN_NULL } from './_columns-nulls';

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
