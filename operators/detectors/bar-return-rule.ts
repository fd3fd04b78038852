/** The move of a bar from open to close, which two detectors watch at two limits. */

import { beyond, type Side } from './detector-fields.ts';
import type { DetectorRule } from './detector-stages.ts';

/** @returns A rule over the return in percent of the open, whose sign a negative open keeps. */
export function barReturnRule(
  type: string,
  config: { open: string; close: string; threshold_pct: number; side: Side },
): DetectorRule {
  const { open, close, threshold_pct, side } = config;
  const move = `(${close} - ${open}) / abs(${open}) * 100`;
  return {
    type,
    when: beyond(move, threshold_pct, side),
    value: move,
    score: move,
    threshold: threshold_pct,
    details: { open, close },
  };
}
