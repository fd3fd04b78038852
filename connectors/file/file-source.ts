/** Files of rows: csv, JSON lines, Parquet, Arrow, and what market-data vendors write. */

import { defineSource, type SourceDefinition } from '../../engine/contract/connector.ts';
import { fields, planSchema } from './file-fields.ts';
import { FileReader } from './file-reader.ts';
import { findSplits } from './find-files.ts';
import { makeOpener } from './open-units.ts';

export const file: SourceDefinition = defineSource({
  name: 'file',
  since: '0.1.0',
  stability: 'beta',
  summary:
    'Reads csv, JSON lines, Parquet, Arrow, Databento or Binance files, plain or compressed, as ' +
    'one stream.',
  guarantees: {
    order: 'By name of the file, then as the rows stand in it.',
    delivery:
      'Every row exactly once from the files found at the start; a restart goes on behind the ' +
      'last row of the checkpoint.',
    backPressure: 'Bytes are read as rows are asked for; memory does not depend on file size.',
  },
  fields,
  constraints: [],
  examples: [
    {
      title: 'Compressed csv files, a day each',
      config: {
        path: 'data/trades-*.csv.gz',
        columns: { symbol: 'symbol', event_time: 'ts_event', price: 'price', size: 'size' },
      },
    },
    {
      title: 'Semicolons, no header, epochs in milliseconds',
      config: {
        path: 'data/ticks.txt',
        format: 'csv',
        delimiter: ';',
        header: false,
        time_unit: 'ms',
        columns: { event_time: 1, symbol: 2, price: 3, size: { from: 4, type: 'int64' } },
      },
    },
    {
      title: 'JSON lines with nested members',
      config: {
        path: 'data/trades.ndjson.zst',
        columns: { symbol: 'data.s', event_time: 'data.T', price: 'data.p', size: 'data.q' },
      },
    },
    {
      title: 'Parquet, with a time column of another name',
      config: {
        path: 'data/*.parquet',
        time: 'traded_at',
        columns: { symbol: 'symbol', traded_at: 'traded_at', price: 'price' },
      },
    },
    {
      title: 'Daily bars of Databento, with the columns that they have',
      config: { path: 'data/*.dbn.zst', schema: 'ohlcv-1d' },
    },
    {
      title: 'Databento csv, a few of its columns',
      config: {
        path: 'data/*.mbp-1.csv.zst',
        format: 'databento_csv',
        schema: 'mbp-1',
        columns: { symbol: 'symbol', event_time: 'ts_event', bid: 'bid_px', ask: 'ask_px' },
      },
    },
    {
      title: 'Best prices from a capture of Binance streams',
      config: { path: 'data/btcusdt_*.gz', format: 'binance_ws', stream: 'book_ticker' },
    },
  ],
  plan: planSchema,
  splits: findSplits,
  open: async (config, context) => FileReader.open(await makeOpener(config, context), context),
});
