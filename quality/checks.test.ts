import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Datasets } from './datasets.ts';
import type { DatasetColumn } from './relation.ts';
import { type CheckResult, type CheckSpec, runChecks } from './run-checks.ts';
import { TestFolder } from './testing/test-folder.ts';

const ODD = `sel"ect 'x'; --`;

/** Rows in the order of the file; the last column has a name that must be quoted. */
const ROWS = `
  select * from (values
    ('A', timestamp_ns '2026-01-02 09:30:00.000000001', 10.0::double, 1::bigint, 1),
    ('A', timestamp_ns '2026-01-02 09:31:00',           11.0::double, 3::bigint, 2),
    ('B', timestamp_ns '2026-01-02 09:30:00',           -1.0::double, 2::bigint, 3),
    ('B', timestamp_ns '2026-01-02 09:30:00',           null,         2::bigint, 4),
    (null, null,                                        null,         null,      5),
    (null, null,                                        null,         null,      6)
  ) t(symbol, event_time, price, seq, "${ODD.replaceAll('"', '""')}")`;

const COLUMNS: readonly DatasetColumn[] = [
  { name: 'symbol', type: 'string' },
  { name: 'event_time', type: 'timestamp' },
  { name: 'price', type: 'float64' },
  { name: 'seq', type: 'int64' },
  { name: ODD, type: 'int64' },
];

const NOW_MS = Date.parse('2026-01-02T10:00:00Z');

function spec(check: Record<string, unknown>, more: Partial<CheckSpec> = {}): CheckSpec {
  return {
    name: 'it',
    dataset: 'data',
    check,
    severity: 'error',
    warnIf: '!= 0',
    errorIf: '!= 0',
    ...more,
  };
}

async function results(checks: readonly CheckSpec[]): Promise<readonly CheckResult[]> {
  using folder = new TestFolder();
  await folder.parquet('data/1.parquet', ROWS);
  await using datasets = await Datasets.open([
    {
      name: 'data',
      format: 'parquet',
      glob: folder.file('data/*.parquet'),
      columns: COLUMNS,
      time: 'event_time',
    },
    { name: ODD, format: 'parquet', glob: folder.file('data/*.parquet'), columns: COLUMNS },
    { name: 'empty', format: 'parquet', glob: folder.file('none/*.parquet'), columns: COLUMNS },
  ]);
  return (await runChecks(datasets, checks, { nowMs: NOW_MS })).checks;
}

const CHECKS: readonly [
  check: Record<string, unknown>,
  failures: number,
  message: string,
  more?: Partial<CheckSpec>,
][] = [
  [{ not_null: ['seq', 'symbol'] }, 2, '2 rows with a null in seq or symbol'],
  [{ not_null: ['price'] }, 3, '3 rows with a null in price'],
  [{ not_null: 'price' }, 3, '3 rows with a null in price'],
  [{ not_null: [ODD] }, 0, `0 rows with a null in ${ODD}`],
  [{ not_null: ['PRICE'] }, 3, '3 rows with a null in PRICE'],

  [{ unique: [ODD] }, 0, `0 values of ${ODD} occur more than once`],
  // two rows of B share a time; the two rows of nulls are not compared
  [{ unique: ['symbol', 'event_time'] }, 1, '1 value of symbol, event_time occurs more than once'],
  [{ unique: ['symbol'] }, 2, '2 values of symbol occur more than once'],

  [
    { accepted_range: { column: 'price', min: -1, max: 11 } },
    0,
    '0 rows with price outside -1 to 11',
  ],
  [{ accepted_range: { column: 'price', min: -0.999999 } }, 1, '1 row with price below -0.999999'],
  [{ accepted_range: { column: 'price', max: 10.5 } }, 1, '1 row with price above 10.5'],
  [
    { accepted_range: { column: 'price', min: 0, max: 10 } },
    2,
    '2 rows with price outside 0 to 10',
  ],
  [
    { accepted_range: { column: ODD, min: 2, max: Infinity } },
    1,
    `1 row with ${ODD} outside 2 to Infinity`,
  ],
  [
    { accepted_range: { column: 'event_time', max: '2026-01-02T09:30:00' } },
    2,
    '2 rows with event_time above 2026-01-02T09:30:00',
  ],

  [{ row_count: { min: 6, max: 6 } }, 0, '6 to 6 rows'],
  [{ row_count: { min: 7 } }, 1, '6 rows, expected at least 7 rows'],
  [{ row_count: { max: 5 } }, 1, '6 rows, expected at most 5 rows'],
  [{ row_count: { min: 1 } }, 1, '0 rows, expected at least 1 row', { dataset: 'empty' }],
  [{ row_count: { max: 0 } }, 0, 'at most 0 rows', { dataset: 'empty' }],

  [
    { freshness: { column: 'event_time', max_age: '29m' } },
    0,
    'newest event_time is at most 29m old',
  ],
  [
    { freshness: { column: 'event_time', max_age: '28m59s' } },
    1,
    'newest event_time is 2026-01-02 09:31:00, more than 28m59s before 2026-01-02 10:00:00',
  ],
  [
    { freshness: { column: 'event_time', max_age: '1h', now: '2026-01-02T09:40:00Z' } },
    0,
    'newest event_time is at most 1h old',
  ],
  [
    { freshness: { column: 'event_time', max_age: '1m', now: '2026-01-02 09:40:00' } },
    1,
    'newest event_time is 2026-01-02 09:31:00, more than 1m before 2026-01-02 09:40:00',
  ],
  [
    { freshness: { column: 'event_time', max_age: '1h' } },
    1,
    'no event_time, expected one in the last 1h',
    { dataset: 'empty' },
  ],

  [
    { freshness: { max_age: '1740000000000ns' } },
    0,
    'newest event_time is at most 1740000000000ns old',
  ],
  [
    { freshness: { max_age: '28m59s999ms999µs', now: '2026-01-02T10:00' } },
    1,
    'newest event_time is 2026-01-02 09:31:00, ' +
      'more than 28m59s999ms999µs before 2026-01-02 10:00:00',
  ],
  [{ freshness: { max_age: '1d', now: '2026-01-03' } }, 0, 'newest event_time is at most 1d old'],

  // 1, 3, 2, 2: falls once over all rows, never within a symbol
  [{ monotonic: { column: 'seq' } }, 1, '1 row with seq below the one before'],
  [
    { monotonic: { column: 'seq', by: 'symbol' } },
    0,
    '0 rows with seq below the one before of the same symbol',
  ],
  [
    { monotonic: { column: 'price', by: ['symbol', 'event_time'] } },
    0,
    '0 rows with price below the one before of the same symbol, event_time',
  ],
  [
    { monotonic: { column: ODD, by: [ODD] } },
    0,
    `0 rows with ${ODD} below the one before of the same ${ODD}`,
  ],

  [{ sql: 'select * from data where price < 0' }, 1, '1 row returned'],
  [{ sql: 'from {{ dataset }} where price > 100;  -- none\n' }, 0, '0 rows returned'],
  [
    { sql: 'select 1 from {{dataset}} where symbol is null' },
    2,
    '2 rows returned',
    { dataset: ODD },
  ],
  [{ sql: 'with a as (from empty) select * from a' }, 0, '0 rows returned'],
  [{ sql: `select '$& {{ not dataset }}' as text` }, 1, '1 row returned'],
];

test('every check, with data that passes and data that does not', async () => {
  const found = await results(CHECKS.map(([check, , , more]) => spec(check, more)));
  for (const [index, [check, failures, message]] of CHECKS.entries()) {
    const result = found[index]!;
    const label = `${JSON.stringify(check)}: ${result.message}`;
    assert.equal(result.code, undefined, label);
    assert.equal(result.message, message, label);
    assert.equal(result.failures, failures, label);
    assert.equal(result.status, failures === 0 ? 'pass' : 'error', label);
    assert.equal(result.sample.rows.length, Math.min(failures, 5), label);
  }
});

test('a check that cannot be run is an error of its own, whatever its severity', async () => {
  const table: readonly [
    check: Record<string, unknown>,
    message: RegExp,
    more?: Partial<CheckSpec>,
  ][] = [
    [{ sql: 'select * from nowhere' }, /nowhere does not exist/],
    [{ sql: 'selec 1' }, /^Parser Error: syntax error at or near "selec"\n\nLINE 1: selec 1/],
    [{ sql: 'select 1; select 2' }, /found 2 statements, expected one/],
    [{ sql: 'create table x(a int)' }, /expected a select/],
    [{ sql: `copy data to '/nowhere/x.csv'` }, /expected a select/],
    [{ sql: ' ; -- nothing' }, /empty/],
    [{ sql: `select error('no') from data` }, /no/],
    [{ sql: `select cast(symbol as int) from data` }, /Conversion Error.*'A'/s],
    [{ not_null: ['nope'] }, /data has no column nope: it has symbol, event_time, price/],
    [{ not_null: [] }, /found no column/],
    [{ unique: [3] }, /found 3, expected a column/],
    [{ accepted_range: { column: 'price' } }, /expected min, max or both/],
    [
      { accepted_range: { column: 'price', minimum: 1 } },
      /found minimum, expected column, min, max/,
    ],
    [{ accepted_range: { column: 'price', min: true } }, /found true, expected a number or a time/],
    [{ row_count: { min: 1.5 } }, /found 1.5, expected a whole number/],
    [{ row_count: 5 }, /found 5, expected min, max/],
    [
      { freshness: { column: 'event_time', max_age: '1 hour' } },
      /found "1 hour", expected a duration/,
    ],
    [{ freshness: { max_age: '1h' } }, /freshness.column: found nothing/, { dataset: 'empty' }],
    [
      { freshness: { column: 'event_time', max_age: '1h', now: 'noon' } },
      /found "noon", expected a time/,
    ],
    [{ not_null: ['price'], unique: ['price'] }, /found not_null and unique, expected one of/],
    [{ not_nul: ['price'] }, /found not_nul, expected one of not_null, unique/],
    [{}, /found nothing/],
    [{ not_null: ['x'] }, /no dataset bars/, { dataset: 'bars' }],
    [{ not_null: ['price'] }, /warn_if: found "> ten"/, { warnIf: '> ten' }],
    [{ not_null: ['price'] }, /error_if: found ""/, { errorIf: '' }],
  ];
  const found = await results(
    table.map(([check, , more]) => spec(check, { severity: 'warn', ...more })),
  );
  for (const [index, [check, message]] of table.entries()) {
    const result = found[index]!;
    const label = `${JSON.stringify(check)}: ${result.message}`;
    assert.equal(result.status, 'error', label);
    assert.equal(result.code, 'quality/query-failed', label);
    assert.equal(result.failures, null, label);
    assert.match(result.message, message, label);
  }
});

test('NaN is a null', async () => {
  using folder = new TestFolder();
  await folder.parquet('x.parquet', `select 'nan'::double as d, 'nan'::float as f, 1 as i`);
  await using datasets = await Datasets.open([
    { name: 'x', format: 'parquet', glob: folder.file('x.parquet') },
  ]);
  const checks = ['d', 'f', 'i'].map((column) => spec({ not_null: [column] }, { dataset: 'x' }));
  const report = await runChecks(datasets, checks, { nowMs: 0 });
  assert.deepEqual(
    report.checks.map((check) => check.failures),
    [1, 1, 0],
  );
});

test('monotonic follows the order of the files, over row groups and threads', async () => {
  using folder = new TestFolder();
  const rows = (from: number): string =>
    `select (${from} + i) as seq, i % 7 as by_seven from range(200000) t(i)`;
  await folder.parquet('m/part-1.parquet', rows(0), ', ROW_GROUP_SIZE 4096');
  await folder.parquet('m/part-2.parquet', rows(200_000), ', ROW_GROUP_SIZE 4096');
  await folder.parquet('m/part-3.parquet', `select 399998 as seq, 0 as by_seven`);
  await using datasets = await Datasets.open(
    [{ name: 'm', format: 'parquet', glob: folder.file('m/*.parquet') }],
    { threads: 4 },
  );
  const report = await runChecks(
    datasets,
    [
      spec({ monotonic: { column: 'seq' } }, { dataset: 'm' }),
      spec({ monotonic: { column: 'seq', by: 'by_seven' } }, { dataset: 'm' }),
    ],
    { nowMs: 0 },
  );
  assert.deepEqual(report.checks[0]!.sample, {
    columns: ['seq', 'value before', 'row number'].map((name) => ({
      name,
      type: 'BIGINT',
      isNumeric: true,
    })),
    rows: [['399998', '399999', '400001']],
  });
  // The last of the rows with by_seven = 0 is 200,000 + 199,997 = 399,997.
  assert.equal(report.checks[1]!.failures, 0);
});

test('a report counts, keeps the order, shows rows and tells the worst status', async () => {
  using folder = new TestFolder();
  await folder.parquet('n.parquet', 'select i from range(5000) t(i)');
  await using datasets = await Datasets.open([
    { name: 'n', format: 'parquet', glob: folder.file('n.parquet') },
  ]);
  const at = (name: string, sql: string, more: Partial<CheckSpec> = {}): CheckSpec =>
    spec({ sql }, { name, dataset: 'n', ...more });
  const checks = [
    at('all', 'from n order by i', { severity: 'warn' }),
    at('none', 'from n where i < 0'),
    at('few', 'from n where i < 3', { errorIf: '> 10' }),
  ];
  const report = await runChecks(datasets, checks, { nowMs: 0 });
  assert.equal(report.status, 'warn');
  assert.deepEqual([report.passed, report.warned, report.failed], [1, 2, 0]);
  assert.deepEqual(
    report.checks.map(({ name, status, failures, message }) => [name, status, failures, message]),
    [
      ['all', 'warn', 5000, '5,000 rows returned'],
      ['none', 'pass', 0, '0 rows returned'],
      ['few', 'warn', 3, '3 rows returned (error if > 10)'],
    ],
  );
  assert.deepEqual(report.checks[0]!.sample, {
    columns: [{ name: 'i', type: 'BIGINT', isNumeric: true }],
    rows: [['0'], ['1'], ['2'], ['3'], ['4']],
  });
  const worst = await runChecks(datasets, [...checks, at('bad', 'from n')], { nowMs: 0 });
  assert.equal(worst.status, 'error');
  assert.equal((await runChecks(datasets, [], { nowMs: 0 })).status, 'pass');
});
