import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Datasets } from '../quality/datasets.ts';
import { type QueryResult, runQuery } from '../quality/query.ts';
import { writeBox, writeCsv, writeJson, type Write } from './query-result.ts';
import { PLAIN } from './terminal/palette.ts';

/** Runs the SQL and gives what was written. */
async function written(
  sql: string,
  writeResult: (result: QueryResult, write: Write) => Promise<void>,
): Promise<string> {
  await using datasets = await Datasets.open([]);
  const texts: string[] = [];
  const result = await runQuery(datasets, sql);
  await writeResult(result, async (text) => void texts.push(text));
  return texts.join('');
}

const box =
  (limit?: number, width = 100) =>
  (result: QueryResult, write: Write): Promise<void> =>
    writeBox(result, write, { width, palette: PLAIN }, limit);

const ROWS = `select i, 'row ' || i as text from range(100000) t(i)`;

test('a box shows the first and the last rows and counts the others', async () => {
  assert.equal(
    await written(ROWS, box(5)),
    `┌───────┬───────────┐
│   i   │   text    │
│ int64 │  varchar  │
├───────┼───────────┤
│     0 │ row 0     │
│     1 │ row 1     │
│     2 │ row 2     │
│     · │ ·         │
│ 99998 │ row 99998 │
│ 99999 │ row 99999 │
└───────┴───────────┘
100,000 rows (5 shown) · 2 columns
`,
  );
});

test('a limit is kept exactly, whatever the size of the result', async () => {
  const table: readonly [rows: number, limit: number | undefined, shown: number][] = [
    [0, undefined, 0],
    [40, undefined, 40],
    [41, undefined, 40],
    [5000, 0, 5000],
    [1, 1, 1],
    [2, 1, 1],
    [3, 2, 2],
    [2047, 7, 7],
    [2049, 7, 7],
    [4097, 4096, 4096],
  ];
  for (const [rows, limit, shown] of table) {
    const text = await written(`select i from range(${rows}) t(i)`, box(limit));
    const values = [...text.matchAll(/│ +(\d+) │/g)].map(([, value]) => Number(value));
    const all = Array.from({ length: rows }, (_, index) => index);
    const head = Math.ceil(shown / 2);
    const want =
      shown === rows ? all : [...all.slice(0, head), ...all.slice(rows - (shown - head))];
    assert.deepEqual(values, want, `${rows} rows, limit ${limit}`);
  }
});

test('JSON is one array of objects, one a line', async () => {
  assert.equal(
    await written(
      `select * from (values (1, 'a "b"', null, [1.5]), (2, '', true, null))
       t(i, "te""xt", flag, l)`,
      writeJson,
    ),
    `[
{"i":1,"te\\"xt":"a \\"b\\"","flag":null,"l":[1.5]},
{"i":2,"te\\"xt":"","flag":true,"l":null}
]
`,
  );
  assert.equal(await written('select 1 as a where false', writeJson), '[]\n');
  assert.equal(await written('create table t(i int)', writeJson), '[]\n');
  const all = JSON.parse(await written(ROWS, writeJson)) as { i: number; text: string }[];
  assert.equal(all.length, 100_000);
  assert.ok(all.every(({ i, text }, index) => i === index && text === `row ${index}`));
  const some = await written(ROWS, (result, write) => writeJson(result, write, 3000));
  assert.deepEqual(JSON.parse(some), all.slice(0, 3000));
});

test('CSV has a head, quotes what needs it, and tells a null from an empty text', async () => {
  const sql = `select * from (values
      (1, 'plain', 1.5::double), (2, 'a, "b"', null), (3, '', 2::double), (4, null, null),
      (5, E'two\\nlines', -1::double), (6, ' blanks ', 0::double)) t(i, "te,xt", x) order by i`;
  const csv = `i,"te,xt",x
1,plain,1.5
2,"a, ""b""",
3,"",2.0
4,,
5,"two
lines",-1.0
6," blanks ",0.0
`;
  assert.equal(await written(sql, writeCsv), csv);
  assert.equal(await written(`select null as only`, writeCsv), 'only\n""\n');
  assert.equal(
    await written(sql, (result, write) => writeCsv(result, write, 1)),
    'i,"te,xt",x\n1,plain,1.5\n',
  );
});

test('a large result is read at the pace of who takes it', async () => {
  await using datasets = await Datasets.open([]);
  const result = await runQuery(datasets, ROWS);
  let open = 0;
  let openMax = 0;
  await writeCsv(result, async () => {
    openMax = Math.max(openMax, ++open);
    await new Promise((resolve) => setImmediate(resolve));
    open--;
  });
  assert.equal(openMax, 1);
});
