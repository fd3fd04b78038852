/** Prices as Databento writes them: whole billionths in 64 bits. */

export const UNDEFINED_PRICE: i64 = i64.MAX_VALUE;

/**
 * The double nearest to price * 1e-9.
 *
 * Up to 2^53 both are doubles, and one division rounds correctly. Above, the quotient is taken to
 * at least 58 bits, the last of which says whether anything is left over: then rounding those bits
 * to 53 is rounding the quotient itself.
 */
// @ts-ignore: decorator
@inline
export function priceOf(fixed: i64): f64 {
  if (fixed <= 1 << 53 && fixed >= -(1 << 53)) return <f64>fixed / 1e9;
  return largePrice(fixed);
}

function largePrice(fixed: i64): f64 {
  const magnitude = <u64>(fixed < 0 ? -fixed : fixed);
  const whole = magnitude / 1000000000;
  const shift = min<u64>(clz(whole), 34);
  const rest = (magnitude % 1000000000) << shift;
  let bits = (whole << shift) | (rest / 1000000000);
  if (rest % 1000000000 != 0) bits |= 1;
  // 2^-shift, by its exponent.
  const price = <f64>bits * reinterpret<f64>((1023 - shift) << 52);
  return fixed < 0 ? -price : price;
}
