/** Above which score a row is an anomaly. */

/**
 * The limit that leaves this share of the scores above it: a quantile, of type 7, as scikit-learn
 * has its offset by `numpy.percentile`. Sorts the scores, and negates them.
 *
 * @param scores At least one.
 * @param contamination From 0 to 0.5.
 */
export function limitByContamination(scores: Float64Array, contamination: number): number {
  // Of the negated scores, so that it rounds as theirs does.
  for (let i = 0; i < scores.length; i++) scores[i] = -scores[i]!;
  scores.sort();
  const position = (scores.length - 1) * contamination;
  const index = Math.floor(position);
  const part = position - index;
  const low = scores[index]!;
  const high = scores[Math.min(index + 1, scores.length - 1)]!;
  const distance = high - low;
  return -(part >= 0.5 ? high - distance * (1 - part) : low + distance * part);
}
