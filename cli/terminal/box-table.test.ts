import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { type BoxTable, renderBox } from './box-table.ts';
import { paletteFor } from './palette.ts';
import { displayWidth, printable } from './text.ts';

const BARS: BoxTable = {
  columns: [
    { name: 'symbol', type: 'VARCHAR' },
    { name: 'window_start', type: 'TIMESTAMP_NS' },
    { name: 'close', type: 'DOUBLE', isNumeric: true },
    { name: 'trades', type: 'BIGINT', isNumeric: true },
    { name: 'explanation', type: 'VARCHAR' },
  ],
  rows: [
    ['AAPL', '2026-01-02 09:30:00', '182.5', '12', 'a long text that explains the anomaly in full'],
    ['値段', '2026-01-02 09:35:00', '-7.0', null, null],
  ],
};

function shown(table: BoxTable, width: number): string {
  return `\n${renderBox(table, { width }).join('\n')}\n`;
}

test('a table that fits is shown whole; numbers and their nulls stand right', () => {
  assert.equal(
    shown(BARS, 120),
    `
┌─────────┬─────────────────────┬────────┬────────┬───────────────────────────────────────────────┐
│ symbol  │    window_start     │ close  │ trades │                  explanation                  │
│ varchar │    timestamp_ns     │ double │ int64  │                    varchar                    │
├─────────┼─────────────────────┼────────┼────────┼───────────────────────────────────────────────┤
│ AAPL    │ 2026-01-02 09:30:00 │  182.5 │     12 │ a long text that explains the anomaly in full │
│ 値段    │ 2026-01-02 09:35:00 │   -7.0 │   NULL │ NULL                                          │
└─────────┴─────────────────────┴────────┴────────┴───────────────────────────────────────────────┘
2 rows · 5 columns
`,
  );
});

test('first long texts are cut, then the columns in the middle go', () => {
  assert.equal(
    shown(BARS, 75),
    `
┌─────────┬─────────────────────┬────────┬────────┬───────────────────────┐
│ symbol  │    window_start     │ close  │ trades │      explanation      │
│ varchar │    timestamp_ns     │ double │ int64  │        varchar        │
├─────────┼─────────────────────┼────────┼────────┼───────────────────────┤
│ AAPL    │ 2026-01-02 09:30:00 │  182.5 │     12 │ a long text that exp… │
│ 値段    │ 2026-01-02 09:35:00 │   -7.0 │   NULL │ NULL                  │
└─────────┴─────────────────────┴────────┴────────┴───────────────────────┘
2 rows · 5 columns
`,
  );
  assert.equal(
    shown(BARS, 50),
    `
┌─────────┬───┬────────┬─────────────────────────┐
│ symbol  │ … │ trades │       explanation       │
│ varchar │   │ int64  │         varchar         │
├─────────┼───┼────────┼─────────────────────────┤
│ AAPL    │ … │     12 │ a long text that expla… │
│ 値段    │ … │   NULL │ NULL                    │
└─────────┴───┴────────┴─────────────────────────┘
2 rows · 5 columns (3 shown)
`,
  );
});

test('rows that were left out are a line of dots and are counted', () => {
  const table: BoxTable = {
    columns: [{ name: 'i', isNumeric: true }, { name: 'text' }],
    rows: [
      ['1', 'first'],
      ['1200', 'last'],
    ],
    omitted: { after: 1, count: 1198 },
  };
  assert.equal(
    shown(table, 80),
    `
┌──────┬───────┐
│  i   │ text  │
├──────┼───────┤
│    1 │ first │
│    · │ ·     │
│ 1200 │ last  │
└──────┴───────┘
1,200 rows (2 shown) · 2 columns
`,
  );
});

test('a table without rows has a head, one without columns has only a footer', () => {
  assert.equal(
    shown({ columns: [{ name: 'a', type: "ENUM('x')" }], rows: [] }, 80),
    `
┌──────┐
│  a   │
│ enum │
├──────┤
└──────┘
0 rows · 1 column
`,
  );
  assert.deepEqual(renderBox({ columns: [], rows: [], footer: ['done'] }, { width: 80 }), ['done']);
});

const cell = fc.option(fc.string({ unit: 'grapheme', maxLength: 40 }), { nil: null });
const table = fc
  .array(
    fc.record({
      name: fc.string({ unit: 'grapheme', maxLength: 25 }),
      type: fc.constantFrom('VARCHAR', 'DOUBLE', 'TIMESTAMP_NS', 'STRUCT("a" INTEGER)[]'),
      isNumeric: fc.boolean(),
    }),
    { minLength: 1, maxLength: 12 },
  )
  .chain((columns) =>
    fc.record({
      columns: fc.constant(columns),
      rows: fc.array(fc.array(cell, { minLength: columns.length, maxLength: columns.length }), {
        maxLength: 8,
      }),
    }),
  );

test('no line is wider than the width, all are of one width, and every row has its line', () => {
  fc.assert(
    fc.property(table, fc.integer({ min: 5, max: 200 }), (given, width) => {
      const lines = renderBox(given, { width });
      for (const line of lines) assert.ok(displayWidth(line) <= width, JSON.stringify(line));
      const box = lines.slice(0, -1);
      assert.equal(new Set(box.map(displayWidth)).size, 1, box.join('\n'));
      const body = box.slice(4, -1);
      assert.equal(body.length, given.rows.length);
      // The first column is always there, and nothing in it is lost where there is room for it.
      for (const [index, row] of given.rows.entries()) {
        const first = printable(row[0] ?? 'NULL');
        if (width >= 150) assert.ok(body[index]!.includes(first), body[index]);
      }
    }),
    { numRuns: 400 },
  );
});

test('with enough room nothing is cut and nothing is left out', () => {
  fc.assert(
    fc.property(table, (given) => {
      const body = renderBox(given, { width: 2000 }).slice(4, -2);
      for (const [index, row] of given.rows.entries()) {
        for (const value of row) assert.ok(body[index]!.includes(printable(value ?? 'NULL')));
      }
    }),
  );
});

test('colours change nothing but the colours', () => {
  const palette = paletteFor({ isTTY: true }, {});
  const colored = renderBox(BARS, { width: 60, palette });
  assert.match(colored.join(''), /\p{Cc}\[/u);
  assert.deepEqual(
    colored.map((line) => line.replaceAll(/\p{Cc}\[\d+m/gu, '')),
    renderBox(BARS, { width: 60 }),
  );
});
