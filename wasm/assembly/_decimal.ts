/**
 * Numbers from text: correctly rounded doubles, 64-bit integers, truth values. No allocation.
 *
 * A decimal is read as an integer of up to 19 digits and a power of ten. Where both are exactly
 * representable one multiplication or division rounds correctly (Clinger). Otherwise the integer is
 * multiplied by a 128-bit approximation of the power of ten, whose error is known, and the result
 * is taken if every value within the error rounds to the same double (Eisel and Lemire: Number
 * Parsing at a Gigabyte per Second, 2021). What is left, less than one in a billion and whatever
 * has more than 19 digits, is LATER: the host parses that cell.
 *
 * Every function reads text[start, end) and up to 7 bytes behind it, and never trusts the byte at
 * `end` to be anything in particular. Results are in `float64` and `int64`.
 */

/** Status of a parse. */
export const OK: u32 = 0;
export const BAD: u32 = 1;
/** Well formed, but does not fit. */
export const RANGE: u32 = 2;
/** Well formed; the host must parse it. */
export const LATER: u32 = 3;
/** Nothing there. */
export const EMPTY: u32 = 4;

export let float64: f64 = 0;
export let int64: i64 = 0;

const MINUS: u32 = 45;
const PLUS: u32 = 43;
const DOT: u32 = 46;

/** u64[2] a power, low half first: 10^(POWER_MIN) to 10^(POWER_MAX), normalised, rounded down. */
let powers: usize = 0;
const POWER_MIN: i32 = -64;
const POWER_MAX: i32 = 64;

const EXACT_POWERS: usize = memory.data<f64>([
  1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17,
  1e18, 1e19, 1e20, 1e21, 1e22,
]);
const EXACT_POWER_MAX: i32 = 22;
const EXACT_INTEGER_MAX: u64 = 1 << 53;

/** Hands over the table of powers, which the host computes. */
export function usePowers(table: usize): void {
  powers = table;
}

// @ts-ignore: decorator
@inline
export function digitAt(at: usize): u32 {
  return <u32>load<u8>(at) - 48;
}

/** Are the 8 bytes all digits? */
// @ts-ignore: decorator
@inline
function areEightDigits(bytes: u64): bool {
  return (
    ((bytes & 0xf0f0f0f0f0f0f0f0) | (((bytes + 0x0606060606060606) & 0xf0f0f0f0f0f0f0f0) >> 4)) ==
    0x3333333333333333
  );
}

/** Value of 8 digits, first digit in the lowest byte: pairs, then fours, then all. */
// @ts-ignore: decorator
@inline
function eightDigits(bytes: u64): u64 {
  const pairs = (bytes & 0x0f0f0f0f0f0f0f0f) * 2561;
  const fours = ((pairs >> 8) & 0x00ff00ff00ff00ff) * 6553601;
  return (((fours >> 16) & 0x0000ffff0000ffff) * 42949672960001) >> 32;
}

export let digitsEnd: usize = 0;

/**
 * `value` followed by the digits from `at` on, modulo 2^64; leaves in `digitsEnd` where they stop.
 */
// @ts-ignore: decorator
@inline
export function readDigits(at: usize, end: usize, value: u64): u64 {
  while (at + 8 <= end) {
    const bytes = load<u64>(at);
    if (!areEightDigits(bytes)) break;
    value = value * 100000000 + eightDigits(bytes);
    at += 8;
  }
  while (at < end) {
    const digit = digitAt(at);
    if (digit > 9) break;
    value = value * 10 + digit;
    at++;
  }
  digitsEnd = at;
  return value;
}

/** High half of the 128-bit product; the low half is the plain product. */
// @ts-ignore: decorator
@inline
function highProduct(a: u64, b: u64): u64 {
  const aLow = a & 0xffffffff;
  const aHigh = a >> 32;
  const bLow = b & 0xffffffff;
  const bHigh = b >> 32;
  const middle = aHigh * bLow + ((aLow * bLow) >> 32);
  const other = aLow * bHigh + (middle & 0xffffffff);
  return aHigh * bHigh + (middle >> 32) + (other >> 32);
}

/** `integer * 10^power` for an integer above 0; LATER where the approximation cannot tell. */
function scale(integer: u64, power: i32, negative: bool): u32 {
  const zeros = clz(integer);
  const significand = integer << zeros;
  const entry = powers + (<usize>(power - POWER_MIN) << 4);
  let high = highProduct(significand, load<u64>(entry, 8));
  let low = significand * load<u64>(entry, 8);
  // The power is too low by less than one unit of its last place, so the product is by less than
  // `significand`: only if that could carry into the bits we keep is the lower half needed.
  if ((high & 0x1ff) == 0x1ff && low + significand < significand) {
    const lowerHigh = highProduct(significand, load<u64>(entry));
    const lowerLow = significand * load<u64>(entry);
    const sum = low + lowerHigh;
    if (sum < low) high++;
    low = sum;
    const isUndecided = (high & 0x1ff) == 0x1ff && low + 1 == 0;
    if (isUndecided && lowerLow + significand < significand) return LATER;
  }
  const top = high >> 63;
  let mantissa = high >> (top + 9);
  // Exactly between two doubles, as far as one can see.
  if (low == 0 && (high & 0x1ff) == 0 && (mantissa & 3) == 1) return LATER;
  // floor(power * log2(10)) by a fixed-point factor that is exact in this range.
  let exponent = ((217706 * power) >> 16) + 64 + 1023 - <i32>zeros - <i32>(1 ^ top);
  mantissa = (mantissa + (mantissa & 1)) >> 1;
  if (mantissa >> 53 != 0) {
    mantissa >>= 1;
    exponent++;
  }
  if (exponent < 1 || exponent > 2046) return LATER;
  const bits = (<u64>exponent << 52) | (mantissa & 0x000fffffffffffff);
  float64 = reinterpret<f64>(negative ? bits | 0x8000000000000000 : bits);
  return OK;
}

/** Digits from the first that is not zero on. */
function significantDigits(at: usize, end: usize): u32 {
  let count: u32 = 0;
  for (; at < end; at++) {
    const digit = digitAt(at);
    if (digit > 9) {
      if (<u32>load<u8>(at) == DOT) continue;
      break;
    }
    if (digit != 0 || count != 0) count++;
  }
  return count;
}

/** The word `nan` (a null), `inf` or `infinity`, in any case. */
function parseWord(at: usize, end: usize, negative: bool): u32 {
  const length = end - at;
  if (length != 3 && length != 8) return BAD;
  const letters = (<u32>load<u16>(at) | ((<u32>load<u8>(at + 2)) << 16)) | 0x202020;
  if (length == 3 && letters == 0x6e616e) {
    float64 = NaN;
    return OK;
  }
  if (letters != 0x666e69) return BAD;
  if (length == 8 && (load<u64>(at) | 0x2020202020202020) != 0x7974696e69666e69) return BAD;
  float64 = negative ? -Infinity : Infinity;
  return OK;
}

/** A decimal such as `-12.5`, `.5`, `5.` or `1e-9`. */
export function parseFloat64(start: usize, end: usize): u32 {
  let at = start;
  const sign = <u32>load<u8>(at);
  const negative = sign == MINUS;
  if (negative || sign == PLUS) at++;
  const digitsStart = at;
  let mantissa = readDigits(at, end, 0);
  at = digitsEnd;
  let digits = at - digitsStart;
  let power: i32 = 0;
  if (at < end && <u32>load<u8>(at) == DOT) {
    const fraction = at + 1;
    mantissa = readDigits(fraction, end, mantissa);
    at = digitsEnd;
    digits += at - fraction;
    power = -(<i32>(at - fraction));
  }
  if (digits == 0) return parseWord(digitsStart, end, negative);
  if (at < end) {
    if ((<u32>load<u8>(at) | 32) != 101) return BAD;
    at++;
    const exponentSign = at < end ? <u32>load<u8>(at) : 0;
    if (exponentSign == MINUS || exponentSign == PLUS) at++;
    const exponent = readDigits(at, end, 0);
    if (digitsEnd == at || digitsEnd != end) return BAD;
    if (digitsEnd - at > 6) return LATER;
    power += exponentSign == MINUS ? -(<i32>exponent) : <i32>exponent;
  }
  if (digits > 19 && significantDigits(digitsStart, end) > 19) return LATER;
  if (mantissa == 0 || power == 0) {
    float64 = negative ? -(<f64>mantissa) : <f64>mantissa;
    return OK;
  }
  if (mantissa <= EXACT_INTEGER_MAX && power <= EXACT_POWER_MAX && power >= -EXACT_POWER_MAX) {
    const exact = negative ? -(<f64>mantissa) : <f64>mantissa;
    float64 =
      power < 0
        ? exact / load<f64>(EXACT_POWERS + (<usize>-power << 3))
        : exact * load<f64>(EXACT_POWERS + (<usize>power << 3));
    return OK;
  }
  if (power < POWER_MIN || power > POWER_MAX) return LATER;
  return scale(mantissa, power, negative);
}

/** A whole number from -(2^63 - 1) to 2^63 - 1; the one below is the null. */
export function parseInt64(start: usize, end: usize): u32 {
  let at = start;
  const sign = <u32>load<u8>(at);
  if (sign == MINUS || sign == PLUS) at++;
  if (at == end) return BAD;
  const value = readDigits(at, end, 0);
  if (digitsEnd != end) return BAD;
  if (end - at > 19 && significantDigits(at, end) > 19) return RANGE;
  if (value > <u64>i64.MAX_VALUE) return RANGE;
  int64 = sign == MINUS ? -(<i64>value) : <i64>value;
  return OK;
}

/** true, t, yes, y, 1 or false, f, no, n, 0, in any case: 1 or 0 in `int64`. */
export function parseBoolean(start: usize, end: usize): u32 {
  const length = end - start;
  if (length == 0 || length > 5) return BAD;
  const first = <u32>load<u8>(start);
  const letters = (load<u64>(start) | 0x2020202020202020) & ((<u64>1 << (length << 3)) - 1);
  if (length == 1) {
    const letter = first | 32;
    int64 = first == 49 || letter == 116 || letter == 121 ? 1 : 0;
    return int64 == 1 || first == 48 || letter == 102 || letter == 110 ? OK : BAD;
  }
  if (letters == 0x65757274 || letters == 0x736579) {
    int64 = 1;
    return OK;
  }
  int64 = 0;
  return letters == 0x65736c6166 || letters == 0x6f6e ? OK : BAD;
}
