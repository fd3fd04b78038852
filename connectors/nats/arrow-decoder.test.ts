import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  Dictionary,
  Float64,
  Int32,
  Int64,
  Table,
  tableToIPC,
  Utf8,
  vectorFromArray,
} from 'apache-arrow';
import fc from 'fast-check';
import { INT64_NULL, type Schema, STRING_NULL } from '../../engine/contract/schema.ts';
import { ArrowStreamWriter } from '../parquet/arrow-stream.ts';
import { RowBuffer } from '../parquet/row-buffer.ts';
import { columnBatch, type Row } from '../testing/rows.ts';
import { ArrowDecoder } from './arrow-decoder.ts';
import { PlainLayouts } from './arrow-layout.ts';
import { type MessageColumn, UndecodableMessage } from './message-decoder.ts';

const SCHEMA: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
    { name: 'count', type: 'int64' },
    { name: 'venue', type: 'string' },
  ],
  time: 'time',
  key: 'symbol',
};
const COLUMNS: readonly MessageColumn[] = SCHEMA.columns.map(({ name, type }) => ({
  name,
  type,
  from: name,
  isRequired: name === 'symbol' || name === 'time',
  token: 0,
}));

function encode(rows: readonly Row[], hasDictionary: readonly boolean[]): Uint8Array {
  const buffer = new RowBuffer(SCHEMA.columns, Math.max(1, rows.length));
  buffer.append(columnBatch(SCHEMA, rows), [0, 1, 2, 3, 4], undefined, 0, rows.length);
  const writer = new ArrowStreamWriter(SCHEMA.columns, hasDictionary);
  const [stream] = writer.write(buffer, Math.max(1, rows.length));
  return new Uint8Array(stream!.bytes);
}

/** Rows and reasons of a message, converted in parts of at most `part` rows. */
function decode(
  decoder: ArrowDecoder,
  message: Uint8Array,
  part: number,
): { rows: Row[]; reasons: string[] } {
  const reasons: string[] = [];
  const total = decoder.open(message, 't.0');
  let kept = 0;
  for (let from = 0; from < total; from += part) {
    const count = Math.min(part, total - from);
    kept += decoder.convert(from, count, kept, (reason) => reasons.push(reason));
  }
  const columns = decoder.take(kept);
  const rows = Array.from({ length: kept }, (_, row): Row => {
    return columns.map((column) => {
      if (column.type === 'string') {
        const code = column.codes[row]!;
        return code === STRING_NULL ? null : column.dictionary[code]!;
      }
      const value = column.values[row]!;
      if (typeof value === 'bigint') return value === INT64_NULL ? null : value;
      return Number.isNaN(value) ? null : value;
    });
  });
  return { rows, reasons };
}

const text = fc.oneof(fc.constantFrom('A', 'BRK.B', '', 'Ω', 'long text behind eight bytes'));
const long = fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n });
const price = fc.double({ noNaN: true });

function rowsWith(nulls: boolean): fc.Arbitrary<Row[]> {
  const maybe = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | null> =>
    nulls ? fc.option(value, { freq: 4 }) : value;
  const row = fc.tuple(text, long, maybe(price), maybe(long), maybe(text));
  return fc.array(row, { maxLength: 60, size: 'max' });
}

test('rows come back as they were, plain or with nulls, however they are cut', () => {
  const decoder = new ArrowDecoder(COLUMNS, 100, 0n);
  fc.assert(
    fc.property(
      fc.boolean().chain(rowsWith),
      fc.integer({ min: 1, max: 70 }),
      fc.boolean(),
      fc.boolean(),
      (rows, part, first, second) => {
        const message = encode(rows, [first, false, false, false, second]);
        assert.deepEqual(decode(decoder, message, part), { rows, reasons: [] });
      },
    ),
    { numRuns: 200 },
  );
});

test('streams of our publisher are read as they lie', () => {
  const rows: Row[] = [['A', 1n, 1, 1n, 'x']];
  for (const hasDictionary of [true, false]) {
    const message = encode(rows, [hasDictionary, false, false, false, false]);
    const stream = new PlainLayouts().read(Buffer.from(message));
    assert.deepEqual(
      stream?.fields.map(({ name, kind }) => [name, kind]),
      [
        ['symbol', 'text'],
        ['time', 'timestamp'],
        ['price', 'float64'],
        ['count', 'int64'],
        ['venue', 'text'],
      ],
    );
  }
});

test('several record batches, other columns among ours, and other types are read too', () => {
  for (const type of [new Float64(), new Int32()]) {
    const table = new Table({
      other: vectorFromArray([1, 2, 3], new Int32()),
      symbol: vectorFromArray(['A', 'B', 'A'], new Dictionary(new Utf8(), new Int32())),
      time: vectorFromArray([5n, 6n, 7n], new Int64()),
      price: vectorFromArray([2, 2, 2], type),
    });
    const message = tableToIPC(table.concat(table), 'stream');
    const decoder = new ArrowDecoder(COLUMNS.slice(0, 3), 100, 1n);
    const once: Row[] = [
      ['A', 5n, 2],
      ['B', 6n, 2],
      ['A', 7n, 2],
    ];
    assert.deepEqual(decode(decoder, message, 2).rows, [...once, ...once]);
  }
});

test('damaged bytes are refused or read, and nothing worse', () => {
  const rows: Row[] = Array.from({ length: 20 }, (_, i) => [`S${i % 3}`, BigInt(i), i, 1n, 'x']);
  const decoder = new ArrowDecoder(COLUMNS, 100, 0n);
  const damage = fc.array(fc.tuple(fc.nat(), fc.nat(255)), { minLength: 1, maxLength: 4 });
  let refused = 0;
  fc.assert(
    fc.property(damage, fc.boolean(), (changes, isCut) => {
      const message = encode(rows, [true, false, false, false, false]);
      for (const [place, value] of changes) message[place % message.length] = value;
      const cut = isCut ? message.subarray(0, changes[0]![0] % message.length) : message;
      try {
        const { rows: found, reasons } = decode(decoder, cut, 7);
        assert.ok(found.length + reasons.length <= 100);
      } catch (error) {
        if (!(error instanceof UndecodableMessage)) throw error;
        refused++;
      }
      return true;
    }),
    { numRuns: 150 },
  );
  assert.ok(refused > 0);
  // And it works as before.
  assert.deepEqual(decode(decoder, encode(rows, [true, false, false, false, true]), 9).rows, rows);
});
