/**
 * What a bar is, told from the bars before it: pure functions over one bar and the state of its
 * symbol. All comparisons are of logarithms, so that up and down weigh the same.
 *
 *   usual range   of bars, ln(high / low), decaying mean: what moves mean in this market. In a
 *                 crash it is large, and then neither ratios nor wicks say anything.
 *   usual volume  decaying mean of logarithms, in shares and in money. Real moves are traded; a
 *                 split changes shares or money, so the smaller of both excesses counts.
 */

/** Ratios of shares after and before that splits have: 2:1 to 100:1, a few halves, and reverse. */
const FORWARD = [2, 3, 4, 5, 6, 7, 8, 9, 10, 12, 15, 20, 25, 30, 40, 50, 100];
const FRACTIONS = [3 / 2, 4 / 3, 5 / 4, 5 / 2];
export const SPLIT_FACTORS: readonly number[] = [
  ...FORWARD,
  ...FRACTIONS,
  ...FORWARD.map((factor) => 1 / factor),
].sort((a, b) => a - b);
const FACTOR_LOGARITHMS = SPLIT_FACTORS.map((factor) => Math.log(factor));

/** A price stays, or comes back, where the rest is within this part of the jump. */
const STAYS = 1 / 3;
/** A tolerance is meant for a jump to 1/1.4; the market moves, too, where the ratio is larger. */
const TOLERANCE_GROWTH = 3;

/** The factor whose reciprocal is nearest to a ratio of prices. */
export function nearestFactor(ratio: number): number {
  const wanted = -Math.log(ratio);
  let best = 0;
  for (let i = 1; i < SPLIT_FACTORS.length; i++) {
    const isNearer = Math.abs(FACTOR_LOGARITHMS[i]! - wanted);
    if (isNearer < Math.abs(FACTOR_LOGARITHMS[best]! - wanted)) best = i;
  }
  return SPLIT_FACTORS[best]!;
}

/** How far a ratio of prices may be off the ratio of a split: a logarithm. */
export function splitTolerance(tolerancePct: number, factor: number): number {
  return (
    Math.log1p(tolerancePct / 100) * Math.max(1, TOLERANCE_GROWTH * Math.abs(Math.log(factor)))
  );
}

/**
 * Whether a jump from `before` to `open` is that of a split: near its ratio, large for this market,
 * and the price stays.
 */
export function looksLikeSplit(
  before: number,
  open: number,
  close: number,
  factor: number,
  tolerance: number,
  rangeLimit: number,
): boolean {
  const jump = Math.log(open / before);
  return (
    Math.abs(jump + Math.log(factor)) <= tolerance &&
    Math.abs(jump) > rangeLimit &&
    Math.abs(Math.log(close / open)) <= STAYS * Math.abs(jump)
  );
}

/** Whether a price that the file says is split has been: it is nearer to the new level. */
export function isSplitDue(before: number, open: number, factor: number): boolean {
  const jump = Math.log(open / before);
  return Math.abs(jump + Math.log(factor)) < Math.abs(jump);
}

/** Whether an opening print is contradicted by its own bar, which closes where the last one did. */
export function isUnconfirmedOpen(
  before: number,
  open: number,
  close: number,
  limit: number,
): boolean {
  const jump = Math.abs(Math.log(open / before));
  return jump > limit && Math.abs(Math.log(close / before)) <= STAYS * jump;
}
