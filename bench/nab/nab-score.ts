/**
 * The scoring function of the Numenta Anomaly Benchmark.
 *
 *     row      p p p . . . . f . . [ D d d d ] . f . . . . . f
 *              probation     |       |           |         |
 *              not counted   -fp     + up to tp  - a bit   -fp
 *
 * Each labelled window counts once, by its earliest detected row: nearly `tp` at its left end,
 * nearly nothing at its right one, and -fn where no row is detected. A row detected outside costs:
 * little just behind a window, all of `fp` where it is further away than three windows or before
 * the first. The sum is put on a scale on which detecting nothing is 0 and perfection 100.
 *
 * One limit of the scores holds for all series: of all limits the one with the best sum, found by
 * lowering it from above the largest score, one distinct score after another, while the sum is
 * kept up to date: O(n log n) for n rows.
 *
 * Lavin, Ahmad: Evaluating Real-time Anomaly Detection Algorithms - the Numenta Anomaly Benchmark,
 * ICMLA 2015.
 */

/** What is gained and lost: for a window found early, for a missed one, and for a false alarm. */
export interface NabProfile {
  readonly name: string;
  readonly tp: number;
  readonly fn: number;
  readonly fp: number;
}

export const NAB_PROFILES = [
  { name: 'standard', tp: 1, fn: 1, fp: 0.11 },
  { name: 'reward_low_FP', tp: 1, fn: 1, fp: 0.22 },
  { name: 'reward_low_FN', tp: 1, fn: 2, fp: 0.11 },
] as const satisfies readonly NabProfile[];

/** First and last row of a labelled window, both within it. */
export type LabelledWindow = readonly [first: number, last: number];

export interface ScoredSeries {
  /** How unusual each row is; rows at and above the limit are detected. NaN: never. */
  readonly scores: Float64Array;
  /** In order, none overlaps another. */
  readonly windows: readonly LabelledWindow[];
}

export interface NabResult {
  /** 0: nothing detected; 100: every window at its first row, and nothing else. */
  readonly score: number;
  /** Infinity where it is best to detect nothing. */
  readonly limit: number;
  readonly windows: number;
  readonly found: number;
  /** Detected rows outside of windows. */
  readonly falseRows: number;
}

const PROBATION_SHARE = 0.15;
const PROBATION_ROWS_MAX = 750;

/** Rows at the beginning of a series that are not counted. */
export function probationRows(rows: number): number {
  return Math.min(Math.floor(PROBATION_SHARE * rows), PROBATION_ROWS_MAX);
}

/** From nearly 1 far before 0 to -1 beyond 3. */
function scaledSigmoid(position: number): number {
  return position > 3 ? -1 : 2 / (1 + Math.exp(5 * position)) - 1;
}

const EARLIEST = scaledSigmoid(-1);

/** Share of `tp` that a detected row of a window is worth. */
export function gain(row: number, [first, last]: LabelledWindow): number {
  const width = last - first + 1;
  return scaledSigmoid(-(last - row + 1) / width) / EARLIEST;
}

/** Share of `fp` that a detected row costs, given the last window before it; 0 to -1. */
export function cost(row: number, before: LabelledWindow | undefined): number {
  if (before === undefined) return -1;
  const [first, last] = before;
  return scaledSigmoid((row - last) / (last - first));
}

/** A row that counts, ready to be detected. */
interface Candidate {
  readonly score: number;
  /** Number of its window among those of all series; -1 outside. */
  readonly window: number;
  /** Share of `tp`, or of `fp`. */
  readonly worth: number;
}

/** Candidates of all series, those with the highest score first, and the number of windows. */
function candidatesOf(corpus: readonly ScoredSeries[]): [readonly Candidate[], number] {
  const candidates: Candidate[] = [];
  let windowsBefore = 0;
  for (const { scores, windows } of corpus) {
    let next = 0;
    for (let row = 0; row < scores.length; row++) {
      while (next < windows.length && windows[next]![1] < row) next++;
      if (row < probationRows(scores.length) || Number.isNaN(scores[row]!)) continue;
      const window = windows[next];
      const isInside = window !== undefined && window[0] <= row;
      candidates.push({
        score: scores[row]!,
        window: isInside ? windowsBefore + next : -1,
        worth: isInside ? gain(row, window) : cost(row, windows[next - 1]),
      });
    }
    windowsBefore += windows.length;
  }
  return [candidates.sort((a, b) => b.score - a.score), windowsBefore];
}

/** Scores a corpus under one profile, at the best limit for all its series together. */
export function nabScore(corpus: readonly ScoredSeries[], profile: NabProfile): NabResult {
  const [candidates, windows] = candidatesOf(corpus);
  const { tp, fn, fp } = profile;
  const nothing = -fn * windows;
  const gains = new Float64Array(windows).fill(Number.NaN);
  let [sum, found, falseRows] = [nothing, 0, 0];
  let best = { sum, limit: Number.POSITIVE_INFINITY, found, falseRows };
  for (const [index, { score, window, worth }] of candidates.entries()) {
    if (window < 0) {
      sum += worth * fp;
      falseRows++;
    } else if (Number.isNaN(gains[window]!)) {
      sum += fn + worth * tp;
      gains[window] = worth;
      found++;
    } else if (worth > gains[window]!) {
      sum += (worth - gains[window]!) * tp;
      gains[window] = worth;
    }
    // Rows of one score are detected together.
    const isLastOfScore = candidates[index + 1]?.score !== score;
    if (isLastOfScore && sum > best.sum) best = { sum, limit: score, found, falseRows };
  }
  const perfect = tp * windows;
  return {
    score: windows === 0 ? 0 : (100 * (best.sum - nothing)) / (perfect - nothing),
    limit: best.limit,
    windows,
    found: best.found,
    falseRows: best.falseRows,
  };
}
