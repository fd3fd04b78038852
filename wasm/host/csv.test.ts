/** The scanner equals a parser that goes character by character, however the text is cut. */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { type OracleColumn, readCsvOracle } from '../../connectors/formats/csv.oracle.ts';
import { elementBytes, INT64_NULL, STRING_NULL } from '../../engine/contract/schema.ts';
import { type CsvColumn, CsvScanner } from './csv.ts';
import { Interner } from './interner.ts';
import { Kernels } from './kernels.ts';

interface Scanned {
  readonly rows: unknown[][];
  readonly rejects: { line: number; reason: string; detail: number; row: string }[];
  readonly consumed: number;
}

interface ScanOptions {
  readonly delimiter: string;
  readonly cells: number;
  readonly rowsMax: number;
  readonly columns: readonly OracleColumn[];
  /** Lengths of the pieces, over and over. */
  readonly cuts: readonly number[];
}

function readValue(kernels: Kernels, column: CsvColumn, row: number): unknown {
  const { memory } = kernels;
  if (column.type === 'float64') {
    const value = memory.f64(column.values, row + 1)[row]!;
    return Number.isNaN(value) ? null : value;
  }
  if (column.type === 'string') {
    const code = memory.u32(column.values, row + 1)[row]!;
    return code === STRING_NULL ? null : column.interner!.texts[code];
  }
  if (column.type === 'boolean') {
    const value = memory.bytes(column.values, row + 1)[row]!;
    return value === 2 ? null : value === 1;
  }
  const value = memory.i64(column.values, row + 1)[row]!;
  return value === INT64_NULL ? null : value;
}

function scanAll(text: string, options: ScanOptions): Scanned {
  const kernels = new Kernels();
  const columns = options.columns.map((column) => ({
    ...column,
    values: kernels.memory.allocate(options.rowsMax * elementBytes(column.type)),
    timeUnit: 0n,
    interner: column.type === 'string' ? new Interner(kernels) : undefined,
  }));
  const { cells, rowsMax } = options;
  const delimiter = options.delimiter.charCodeAt(0);
  const scanner = new CsvScanner(kernels, { columns, delimiter, cells, rowsMax });
  const result: Scanned = { rows: [], rejects: [], consumed: 0 };
  const takeRows = (): void => {
    for (const { interner } of columns) interner?.absorb();
    for (let row = 0; row < scanner.rowCount; row++) {
      result.rows.push(columns.map((column) => readValue(kernels, column, row)));
    }
    scanner.clearRows();
  };
  const drain = (): void => {
    for (;;) {
      const stop = scanner.scan();
      for (const { line, reason, detail, row } of scanner.takeRejects()) {
        const where = reason === 'quote' ? -1 : detail;
        result.rejects.push({ line, reason, detail: where, row: row.toString('utf8') });
      }
      if (stop === 'rows') takeRows();
      else if (stop === 'interner') columns[scanner.fullColumn]!.interner!.grow();
      else if (stop === 'input') return;
    }
  };
  const bytes = Buffer.from(text);
  for (let at = 0, cut = 0; at < bytes.length; cut++) {
    const length = options.cuts[cut % options.cuts.length]!;
    scanner.append(bytes.subarray(at, at + length));
    at += length;
    drain();
  }
  scanner.finish();
  drain();
  takeRows();
  const consumed = scanner.consumed;
  scanner.close();
  return { ...result, consumed };
}

const TYPES = ['float64', 'int64', 'timestamp', 'string', 'boolean'] as const;

/** Cells as they stand in files, good and bad. */
const cell = fc.oneof(
  fc.double({ noNaN: true }).map(String),
  fc.bigInt(-(2n ** 64n), 2n ** 64n).map(String),
  fc.constantFrom('', ' ', '1', '-0.5', ' 7 ', '1e5', '0x10', 'nan', 'true', 'N', '1381152600'),
  fc.constantFrom('2013-10-07', '2013-10-07T13:30:00.25Z', '2013-02-30', '9999-01-01 00:00'),
  fc.constantFrom(
    '"a"',
    '"a,b"',
    '"say ""x"""',
    '""',
    '"x\ny"',
    '"1.5"',
    '"bad"x',
    'a"b',
    '"\r\n"',
  ),
  fc.string({ unit: fc.constantFrom('a', 'b', 'é', '"', ' ', '\r', '€') }),
  fc.string({ unit: fc.constantFrom('S', 'P', 'Y'), minLength: 1, maxLength: 20 }),
);

const file = fc.record({
  rows: fc.array(fc.array(cell, { minLength: 1, maxLength: 5 }), { maxLength: 30 }),
  delimiter: fc.constantFrom(',', ';', '\t', '|'),
  lineEnd: fc.constantFrom('\n', '\r\n'),
  isEnded: fc.boolean(),
  cells: fc.integer({ min: 1, max: 5 }),
  rowsMax: fc.constantFrom(1, 2, 7, 100),
  columns: fc.array(
    fc.record({
      type: fc.constantFrom(...TYPES),
      cell: fc.integer({ min: 0, max: 4 }),
      isRequired: fc.boolean(),
    }),
    { minLength: 1, maxLength: 6 },
  ),
  cuts: fc.array(fc.integer({ min: 1, max: 90 }), { minLength: 1, maxLength: 5 }),
});

test('rows and rejects equal those of the definition, however the text is cut', () => {
  fc.assert(
    fc.property(file, ({ rows, delimiter, lineEnd, isEnded, cells, rowsMax, cuts, ...rest }) => {
      const lines = rows.map((row) => row.join(delimiter));
      const text = lines.join(lineEnd) + (isEnded ? lineEnd : '');
      const columns = rest.columns.map((column) => ({ ...column, cell: column.cell % cells }));
      const whole = text.endsWith('\n') || text === '' ? text : `${text}\n`;
      const expected = readCsvOracle(whole, delimiter, cells, columns);
      const found = scanAll(text, { delimiter, cells, rowsMax, columns, cuts });
      assert.deepEqual(found.rejects, expected.rejects);
      assert.deepEqual(found.rows, expected.rows);
      assert.equal(found.consumed, Buffer.byteLength(whole.slice(0, expected.end)));
    }),
    { numRuns: 1500 },
  );
});

test('a text that is cut at every single place is read the same', () => {
  const text =
    'SPY,1.5,"a ""quoted"" one"\r\nBAC,,"two\nlines"\n\n"A,B",x,c\nAIG,2,"é€"\nIBM,3,last';
  const columns: OracleColumn[] = [
    { type: 'string', cell: 0, isRequired: true },
    { type: 'float64', cell: 1, isRequired: false },
    { type: 'string', cell: 2, isRequired: false },
  ];
  const expected = readCsvOracle(`${text}\n`, ',', 3, columns);
  assert.equal(expected.rows.length, 4);
  assert.equal(expected.rejects.length, 1);
  const bytes = Buffer.byteLength(text);
  for (let cut = 1; cut < bytes; cut++) {
    const cuts = [cut, bytes];
    const found = scanAll(text, { delimiter: ',', cells: 3, rowsMax: 10, columns, cuts });
    assert.deepEqual(found.rows, expected.rows, `cut at ${cut}`);
    assert.deepEqual(found.rejects, expected.rejects, `cut at ${cut}`);
  }
});

test('more texts than the dictionary had room for keep their codes', () => {
  const texts = Array.from({ length: 5000 }, (_, i) => `symbol-${i % 3000}-${'x'.repeat(i % 40)}`);
  const columns: OracleColumn[] = [{ type: 'string', cell: 0, isRequired: true }];
  const options = { delimiter: ',', cells: 1, rowsMax: 10_000, columns, cuts: [1 << 16] };
  const found = scanAll(texts.join('\n'), options);
  assert.deepEqual(
    found.rows,
    texts.map((text) => [text]),
  );
});

test('more rejected rows and numbers for the host than a list holds are all there', () => {
  const long = '0.1234567890123456789012345';
  const rows = Array.from({ length: 5000 }, (_, i) => (i % 2 === 0 ? long : 'bad'));
  const columns: OracleColumn[] = [{ type: 'float64', cell: 0, isRequired: false }];
  const options = { delimiter: ',', cells: 1, rowsMax: 4096, columns, cuts: [1 << 16] };
  const found = scanAll(rows.join('\n'), options);
  assert.equal(found.rejects.length, 2500);
  assert.deepEqual(found.rejects.at(-1)!.line, 5000);
  assert.equal(found.rows.length, 2500);
  assert.ok(found.rows.every(([value]) => value === Number(long)));
});

/** Reads texts as one column. */
function column(type: OracleColumn['type'], texts: readonly string[]): Scanned {
  const columns: OracleColumn[] = [{ type, cell: 0, isRequired: false }];
  const options = { delimiter: ',', cells: 1, rowsMax: texts.length, columns, cuts: [1 << 20] };
  return scanAll(texts.join('\n'), options);
}

const digits = (maxLength: number) =>
  fc.string({ unit: fc.constantFrom(...'0123456789'.split('')), minLength: 1, maxLength });

/** Decimals around the places where rounding is hard. */
const decimal = fc.oneof(
  fc.double({ noNaN: true, noDefaultInfinity: true }).map(String),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => value.toExponential(18)),
  fc.double({ min: 1e-3, max: 1e9, noNaN: true }).map((value) => value.toPrecision(17)),
  fc.tuple(digits(12), digits(12)).map(([whole, rest]) => `${whole}.${rest}`),
  fc.tuple(digits(25), digits(25)).map(([whole, rest]) => `-${whole}.${rest}`),
  fc.tuple(digits(19), fc.integer({ min: -345, max: 310 })).map(([d, e]) => `${d}e${e}`),
  // Exactly between two doubles, and right beside it.
  fc
    .tuple(
      fc.bigInt(2n ** 52n, 2n ** 53n - 1n),
      fc.integer({ min: 1, max: 10 }),
      fc.integer({ min: -1, max: 1 }),
    )
    .map(([half, shift, off]) => String(((half * 2n + 1n) << BigInt(shift - 1)) + BigInt(off))),
  fc
    .tuple(fc.bigInt(2n ** 52n, 2n ** 53n - 1n), fc.integer({ min: -30, max: 30 }))
    .map(([half, power]) => `${half * 2n + 1n}e${power}`),
);

test('decimals are the nearest doubles, as Number() has them', () => {
  fc.assert(
    fc.property(fc.array(decimal, { minLength: 200, maxLength: 400 }), (texts) => {
      const found = column('float64', texts);
      assert.deepEqual(found.rejects, []);
      for (const [index, [value]] of found.rows.entries()) {
        assert.ok(Object.is(value, Number(texts[index])), `${texts[index]}: ${String(value)}`);
      }
    }),
    { numRuns: 300 },
  );
});

test('decimals that are known to be hard', () => {
  const texts = [
    '9007199254740993',
    '9007199254740992.99999',
    '1e22',
    '1e23',
    '8.41e21',
    '5e-324',
    '2.5e-324',
    '1.7976931348623157e308',
    '1.7976931348623159e308',
    '2.2250738585072014e-308',
    '4.9e-324',
    '2.2250738585072011e-308',
    '0.000000000000000000000000000000000000000000001',
    '-0',
    '0e999',
    '6.02214076e23',
    '123456789012345678',
    '12345678901234567890',
    '18446744073709551615',
    '1e-65',
    '18446744073709551616',
    '0000000000000000000000000000000001.5',
    '.5',
    '5.',
    '+1',
    '1E+05',
    '3.4028234664e38',
    '1.0000000000000002',
    '1.00000000000000011102230246251565404236316680908203125',
    '1.00000000000000011102230246251565404236316680908203124',
    '7.2057594037927933e16',
    '1e64',
    '1e65',
  ];
  const found = column('float64', texts);
  assert.deepEqual(found.rejects, []);
  assert.deepEqual(
    found.rows.map(([value]) => value),
    texts.map(Number),
  );
});

test('what is no number, time or boolean is rejected', () => {
  const bad = [
    '1,5',
    '1e',
    'e5',
    '.',
    '-',
    '+',
    '--1',
    '1.2.3',
    '0x1F',
    '1_000',
    'infinit',
    'nans',
    '١',
  ];
  const columns: OracleColumn[] = [{ type: 'float64', cell: 0, isRequired: false }];
  const options = { delimiter: ';', cells: 1, rowsMax: 100, columns, cuts: [7] };
  assert.equal(scanAll(bad.join('\n'), options).rejects.length, bad.length);
  const times = [
    '2013-13-01',
    '2013-1-1',
    '2013-10-07T',
    '2013-10-07T25:00',
    '13:30',
    '1e9',
    '20131007T1',
  ];
  assert.equal(column('timestamp', times).rejects.length, times.length);
  const truths = ['tru', 'yess', '2', 'on', 'nope', 'falsey'];
  assert.equal(column('boolean', truths).rejects.length, truths.length);
});
