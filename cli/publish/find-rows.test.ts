import assert from 'node:assert/strict';
import { relative } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { findRows } from './find-rows.ts';
import type { PublishFlags } from './publish-file.ts';

const DEMO = fileURLToPath(new URL('../../../config/pipelines/demo.yaml', import.meta.url));

async function publisherOf(path: string, flags: Partial<PublishFlags> = {}): Promise<string> {
  const found = await findRows(path, { key: 'symbol', ...flags } as PublishFlags);
  assert.ok('publisher' in found);
  return found.publisher;
}

test('the same rows have the same name, others another', async () => {
  const name = await publisherOf(DEMO);
  assert.match(name, /^trades-[0-9a-f]{8}$/);
  assert.equal(await publisherOf(relative('.', DEMO)), name);
  assert.equal(await publisherOf(DEMO, { set: ['sources.trades.speed=2x'] }), name);
  assert.notEqual(await publisherOf(DEMO, { set: ['sources.trades.seed=9'] }), name);
});

test('a data file is known by where it lies, or by the name it is given', async () => {
  const columns = ['symbol', 'event_time', 'price'];
  const name = await publisherOf('a/ticks.csv', { columns });
  assert.match(name, /^ticks\.csv-[0-9a-f]{8}$/);
  assert.equal(await publisherOf('./a/../a/ticks.csv', { columns }), name);
  assert.notEqual(await publisherOf('b/ticks.csv', { columns }), name);
  assert.equal(await publisherOf('b/ticks.csv', { columns, source: 'my ticks' }), 'my_ticks');
});
