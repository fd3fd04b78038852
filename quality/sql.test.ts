import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Datasets } from './datasets.ts';
import { runQuery } from './query.ts';
import { sqlName } from './sql.ts';

async function column(sql: string): Promise<string[]> {
  await using datasets = await Datasets.open([]);
  const found: string[] = [];
  for await (const chunk of (await runQuery(datasets, sql)).chunks) {
    for (let row = 0; row < chunk.rowCount; row++) found.push(chunk.display(row)[0]!);
  }
  return found;
}

test('names are bare unless they are reserved or unusual', () => {
  for (const name of ['bars', 'window_start', '_x9', 'Symbol']) assert.equal(sqlName(name), name);
  assert.equal(sqlName('order'), '"order"');
  assert.equal(sqlName('Order'), '"Order"');
  assert.equal(sqlName('my bars'), '"my bars"');
  assert.equal(sqlName('5m'), '"5m"');
  assert.equal(sqlName('a"b'), '"a""b"');
});

test('every word that DuckDB reserves anywhere is quoted', async () => {
  const words = await column(
    "select keyword_name from duckdb_keywords() where keyword_category <> 'unreserved'",
  );
  assert.ok(words.length > 100);
  assert.deepEqual(
    words.filter((word) => sqlName(word) === word),
    [],
  );
});

test('a name as it is written reads as the name', async () => {
  for (const name of ['order', 'time', 'select', 'left', 'a"b', 'x y', 'plain', 'first', 'type']) {
    const query = `select max(${sqlName(name)}) from (select 7 as ${sqlName(name)})`;
    assert.deepEqual(await column(`${query} ${sqlName(name)}`), ['7'], name);
  }
});
