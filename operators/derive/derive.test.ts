import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { Schema } from '../../engine/contract/schema.ts';
import { planOperator, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { derive } from './derive.ts';

const TABLE = parseTable(`
  event_time | symbol | price | size:int64 | venue:string
  09:30:00   | AAPL   | 10    | 3          | XNAS
  09:30:01   | IBM    |       | 4          |
  09:30:00   | AAPL   | 2     |            | XNYS
`);
const SCHEMA: Schema = schemaOfTable(TABLE);

test('a column may use the columns before it, and every type is possible', () => {
  const columns = {
    notional: 'price * size',
    large: 'notional > 20',
    where_to: "coalesce(venue, 'nowhere')",
    copy: 'venue',
    key_copy: 'symbol',
    at: 'event_time',
    lots: 'size',
    one: '1',
    name: "'x'",
    yes: 'true',
  };
  const { outputs, outputsPlan } = runOperator(derive, { columns }, SCHEMA, [[...TABLE.rows]]);
  assert.deepEqual(
    outputsPlan.main.columns.slice(SCHEMA.columns.length).map(({ type }) => type),
    [
      'float64',
      'boolean',
      'string',
      'string',
      'string',
      'timestamp',
      'int64',
      'float64',
      'string',
      'boolean',
    ],
  );
  const rows = TABLE.rows.map((row) => {
    const { price, size, venue, symbol, event_time } = row;
    const isKnown = typeof price === 'number' && typeof size === 'bigint';
    const notional = isKnown ? price * Number(size) : null;
    return {
      ...row,
      notional,
      large: notional === null ? null : notional > 20,
      where_to: venue ?? 'nowhere',
      ...{
        copy: venue,
        key_copy: symbol,
        at: event_time,
        lots: size,
        one: 1,
        name: 'x',
        yes: true,
      },
    };
  });
  assert.deepEqual(outputs['main'], rows);
});

test('row watermarks go on with the rows', () => {
  const run = runOperator(derive, { columns: { x: 'price' } }, SCHEMA, [[...TABLE.rows]]);
  const [emission] = run.emissions;
  const times = TABLE.rows.map(({ event_time }) => event_time);
  assert.deepEqual(emission?.rowWatermarks?.slice(1), [times[0], times[1]]);
});

const bad: readonly (readonly [columns: Record<string, string>, ...want: readonly string[]])[] = [
  [{}, 'columns: config/constraint must name at least one column'],
  [{ price: '1' }, 'columns.price key: config/duplicate-column there is a column price already'],
  [
    { a: 'prise + 1', b: 'a > nope', c: 'a +' },
    'columns.a@0: config/unknown-column there is no column prise',
    'columns.b@4: config/unknown-column there is no column nope',
    'columns.c@3: config/expression-syntax expected a value, got the end',
  ],
  [{ a: 'b', b: '1' }, 'columns.a@0: config/unknown-column there is no column b'],
];

test('all problems are told at once, each in its column', () => {
  for (const [columns, ...want] of bad) {
    const { problems } = planOperator(derive, { columns }, SCHEMA);
    const got = problems.map(({ path, offset, target, code, message }) => {
      const at = offset === undefined ? '' : `@${offset}`;
      const under = target === undefined ? '' : ` ${target}`;
      return `${path.join('.')}${at}${under}: ${code} ${message}`;
    });
    assert.deepEqual(got, want);
  }
});
