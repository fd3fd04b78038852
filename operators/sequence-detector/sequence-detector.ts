/**
 * Numbers that a feed counts its messages by: each should be one more than the one before.
 *
 *   gap               the number is further on: those between are missing, at least for now
 *   out_of_sequence   it is lower, and was not seen: it comes late
 *   duplicate         it was seen, as far as 1,024 numbers back are remembered
 *
 * A lower number after a silence is the beginning of another day. Where each venue of a symbol
 * counts for itself, `by` parts them.
 */

import {
  column,
  type ConfigOf,
  duration,
  type Fields,
  flag,
  expressionText,
} from '../../engine/contract/fields.ts';
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
  sequence: input('sequence', 'Whole number that counts the rows of a symbol, such as a trade id'),
  by: column({
    doc:
      'Column, of texts or whole numbers, whose values each count for themselves: numbers of a ' +
      'symbol are then compared with those of the same value only. It is named in explanations.',
    examples: ['venue'],
  }).optional(),
  gaps: flag({
    doc:
      'Whether a number that is more than one above the highest so far is reported. It says ' +
      'nothing where the numbers are shared with rows that are not read here.',
  }).default(true),
  restart_after: duration({
    doc: 'A lower number after a silence of at least this begins anew; nothing was lost.',
  }).default('1h'),
  ...detectorFields,
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const IS_STARTED = 0;
const LAST = 1;
const TIME = 2;
/** A bit for each of the last numbers, 32 in each number of the record, at its rest. */
const SEEN = 3;
const SEEN_BITS = 1024;
const GROUP_NUMBERS = SEEN + SEEN_BITS / 32;
const TYPES = ['sequence_gap', 'out_of_sequence', 'duplicate_sequence'] as const;
type Type = (typeof TYPES)[number];

class SequenceDetector extends KeyedDetector {
  readonly #config: Config;
  readonly #silence: number;
  /** By group. */
  readonly #found: Record<Type, FoundAnomalies>[] = [];

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { sequence, by, severity, restart_after } = config;
    const groups = { by, groupNumbers: GROUP_NUMBERS };
    super({ inputs: [sequence], recordNumbers: 0, ...groups, found: [], severity }, context, state);
    this.#config = config;
    this.#silence = Number(durationNs(restart_after)) / 1e9;
  }

  protected judge(
    row: number,
    [sequences]: readonly Float64Array[],
    records: Float64Array,
    key: number,
    time: number,
    group: number,
  ): void {
    const value = sequences![row]!;
    if (!Number.isSafeInteger(value)) return;
    const at = key + group * GROUP_NUMBERS;
    const last = records[at + LAST]!;
    const seconds = time - records[at + TIME]!;
    const isFirst = records[at + IS_STARTED] === 0;
    if (isFirst || (value <= last && seconds >= this.#silence)) {
      records.fill(0, at + SEEN, at + GROUP_NUMBERS);
      records[at + IS_STARTED] = 1;
      records[at + LAST] = value;
    } else {
      const type = typeOf(records, at, value, last);
      if (type !== undefined && (type !== 'sequence_gap' || this.#config.gaps)) {
        const found = { value, baseline: last + 1, threshold: 1, details: [seconds] };
        this.#foundOf(group)[type].add(row, { ...found, score: value - last - 1 });
      }
      if (value > last) {
        forget(records, at + SEEN, last, value);
        records[at + LAST] = value;
      }
    }
    records[at + TIME] = time;
    if (records[at + LAST]! - value < SEEN_BITS) remember(records, at + SEEN, value);
  }

  #foundOf(group: number): Record<Type, FoundAnomalies> {
    this.#found[group] ??= this.#makeFound(group);
    return this.#found[group];
  }

  #makeFound(group: number): Record<Type, FoundAnomalies> {
    const { sequence, by, detector } = this.#config;
    const of = (type: Type, rule: string): FoundAnomalies => {
      const found = new FoundAnomalies({
        ...{ type, detector, details: ['seconds_since_last'] },
        rule: `${expressionText(sequence)} ${rule}`,
        by: by === undefined ? undefined : { [by]: this.groups.text(group) },
      });
      this.addFound(found);
      return found;
    };
    return {
      sequence_gap: of('sequence_gap', 'is more than one above the highest so far'),
      out_of_sequence: of('out_of_sequence', 'is below the highest so far'),
      duplicate_sequence: of('duplicate_sequence', 'was there before'),
    };
  }
}

function typeOf(records: Float64Array, at: number, value: number, last: number): Type | undefined {
  if (value > last) return value === last + 1 ? undefined : 'sequence_gap';
  const isSeen = last - value < SEEN_BITS && isRemembered(records, at + SEEN, value);
  return isSeen ? 'duplicate_sequence' : 'out_of_sequence';
}

/** Place of the bit of a number, which may be negative. */
function bitOf(value: number): number {
  return ((value % SEEN_BITS) + SEEN_BITS) % SEEN_BITS;
}

function isRemembered(records: Float64Array, seen: number, value: number): boolean {
  const bit = bitOf(value);
  return ((records[seen + (bit >> 5)]! >>> (bit & 31)) & 1) === 1;
}

function remember(records: Float64Array, seen: number, value: number): void {
  const bit = bitOf(value);
  records[seen + (bit >> 5)] = (records[seen + (bit >> 5)]! | (1 << (bit & 31))) >>> 0;
}

/** Clears the bits of the numbers above `last` up to `value`: they stood for others. */
function forget(records: Float64Array, seen: number, last: number, value: number): void {
  if (value - last >= SEEN_BITS) {
    records.fill(0, seen, seen + SEEN_BITS / 32);
    return;
  }
  for (let number = last + 1; number <= value; number++) {
    const bit = bitOf(number);
    records[seen + (bit >> 5)] = (records[seen + (bit >> 5)]! & ~(1 << (bit & 31))) >>> 0;
  }
}

export const sequenceDetector = defineKeyedDetector({
  name: 'sequence_detector',
  summary: 'Makes an anomaly row where the numbers of a feed have a gap, go back or repeat.',
  fields,
  types: TYPES,
  inputs: ['sequence'],
  state: 'Of each symbol, or each value of `by` in it:',
  recordNumbers: () => 0,
  by: 'by',
  groupNumbers: GROUP_NUMBERS,
  groupState: 'the highest number, when the last came, and which of the last 1,024 were seen.',
  stateVersion: 2,
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
    {
      title: 'each venue counts for itself',
      config: { sequence: 'size', by: 'venue' },
      input: `
        event_time | symbol | venue:string | size
        09:30:00   | AAPL   | Q            | 7
        09:30:01   | AAPL   | N            | 31
        09:30:02   | AAPL   | Q            | 8
        09:30:03   | AAPL   | N            | 33
        09:30:04   | AAPL   | Q            | 8
        09:30:05   | IBM    | Q            | 5
      `,
      output: `
        event_time | symbol | type               | value | baseline | score
        09:30:03   | AAPL   | sequence_gap       | 33    | 32       | 1
        09:30:04   | AAPL   | duplicate_sequence | 8     | 9        | -1
      `,
    },
  ],
  open: (config, context, state) => new SequenceDetector(config as Config, context, state),
});
