import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { PublishProgress } from '../../connectors/nats/publish-source.ts';
import { PublishLine } from './publish-line.ts';

const AT: PublishProgress = {
  rows: 0,
  rowsSkipped: 0,
  rowsWithoutKey: 0,
  rowsRead: 0,
  rowsRejected: 0,
  messages: 0,
  bytes: 0,
  duplicates: 0,
  retries: 0,
  share: 0.25,
};

function lineOn(options: { readonly isTTY: boolean; readonly isShown?: boolean }) {
  const written: string[] = [];
  const stream = {
    isTTY: options.isTTY,
    columns: 200,
    write: (text: string) => {
      written.push(text);
      return true;
    },
  };
  const line = new PublishLine(stream as never, options.isShown ?? true, '60s');
  return { line, written };
}

test('elsewhere than on a terminal a line comes every five seconds', () => {
  const { line, written } = lineOn({ isTTY: false });
  line.update({ ...AT, rows: 10, messages: 1 }, 4_000);
  line.update({ ...AT, rows: 2000, rowsSkipped: 7, messages: 2 }, 5_000);
  line.update({ ...AT, rows: 3000, messages: 3 }, 6_000);
  assert.deepEqual(written, [
    '25.0 % read, 2,000 rows in 2 messages, 7 there already, 400 rows/s\n',
  ]);
});

test('a server that does not confirm is told once, and that it does again; quiet too', () => {
  const { line, written } = lineOn({ isTTY: false, isShown: false });
  line.update({ ...AT, messages: 5 }, 1_000);
  line.retry('timeout');
  line.retry('timeout');
  line.update({ ...AT, messages: 5 }, 2_000);
  line.update({ ...AT, messages: 6 }, 9_000);
  line.retry('no responders');
  assert.equal(written.length, 3);
  assert.match(written[0]!, /does not confirm a message \(timeout\); trying again for 60s\n$/);
  assert.equal(written[1], 'the server confirms messages again\n');
  assert.match(written[2]!, /no responders/);
});
