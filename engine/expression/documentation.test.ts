/** The page on expressions says what is true: its examples are run, its lists are complete. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { Kernels } from '../../wasm/host/kernels.ts';
import { LinearMemory } from '../../wasm/host/linear-memory.ts';
import type { Schema } from '../contract/schema.ts';
import { readRows, TextTable, writeColumn } from '../testing/rows.ts';
import { parseTable } from '../testing/table.ts';
import { compileExpression } from './compile-expression.ts';
import { EXPRESSION_DEPTH_MAX, KEYWORDS } from './expression.ts';
import { FUNCTIONS, ROUND_DIGITS_MAX } from './functions.ts';
import { planExpression } from './plan-expression.ts';

const PAGE = readFileSync(new URL('../../../docs/expressions.md', import.meta.url), 'utf8');

const TABLE = parseTable(`
  event_time|symbol|price|open|size|trades:int64|venue:string|is_open:boolean|seen:timestamp
  09:30:00  |AAPL  |101.5|100 |    |3           |            |true           |09:29:58.5
`);
const SCHEMA: Schema = { columns: TABLE.columns, time: 'event_time', key: 'symbol' };

/** Rows of the tables whose header is `expression | result`. */
function examples(): readonly (readonly [text: string, result: string])[] {
  const tables = PAGE.split('| expression | result |\n| --- | --- |\n').slice(1);
  return tables.flatMap((rest) => {
    const rows = rest.slice(0, rest.indexOf('\n\n')).split('\n');
    return rows
      .map((row) => /^\| `(.+)` \| (.+) \|$/.exec(row)!)
      .map(([, a, b]) => [a!, b!] as const);
  });
}

function evaluate(text: string): string {
  const memory = new LinearMemory();
  const strings = new TextTable();
  const context = { memory, kernels: new Kernels(memory), strings };
  const planned = planExpression(text, SCHEMA, 'any', [], ({ message }) => assert.fail(message))!;
  const columns = SCHEMA.columns.map((column) => writeColumn(memory, column, TABLE.rows, strings));
  const batch = { rowCount: 1, columns, rowWatermarks: 0, origin: 'none' } as const;
  const result = compileExpression(planned.expression, SCHEMA, context)(batch);
  const schema: Schema = { columns: [{ name: 'x', type: planned.type }], time: '', key: '' };
  const [row] = readRows(memory, schema, { ...batch, columns: [result] });
  const value = row!['x'];
  return typeof value === 'string' ? `'${value}'` : String(value);
}

test('the examples hold', () => {
  const all = examples();
  assert.ok(all.length > 30);
  for (const [text, result] of all) assert.equal(evaluate(text), result, text);
});

test('every function, keyword and limit is on the page, and no other', () => {
  const section = PAGE.slice(PAGE.indexOf('## Functions'));
  const rows = section.split('\n').filter((line) => /^\| `\w+\(/.test(line));
  const firstTable = rows.slice(
    0,
    rows.findIndex((row) => row.includes('coalesce(size')),
  );
  const named = firstTable.flatMap((row) => {
    const [, cell] = row.split('|');
    return [...cell!.matchAll(/(\w+)\(/g)].map(([, name]) => name!);
  });
  assert.deepEqual([...new Set(named)].sort(), [...FUNCTIONS.keys()]);
  assert.ok(
    PAGE.includes(`\`${[...KEYWORDS].join(' ')}\``),
    'the keywords, in the order of the code',
  );
  assert.ok(PAGE.includes(`nests at most ${EXPRESSION_DEPTH_MAX} operations deep`));
  assert.ok(PAGE.includes(`0 to ${ROUND_DIGITS_MAX} digits`));
});
