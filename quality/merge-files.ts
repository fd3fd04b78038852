/** Parquet files to one, sorted. */

import { Datasets } from './datasets.ts';
import { identifier, literal, QueryError } from './sql.ts';

export interface MergeFiles {
  readonly inputs: readonly string[];
  /** Is overwritten. */
  readonly output: string;
  /** Columns of the files, outermost first. */
  readonly orderBy: readonly string[];
  readonly compression: 'zstd' | 'snappy' | 'none';
}

/** As the sink has them. */
const ROW_GROUP_ROWS = 122_880;

/**
 * Writes all rows of the inputs into one file; sorting spills to the temporary folder.
 * @returns How many rows they are.
 * @throws {QueryError}
 */
export async function mergeFiles({
  inputs,
  output,
  orderBy,
  compression,
}: MergeFiles): Promise<number> {
  const files = `[${inputs.map((file) => literal(file)).join(', ')}]`;
  const source = `read_parquet(${files}, union_by_name = true, hive_partitioning = false)`;
  const order = orderBy.length === 0 ? '' : ` ORDER BY ${orderBy.map(identifier).join(', ')}`;
  const codec = compression === 'none' ? 'uncompressed' : compression;
  await using datasets = await Datasets.open([]);
  try {
    await datasets.connection.run(
      `COPY (SELECT * FROM ${source}${order}) TO ${literal(output)} ` +
        `(FORMAT parquet, COMPRESSION ${codec}, ROW_GROUP_SIZE ${ROW_GROUP_ROWS}, ` +
        `USE_TMP_FILE false)`,
    );
    const counts = await datasets.connection.runAndReadAll(
      `SELECT (SELECT count(*) FROM ${source}),
              (SELECT count(*) FROM read_parquet(${literal(output)}, hive_partitioning = false))`,
    );
    const [before, after] = counts.getRows()[0]!.map(Number) as [number, number];
    if (before !== after) throw new QueryError(`${after} rows were written, expected ${before}`);
    return before;
  } catch (error) {
    throw QueryError.from(error);
  }
}
