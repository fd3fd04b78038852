/** Real trades of US equities as files, and W1 over them with bars of five minutes. */

import type { BarOptions } from './w1-duckdb.ts';

export const EQUITY_FILES = /^trades-.*\.csv\.gz$/;

/** Many trades share a time; of these the first in the file counts, as it is read. */
export const EQUITY_BARS: BarOptions = { seconds: 300, order: 'sequence' };

/** For DuckDB, with the columns of W1. */
export function equitiesRelation(glob: string): string {
  return `(select make_timestamp_ns(ts_event) as event_time, symbol, price, size, sequence
    from read_csv('${glob}'))`;
}

/** What is set of w1.yaml to read these files. */
export const EQUITY_SETTINGS: readonly string[] = [
  'sources.trades.format=csv',
  'sources.trades.columns.event_time=ts_event',
  'operators.bars.size=5m',
];
