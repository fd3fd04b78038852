/** Messages that are removed before they are read: always told, and nothing else taken for it. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { StreamConfig } from '@nats-io/jetstream';
import type { SplitReader } from '../../engine/contract/connector.ts';
import type { EngineError } from '../../engine/contract/error.ts';
import { NatsServer } from '../testing/nats-server.ts';
import type { Row } from '../testing/rows.ts';
import {
  addStream,
  configOf,
  openSource,
  publishAll,
  readAll,
  readRows,
  trade,
  tradeRows,
  trades,
} from './read-stream.fixture.ts';

const forever = { until: 'forever' };
/** So little is on its way or waiting that the reader lies behind. */
const slow = { ...forever, max_pending_messages: 8 };

async function streamWith(count: number, options: Partial<StreamConfig> = {}): Promise<NatsServer> {
  const server = await NatsServer.start();
  await server.manage((manager) => addStream(manager, options));
  await publishAll(server, trades(0, count));
  return server;
}

/** Reads until a failure: the rows before it, and what it says. */
async function readToFailure(reader: SplitReader): Promise<{ rows: Row[]; failure: string }> {
  const rows: Row[] = [];
  try {
    for (;;) rows.push(...(await readRows(reader, 1)).rows);
  } catch (error) {
    const { code, message } = error as EngineError;
    return { rows, failure: `${code}: ${message}` };
  } finally {
    await reader.close();
  }
}

for (const [limit, options] of [
  ['max_msgs', { max_msgs: 100 }],
  ['max_bytes', { max_bytes: 12_000 }],
  ['max_age', { max_age: 300_000_000 }],
] as const) {
  test(`messages that ${limit} removes ahead of the reader are told`, async () => {
    await using server = await streamWith(50, options);
    const reader = await openSource(configOf(server, slow), { batchRows: 4 });
    const { rows } = await readRows(reader, 4);
    await publishAll(server, trades(50, 400));
    if (limit === 'max_age') {
      await new Promise((resolve) => setTimeout(resolve, 700));
      await publishAll(server, trades(400, 410));
    }
    const { rows: more, failure } = await readToFailure(reader);
    rows.push(...more);
    assert.ok(rows.length < 200, `${rows.length} rows`);
    assert.deepEqual(rows, tradeRows(0, rows.length));
    const next = `message ${rows.length + 1} is the next to be read`;
    assert.match(failure, /^nats\/stream-expired: source "trades": stream T begins at message \d+/);
    assert.ok(failure.includes(next), `${failure} | ${next}`);
    assert.match(failure, /--ignore-state/);
  });
}

for (const subject of [undefined, 't.0']) {
  const what = subject === undefined ? 'all subjects' : 'one subject';
  test(`a purge of what is unread is told, to a reader of ${what}`, async () => {
    await using server = await streamWith(400);
    const config = configOf(server, { ...slow, ...(subject === undefined ? {} : { subject }) });
    const reader = await openSource(config, { batchRows: 4 });
    const rows = [...(await readRows(reader, 4)).rows];
    await server.manage((manager) => manager.streams.purge('T'));
    const { rows: more, failure } = await readToFailure(reader);
    rows.push(...more);
    assert.ok(rows.length < 100, `${rows.length} rows`);
    assert.deepEqual(rows, tradeRows(0, rows.length));
    assert.match(
      failure,
      /^nats\/stream-expired: .* begins at message 401, but message \d+ is the/,
    );
  });
}

test('a purge of what has been read is no loss', async () => {
  await using server = await streamWith(60);
  const reader = await openSource(configOf(server, forever));
  const rows = [...(await readRows(reader, 60)).rows];
  await server.manage((manager) => manager.streams.purge('T'));
  await publishAll(server, trades(60, 90));
  rows.push(...(await readRows(reader, 30)).rows);
  await reader.close();
  assert.deepEqual(rows, tradeRows(0, 90));
});

test('messages that were taken out of the middle are no loss', async () => {
  await using server = await streamWith(300);
  await server.manage(async (manager) => {
    for (let sequence = 10; sequence < 300; sequence += 3) {
      await manager.streams.deleteMessage('T', sequence, false);
    }
  });
  const left = tradeRows(0, 300).filter((_, at) => at + 1 < 10 || (at + 1 - 10) % 3 !== 0);
  for (const options of [{}, { subject: 't.*' }, { max_pending_messages: 4 }]) {
    const { rows } = await readAll(configOf(server, options));
    assert.deepEqual(rows, left, JSON.stringify(options));
  }
});

test('a new run begins where the stream does, however fast that moves on', async () => {
  await using server = await streamWith(500, { max_msgs: 50 });
  let isOver = false;
  let next = 500;
  const publishing = (async () => {
    for (; !isOver; next += 20) await publishAll(server, trades(next, next + 20));
  })();
  try {
    for (let run = 0; run < 5; run++) {
      const reader = await openSource(configOf(server, forever));
      const rows = await readRows(reader, 1).then(
        (read) => read.rows,
        () => [],
      );
      await reader.close();
      assert.ok(rows.length > 0);
      const number = Number(rows[0]![2]) * 4;
      assert.deepEqual(rows[0], trade(number).row);
      assert.ok(number >= 450);
    }
  } finally {
    isOver = true;
    await publishing;
  }
});
