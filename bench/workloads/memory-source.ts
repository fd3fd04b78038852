/**
 * Trades in shared memory as a source, so that a benchmark measures the engine without decoding.
 * The plan carries them to the reader threads, where nothing is copied but into the router.
 */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import type { SourceDefinition, SplitReader } from '../../engine/contract/connector.ts';
import { defineSource } from '../../engine/contract/connector.ts';
import { z } from '../../engine/contract/fields.ts';
import { type TradeColumns, TradeGenerator, W1_SCHEMA, type W1, symbolTexts } from './w1.ts';

export interface SharedTrades {
  readonly columns: TradeColumns;
  readonly dictionary: readonly string[];
  readonly rows: number;
  readonly batchRows: number;
  /** i64[1]: clock of the first poll, in the nanoseconds of `process.hrtime`. 0 before it. */
  readonly startedNs: BigInt64Array;
}

export function sharedTrades(w1: W1, batchRows: number): SharedTrades {
  const bytes = (size: number): SharedArrayBuffer => new SharedArrayBuffer(w1.rows * size);
  const columns: TradeColumns = {
    eventTime: new BigInt64Array(bytes(8)),
    symbol: new Uint32Array(bytes(4)),
    price: new Float64Array(bytes(8)),
    size: new Float64Array(bytes(8)),
  };
  new TradeGenerator(w1).fill(columns, w1.rows);
  return {
    columns,
    dictionary: symbolTexts(w1.symbols),
    rows: w1.rows,
    batchRows,
    startedNs: new BigInt64Array(new SharedArrayBuffer(8)),
  };
}

/** Trades `from` to `to` as columns; views, not copies. */
export function tradeVectors(trades: SharedTrades, from: number, to: number): ColumnVector[] {
  const { columns, dictionary } = trades;
  return [
    { type: 'timestamp', values: columns.eventTime.subarray(from, to) },
    { type: 'string', codes: columns.symbol.subarray(from, to), dictionary },
    { type: 'float64', values: columns.price.subarray(from, to) },
    { type: 'float64', values: columns.size.subarray(from, to) },
  ];
}

export const memorySource: SourceDefinition = defineSource({
  name: 'memory',
  since: '0.1.0',
  stability: 'experimental',
  summary: 'Hands out trades that lie in memory.',
  guarantees: { order: 'As generated.', delivery: 'Once.', backPressure: 'None.' },
  fields: {
    trades: z.custom<SharedTrades>().meta({ description: 'The trades.' }),
    lanes: z.number().meta({ description: 'How many readers may share the work.' }),
  },
  constraints: [],
  examples: [],
  plan: () => W1_SCHEMA,
  splits: ({ lanes }) => Promise.resolve([{ id: 'memory', lanesMax: lanes, details: {} }]),
  open: ({ trades }, { lane, lanes }) => Promise.resolve(reader(trades, lane, lanes)),
});

/** Batch `unit` belongs to lane `unit` modulo `lanes`. */
function reader(trades: SharedTrades, lane: number, lanes: number): SplitReader {
  let unit = lane;
  return {
    poll: () => {
      Atomics.compareExchange(trades.startedNs, 0, 0n, process.hrtime.bigint());
      const from = unit * trades.batchRows;
      if (from >= trades.rows) return Promise.resolve('end');
      const to = Math.min(trades.rows, from + trades.batchRows);
      const columns = tradeVectors(trades, from, to);
      const batch = { rowCount: to - from, columns, unit, bytesRead: 0, rejected: [] };
      unit += lanes;
      return Promise.resolve(batch);
    },
    position: () => ({ unit }),
    close: () => Promise.resolve(),
  };
}
