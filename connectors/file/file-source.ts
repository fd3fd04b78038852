/** Files of rows: csv, JSON lines, Parquet, Arrow. */

import { defineSource, type SourceDefinition } from '../../engine/contract/connector.ts';
import { fields, planSchema } from './file-fields.ts';
import { FileReader } from './file-reader.ts';
import { findSplits } from './find-files.ts';
import { makeOpener } from './open-units.ts';

export const file: SourceDefinition = defineSource({
  name: 'file',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reads csv, JSON lines, Parquet or Arrow files, plain or compressed, as one stream.',
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
  ],
  plan: planSchema,
  splits: findSplits,
  open: async (config, context) => FileReader.open(await makeOpener(config, context), context),
});
