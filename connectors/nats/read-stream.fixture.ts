/** For tests: messages into a stream, and the rows that the source reads from it. */

import { jetstream, type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import type { RejectedRow } from '../../engine/contract/batch.ts';
import type { SplitPosition, SplitReader } from '../../engine/contract/connector.ts';
import { STRING_NULL } from '../../engine/contract/schema.ts';
import { z } from '../../engine/contract/fields.ts';
import type { NatsServer } from '../testing/nats-server.ts';
import type { Cell, Row } from '../testing/rows.ts';
import { nats } from './nats-source.ts';

export const TRADES = { symbol: 'symbol', event_time: 'event_time', price: 'price' };

/** Options of a source over stream T, with the defaults filled in. */
export function configOf(server: NatsServer, options: Record<string, unknown> = {}): unknown {
  const given = {
    servers: server.url,
    stream: 'T',
    format: 'json',
    columns: TRADES,
    connect_timeout: '2s',
    until: 'last',
    ...options,
  };
  return z.strictObject(nats.fields).parse(given);
}

export async function openSource(
  config: unknown,
  options: { readonly resumeAt?: SplitPosition; readonly batchRows?: number } = {},
): Promise<SplitReader> {
  const schema = nats.plan(config as never, 'symbol', (problem) => {
    throw new Error(problem.message);
  });
  const [split] = await nats.splits(config as never, { source: 'trades' });
  return nats.open(config as never, {
    source: 'trades',
    schema,
    split: split!,
    lane: 0,
    lanes: 1,
    batchRows: options.batchRows ?? 4096,
    ...(options.resumeAt === undefined ? {} : { resumeAt: options.resumeAt }),
  });
}

export interface ReadRows {
  readonly rows: Row[];
  readonly rejected: RejectedRow[];
  readonly position: SplitPosition;
}

/** Reads until the end, or until `enough` rows (rejected ones too) are there. */
export async function readRows(
  reader: SplitReader,
  enough = Number.POSITIVE_INFINITY,
): Promise<ReadRows> {
  const rows: Row[] = [];
  const rejected: RejectedRow[] = [];
  while (rows.length + rejected.length < enough) {
    const batch = await reader.poll();
    if (batch === 'end') break;
    if (batch === 'idle') continue;
    rejected.push(...batch.rejected);
    for (let row = 0; row < batch.rowCount; row++) {
      rows.push(
        batch.columns.map((column): Cell => {
          if (column.type !== 'string') return column.values[row]!;
          const code = column.codes[row]!;
          return code === STRING_NULL ? null : column.dictionary[code]!;
        }),
      );
    }
  }
  return { rows, rejected, position: reader.position() };
}

/** All rows of the stream as the source reads them. */
export async function readAll(
  config: unknown,
  options: Parameters<typeof openSource>[1] = {},
): Promise<ReadRows> {
  const reader = await openSource(config, options);
  try {
    return await readRows(reader);
  } finally {
    await reader.close();
  }
}

export async function addStream(
  manager: JetStreamManager,
  options: Partial<StreamConfig> = {},
): Promise<void> {
  await manager.streams.add({ name: 'T', subjects: ['t.>'], ...options });
}

export type Message = readonly [subject: string, payload: string | Uint8Array];

export async function publishAll(server: NatsServer, messages: readonly Message[]): Promise<void> {
  await server.manage(async (_manager, connection) => {
    const client = jetstream(connection);
    for (let first = 0; first < messages.length; first += 64) {
      const group = messages.slice(first, first + 64);
      await Promise.all(group.map(([subject, payload]) => client.publish(subject, payload)));
    }
  });
}

export const SECOND_NS = 1_000_000_000n;
export const START_NS = 1_700_000_000n * SECOND_NS;

/** Trade number `i`: what is published, and the row that is to be read. */
export function trade(i: number): { readonly json: string; readonly row: Row } {
  const symbol = `S${i % 7}`;
  const time = START_NS + BigInt(i) * SECOND_NS + 1n;
  return {
    json: `{"symbol":"${symbol}","event_time":${time},"price":${i / 4}}`,
    row: [symbol, time, i / 4],
  };
}

export function trades(from: number, to: number): Message[] {
  return Array.from({ length: to - from }, (_, i) => ['t.0', trade(from + i).json]);
}

export function tradeRows(from: number, to: number): Row[] {
  return Array.from({ length: to - from }, (_, i) => trade(from + i).row);
}
