/**
 * Reports that nothing comes. A silence of a symbol is due at a moment that its last row decides:
 *
 *     last row                limit          2 limits                    4 limits
 *        |----------------------x---------------x---------------------------x----- ...
 *
 * An anomaly has that moment as its time, whoever finds it: the watermark that passes it, or the
 * next row of the symbol. So how rows are cut into batches makes no difference. The end of the
 * source passes nothing: where it ends, nothing is expected any more.
 *
 * Where the session ends before the limit, the silence begins anew with the next session; one that
 * was reported is not carried over, so a symbol is reported once until it is back.
 *
 * Waits are counted in buckets of a quarter of an octave from 1 ms on; the usual longest is the
 * upper end of the bucket of the quantile, looked up anew every 32 waits.
 *
 * Cost: a logarithm a row; all symbols are looked at when the watermark passes the earliest moment
 * at which one of them may be due.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import { durationNs, END_OF_TIME, type EventTime } from '../../engine/contract/time.ts';
import { KeyedRecords } from '../../wasm/host/keyed-records.ts';
import { AnomalyOutput, FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { KEYED_TABLE } from '../detectors/keyed-detector.ts';
import { PlacedRows } from '../detectors/placed-rows.ts';
import { type Expected, ExpectedSessions } from './expected-sessions.ts';
import type { Config } from './stale-feed-detector.ts';

/** Words of the time of the last row; how many waits there were; what is usual, and the limit. */
const LAST_HIGH = 0;
const LAST_LOW = 1;
const HAS_ROWS = 2;
const WAITS = 3;
const USUAL = 4;
/** Seconds; 0 where nothing is judged yet. */
const LIMIT = 5;
/** How often the silence at hand was reported. */
const REPORTS = 6;
/** Whether what is due next is known: its words, and those of the beginning of the silence. */
const DUE = 7;
const DUE_HIGH = 8;
const DUE_LOW = 9;
/** And its low word behind it. */
const FROM_HIGH = 10;
const BUCKETS = 12;
const BUCKET_COUNT = 128;
export const RECORD_NUMBERS = BUCKETS + BUCKET_COUNT;

const [UNKNOWN, KNOWN, NEVER] = [0, 1, 2];
const BUCKETS_PER_OCTAVE = 4;
const SHORTEST_S = 1e-3;
const LOOKED_UP_EVERY = 32;
/** More than any rounding of a time in seconds. */
const ROUNDING_S = 1e-5;
/** Beyond it a silence is not told any more, and multiples stay within 64 bits. */
const LIMIT_MAX_S = 1e8;
const REPORTS_MAX = 5;

export class StaleFeedOperator implements Operator {
  readonly #config: Config;
  readonly #context: OperatorContext;
  readonly #records: KeyedRecords;
  readonly #sessions: ExpectedSessions;
  readonly #found: FoundAnomalies;
  readonly #places = new PlacedRows();
  readonly #output: AnomalyOutput;
  readonly #atLeast: number;
  readonly #keyColumn: number;
  readonly #timeColumn: number;
  /** Seconds; before it no symbol is due. */
  #nextDue = Number.NEGATIVE_INFINITY;

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { input, memory, keys } = context;
    const { anomaly_type: type, detector, severity, quantile, multiple, at_least } = config;
    this.#config = config;
    this.#context = context;
    this.#atLeast = Number(durationNs(at_least)) / 1e9;
    this.#sessions = new ExpectedSessions(config.calendar, config.sessions);
    this.#keyColumn = columnIndex(input, input.key);
    this.#timeColumn = columnIndex(input, input.time);
    this.#found = new FoundAnomalies({
      ...{ type, detector, details: ['waits'] },
      rule: `no row for ${multiple} times the wait of quantile ${quantile}, and ${at_least}`,
    });
    this.#output = new AnomalyOutput([this.#found], severity, context, state);
    this.#records = new KeyedRecords(memory, RECORD_NUMBERS * 8);
    const records = state?.[KEYED_TABLE];
    if (records !== undefined) this.#records.restore(records, keys.size);
  }

  #view(): Float64Array {
    const { memory } = this.#context;
    return memory.f64(this.#records.pointer, this.#records.count * RECORD_NUMBERS);
  }

  process(batch: Batch, collector: Collector): void {
    const { rowCount, columns, rowWatermarks } = batch;
    if (rowCount === 0) return;
    const { memory, keys: texts } = this.#context;
    this.#records.resize(texts.size);
    const keys = memory.u32(columns[this.#keyColumn]!.pointer, rowCount);
    const times = memory.u32(columns[this.#timeColumn]!.pointer, 2 * rowCount);
    const watermarks = rowWatermarks === 0 ? times : memory.u32(rowWatermarks, 2 * rowCount);
    const records = this.#view();
    for (let row = 0; row < rowCount; row++) {
      const high = times[2 * row + 1]! | 0;
      const low = times[2 * row]!;
      const late = watermarks[2 * row + 1]! | 0;
      if (high < late || (high === late && low < watermarks[2 * row]!)) continue;
      const start = this.#sessions.startOf(high, low);
      if (start !== undefined) this.#take(records, keys[row]!, high, low, start);
    }
    this.#emit(collector);
  }

  /** @param start Of the session that the row lies in, in seconds. */
  #take(records: Float64Array, key: number, high: number, low: number, start: number): void {
    const at = key * RECORD_NUMBERS;
    const time = secondsOf(high, low);
    const last = secondsOf(records[at + LAST_HIGH]!, records[at + LAST_LOW]!);
    if (records[at + HAS_ROWS] === 1) {
      if (high < records[at + LAST_HIGH]!) return;
      if (high === records[at + LAST_HIGH] && low <= records[at + LAST_LOW]!) return;
      const limit = records[at + LIMIT]!;
      if (limit > 0 && time > last + limit - ROUNDING_S) {
        this.#findUntil(records, key, wordsToTime(high, low));
      }
      if (last >= start - ROUNDING_S) this.#learn(records, at, time - last);
    }
    records[at + HAS_ROWS] = 1;
    records[at + LAST_HIGH] = high;
    records[at + LAST_LOW] = low;
    records[at + DUE] = UNKNOWN;
    records[at + REPORTS] = 0;
    const limit = records[at + LIMIT]!;
    if (limit > 0) this.#nextDue = Math.min(this.#nextDue, time + limit - ROUNDING_S);
  }

  #learn(records: Float64Array, at: number, wait: number): void {
    const octaves = Math.log2(Math.max(wait, SHORTEST_S) / SHORTEST_S);
    const bucket = Math.min(BUCKET_COUNT - 1, Math.floor(octaves * BUCKETS_PER_OCTAVE));
    records[at + BUCKETS + bucket]!++;
    const waits = ++records[at + WAITS]!;
    const { min_rows, quantile, multiple } = this.#config;
    if (waits < min_rows || (waits !== min_rows && waits % LOOKED_UP_EVERY !== 0)) return;
    let index = -1;
    for (let sum = 0; sum < quantile * waits && index < BUCKET_COUNT - 1; ) {
      sum += records[at + BUCKETS + ++index]!;
    }
    const usual = SHORTEST_S * 2 ** ((index + 1) / BUCKETS_PER_OCTAVE);
    const limit = Math.max(multiple * usual, this.#atLeast);
    records[at + USUAL] = usual;
    // Whole milliseconds, so that moments are exact.
    records[at + LIMIT] = limit > LIMIT_MAX_S ? 0 : Math.ceil(limit * 1e3) / 1e3;
  }

  /** Finds what of a symbol has become due before a moment. */
  #findUntil(records: Float64Array, key: number, moment: bigint): void {
    const at = key * RECORD_NUMBERS;
    const limit = records[at + LIMIT]!;
    for (;;) {
      if (records[at + DUE] === UNKNOWN) this.#plan(records, at);
      if (records[at + DUE] === NEVER) return;
      const [high, low] = [records[at + DUE_HIGH]!, records[at + DUE_LOW]!];
      if (wordsToTime(high, low) >= moment) return;
      const score = 2 ** records[at + REPORTS]!;
      const numbers = { baseline: records[at + USUAL]!, details: [records[at + WAITS]!] };
      this.#found.add(this.#places.count, {
        ...{ value: score * limit, score, threshold: 1, ...numbers },
      });
      this.#places.add(key, high, low);
      records[at + REPORTS]!++;
      records[at + DUE] = UNKNOWN;
    }
  }

  /** Tells what is due next of a symbol that is judged, or that nothing is. */
  #plan(records: Float64Array, at: number): void {
    const reports = records[at + REPORTS]!;
    const limit = BigInt(Math.round(records[at + LIMIT]! * 1e3)) * 1_000_000n;
    const isFirst = reports === 0;
    const last = isFirst ? LAST_HIGH : FROM_HIGH;
    const from = wordsToTime(records[at + last]!, records[at + last + 1]!);
    let expected: Expected | undefined = this.#sessions.at(from);
    if (isFirst && expected !== undefined && from + limit >= expected.end) {
      expected = this.#sessions.after(expected.end);
    }
    const since = expected === undefined || expected.start < from ? from : expected.start;
    const due = since + limit * 2n ** BigInt(reports);
    if (expected === undefined || due >= expected.end || reports > REPORTS_MAX) {
      records[at + DUE] = NEVER;
      return;
    }
    records[at + DUE] = KNOWN;
    setWords(records, at + FROM_HIGH, since);
    setWords(records, at + DUE_HIGH, due);
  }

  advance(watermark: EventTime, collector: Collector): EventTime {
    const isEnd = watermark === END_OF_TIME;
    if (!isEnd && Number(watermark) / 1e9 >= this.#nextDue) {
      this.#findAll(watermark);
      this.#emit(collector);
    }
    this.#output.advance(watermark);
    return watermark;
  }

  #findAll(watermark: bigint): void {
    const records = this.#view();
    let next = Number.POSITIVE_INFINITY;
    for (let key = 0; key < this.#records.count; key++) {
      const at = key * RECORD_NUMBERS;
      if (records[at + HAS_ROWS] === 0 || records[at + LIMIT] === 0) continue;
      this.#findUntil(records, key, watermark);
      if (records[at + DUE] === NEVER) continue;
      const due = secondsOf(records[at + DUE_HIGH]!, records[at + DUE_LOW]!);
      next = Math.min(next, due - ROUNDING_S);
    }
    this.#nextDue = next;
  }

  #emit(collector: Collector): void {
    if (this.#places.count === 0) return;
    this.#output.emit(this.#places.batch(this.#context), collector);
    this.#places.clear();
  }

  snapshot(): StateTables {
    return { ...this.#output.snapshot(), [KEYED_TABLE]: this.#records.snapshot() };
  }

  dispose(): void {
    this.#records.dispose();
  }
}

/** Exact to a microsecond. */
function secondsOf(high: number, low: number): number {
  return (high * 2 ** 32 + low) / 1e9;
}

function wordsToTime(high: number, low: number): bigint {
  return (BigInt(high) << 32n) + BigInt(low);
}

/** Writes the words of a time, the high one first. */
function setWords(records: Float64Array, at: number, time: bigint): void {
  records[at] = Number(time >> 32n);
  records[at + 1] = Number(BigInt.asUintN(32, time));
}
