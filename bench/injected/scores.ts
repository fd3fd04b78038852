/**
 * Scores of several backtests, added up by type.
 *
 * An alert without a label is false. That is strict: real trades have bad prints and surges of
 * volume of their own, which nobody has labelled. So false alarms that are found in the untouched
 * trades as well, of the same symbol, type and time, are counted as natural, and precision is told
 * in both ways: of all alerts, and of those that are not natural. An anomaly of three rows may have
 * three alerts, all of them right, so there is a third precision, by event: of the labels found and
 * all false alarms.
 */

/** What `tidemark backtest --json` prints, as far as it is read here. */
export interface BacktestJson {
  readonly types: Readonly<
    Record<
      string,
      {
        readonly labels: number;
        readonly found: number;
        readonly alerts: number;
        readonly correct: number;
        /** Seconds. */
        readonly delayMedian: number | null;
        readonly delayMax: number | null;
      }
    >
  >;
  readonly falseAlarms: readonly Alarm[];
}

interface Alarm {
  readonly key: string;
  readonly event_time: string;
  readonly type: string;
}

export interface TypeScore {
  labels: number;
  found: number;
  alerts: number;
  correct: number;
  /** False alarms that the untouched trades have too. */
  natural: number;
  /** Median of each backtest, in seconds. */
  delays: number[];
  longest: number;
}

/** How many false alarms a backtest names. */
const NAMED_MAX = 1000;

const nameOf = ({ key, type, event_time: time }: Alarm): string => `${key} ${type} ${time}`;

export class InjectedScores {
  readonly #types = new Map<string, TypeScore>();

  /** @param clean A backtest of the untouched trades, without labels. */
  add(injected: BacktestJson, clean: BacktestJson): void {
    const known = new Set(clean.falseAlarms.map(nameOf));
    for (const [type, scores] of Object.entries(injected.types)) {
      const sum = this.#of(type);
      sum.labels += scores.labels;
      sum.found += scores.found;
      sum.alerts += scores.alerts;
      sum.correct += scores.correct;
      if (scores.delayMedian !== null) sum.delays.push(scores.delayMedian);
      sum.longest = Math.max(sum.longest, scores.delayMax ?? 0);
    }
    for (const { falseAlarms } of [injected, clean]) {
      if (falseAlarms.length >= NAMED_MAX) throw new RangeError('too many false alarms to name');
    }
    for (const alarm of injected.falseAlarms) {
      if (known.has(nameOf(alarm))) this.#of(alarm.type).natural++;
    }
  }

  #of(type: string): TypeScore {
    let score = this.#types.get(type);
    if (score === undefined) {
      score = { labels: 0, found: 0, alerts: 0, correct: 0, natural: 0, delays: [], longest: 0 };
      this.#types.set(type, score);
    }
    return score;
  }

  /** By type, in alphabetical order. */
  get types(): readonly (readonly [type: string, score: TypeScore])[] {
    return [...this.#types].sort(([a], [b]) => (a < b ? -1 : 1));
  }
}

/** Of all alerts that are right; NaN where there are none. */
export function precisionOf({ correct, alerts }: TypeScore): number {
  return correct / alerts;
}

/** As if nothing had happened in the untouched trades. */
export function precisionBeyondNatural({ correct, alerts, natural }: TypeScore): number {
  return correct / (alerts - natural);
}

/** An anomaly that was found counts once, however many alerts it has. */
export function precisionByEvent({ found, correct, alerts }: TypeScore): number {
  return found / (found + alerts - correct);
}

export function recallOf({ found, labels }: TypeScore): number {
  return found / labels;
}

/** Of the precision by event, the strictest. */
export function f1Of(score: TypeScore): number {
  const [precision, recall] = [precisionByEvent(score), recallOf(score)];
  return (2 * precision * recall) / (precision + recall);
}
