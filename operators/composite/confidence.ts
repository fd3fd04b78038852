/**
 * Confidence of several detectors together: weighted noisy-or, 1 - (1 - w1 c1) (1 - w2 c2) ...
 *
 * It is within 0 to 1, grows with every part, and is at least that of each part (times its weight),
 * so that agreement boosts by construction. With c = 1 - 2^-r for a score r times its threshold,
 * and weights of 1, it is that of the sum of all r: hence the score, the r of the whole.
 */

import { confidenceOf } from '../anomalies/anomaly.ts';

export interface WeightedPart {
  readonly confidence: number;
  readonly weight: number;
}

/** Beyond this many thresholds no double tells the confidence from 1. */
const SCORE_MAX = 53;

/** Confidence of a part, from its score where it states none; 0 where neither is known. */
export function confidenceOfPart(confidence: number, score: number, threshold: number): number {
  const stated = Number.isNaN(confidence) ? confidenceOf(score, threshold) : confidence;
  return Number.isNaN(stated) ? 0 : Math.min(1, Math.max(0, stated));
}

export function noisyOr(parts: readonly WeightedPart[]): number {
  let doubt = 1;
  for (const { confidence, weight } of parts) doubt *= 1 - weight * confidence;
  return 1 - doubt;
}

/** How many times its threshold one detector's score is at this confidence. */
export function scoreOf(confidence: number): number {
  return Math.min(SCORE_MAX, Math.abs(Math.log2(1 - confidence)));
}
