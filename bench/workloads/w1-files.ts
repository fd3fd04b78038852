/**
 * W1 as a DuckDB table and as one Parquet file, as DuckDB writes it by default (snappy, row groups
 * of 122,880 rows). Files are cached in the temporary folder under their parameters.
 */

import { existsSync, renameSync } from 'node:fs';
import { join } from 'node:path';
import type { DuckDBConnection } from '@duckdb/node-api';
import { BIGINT, DOUBLE, DuckDBInstance, DuckDBTableFunction, UINTEGER } from '@duckdb/node-api';
import { benchFolder } from '../harness/bench-folder.ts';
import type { W1 } from './w1.ts';
import { TradeGenerator, tradeColumns } from './w1.ts';

/** Raise it where the generator changes, so that no old file is taken for a new one. */
const GENERATOR_VERSION = 1;
const CHUNK_ROWS = 2048;

/** Rows of `trades_w1()`, in order: the table function calls back for each chunk. */
const TRADES_SQL = `select make_timestamp_ns(time_ns) as event_time,
    'S' || lpad(code::varchar, 5, '0') as symbol, price, size from trades_w1()`;

/** Path of the file, which is made where it is not there yet. */
export async function tradesParquet(w1: W1): Promise<string> {
  const name = `w1-${w1.rows}-${w1.symbols}-v${GENERATOR_VERSION}.parquet`;
  const path = join(benchFolder(), name);
  if (existsSync(path)) return path;
  const staged = `${path}.inprogress`;
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    registerTrades(connection, w1);
    await connection.run(`copy (${TRADES_SQL}) to '${staged}' (format parquet)`);
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
  renameSync(staged, path);
  return path;
}

/** Creates and fills table `trades`. */
export async function createTradesTable(connection: DuckDBConnection, w1: W1): Promise<void> {
  await connection.run(`create table trades as from read_parquet('${await tradesParquet(w1)}')`);
}

function registerTrades(connection: DuckDBConnection, w1: W1): void {
  const generator = new TradeGenerator(w1);
  const columns = tradeColumns(CHUNK_ROWS);
  connection.registerTableFunction(
    DuckDBTableFunction.create({
      name: 'trades_w1',
      bindFunction: (info) => {
        info.addResultColumn('time_ns', BIGINT);
        info.addResultColumn('code', UINTEGER);
        info.addResultColumn('price', DOUBLE);
        info.addResultColumn('size', DOUBLE);
        info.setCardinality(w1.rows, true);
      },
      initFunction: (info) => {
        info.setInitData({});
        info.setMaxThreads(1);
      },
      mainFunction: (_info, output) => {
        const count = generator.fill(columns, CHUNK_ROWS);
        output.rowCount = count;
        if (count === 0) return;
        const sources = [columns.eventTime, columns.symbol, columns.price, columns.size];
        for (const [index, source] of sources.entries()) {
          const vector = output.getColumnVector(index);
          for (let row = 0; row < count; row++) vector.setItem(row, source[row]!);
          vector.flush();
        }
      },
    }),
  );
}
