import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SourceBatch, SourceDefinition } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { z } from '../../engine/contract/fields.ts';
import { partitionOf } from '../../engine/contract/hash.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { NatsServer } from '../testing/nats-server.ts';
import { columnBatch, type Row } from '../testing/rows.ts';
import { connectionFields } from './connection-fields.ts';
import { publishSource, type PublishRequest } from './publish-source.ts';
import { configOf, readAll, tradeRows } from './read-stream.fixture.ts';

const SCHEMA: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

/** A source of the given rows, in batches of the given size. */
function sourceOf(rows: readonly Row[], batchRows: number): PublishRequest['source'] {
  const open: SourceDefinition['open'] = async () => {
    let at = 0;
    return {
      poll: async (): Promise<SourceBatch | 'end'> => {
        if (at >= rows.length) return 'end';
        const part = rows.slice(at, at + batchRows);
        at += part.length;
        return { ...columnBatch(SCHEMA, part), unit: 0, bytesRead: at, rejected: [] };
      },
      position: () => ({}),
      close: async () => undefined,
    };
  };
  const splits = async () => [{ id: 'rows', lanesMax: 1, details: {} }];
  const definition = { open, splits } as unknown as SourceDefinition;
  return { definition, config: {}, schema: SCHEMA, name: 'rows', batchRows };
}

function requestOf(server: NatsServer, options: Partial<PublishRequest>): PublishRequest {
  return {
    connection: z.strictObject(connectionFields).parse({ servers: server.url }),
    stream: 'T',
    prefix: 't',
    partitions: undefined,
    maxAgeNs: 0n,
    maxBytes: -1,
    duplicateWindowNs: 120_000_000_000n,
    replicas: 1,
    format: 'arrow',
    rowsPerMessage: 64,
    speed: undefined,
    publisher: 'rows',
    source: sourceOf(tradeRows(0, 1000), 100),
    giveUpMs: 5_000,
    signal: new AbortController().signal,
    note: () => undefined,
    ...options,
  };
}

/** Rows by symbol: partitions may stand in any order, the rows of each may not. */
function bySymbol(rows: readonly Row[]): Map<unknown, Row[]> {
  const groups = new Map<unknown, Row[]>();
  for (const row of rows) groups.set(row[0], [...(groups.get(row[0]) ?? []), row]);
  return new Map([...groups].sort(([a], [b]) => String(a).localeCompare(String(b))));
}

for (const [format, rowsPerMessage] of [
  ['arrow', 64],
  ['json', 1],
  ['msgpack', 10],
] as const) {
  test(`rows come back as they were published: ${format}`, async () => {
    await using server = await NatsServer.start();
    const sent = await publishSource(requestOf(server, { format, rowsPerMessage }));
    assert.equal(sent.rows, 1000);
    const { rows, rejected } = await readAll(configOf(server, { format }));
    assert.deepEqual(rejected, []);
    assert.deepEqual(bySymbol(rows), bySymbol(tradeRows(0, 1000)));
    const partition = partitionOf('S3', 16);
    const only = await readAll(configOf(server, { format, subject: `t.${partition}.>` }));
    assert.ok(only.rows.some(([symbol]) => symbol === 'S3'));
    assert.ok(only.rows.every(([symbol]) => partitionOf(String(symbol), 16) === partition));
  });
}

test('publishing again stores nothing twice, whatever came between', async () => {
  await using server = await NatsServer.start();
  // The server itself forgets ids after 100 ms.
  const short = { duplicateWindowNs: 100_000_000n };
  const stop = new AbortController();
  const partly = await publishSource(
    requestOf(server, {
      ...short,
      signal: stop.signal,
      onProgress: ({ rowsRead }) => {
        if (rowsRead >= 400) stop.abort();
      },
    }),
  );
  assert.equal(partly.rows, 400);
  const rest = await publishSource(requestOf(server, { ...short, rowsPerMessage: 33 }));
  assert.deepEqual([rest.rows, rest.rowsSkipped], [600, 400]);
  await new Promise((resolve) => setTimeout(resolve, 300));
  const again = await publishSource(requestOf(server, short));
  assert.deepEqual([again.rows, again.rowsSkipped, again.messages], [0, 1000, 0]);
  const other = await publishSource(
    requestOf(server, { publisher: 'other', source: sourceOf(tradeRows(1000, 1100), 7) }),
  );
  assert.equal(other.rows, 100);
  // The last messages are another's now: one's own are found by looking through the stream.
  const third = await publishSource(
    requestOf(server, { ...short, source: sourceOf(tradeRows(0, 1000), 999) }),
  );
  assert.deepEqual([third.rows, third.rowsSkipped], [0, 1000]);
  const { rows } = await readAll(configOf(server, { format: 'arrow' }));
  assert.deepEqual(bySymbol(rows), bySymbol(tradeRows(0, 1100)));
});

for (const [what, options] of [
  ['with many messages on their way', {}],
  // Too short a memory of ids for that: one message of a partition after another.
  ['message by message', { duplicateWindowNs: 20_000_000_000n }],
] as const) {
  test(`a killed server is waited for, nothing is lost, doubled or moved: ${what}`, async () => {
    await using server = await NatsServer.start();
    let kills = 0;
    let restarted = Promise.resolve();
    const sent = await publishSource(
      requestOf(server, {
        ...options,
        giveUpMs: 20_000,
        source: sourceOf(tradeRows(0, 8_000), 50),
        rowsPerMessage: 3,
        onProgress: ({ rows }) => {
          if (kills >= 1 || rows < 2_000) return;
          kills++;
          restarted = restarted.then(() => server.kill()).then(() => server.resume());
        },
      }),
    );
    await restarted;
    assert.equal(kills, 1);
    assert.equal(sent.rows + sent.rowsSkipped, 8_000);
    assert.ok(sent.retries > 0);
    const { rows } = await readAll(configOf(server, { format: 'arrow' }));
    assert.deepEqual(bySymbol(rows), bySymbol(tradeRows(0, 8_000)));
  });
}

test('what was stored while the server seemed silent counts as published, once', async () => {
  await using server = await NatsServer.start();
  let pause: Promise<void> | undefined;
  const sent = await publishSource(
    requestOf(server, {
      giveUpMs: 20_000,
      source: sourceOf(tradeRows(0, 4_000), 50),
      rowsPerMessage: 3,
      onProgress: ({ rows }) => {
        if (rows > 500) pause ??= server.pause(2_600);
      },
    }),
  );
  await pause;
  assert.ok(sent.retries > 0);
  assert.deepEqual([sent.rows, sent.rowsSkipped], [4_000, 0]);
  const { rows } = await readAll(configOf(server, { format: 'arrow' }));
  assert.deepEqual(bySymbol(rows), bySymbol(tradeRows(0, 4_000)));
});

test('two that publish to one stream at once store everything once, in order', async () => {
  await using server = await NatsServer.start();
  await publishSource(requestOf(server, { publisher: 'zero', source: sourceOf([], 1) }));
  const rowsOf = (name: string): Row[] =>
    tradeRows(0, 2000).map(([symbol, time, price]) => [`${name}${String(symbol)}`, time!, price!]);
  const publishers = ['a', 'b'].map((publisher) =>
    publishSource(
      requestOf(server, { publisher, rowsPerMessage: 2, source: sourceOf(rowsOf(publisher), 50) }),
    ),
  );
  for (const { rows, rowsSkipped } of await Promise.all(publishers)) {
    assert.equal(rows + rowsSkipped, 2000);
  }
  const { rows } = await readAll(configOf(server, { format: 'arrow' }));
  assert.deepEqual(bySymbol(rows), bySymbol([...rowsOf('a'), ...rowsOf('b')]));
});

test('messages larger than the server takes are cut; one row that is too large fails', async () => {
  await using server = await NatsServer.start({ config: 'max_payload: 8192' });
  const sent = await publishSource(requestOf(server, { rowsPerMessage: 1000, partitions: 1 }));
  assert.equal(sent.rows, 1000);
  assert.ok(sent.messages > 3);
  const { rows } = await readAll(configOf(server, { format: 'arrow' }));
  assert.deepEqual(rows, tradeRows(0, 1000));

  const large: Row[] = [['x'.repeat(10_000), 1n, 1]];
  const publishing = publishSource(
    requestOf(server, { publisher: 'large', source: sourceOf(large, 1) }),
  );
  await assert.rejects(publishing, { code: 'nats/too-large' });
});

test('a stream that does not fit is refused, naming both sides', async () => {
  await using server = await NatsServer.start();
  await publishSource(requestOf(server, { partitions: 4 }));
  const refusal = async (options: Partial<PublishRequest>): Promise<string> =>
    publishSource(requestOf(server, options)).then(
      () => 'taken',
      (error: EngineError) => `${error.code} ${error.message}`,
    );
  assert.match(await refusal({ partitions: 8 }), /mismatch .* 4 partitions, and --partitions is 8/);
  assert.match(await refusal({ prefix: 'u' }), /mismatch .* takes t\.\*\.>, .* gives u\.\*\.>/);
  assert.equal(await refusal({}), 'taken');
  await server.manage((manager) => manager.streams.add({ name: 'U', subjects: ['u.>'] }));
  assert.match(await refusal({ stream: 'U', prefix: 'u' }), /does not say how it is partitioned/);
});

test('with a speed, rows are published when they fall due', async () => {
  await using server = await NatsServer.start();
  // 50 ms apart at 20x, which is longer than rows wait for others: a message each.
  const sent = await publishSource(
    requestOf(server, { speed: 20, source: sourceOf(tradeRows(0, 11), 11) }),
  );
  assert.deepEqual([sent.rows, sent.messages], [11, 11]);
});

test('an input that cannot be read is told before a stream is made', async () => {
  await using server = await NatsServer.start();
  const source = sourceOf([], 1);
  const open = (): Promise<never> =>
    Promise.reject(new EngineError('source/unreadable', 'not for you'));
  const definition = { ...source.definition, open } as SourceDefinition;
  const publishing = publishSource(requestOf(server, { source: { ...source, definition } }));
  await assert.rejects(publishing, { code: 'source/unreadable' });
  const names = await server.manage((manager) => manager.streams.names().next());
  assert.deepEqual(names, []);
});

test('with a speed, rows that are stored already are not waited for', async () => {
  await using server = await NatsServer.start();
  await publishSource(requestOf(server, { source: sourceOf(tradeRows(0, 1000), 100) }));
  // The thousand stored ones span a thousand seconds, the new ones two.
  const stop = AbortSignal.timeout(10_000);
  const more = await publishSource(
    requestOf(server, { speed: 20, source: sourceOf(tradeRows(0, 1003), 100), signal: stop }),
  );
  assert.deepEqual([more.rows, more.rowsSkipped], [3, 1000]);
});
