/**
 * Reports prices from which the market comes back at once. An anomaly has the time of its price,
 * and comes when the verdict is in: the watermark is held back to the oldest price that waits.
 *
 * A row that is late is not judged, so that when a wait is over does not depend on batches.
 *
 * Cost: a comparison a row; a sort of the window for a price that is off the last one.
 */

import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import { durationNs, END_OF_TIME, type EventTime } from '../../engine/contract/time.ts';
import { compileToFloat64 } from '../../engine/expression/compile-expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { KeyedRecords } from '../../wasm/host/keyed-records.ts';
import { AnomalyOutput, FoundAnomalies } from '../anomalies/found-anomalies.ts';
import { KEYED_TABLE } from '../detectors/keyed-detector.ts';
import { PlacedRows } from '../detectors/placed-rows.ts';
import type { Config } from './bad-print-detector.ts';
import { levelNumbers, PriceLevel } from './price-level.ts';

/** Beyond it, squares of prices would not be finite. */
const PRICE_MAX = 1e140;

/** How far from a power of ten, in parts of it, is still a misplaced decimal point. */
const DECIMAL_TOLERANCE = 0.05;

export class BadPrintOperator implements Operator {
  readonly #context: OperatorContext;
  readonly #price: (batch: Batch) => Pointer;
  readonly #level: PriceLevel;
  readonly #numbers: number;
  readonly #withinNs: number;
  readonly #records: KeyedRecords;
  readonly #found: FoundAnomalies;
  /** The same as the others, unless they have a type of their own. */
  readonly #decimals: FoundAnomalies;
  readonly #output: AnomalyOutput;
  readonly #keyColumn: number;
  readonly #timeColumn: number;
  /** Keys with prices that wait. */
  readonly #waiting = new Set<number>();
  /** Rows of what was found in the batch at hand. */
  readonly #places = new PlacedRows();

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    const { input, memory, keys } = context;
    this.#context = context;
    this.#price = compileToFloat64(parseAccepted(config.price), input, context);
    this.#level = new PriceLevel(config);
    this.#numbers = levelNumbers(config);
    this.#withinNs = Number(durationNs(config.within));
    this.#keyColumn = columnIndex(input, input.key);
    this.#timeColumn = columnIndex(input, input.time);
    const { anomaly_type, decimal_type = anomaly_type, detector, severity } = config;
    const of = (type: string): FoundAnomalies =>
      new FoundAnomalies({
        ...{ type, detector, details: ['rows_until_reverted', 'reverted_to'] },
        rule:
          `price off the trimmed mean by ${config.deviations} deviations and ` +
          `${config.min_pct} %, from which the market comes back`,
        history: { over: `${config.window} rows`, exclude_current: true },
      });
    this.#found = of(anomaly_type);
    this.#decimals = decimal_type === anomaly_type ? this.#found : of(decimal_type);
    const found = [...new Set([this.#found, this.#decimals])];
    this.#output = new AnomalyOutput(found, severity, context, state);
    this.#records = new KeyedRecords(memory, this.#numbers * 8);
    const records = state?.[KEYED_TABLE];
    if (records === undefined) return;
    this.#records.restore(records, keys.size);
    const all = this.#view();
    for (let key = 0; key < this.#records.count; key++) {
      if (this.#level.waiting(all, key * this.#numbers) > 0) this.#waiting.add(key);
    }
  }

  #view(): Float64Array {
    const { memory } = this.#context;
    return memory.f64(this.#records.pointer, this.#records.count * this.#numbers);
  }

  process(batch: Batch, collector: Collector): void {
    const { rowCount, columns, rowWatermarks } = batch;
    if (rowCount === 0) return;
    const { memory, keys: texts } = this.#context;
    this.#records.resize(texts.size);
    const pointer = this.#price(batch);
    const prices = memory.f64(pointer, rowCount);
    const keys = memory.u32(columns[this.#keyColumn]!.pointer, rowCount);
    const times = memory.u32(columns[this.#timeColumn]!.pointer, 2 * rowCount);
    const watermarks = rowWatermarks === 0 ? times : memory.u32(rowWatermarks, 2 * rowCount);
    const records = this.#view();
    this.#places.clear();
    for (let row = 0; row < rowCount; row++) {
      const price = prices[row]!;
      if (!(price > 0 && price <= PRICE_MAX)) continue;
      const high = times[2 * row + 1]! | 0;
      const low = times[2 * row]!;
      const late = watermarks[2 * row + 1]! | 0;
      if (high < late || (high === late && low < watermarks[2 * row]!)) continue;
      this.#judge(records, keys[row]!, price, high, low);
    }
    if (this.#places.count > 0) this.#output.emit(this.#places.batch(this.#context), collector);
  }

  #judge(records: Float64Array, key: number, price: number, high: number, low: number): void {
    const level = this.#level;
    const at = key * this.#numbers;
    if (level.waiting(records, at) > 0 && this.#isOver(records, at, nanoseconds(high, low))) {
      this.#move(records, key);
    }
    if (level.doubts(records, at, price)) {
      if (level.wait(records, at, price, high, low)) this.#move(records, key);
      else this.#waiting.add(key);
      return;
    }
    const count = level.waiting(records, at);
    for (let i = 0; i < count; i++) {
      const {
        high: atHigh,
        low: atLow,
        price: value,
        mean,
        limit,
      } = level.waitingAt(records, at, i);
      const found = isDecimalShift(value / mean) ? this.#decimals : this.#found;
      found.add(this.#places.count, {
        ...{ value, baseline: mean },
        score: (value / mean - 1) * 100,
        threshold: (limit / mean) * 100,
        details: [count - i, price],
      });
      this.#places.add(key, atHigh, atLow);
    }
    if (count > 0) {
      level.forget(records, at);
      this.#waiting.delete(key);
    }
    level.believe(records, at, price);
  }

  /** Whether nothing has come back for too long. */
  #isOver(records: Float64Array, at: number, now: number): boolean {
    const { high, low } = this.#level.waitingAt(records, at, 0);
    return now >= nanoseconds(high, low) + this.#withinNs;
  }

  #move(records: Float64Array, key: number): void {
    this.#level.move(records, key * this.#numbers);
    this.#waiting.delete(key);
  }

  advance(watermark: EventTime): EventTime {
    const records = this.#view();
    const now = Number(watermark);
    let oldest = watermark;
    for (const key of this.#waiting) {
      const at = key * this.#numbers;
      if (watermark === END_OF_TIME || this.#isOver(records, at, now)) this.#move(records, key);
      else {
        for (let i = 0; i < this.#level.waiting(records, at); i++) {
          const { high, low } = this.#level.waitingAt(records, at, i);
          const time = (BigInt(high) << 32n) + BigInt(low);
          if (time < oldest) oldest = time;
        }
      }
    }
    this.#output.advance(oldest);
    return oldest;
  }

  snapshot(): StateTables {
    return { ...this.#output.snapshot(), [KEYED_TABLE]: this.#records.snapshot() };
  }

  dispose(): void {
    this.#records.dispose();
  }
}

/** Whether the ratio is about a power of ten, and not about 1. */
function isDecimalShift(ratio: number): boolean {
  const power = Math.round(Math.log10(ratio));
  return power !== 0 && Math.abs(ratio / 10 ** power - 1) <= DECIMAL_TOLERANCE;
}

/** Rounded, as `Number` rounds an int64: the order of times is kept. */
function nanoseconds(high: number, low: number): number {
  return high * 2 ** 32 + low;
}
