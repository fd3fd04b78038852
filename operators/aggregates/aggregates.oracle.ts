/**
 * The definition of aggregates: over the rows of a window, in the order of their arrival. Means and
 * variances are exact, in integer arithmetic, and rounded once.
 */

import type { ExpressionValue } from '../../engine/contract/fields.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import {
  evaluateOracle,
  type Instant,
  type OracleRow,
  type OracleValue,
} from '../../engine/expression/expression.oracle.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { splitCalls } from '../../engine/expression/split-calls.ts';
import type { Row, Value } from '../../engine/testing/table.ts';
import { AGGREGATE_NAMES } from './aggregate-functions.ts';

/** A double is a whole number of these: 2 to the power -1074. */
const UNITS = 1074n;

/** The value in units of 2 to the power -1074. */
function exact(value: number): bigint {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = (bits >> 52n) & 0x7ffn;
  const fraction = bits & (2n ** 52n - 1n);
  const magnitude = exponent === 0n ? fraction : (fraction + 2n ** 52n) << (exponent - 1n);
  return value < 0 ? -magnitude : magnitude;
}

/** `numerator / denominator / 2^(units)`, rounded to some 60 bits and then to a double. */
function quotient(numerator: bigint, denominator: bigint, units: bigint): number {
  if (numerator === 0n) return 0;
  const size = (value: bigint): number => value.toString(2).replace('-', '').length;
  const shift = BigInt(60 - size(numerator) + size(denominator));
  const scaled =
    shift > 0n ? (numerator << shift) / denominator : numerator / (denominator << -shift);
  return scale(Number(scaled), -Number(shift + units));
}

function scale(value: number, exponent: number): number {
  const half = Math.trunc(exponent / 2);
  return value * 2 ** half * 2 ** (exponent - half);
}

function meanOf(values: readonly number[]): number {
  const sum = values.reduce((all, value) => all + exact(value), 0n);
  return quotient(sum, BigInt(values.length), UNITS);
}

function varianceOf(values: readonly number[], taken: 0 | 1): number | null {
  const count = BigInt(values.length);
  if (values.length <= taken) return null;
  const units = values.map(exact);
  const sum = units.reduce((all, value) => all + value, 0n);
  const squares = units.reduce((all, value) => all + value * value, 0n);
  const numerator = count * squares - sum * sum;
  return quotient(numerator, count * (count - BigInt(taken)), 2n * UNITS);
}

interface Sample {
  readonly time: bigint;
  readonly value: OracleValue;
}

function comparable(value: OracleValue): number | bigint {
  return isInstant(value) ? value.ns : (value as number | bigint);
}

function isInstant(value: OracleValue): value is Instant {
  return typeof value === 'object' && value !== null;
}

function isNull(value: OracleValue): boolean {
  return value === null || (typeof value === 'number' && !Number.isFinite(value));
}

/** One aggregate; `samples` are the values that are not null, `rowCount` is that of all rows. */
function aggregate(name: string, samples: readonly Sample[]): OracleValue {
  const numbers = samples.map(({ value }) => Number(value));
  const best = (isBetter: (a: Sample, b: Sample) => boolean): OracleValue =>
    samples.reduce<Sample | null>((a, b) => (a === null || isBetter(b, a) ? b : a), null)?.value ??
    null;
  switch (name) {
    case 'min':
      return best((a, b) => comparable(a.value) < comparable(b.value));
    case 'max':
      return best((a, b) => comparable(a.value) > comparable(b.value));
    case 'first':
      return best((a, b) => a.time < b.time);
    case 'last':
      return best((a, b) => a.time >= b.time);
  }
  if (samples.length === 0) return null;
  const root = (value: number | null): number | null => (value === null ? null : Math.sqrt(value));
  switch (name) {
    case 'sum':
      return numbers.reduce((all, value) => all + value, 0);
    case 'mean':
      return meanOf(numbers);
    case 'variance':
      return varianceOf(numbers, 1);
    case 'variance_pop':
      return varianceOf(numbers, 0);
    case 'stddev':
      return root(varianceOf(numbers, 1));
    case 'stddev_pop':
      return root(varianceOf(numbers, 0));
    default:
      throw new TypeError(`no aggregate ${name}`);
  }
}

function oracleRow(row: Row, schema: Schema): OracleRow {
  return Object.fromEntries(
    schema.columns.map(({ name, type }): [string, OracleValue] => {
      const value = row[name] ?? null;
      return [name, type === 'timestamp' && typeof value === 'bigint' ? { ns: value } : value];
    }),
  );
}

/** The results of all aggregates over the rows of one window. */
export function aggregateOracle(
  aggregates: Readonly<Record<string, ExpressionValue>>,
  rows: readonly Row[],
  schema: Schema,
): Row {
  const inputs = rows.map((row) => ({
    row: oracleRow(row, schema),
    time: row[schema.time] as bigint,
  }));
  const result: Row = {};
  for (const [name, text] of Object.entries(aggregates)) {
    const { calls, outer } = splitCalls(parseAccepted(text), AGGREGATE_NAMES);
    const values = calls.map((call): [string, OracleValue] => {
      const [argument] = call.arguments;
      if (argument === undefined) return [call.column, BigInt(rows.length)];
      const samples = inputs
        .map(({ row, time }) => ({ time, value: evaluateOracle(argument, row) }))
        .filter(({ value }) => !isNull(value));
      if (call.name === 'count') return [call.column, BigInt(samples.length)];
      return [call.column, aggregate(call.name, samples)];
    });
    result[name] = plain(evaluateOracle(outer, Object.fromEntries(values)));
  }
  return result;
}

function plain(value: OracleValue): Value {
  if (isInstant(value)) return value.ns;
  return typeof value === 'number' && !Number.isFinite(value) ? null : value;
}

/** A row with the watermark of its moment: the largest time before it, less the delay. */
export interface MarkedRow {
  readonly row: Row;
  readonly time: bigint;
  readonly watermark: bigint;
}

export function markRows(
  rows: readonly Row[],
  schema: Schema,
  maxOutOfOrdernessNs: bigint,
): { readonly marked: readonly MarkedRow[]; readonly watermark: bigint } {
  let latest: bigint | undefined;
  const beginning = -(2n ** 63n) + 1n;
  const current = (): bigint => (latest === undefined ? beginning : latest - maxOutOfOrdernessNs);
  const marked = rows.map((row) => {
    const time = row[schema.time] as bigint;
    const watermark = current();
    if (latest === undefined || time > latest) latest = time;
    return { row, time, watermark };
  });
  return { marked, watermark: current() };
}

/** Start of the span that holds the time, towards the past. */
export function floorOracle(time: bigint, span: bigint): bigint {
  const past = time % span;
  return time - (past < 0n ? past + span : past);
}

/** A late row as the `late` output has it. */
export function lateOracle(row: Row, watermark: bigint, closed: bigint): Row {
  return { ...row, late_by: Number(watermark - closed) / 1e9 };
}

/** What a window operator puts out. */
export interface WindowsOracle {
  readonly main: readonly Row[];
  readonly late: readonly Row[];
}

/** Nanoseconds of a time of day of the examples' day. */
export function at(text: string): bigint {
  return parseIsoTime(`2024-01-02T${text}Z`)!;
}
