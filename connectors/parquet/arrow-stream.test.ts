/** What another implementation of Arrow reads in the streams. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { tableFromIPC } from 'apache-arrow';
import fc from 'fast-check';
import type { ColumnSchema, Schema } from '../../engine/contract/schema.ts';
import { type Cell, columnBatch, type Row } from '../testing/rows.ts';
import { ArrowStreamWriter } from './arrow-stream.ts';
import { RowBuffer } from './row-buffer.ts';

const columns: readonly ColumnSchema[] = [
  { name: 'symbol', type: 'string' },
  { name: 'a column whose name is long, and ünï', type: 'string' },
  { name: 'price', type: 'float64' },
  { name: 'time', type: 'timestamp' },
  { name: 'flag', type: 'boolean' },
];
const schema: Schema = { columns, time: 'time', key: 'symbol' };

// Halves of one character, which must not meet, are replaced as everywhere.
const text = fc.oneof(
  fc.constantFrom('', 'A', 'ünï', '\ud83d', '\ude00', 'a text that is longer than the others'),
  fc.string({ unit: 'binary', maxLength: 4 }),
);
const row = fc.tuple(
  fc.option(text),
  fc.option(text),
  fc.option(fc.double({ noNaN: true })),
  fc.option(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n })),
  fc.option(fc.boolean()),
);

function wellFormed(cell: Cell): Cell {
  return typeof cell === 'string' ? Buffer.from(cell).toString() : cell;
}

test('a stream of every slice holds the rows of the buffer', () => {
  fc.assert(
    fc.property(
      fc.array(row, { minLength: 1, maxLength: 40, size: 'max' }),
      fc.integer({ min: 1, max: 40 }),
      fc.tuple(fc.boolean(), fc.boolean()),
      (rows, sliceRows, [first, second]) => {
        const buffer = new RowBuffer(columns, rows.length);
        buffer.append(columnBatch(schema, rows), [0, 1, 2, 3, 4], undefined, 0, rows.length);
        const writer = new ArrowStreamWriter(columns, [first, second, false, false, false]);
        const found: Row[] = [];
        for (const { bytes, rowCount } of writer.write(buffer, sliceRows)) {
          const table = tableFromIPC(bytes.slice());
          assert.equal(table.numRows, rowCount);
          assert.deepEqual(
            table.schema.fields.map(({ name, nullable }) => [name, nullable]),
            columns.map(({ name }) => [name, true]),
          );
          const vectors = columns.map((_, index) => table.getChildAt(index)!);
          for (let i = 0; i < rowCount; i++) {
            // It tells times as milliseconds: their integers are looked at instead.
            found.push(
              vectors.map((vector, index) =>
                index === 3 && vector.get(i) !== null
                  ? (vector.data[0]!.values as BigInt64Array)[i]!
                  : (vector.get(i) as Cell),
              ),
            );
          }
        }
        assert.deepEqual(
          found,
          rows.map((cells) => cells.map(wellFormed)),
        );
      },
    ),
    { numRuns: 200 },
  );
});
