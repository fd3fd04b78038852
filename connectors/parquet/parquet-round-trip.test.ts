/** Whatever rows are written, however they are cut, rolled and evicted, DuckDB reads the same. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { SinkContext } from '../../engine/contract/connector.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { PartNames } from '../staging/part-files.ts';
import { type Cell, columnBatch, query, readBack, type Row, sortRows } from '../testing/rows.ts';
import { partitionColumns } from './partition-folders.ts';
import { parquet } from './parquet-sink.ts';
import { type ParquetLimits, ParquetSinkWriter } from './parquet-sink-writer.ts';

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'sequence', type: 'int64' },
    { name: 'flag', type: 'boolean' },
    { name: 'note', type: 'string' },
  ],
  time: 'event_time',
  key: 'symbol',
};
const context: SinkContext = { sink: 'rows', pipeline: 'test', schema };
const INT64_MAX = 2n ** 63n - 1n;

let folder: string;
let runs = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-round-trip-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

const integer = fc.oneof(
  fc.bigInt({ min: -INT64_MAX, max: INT64_MAX }),
  fc.constantFrom(0n, -1n, INT64_MAX, -INT64_MAX, 2n ** 53n + 1n),
);
// Around a few midnights, to the nanosecond, and anywhere.
const time = fc.oneof(
  fc
    .tuple(fc.bigInt({ min: -2n, max: 4n }), fc.bigInt({ min: -2n, max: 2n }))
    .map(([day, offset]) => (day * 4000n + 3n) * 86_400_000_000_000n + offset),
  fc.bigInt({ min: -INT64_MAX / 2n, max: INT64_MAX }),
);
const number = fc.oneof(
  fc.double({ noNaN: true }),
  fc.constantFrom(-0, 0, Infinity, -Infinity, 5e-324, 0.1),
);
const text = fc.oneof(
  fc.constantFrom('A', 'B', 'NULL', '', ' ', '..', 'a/b', 'x=y', '%41', 'ü', '💥'),
  fc.string({ unit: 'grapheme', maxLength: 5 }).map((each) => each.replaceAll('\0', '')),
);
const row = fc.tuple(
  fc.option(time),
  fc.option(text),
  fc.option(number),
  fc.option(integer),
  fc.option(fc.boolean()),
  fc.option(text),
);
const limits: fc.Arbitrary<ParquetLimits> = fc.record({
  bufferRows: fc.integer({ min: 1, max: 50 }),
  chunkRows: fc.integer({ min: 1, max: 50 }),
  bufferBytesMax: fc.integer({ min: 0, max: 40_000 }),
  openFilesMax: fc.integer({ min: 1, max: 3 }),
  carriedBytesMax: fc.integer({ min: 0, max: 10_000 }),
});
const partitionBy = fc.constantFrom<string[][]>(
  [],
  ['date'],
  ['symbol'],
  ['flag', 'date'],
  ['sequence', 'symbol'],
);

/** UTC day of a time, as DuckDB prints it. */
function dayText(cell: Cell): string | null {
  if (cell === null) return null;
  const days = BigInt.asIntN(64, (cell as bigint) / 86_400_000_000_000n);
  const floored = (cell as bigint) < days * 86_400_000_000_000n ? days - 1n : days;
  return new Date(Number(floored) * 86_400_000).toISOString().slice(0, 10);
}

test('write then read equals the input', async () => {
  const batches = fc.array(fc.array(row, { maxLength: 40, size: 'max' }), {
    maxLength: 4,
    size: 'max',
  });
  await fc.assert(
    fc.asyncProperty(
      batches,
      partitionBy,
      limits,
      fc.constantFrom('zstd', 'snappy', 'none'),
      fc.integer({ min: 1, max: 60 }),
      fc.integer({ min: 1, max: 60 }),
      async (input, columns, small, compression, rowGroupRows, rollRows) => {
        const path = join(folder, String(++runs));
        const settings = { path, partition_by: columns };
        const names = new PartNames(context, '.parquet');
        const writer = new ParquetSinkWriter(
          {
            path,
            partitionBy: partitionColumns(columns, schema),
            compression,
            rowGroupRows,
            rollRows,
            rollBytes: Infinity,
            rollAgeMs: 600_000,
            generation: 1,
            hasParts: false,
            replaces: true,
          },
          context,
          names,
          small,
        );
        for (const rows of input) await writer.write(columnBatch(schema, rows));
        const { committables } = await writer.prepareCommit(0, true);
        await parquet.commit(settings, committables, context);
        await writer.close();
        const rows = input.flat();
        assert.equal(
          committables.reduce((sum, each) => sum + Number(each['rows'] ?? 0), 0),
          rows.length,
        );
        if (rows.length === 0) return;
        const expected = columns.includes('date')
          ? rows.map((cells): Row => [...cells, dayText(cells[0]!)])
          : rows;
        const found = await readBack(parquet.dataset(settings, context)!, schema);
        assert.deepEqual(found, sortRows(expected));
      },
    ),
    { numRuns: 25 },
  );
});

test('rows of a file keep their order, over chunks and row groups', async () => {
  const path = join(folder, 'order');
  const settings = { path, compression: 'zstd', row_group_rows: 1000, if_exists: 'replace' };
  const writer = await parquet.open(settings, context);
  const rows = Array.from(
    { length: 5000 },
    (_, i): Row => [BigInt(i), `S${i % 7}`, i, BigInt(i), null, `note ${i}`],
  );
  for (let i = 0; i < rows.length; i += 777) {
    await writer.write(columnBatch(schema, rows.slice(i, i + 777)));
  }
  const { committables } = await writer.prepareCommit(0, true);
  await parquet.commit(settings, committables, context);
  await writer.close();
  const { glob } = parquet.dataset(settings, context)!;
  const found = await query(
    `SELECT epoch_ns(event_time), symbol, price, sequence, flag, note FROM '${glob}'`,
  );
  assert.deepEqual(found, rows);
  const groups = await query(
    `SELECT DISTINCT row_group_id, row_group_num_rows FROM parquet_metadata('${glob}') ORDER BY 1`,
  );
  assert.deepEqual(
    groups.map(([, count]) => count),
    [1000n, 1000n, 1000n, 1000n, 1000n],
  );
});
