/** The scanner of JSON lines against `JSON.parse` line by line: the same bits, the same rejects. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import fc from 'fast-check';
import type { ColumnVector } from '../../engine/contract/batch.ts';
import { STRING_NULL } from '../../engine/contract/schema.ts';
import { ColumnStore } from './column-store.ts';
import type { Decoder, FileColumn } from './decoder.ts';
import { JsonColumns } from './json-columns.ts';
import { openJsonLines } from './json-lines-decoder.ts';
import { openNdjson } from './ndjson-decoder.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-json-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});
const path = join(folder, 'lines.ndjson');

const column = (
  name: string,
  type: FileColumn['type'],
  from = name,
  isRequired = false,
): FileColumn => ({ name, type, from, isRequired });

const COLUMNS: readonly FileColumn[] = [
  column('symbol', 'string', 'symbol', true),
  column('event_time', 'timestamp', 'a_long_name_of_a_time', true),
  column('price', 'float64'),
  column('again', 'float64', 'price'),
  column('n', 'int64'),
  column('ok', 'boolean'),
  column('nested', 'float64', 'data.p'),
  column('text', 'string', 'abcdefgh'),
];
const NAMES = [...new Set(COLUMNS.map(({ from }) => String(from)))];

/** Bits of a value, so that -0 and 0 differ. */
function valueAt(vector: ColumnVector, row: number): unknown {
  if (vector.type === 'string') {
    const code = vector.codes[row]!;
    return code === STRING_NULL ? null : vector.dictionary[code];
  }
  if (vector.type !== 'float64') return vector.values[row];
  return new BigUint64Array(vector.values.slice(row, row + 1).buffer)[0];
}

async function readAll(decoder: Decoder): Promise<unknown[]> {
  const found: unknown[] = [];
  const rejected: unknown[] = [];
  for (;;) {
    const batch = await decoder.next();
    if (batch === undefined) break;
    for (let row = 0; row < batch.rowCount; row++) {
      found.push(batch.columns.map((vector) => valueAt(vector, row)));
    }
    rejected.push(...batch.rejected);
  }
  await decoder.close();
  return [found, rejected];
}

const stores = [3, 4096].map((rowsMax) => new ColumnStore(COLUMNS, rowsMax));

async function assertSame(text: string | Buffer): Promise<void> {
  writeFileSync(path, text);
  const expected = await readAll(await openNdjson(path, new JsonColumns(COLUMNS, 4096, 0n)));
  for (const store of stores) {
    assert.deepEqual(await readAll(await openJsonLines(path, store, 0n)), expected);
  }
}

const digits = fc.stringMatching(/^-?\d{1,20}$/);
const decimal = fc.stringMatching(/^-?\d{1,19}(\.\d{1,20})?([eE][+-]?\d{1,3})?$/);
const time = fc.constantFrom(
  '"2013-10-07T13:30:00Z"',
  '"2013-10-07 13:30:00.123456789+02:00"',
  '"2013-10-07"',
  '1381152600',
  '1381152600000',
  '1381152600000000001',
  '"1381152600.25"',
  '1381152600.25',
  '9223372036854775807',
);
const token = fc.oneof(
  { weight: 2, arbitrary: digits },
  { weight: 3, arbitrary: decimal },
  { weight: 2, arbitrary: time },
  { weight: 2, arbitrary: fc.oneof(digits, decimal).map((text) => JSON.stringify(text)) },
  fc.double().map((value) => JSON.stringify(value)),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
  fc.string().map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.constantFrom('null', 'true', 'false', 'nul', 'truer', '""', '"nan"', '"-inf"', '"t"', '"A"'),
  fc.constantFrom('-', '01', '1.', '.5', '1e', '-0', '0e5', '1e400', '"\u0001"', '" 5 "', '+1'),
);
const blank = fc.constantFrom('', '', '', ' ', '\t', '\r', ' \t ');
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...NAMES).map((name) => JSON.stringify(name)) },
  fc.constantFrom('"data"', '"other"', '"pric\\u0065"', '"é"', '""', '"abcdefgi"', 'price'),
);
const member = fc
  .tuple(blank, key, blank, blank, token, blank)
  .map(([a, name, b, c, value, d]) => `${a}${name}${b}:${c}${value}${d}`);

/** Members that make a good row, then any. */
const line = fc
  .tuple(fc.boolean(), fc.array(member, { maxLength: 6 }), blank, blank)
  .map(([isWhole, members, a, b]) => {
    const good = isWhole ? ['"symbol":"AAPL"', '"a_long_name_of_a_time":1381152600'] : [];
    return `${a}{${[...good, ...members].join(',')}}${b}`;
  });

const RUNS = { numRuns: 400 };

test('any objects, plain and not, are read as JSON.parse reads them', async () => {
  await fc.assert(
    fc.asyncProperty(fc.array(line, { maxLength: 30, size: 'max' }), async (lines) => {
      await assertSame(lines.join('\n'));
    }),
    RUNS,
  );
});

test('lines with bytes changed, cut or added are rejected for the same reasons', async () => {
  const change = fc.record({ at: fc.nat(5000), to: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(line, { minLength: 1, maxLength: 10, size: 'max' }),
      fc.array(change, { maxLength: 6 }),
      async (lines, changes) => {
        const bytes = Buffer.from(lines.join('\n'));
        for (const { at, to } of changes) bytes[at % Math.max(1, bytes.length)] = to;
        await assertSame(bytes);
      },
    ),
    RUNS,
  );
});

test('values of one column of every type, one a line', async () => {
  const oneOf = fc.tuple(fc.constantFrom(...NAMES), token).map(([name, value]) => {
    const rest = NAMES.slice(0, 2)
      .filter((other) => other !== name)
      .map((other) => `"${other}":${other === 'symbol' ? '"B"' : '1381152600'}`);
    return `{${[`"${name}":${value}`, ...rest].join(',')}}`;
  });
  await fc.assert(
    fc.asyncProperty(fc.array(oneOf, { maxLength: 60, size: 'max' }), async (lines) => {
      await assertSame(`${lines.join('\n')}\n`);
    }),
    RUNS,
  );
});

test('a byte order mark, blank lines, no last line end, an empty file', async () => {
  const good = '{"symbol":"A","a_long_name_of_a_time":1381152600,"price":1}';
  const texts = [
    '',
    '\n',
    '\ufeff',
    `\ufeff${good}`,
    `\r\n${good}\r\n \n\u00a0\n${good}`,
    '{}',
    '1',
  ];
  for (const text of texts) await assertSame(text);
});

test('a line that goes over the end of every piece', async () => {
  const good = '{"symbol":"A","a_long_name_of_a_time":1381152600,"price":0.25}\n';
  await assertSame(good.repeat(20_000));
});
