/**
 * W1 in DuckDB's SQL, in two forms that give the same rows:
 *
 *   idiomatic  as its users write it: time_bucket, arg_min and arg_max, one named window
 *   tuned      the fastest honest form found (DuckDB 1.5.6, two cores): first and last ordered by
 *              time (arg_min and arg_max take a third longer), integer arithmetic for the window,
 *              and lag for "are there 20 rows yet?"
 *
 * `first(price)` without an order is faster still, but wrong as soon as there are two threads.
 * Variances from sums of squares would be faster too, but never find a deviation of exactly zero.
 * Bars, scores and their result are one statement, so nothing is materialised in between.
 */

import type { DuckDBConnection } from '@duckdb/node-api';
import { DuckDBInstance } from '@duckdb/node-api';

export type SqlForm = 'idiomatic' | 'tuned';

const PREVIOUS_20 =
  'partition by symbol order by window_start rows between 20 preceding and 1 preceding';

/** What differs where the trades are not those of W1. */
export interface BarOptions {
  readonly seconds?: number;
  /** What tells the first trade of equal times. */
  readonly order?: string;
}

function barsSql(form: SqlForm, trades: string, { seconds = 1, order }: BarOptions): string {
  const tuned = form === 'tuned';
  const width = seconds * 1_000_000_000;
  const by = order === undefined ? 'event_time' : `event_time, ${order}`;
  const key = order === undefined ? 'event_time' : `(event_time, ${order})`;
  const start = tuned
    ? `make_timestamp_ns(epoch_ns(event_time) // ${width} * ${width})`
    : `time_bucket(interval '${seconds} seconds', event_time)`;
  const open = tuned ? `first(price order by ${by})` : `arg_min(price, ${key})`;
  const close = tuned ? `last(price order by ${by})` : `arg_max(price, ${key})`;
  return `
    select
      symbol,
      ${start} as window_start,
      ${open} as open,
      max(price) as high,
      min(price) as low,
      ${close} as close,
      sum(size) as volume,
      count(*) as trades,
      sum(price * size) / sum(size) as vwap,
      stddev_samp(price) as volatility
    from ${trades}
    group by all`;
}

/** Bars with the z-scores of return and volume over the previous 20 bars of the symbol. */
export function scoresSql(form: SqlForm, trades: string, options: BarOptions = {}): string {
  const features = `(
    select *, (close - open) / open * 100 as return_pct from (${barsSql(form, trades, options)}))`;
  if (form === 'idiomatic') {
    const zscore = (column: string): string => `
      case when count(${column}) over previous = 20 and stddev_samp(${column}) over previous > 0
        then (${column} - avg(${column}) over previous) / stddev_samp(${column}) over previous
      end`;
    return `
      select *, ${zscore('return_pct')} as z_return, ${zscore('volume')} as z_volume
      from ${features}
      window previous as (${PREVIOUS_20})`;
  }
  return `
    select
      * exclude (volume_20_ago, return_mean, return_deviation, volume_mean, volume_deviation),
      case when volume_20_ago is not null and return_deviation > 0
        then (return_pct - return_mean) / return_deviation end as z_return,
      case when volume_20_ago is not null and volume_deviation > 0
        then (volume - volume_mean) / volume_deviation end as z_volume
    from (
      select
        *,
        lag(volume, 20) over (partition by symbol order by window_start) as volume_20_ago,
        avg(return_pct) over previous as return_mean,
        stddev_samp(return_pct) over previous as return_deviation,
        avg(volume) over previous as volume_mean,
        stddev_samp(volume) over previous as volume_deviation
      from ${features}
      window previous as (${PREVIOUS_20})
    )`;
}

/** One row for each rule that a bar meets. */
export function anomaliesSql(scores: string): string {
  const rule = (type: string, value: string, score: string): string => `
    select symbol, window_start, '${type}' as type, ${value} as value, ${score} as score
    from ${scores} where abs(${score}) > 3`;
  return `${rule('price_spike', 'return_pct', 'z_return')}
    union all ${rule('volume_surge', 'volume', 'z_volume')}`;
}

/** A database in memory that lives for the time of `use`. */
export async function withDuckDB<T>(
  threads: number,
  use: (connection: DuckDBConnection) => Promise<T>,
): Promise<T> {
  const instance = await DuckDBInstance.create(':memory:', { threads: String(threads) });
  const connection = await instance.connect();
  try {
    return await use(connection);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}

/** Table `trades` → tables `scores` and `anomalies`, all in memory. */
export async function runInMemory(connection: DuckDBConnection, form: SqlForm): Promise<void> {
  await connection.run(`create or replace temp table scores as ${scoresSql(form, 'trades')}`);
  await connection.run(`create or replace temp table anomalies as ${anomaliesSql('scores')}`);
}

/** Any relation → Parquet, in the codec that our sink writes. */
export async function runParquet(
  connection: DuckDBConnection,
  form: SqlForm,
  trades: string,
  folder: string,
  bars: BarOptions = {},
): Promise<void> {
  const scores = `${folder}/scores.parquet`;
  const options = '(format parquet, compression zstd)';
  await connection.run(`copy (${scoresSql(form, trades, bars)}) to '${scores}' ${options}`);
  const anomalies = anomaliesSql(`read_parquet('${scores}')`);
  await connection.run(`copy (${anomalies}) to '${folder}/anomalies.parquet' ${options}`);
}

/** Rows of a query as JSON values. */
export async function queryRows(
  connection: DuckDBConnection,
  sql: string,
): Promise<readonly Record<string, unknown>[]> {
  return (await connection.runAndReadAll(sql)).getRowObjectsJson();
}
