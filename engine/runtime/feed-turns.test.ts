import assert from 'node:assert/strict';
import { test } from 'node:test';
import { FeedTurns } from './feed-turns.ts';
import { SplitFeed } from './split-feed.ts';
import type { ReaderMessage, ReaderRows } from './split-reader-host.ts';
import { WatermarkTracker } from './watermark-tracker.ts';
import type { ReaderPort } from './workers.ts';

const IDLE_MS = 3;

/** A reader that answers what it is told to, one answer after the other, then always `last`. */
function reader(answers: readonly (number | 'idle')[], last: 'idle' | 'end' = 'idle'): ReaderPort {
  let next = 0;
  return {
    poll: async (): Promise<ReaderMessage> => {
      const answer = answers[next++] ?? last;
      await new Promise((resolve) => setImmediate(resolve));
      if (typeof answer !== 'number') return { kind: answer, status: undefined };
      return { kind: 'rows', unit: 0, bytesRead: answer } as ReaderRows;
    },
    close: async () => undefined,
  };
}

/** The rows in the order of their turns, as `split:time`; the clock goes on by 1 ms a turn. */
async function order(
  readers: readonly ReaderPort[],
  turnsMax: number,
  totalBytes?: number,
): Promise<string[]> {
  const tracker = new WatermarkTracker(1);
  const feeds = readers.map((port, index) => {
    tracker.addSplit({ delayNs: 0n, idleTimeoutMs: IDLE_MS, scope: 'split' }, 0);
    const split = {
      id: String(index),
      lanesMax: 1,
      details: {},
      ...(totalBytes && { totalBytes }),
    };
    return new SplitFeed(0, split, [port], index);
  });
  const turns = new FeedTurns(feeds, tracker);
  const rows: string[] = [];
  for (let nowMs = 1; nowMs <= turnsMax && !turns.hasEnded; nowMs++) {
    const { split, message } = await turns.next();
    if (message.kind === 'end') tracker.end(split);
    else if (message.kind === 'idle') tracker.idle(split, nowMs, message.isCaughtUp);
    else {
      const time = BigInt(message.rows.bytesRead);
      tracker.rows(split, [{ smallest: time, largest: time }], nowMs);
      rows.push(`${split}:${time}`);
    }
  }
  return rows;
}

test('bounded splits are merged by event time', async () => {
  const readers = [reader([10, 20, 60], 'end'), reader([5, 30, 40], 'end')];
  const expected = ['0:10', '1:5', '1:30', '0:20', '0:60', '1:40'];
  assert.deepEqual(await order(readers, 100, 1000), expected);
});

test('a live split that has fallen silent does not keep the rows of another', async () => {
  const rows = await order([reader([1]), reader([2, 3, 4, 5])], 60);
  assert.deepEqual(rows, ['0:1', '1:2', '1:3', '1:4', '1:5']);
});

test('of several silent splits, each grows idle while another has its turn', async () => {
  const rows = await order([reader([1]), reader([2]), reader([3]), reader([4, 5, 6])], 60);
  assert.deepEqual(rows.slice(-3), ['3:4', '3:5', '3:6']);
});

test('a split that was idle is heard when it is back, while another always has rows', async () => {
  const busy = Array.from({ length: 500 }, (_, index) => 10 + index);
  const silence = Array.from({ length: 12 }, () => 'idle' as const);
  const rows = await order([reader([1, ...silence, 2, 3]), reader(busy)], 100);
  const own = rows.filter((row) => row.startsWith('0:'));
  assert.deepEqual(own, ['0:1', '0:2', '0:3']);
});

test('what fails, fails where its turn comes', async () => {
  const failing: ReaderPort = {
    poll: () => Promise.reject(new Error('gone')),
    close: async () => undefined,
  };
  await assert.rejects(order([reader([1, 2]), failing], 60), /gone/);
});
