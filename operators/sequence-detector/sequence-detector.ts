/**
 * Numbers that a feed counts its messages by: each should be one more than the one before.
 *
 *   gap               the number is further on: those between are missing, at least for now
 *   out_of_sequence   it is lower, and was not seen: it comes late
 *   duplicate         it was seen, as far as 64 numbers back are remembered
 *
 * A lower number after a silence is the beginning of another day.
 */

import { type ConfigOf, duration, type Fields } from '../../engine/contract/fields.ts';
import type { OperatorContext, StateTables } from '../../engine/contract/operator.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { defineKeyedDetector, keyedFields } from '../detectors/define-keyed-detector.ts';
import { input } from '../detectors/detector-fields.ts';
import { KeyedDetector } from '../detectors/keyed-detector.ts';

const { anomaly_type: _type, ...detectorFields } = keyedFields('sequence_gap', 'sequence', {
  medium: 10,
  high: 1000,
});

const fields = {
  sequence: input('sequence', 'Whole number that counts the rows of a symbol'),
  restart_after: duration({
    doc: 'A lower number after a silence of at least this begins anew; nothing was lost.',
  }).default('1h'),
  ...detectorFields,
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const IS_STARTED = 0;
const LAST = 1;
const TIME = 2;
const SEEN = 3;
const SEEN_NUMBERS = 64;
const RECORD_NUMBERS = SEEN + SEEN_NUMBERS;
const TYPES = ['sequence_gap', 'out_of_sequence', 'duplicate_sequence'] as const;

class SequenceDetector extends KeyedDetector {
  readonly #silence: number;
  readonly #gaps: FoundAnomalies;
  readonly #late: FoundAnomalies;
  readonly #repeated: FoundAnomalies;

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { sequence, detector, severity } = config;
    const rules = [
      `${sequence} is more than one above the highest so far`,
      `${sequence} is below the highest so far`,
      `${sequence} was there before`,
    ];
    const found = TYPES.map((type, i) => {
      return new FoundAnomalies({
        type,
        detector,
        rule: rules[i]!,
        details: ['seconds_since_last'],
      });
    });
    const inputs = [sequence];
    super({ inputs, recordNumbers: RECORD_NUMBERS, found, severity }, context, state);
    this.#silence = Number(durationNs(config.restart_after)) / 1e9;
    [this.#gaps, this.#late, this.#repeated] = found as [
      FoundAnomalies,
      FoundAnomalies,
      FoundAnomalies,
    ];
  }

  protected judge(
    row: number,
    [sequences]: readonly Float64Array[],
    records: Float64Array,
    at: number,
    time: number,
  ): void {
    const value = sequences![row]!;
    if (!Number.isSafeInteger(value)) return;
    const last = records[at + LAST]!;
    const seconds = time - records[at + TIME]!;
    const isFirst = records[at + IS_STARTED] === 0;
    const place = at + SEEN + (((value % SEEN_NUMBERS) + SEEN_NUMBERS) % SEEN_NUMBERS);
    if (isFirst || (value <= last && seconds >= this.#silence)) {
      records.fill(Number.NaN, at + SEEN, at + RECORD_NUMBERS);
      records[at + IS_STARTED] = 1;
      records[at + LAST] = value;
    } else {
      const found = { value, baseline: last + 1, threshold: 1, details: [seconds] };
      const score = value - last - 1;
      if (records[place] === value) this.#repeated.add(row, { ...found, score });
      else if (value <= last) this.#late.add(row, { ...found, score });
      else if (score > 0) this.#gaps.add(row, { ...found, score });
      records[at + LAST] = Math.max(last, value);
    }
    records[at + TIME] = time;
    // A number that comes late does not push out one that is nearer to the last.
    if (!(records[place]! > value)) records[place] = value;
  }
}

export const sequenceDetector = defineKeyedDetector({
  name: 'sequence_detector',
  summary: 'Makes an anomaly row where the numbers of a feed have a gap, go back or repeat.',
  fields,
  types: TYPES,
  inputs: ['sequence'],
  state: 'The highest number so far, when the last came, and which of the last 64 were seen.',
  recordNumbers: () => RECORD_NUMBERS,
  examples: [
    {
      title: 'a number that is missing and comes late, and one that comes twice',
      config: { sequence: 'size' },
      input: `
        event_time | symbol | size
        09:30:00   | AAPL   | 7
        09:30:01   | AAPL   | 8
        09:30:02   | AAPL   | 10
        09:30:03   | AAPL   | 9
        09:30:04   | AAPL   | 10
        09:30:05   | AAPL   | 11
        15:30:00   | AAPL   | 1
      `,
      output: `
        event_time | symbol | type               | value | baseline | score
        09:30:02   | AAPL   | sequence_gap       | 10    | 9        | 1
        09:30:03   | AAPL   | out_of_sequence    | 9     | 11       | -2
        09:30:04   | AAPL   | duplicate_sequence | 10    | 11       | -1
      `,
    },
  ],
  open: (config, context, state) => new SequenceDetector(config as Config, context, state),
});
