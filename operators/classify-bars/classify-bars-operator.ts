/**
 * Tells what each bar is, and puts out its prices as if there had been neither splits nor bad
 * prints. One pass over the rows; the state of a symbol is a record of eight numbers.
 *
 * Cost: four logarithms a bar, 0.2 to 0.35 us with few and many symbols (`npm run bench --
 * operators`); nothing is allocated for a bar that is regular.
 */

import type { Batch, Pointer } from '../../engine/contract/batch.ts';
import type {
  Collector,
  Operator,
  OperatorContext,
  StateTables,
} from '../../engine/contract/operator.ts';
import { columnIndex } from '../../engine/contract/schema.ts';
import type { EventTime } from '../../engine/contract/time.ts';
import { compileToFloat64 } from '../../engine/expression/compile-expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { KeyedRecords } from '../../wasm/host/keyed-records.ts';
import { AnomalyOutput, FoundAnomalies } from '../anomalies/found-anomalies.ts';
import {
  isSplitDue,
  isUnconfirmedOpen,
  looksLikeSplit,
  nearestFactor,
  splitTolerance,
} from './bar-rules.ts';
import type { Config } from './classify-bars.ts';
import { readSplits, type Split } from './splits-file.ts';

/** Places in the record of a symbol, in numbers. */
const BEFORE = 0;
const RANGE = 1;
const SHARES = 2;
const MONEY = 3;
const COUNT = 4;
const TRADED = 5;
/** Product of all split factors; 0 where there was none. */
const FACTOR = 6;
/** Day of the last split of the file that was used or given up, plus 1. */
const SPLIT_DAY = 7;
const RECORD_NUMBERS = 8;
export const RECORD_BYTES = RECORD_NUMBERS * 8;

const RANGE_WEIGHT = 0.2;
const VOLUME_WEIGHT = 0.05;
/** A split of the file that prices do not show within so many days is none: they are adjusted. */
const SPLIT_DAYS = 5;
const NS_PER_DAY = 86_400e9;
/** Prices beyond these cannot be compared: their ratios would not be finite. */
const PRICE_MIN = 1e-100;
const PRICE_MAX = 1e100;

export const CLASSES = ['regular', 'corporate_action', 'bad_print'] as const;
const INPUTS = ['open', 'high', 'low', 'close', 'volume'] as const;
/** Columns of the output behind the class, in order. */
export const CLEAN_COLUMNS = [
  'split_factor',
  'clean_open',
  'clean_high',
  'clean_low',
  'clean_close',
  'clean_volume',
] as const;

export class ClassifyBarsOperator implements Operator {
  readonly #config: Config;
  readonly #context: OperatorContext;
  readonly #evaluate: readonly ((batch: Batch) => Pointer)[];
  readonly #records: KeyedRecords;
  readonly #splits: ReadonlyMap<string, readonly Split[]> | undefined;
  readonly #codes: readonly number[];
  readonly #actions: FoundAnomalies;
  readonly #prints: FoundAnomalies;
  readonly #output: AnomalyOutput;
  readonly #keyColumn: number;
  readonly #timeColumn: number;
  /** The bar at hand: open, high, low, close, volume. */
  readonly #bar = new Float64Array(5);

  constructor(config: Config, context: OperatorContext, state?: StateTables) {
    this.#config = config;
    this.#context = context;
    const { input, memory, strings, keys } = context;
    this.#keyColumn = columnIndex(input, input.key);
    this.#timeColumn = columnIndex(input, input.time);
    this.#evaluate = INPUTS.map((name) =>
      compileToFloat64(parseAccepted(config[name]), input, context),
    );
    this.#splits =
      config.splits === undefined ? undefined : readSplits(config.splits, context.step);
    this.#codes = CLASSES.map((name) => strings.intern(name));
    const detector = 'classify_bars';
    this.#actions = new FoundAnomalies({
      ...{ type: 'corporate_action', detector, givesConfidence: true },
      rule: 'open / previous close is the ratio of a split, and stays',
      details: ['factor', 'is_from_file', 'volume_excess', 'usual_range'],
    });
    this.#prints = new FoundAnomalies({
      ...{ type: 'bad_print', detector },
      rule: 'a price that neither its bar nor its volume confirms',
      details: ['previous_close', 'close', 'volume_excess', 'usual_range'],
    });
    const found = [this.#actions, this.#prints];
    this.#output = new AnomalyOutput(found, config.severity, context, state);
    this.#records = new KeyedRecords(memory, RECORD_BYTES);
    const records = state?.['symbols'];
    if (records !== undefined) this.#records.restore(records, keys.size);
  }

  process(batch: Batch, collector: Collector): void {
    const { rowCount } = batch;
    if (rowCount === 0) return;
    const { memory, strings, keys } = this.#context;
    this.#records.resize(keys.size);
    const inputs = this.#evaluate.map((evaluate) => evaluate(batch));
    const classes = memory.arena.allocate(rowCount * 4);
    const clean = memory.arena.allocate(rowCount * 8 * CLEAN_COLUMNS.length);
    this.#classify(batch, inputs, classes, clean);
    this.#output.emit(batch, collector, 'events');
    collector.emit({
      ...batch,
      columns: [
        ...batch.columns,
        { type: 'string', pointer: classes, dictionary: strings },
        ...CLEAN_COLUMNS.map((_, i) => {
          return { type: 'float64', pointer: clean + i * rowCount * 8 } as const;
        }),
      ],
    });
  }

  #classify(batch: Batch, inputs: readonly Pointer[], classes: Pointer, clean: Pointer): void {
    const { memory } = this.#context;
    const { rowCount } = batch;
    const classOf = memory.u32(classes, rowCount);
    const out = memory.f64(clean, rowCount * CLEAN_COLUMNS.length);
    const keys = memory.u32(batch.columns[this.#keyColumn]!.pointer, rowCount);
    const times = memory.u32(batch.columns[this.#timeColumn]!.pointer, 2 * rowCount);
    const [opens, highs, lows, closes, volumes] = inputs.map((pointer) =>
      memory.f64(pointer, rowCount),
    ) as [Float64Array, Float64Array, Float64Array, Float64Array, Float64Array];
    const records = memory.f64(this.#records.pointer, this.#records.count * RECORD_NUMBERS);
    const bar = this.#bar;
    for (let row = 0; row < rowCount; row++) {
      bar[0] = opens[row]!;
      bar[1] = highs[row]!;
      bar[2] = lows[row]!;
      bar[3] = closes[row]!;
      bar[4] = volumes[row]!;
      const key = keys[row]!;
      const at = key * RECORD_NUMBERS;
      const ns = (times[2 * row + 1]! | 0) * 2 ** 32 + times[2 * row]!;
      const kind = isBar(bar) ? this.#judge(row, key, ns, records, at) : -1;
      classOf[row] = kind < 0 ? 0xffff_ffff : this.#codes[kind]!;
      const factor = records[at + FACTOR]! || 1;
      out[row] = factor;
      for (let i = 0; i < 4; i++) {
        out[(i + 1) * rowCount + row] = kind < 0 ? Number.NaN : bar[i]! * factor;
      }
      const volume = bar[4]! / factor;
      out[5 * rowCount + row] = volume >= 0 && volume < Infinity ? volume : Number.NaN;
    }
  }

  /** Class of the bar at hand, whose prices are put right; the record goes on by it. */
  #judge(row: number, key: number, ns: number, records: Float64Array, at: number): number {
    const bar = this.#bar;
    let kind = 0;
    const before = records[at + BEFORE]!;
    bar[1] = Math.max(bar[0]!, bar[1]!, bar[2]!, bar[3]!);
    bar[2] = Math.min(bar[0]!, bar[1]!, bar[2]!, bar[3]!);
    if (before > 0) {
      const excess = this.#volumeExcess(records, at);
      const factor = this.#split(row, key, ns, records, at, excess);
      if (factor !== 0) {
        kind = 1;
        records[at + FACTOR] = boundedFactor((records[at + FACTOR]! || 1) * factor);
      }
      const previous = factor === 0 ? before : before / factor;
      if (this.#removePrints(row, records, at, previous, excess) && kind === 0) kind = 2;
    }
    this.#learn(records, at);
    return kind;
  }

  /** How many times the usual volume was traded, in shares or in money, whichever is less. */
  #volumeExcess(records: Float64Array, at: number): number {
    const volume = this.#bar[4]!;
    if (records[at + TRADED]! < this.#config.min_rows || !isVolume(volume)) return 1;
    const shares = Math.log(volume) - records[at + SHARES]!;
    const money = Math.log(volume) + Math.log(this.#bar[3]!) - records[at + MONEY]!;
    return Math.exp(Math.min(shares, money, 700));
  }

  /** Factor of the split that the bar opens with, or 0. */
  #split(
    row: number,
    key: number,
    ns: number,
    records: Float64Array,
    at: number,
    excess: number,
  ): number {
    const before = records[at + BEFORE]!;
    const [open, , , close] = this.#bar as unknown as [number, number, number, number];
    const range = records[at + RANGE]!;
    const score = (open / before - 1) * 100;
    const details = (factor: number, isFromFile: number) => [factor, isFromFile, excess, range];
    const known = this.#splitOfFile(key, ns, records, at, open / before);
    if (known > 0) {
      const found = { value: open, baseline: before, score, threshold: Number.NaN, confidence: 1 };
      this.#actions.add(row, { ...found, details: details(known, 1) });
      return known;
    }
    const { tolerance_pct, volume_limit, range_multiple, min_rows, ratios } = this.#config;
    // The least ratio, five for four, is a fifth: nothing to look at for almost every bar.
    if (!ratios || Math.abs(score) < 15 || records[at + COUNT]! < min_rows) return 0;
    const factor = nearestFactor(open / before);
    const tolerance = splitTolerance(tolerance_pct, factor);
    if (excess > volume_limit) return 0;
    if (!looksLikeSplit(before, open, close, factor, tolerance, range_multiple * range)) return 0;
    const error = Math.abs(Math.log((open / before) * factor));
    const found = { value: open, baseline: before, score, threshold: tolerance_pct };
    const confidence = 1 - error / tolerance / 2;
    this.#actions.add(row, { ...found, confidence, details: details(factor, 0) });
    return factor;
  }

  /** Product of the factors that the file has for this bar and the prices show; 0 for none. */
  #splitOfFile(key: number, ns: number, records: Float64Array, at: number, ratio: number): number {
    const splits = this.#splits?.get(this.#context.keys.text(key));
    if (splits === undefined) return 0;
    const day = Math.floor(ns / NS_PER_DAY);
    const used = records[at + SPLIT_DAY]!;
    for (const split of splits) {
      if (split.day < used || split.day > day || split.day + SPLIT_DAYS <= day) continue;
      if (!isSplitDue(1, ratio, split.factor)) continue;
      records[at + SPLIT_DAY] = split.day + 1;
      return split.factor;
    }
    return 0;
  }

  /** Puts prices right that nothing confirms. Returns whether there were any. */
  #removePrints(
    row: number,
    records: Float64Array,
    at: number,
    before: number,
    excess: number,
  ): boolean {
    const { print_pct, volume_limit, range_multiple, min_rows } = this.#config;
    if (records[at + COUNT]! < min_rows) return false;
    const bar = this.#bar;
    const range = records[at + RANGE]!;
    // The more was traded, the more it takes to doubt a price.
    const doubt = Math.log1p(print_pct / 100) * Math.max(1, excess / volume_limit);
    const limit = Math.max(doubt, range_multiple * range);
    const count = this.#prints.count;
    const [open, , , close] = bar as unknown as [number, number, number, number];
    if (isUnconfirmedOpen(before, open, close, limit)) {
      this.#addPrint(row, open, before, limit, [before, close, excess, range]);
      bar[0] = before;
    }
    const top = Math.max(bar[0]!, close);
    const bottom = Math.min(bar[0]!, close);
    if (Math.log(bar[1]! / top) > limit) {
      if (bar[1]! !== open)
        this.#addPrint(row, bar[1]!, top, limit, [before, close, excess, range]);
      bar[1] = top;
    }
    if (Math.log(bottom / bar[2]!) > limit) {
      if (bar[2]! !== open) {
        this.#addPrint(row, bar[2]!, bottom, limit, [before, close, excess, range]);
      }
      bar[2] = bottom;
    }
    return this.#prints.count > count;
  }

  #addPrint(
    row: number,
    value: number,
    baseline: number,
    limit: number,
    details: readonly number[],
  ): void {
    const score = (value / baseline - 1) * 100;
    const threshold = score < 0 ? -Math.expm1(-limit) * 100 : Math.expm1(limit) * 100;
    this.#prints.add(row, { value, baseline, score, threshold, details });
  }

  #learn(records: Float64Array, at: number): void {
    const [, high, low, close, volume] = this.#bar as unknown as number[];
    records[at + BEFORE] = close!;
    const count = ++records[at + COUNT]!;
    const range = Math.log(high! / low!);
    records[at + RANGE]! += (range - records[at + RANGE]!) * Math.max(RANGE_WEIGHT, 1 / count);
    if (!isVolume(volume!)) return;
    const traded = ++records[at + TRADED]!;
    const weight = Math.max(VOLUME_WEIGHT, 1 / traded);
    const shares = Math.log(volume!);
    records[at + SHARES]! += (shares - records[at + SHARES]!) * weight;
    records[at + MONEY]! += (shares + Math.log(close!) - records[at + MONEY]!) * weight;
  }

  advance(watermark: EventTime): EventTime {
    this.#output.advance(watermark);
    return watermark;
  }

  snapshot(): StateTables {
    return { ...this.#output.snapshot(), symbols: this.#records.snapshot() };
  }

  dispose(): void {
    this.#records.dispose();
  }
}

/** Whether all prices can be compared. */
function isBar(bar: Float64Array): boolean {
  for (let i = 0; i < 4; i++) {
    if (!(bar[i]! >= PRICE_MIN && bar[i]! <= PRICE_MAX)) return false;
  }
  return true;
}

function isVolume(volume: number): boolean {
  return volume > 0 && volume <= PRICE_MAX;
}

/** Prices times it stay finite, whatever splits a file claims. */
function boundedFactor(factor: number): number {
  return Math.min(1e100, Math.max(1e-100, factor));
}
