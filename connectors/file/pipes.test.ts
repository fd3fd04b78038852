/** Sources that can be read only once: a FIFO stands for `<(command)` and /dev/stdin as well. */

import assert from 'node:assert/strict';
import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { gzipSync } from 'node:zlib';
import { read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const T = 1381152600_000_000_000n;
const columns = { symbol: 'symbol', event_time: 'ts', price: 'price' };
const ROWS = 60_000;

const rowNumbers = Array.from({ length: ROWS }, (_, row) => row);
const csv = `symbol,ts,price\n${rowNumbers.map((row) => `A,1381152600,${row}\n`).join('')}`;
const ndjson = rowNumbers.map((row) => `{"symbol":"A","ts":1381152600,"price":${row}}\n`).join('');

/** A FIFO that gives the bytes; `slowly` in two parts, the first of which is a single byte. */
function fifo(name: string, bytes: Uint8Array, isSlow = false): [string, ChildProcess] {
  const path = join(folder, name);
  const file = `${path}.bytes`;
  writeFileSync(file, bytes);
  execFileSync('mkfifo', [path]);
  const command = isSlow
    ? '(head -c 1 "$0"; sleep 0.05; tail -c +2 "$0") > "$1"'
    : 'cat "$0" > "$1"';
  return [path, spawn('sh', ['-c', command, file, path], { stdio: 'ignore' })];
}

test('text from a pipe, plain and compressed', async () => {
  for (const [name, bytes, isSlow] of [
    ['a.csv', Buffer.from(csv), false],
    ['b.csv', Buffer.from(csv), true],
    ['c.csv.gz', gzipSync(csv), false],
    ['d.csv', gzipSync(csv), true],
    ['e.ndjson', Buffer.from(ndjson), false],
  ] as const) {
    const [path] = fifo(name, bytes, isSlow);
    const { rows, error, bytesRead } = await read({ path, columns });
    assert.equal(error, undefined, name);
    assert.equal(rows.length, ROWS, name);
    assert.deepEqual(rows.at(-1), ['A', T, ROWS - 1], name);
    assert.ok(bytesRead <= bytes.length && bytesRead > 0, name);
  }
});

test('a pipe of a few bytes, and of none', async () => {
  const [path] = fifo('few.ndjson', Buffer.from('{}\n'));
  const { rejected } = await read({ path, columns });
  assert.equal(rejected.length, 1);
  const [none] = fifo('none.csv', Buffer.alloc(0));
  const { error } = await read({ path: none, columns });
  assert.equal(error?.message, `cannot read ${none}: it is empty, expected a header`);
});

test('a pipe that is closed before its end lets its writer go', async () => {
  const [path, writer] = fifo('early.csv', Buffer.from(csv.repeat(4)));
  const ended = new Promise((resolve) => writer.once('exit', resolve));
  const { rows, error } = await read({ path, columns }, { batchRows: 100, batchesMax: 1 });
  assert.equal(error, undefined);
  assert.equal(rows.length, 100);
  await ended;
});

test('gzip that breaks off in a pipe', async () => {
  const whole = gzipSync(csv);
  const [path] = fifo('short.csv.gz', whole.subarray(0, whole.length - 100));
  const { error } = await read({ path, columns });
  assert.equal(error?.code, 'source/truncated');
  assert.ok(error.message.includes(path));
});

test('what a pipe cannot do', async () => {
  const path = join(folder, 'rows.parquet');
  execFileSync('mkfifo', [path]);
  const { error } = await read({ path, columns });
  assert.equal(error?.code, 'source/unreadable');
  assert.match(error.message, /it is a pipe, and Parquet is read from its end/);
  const resumeAt = { file: 'x.csv', part: 0, byte: 10, line: 2 };
  const again = join(folder, 'again.csv');
  execFileSync('mkfifo', [again]);
  await assert.rejects(read({ path: again, columns }, { resumeAt }), {
    code: 'source/unreadable',
    message: /is a pipe, which cannot be read a second time/,
  });
});
