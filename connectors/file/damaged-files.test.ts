/** Every row before the damage is given, then an error that names the place. */

import assert from 'node:assert/strict';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test, { before } from 'node:test';
import { constants, gunzipSync, gzipSync } from 'node:zlib';
import { DuckDBInstance } from '@duckdb/node-api';
import { tableFromArrays, tableFromIPC, tableToIPC } from 'apache-arrow';
import type { EngineError } from '../../engine/contract/error.ts';
import { read, type ReadResult, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const columns = { symbol: 'symbol', event_time: 'ts', price: 'price' };
const ROWS = 40_000;

/** Prices that do not compress to nothing, so that damage can strike anywhere. */
const price = (row: number): number => ((row * 2_654_435_761) % 1_000_003) / 100;
const lines = Array.from(
  { length: ROWS },
  (_, row) => `S${row % 7},${1381152600 + row},${price(row)}\n`,
);
const text = `symbol,ts,price\n${lines.join('')}`;

function put(name: string, content: Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

/** Rows that are whole in the text. */
function wholeRows(part: string): number {
  return Math.max(0, part.split('\n').length - 2);
}

function assertPrefix({ rows }: ReadResult, name: string): void {
  for (const [row, values] of rows.entries()) {
    assert.deepEqual(values[2], price(row), `${name}: row ${row}`);
  }
}

function assertError(result: ReadResult, code: string, path: string): EngineError {
  assert.ok(result.error, `${path}: no error after ${result.rows.length} rows`);
  assert.equal(result.error.code, code, result.error.message);
  assert.ok(result.error.message.includes(path), result.error.message);
  return result.error;
}

function decompressible(bytes: Uint8Array): string {
  return gunzipSync(bytes, { finishFlush: constants.Z_SYNC_FLUSH }).toString();
}

test('gzip that ends too early', async () => {
  const whole = gzipSync(text);
  for (const share of [0.001, 0.3, 0.77, 0.999, 0.99999]) {
    const part = whole.subarray(0, Math.floor(whole.length * share));
    const path = put('short.csv.gz', part);
    const expected = wholeRows(decompressible(part));
    for (const batchRows of [1000, 65_536]) {
      const result = await read({ path, columns }, { batchRows });
      const error = assertError(result, 'source/truncated', path);
      assert.equal(result.rows.length, expected, `${share}`);
      assertPrefix(result, 'short.csv.gz');
      assert.match(error.message, new RegExp(`at byte ${part.length}\\b`));
      if (expected > 0) assert.match(error.message, new RegExp(`in line ${expected + 2}$`));
    }
  }
});

test('gzip with a byte changed: rows of everything before that byte', async () => {
  const whole = gzipSync(text);
  for (const at of [
    20,
    5000,
    Math.floor(whole.length / 2),
    whole.length - 5000,
    whole.length - 6,
  ]) {
    const bytes = Buffer.from(whole);
    bytes[at]! ^= 0x55;
    const path = put('changed.csv.gz', bytes);
    const before = wholeRows(decompressible(whole.subarray(0, at)));
    const result = await read({ path, columns });
    const error = assertError(result, 'source/corrupt', path);
    // What the decompressor makes of the bad byte before it notices may be rows, or rejects.
    assert.ok(result.rows.length >= before, `${at}: ${result.rows.length} rows of ${before}`);
    assertPrefix({ ...result, rows: result.rows.slice(0, before) }, 'changed.csv.gz');
    const place = Number(/at byte (\d+)/.exec(error.message)![1]);
    assert.ok(place >= at, `found at ${place}, changed at ${at}`);
  }
});

test('gzip whose checksum is wrong says that its rows were processed', async () => {
  const bytes = gzipSync(text);
  bytes[bytes.length - 6]! ^= 0x55;
  const path = put('checksum.csv.gz', bytes);
  const result = await read({ path, columns });
  const error = assertError(result, 'source/corrupt', path);
  assert.match(error.message, /incorrect data check; its rows were processed, and some of them/);
  assert.equal(result.rows.length, ROWS);
});

test('gzip of several members, and the second of them too short', async () => {
  const half = ROWS / 2;
  const first = gzipSync(`symbol,ts,price\n${lines.slice(0, half).join('')}`);
  const second = gzipSync(lines.slice(half).join(''));
  const path = put('members.csv.gz', Buffer.concat([first, gzipSync(''), second]));
  const result = await read({ path, columns });
  assert.equal(result.error, undefined);
  assert.equal(result.rows.length, ROWS);
  assertPrefix(result, 'members');
  const cut = put('members-short.csv.gz', Buffer.concat([first, second.subarray(0, 5)]));
  const short = await read({ path: cut, columns });
  assertError(short, 'source/truncated', cut);
  assert.equal(short.rows.length, half);
});

test('a name that promises compression, and bytes that do not keep it', async () => {
  const path = put('plain.csv.gz', Buffer.from(text));
  assertError(await read({ path, columns }), 'source/corrupt', path);
  const silent = put('zipped.csv', gzipSync(text));
  assert.equal((await read({ path: silent, columns })).rows.length, ROWS);
});

/** A zstd file of raw blocks with a frame a part, and no checksum. */
function storedZstd(parts: readonly string[]): Buffer {
  const frames = parts.map((part) => {
    const bytes = Buffer.from(part);
    const blocks: Buffer[] = [Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 0, 0x38])];
    for (let at = 0; at < Math.max(1, bytes.length); at += 100_000) {
      const block = bytes.subarray(at, at + 100_000);
      const header = Buffer.alloc(3);
      header.writeUIntLE((block.length << 3) | (at + 100_000 >= bytes.length ? 1 : 0), 0, 3);
      blocks.push(header, block);
    }
    return Buffer.concat(blocks);
  });
  const skippable = Buffer.from([0x53, 0x2a, 0x4d, 0x18, 3, 0, 0, 0, 1, 2, 3]);
  return Buffer.concat([skippable, ...frames.flatMap((frame) => [frame, skippable])]);
}

let zstd: Buffer;
let parquet: Buffer;

before(async () => {
  const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
  const connection = await instance.connect();
  const csv = put('whole.csv', Buffer.from(text));
  const rows = `(select symbol, ts, price from read_csv('${csv}'))`;
  const zst = join(folder, 'duck.csv.zst');
  await connection.run(`copy ${rows} to '${zst}' (format csv, compression zstd)`);
  zstd = readFileSync(zst);
  const path = join(folder, 'duck.parquet');
  await connection.run(`copy ${rows} to '${path}' (format parquet, row_group_size 8192)`);
  parquet = readFileSync(path);
  connection.closeSync();
});

test('zstd: frames one after another, skippable ones between them', async () => {
  const half = ROWS / 2;
  const path = put(
    'frames.csv.zst',
    storedZstd([
      `symbol,ts,price\n${lines.slice(0, half).join('')}`,
      '',
      lines.slice(half).join(''),
    ]),
  );
  const result = await read({ path, columns });
  assert.equal(result.error, undefined);
  assert.equal(result.rows.length, ROWS);
  assertPrefix(result, 'frames');
  const headless = zstd.subarray(0);
  const twice = put('twice.csv.zst', Buffer.concat([headless, headless]));
  const again = await read({ path: twice, columns });
  assert.equal(again.rows.length, 2 * ROWS);
  assert.deepEqual(
    again.rejected.map(({ raw }) => raw),
    ['symbol,ts,price'],
  );
});

test('zstd that ends too early, or has a byte changed', async () => {
  const sound = await read({ path: put('sound.csv.zst', zstd), columns });
  assert.equal(sound.rows.length, ROWS);
  for (const share of [0.1, 0.6, 0.9999]) {
    const part = zstd.subarray(0, Math.floor(zstd.length * share));
    const path = put('short.csv.zst', part);
    const result = await read({ path, columns });
    const error = assertError(result, 'source/truncated', path);
    assert.match(error.message, new RegExp(`at byte ${part.length}\\b`));
    assertPrefix(result, 'short.csv.zst');
  }
  const stored = storedZstd([text]);
  const cut = put('stored.csv.zst', stored.subarray(0, 250_000));
  const blocks = await read({ path: cut, columns });
  assertError(blocks, 'source/truncated', cut);
  assert.equal(blocks.rows.length, wholeRows(text.slice(0, 200_000)));
  const bytes = Buffer.from(stored);
  bytes[11 + 6 + 100_003 + 100_003]! |= 6;
  const path = put('block.csv.zst', bytes);
  const result = await read({ path, columns });
  const error = assertError(result, 'source/corrupt', path);
  assert.equal(result.rows.length, wholeRows(text.slice(0, 200_000)));
  assert.match(error.message, new RegExp(`at byte ${11 + 6 + 200_006}\\b`));
});

test('zstd whose checksum does not match its data', async () => {
  // XXH64 of the sentence ends in 1fda71bc.
  const sentence = 'The quick brown fox jumps over the lazy dog';
  const block = Buffer.concat([
    Buffer.from([(sentence.length << 3) | 1, 1, 0]),
    Buffer.from(sentence),
  ]);
  const frame = (data: Buffer): Buffer =>
    Buffer.concat([
      Buffer.from([0x28, 0xb5, 0x2f, 0xfd, 4, 0x38]),
      data,
      Buffer.from([0xbc, 0x71, 0xda, 0x1f]),
    ]);
  const options = { header: false, columns: { symbol: 1, event_time: 1 } };
  const sound = put('checked.csv.zst', frame(block));
  assert.equal((await read({ ...options, path: sound })).error, undefined);
  const changed = Buffer.from(block);
  changed[20]! ^= 1;
  const path = put('changed.csv.zst', frame(changed));
  const error = assertError(await read({ ...options, path }), 'source/corrupt', path);
  assert.match(error.message, /at byte 0 \(the checksum of the frame/);
});

test('Parquet without its footer has no row that could be found', async () => {
  const path = put('short.parquet', parquet.subarray(0, parquet.length - 100));
  const result = await read({ path, columns });
  assertError(result, 'source/truncated', path);
  assert.equal(result.rows.length, 0);
  const text = put('text.parquet', Buffer.from('symbol,ts,price\n'));
  assertError(await read({ path: text, columns }), 'source/format', text);
});

test('Parquet with damage in a row group: the row groups before it', async () => {
  const sound = await read({ path: put('sound.parquet', parquet), columns });
  assert.equal(sound.rows.length, ROWS);
  assertPrefix(sound, 'sound.parquet');
  const bytes = Buffer.from(parquet);
  const middle = Math.floor(parquet.length * 0.55);
  bytes.fill(0xff, middle, middle + 3000);
  const path = put('changed.parquet', bytes);
  const result = await read({ path, columns });
  const error = assertError(result, 'source/corrupt', path);
  assert.match(error.message, /row group 2 is damaged, between bytes \d+ and \d+/);
  assert.ok(result.rows.length >= 2 * 8192 && result.rows.length < 3 * 8192);
  assertPrefix(result, 'changed.parquet');
});

test('damage in the second file comes after the rows of the first', async () => {
  put('two-1.parquet', parquet);
  put('two-2.parquet', parquet.subarray(0, 5000));
  const result = await read({ path: join(folder, 'two-*.parquet'), columns });
  assert.equal(result.error?.code, 'source/truncated');
  assert.equal(result.rows.length, ROWS);
});

/** A stream; a file as the format wants it, but for its index; a file of arrow-js, schema last. */
function arrowBytes(kind: 'stream' | 'file' | 'arrow-js file'): Buffer {
  const batches = Array.from({ length: 40 }, (_, batch) => {
    const row = (index: number): number => batch * 1000 + index;
    return tableToIPC(
      tableFromArrays({
        symbol: Int32Array.from({ length: 1000 }, (_, i) => row(i) % 7),
        ts: BigInt64Array.from({ length: 1000 }, (_, i) => BigInt(1381152600 + row(i))),
        price: Float64Array.from({ length: 1000 }, (_, i) => price(row(i))),
      }),
      'stream',
    );
  });
  const stream = joinStreams(batches);
  if (kind === 'stream') return Buffer.from(stream);
  if (kind === 'file') return Buffer.concat([Buffer.from('ARROW1\0\0'), stream]);
  return Buffer.from(tableToIPC(tableFromIPC(stream), 'file'));
}

/** One stream of the record batches of several that have the same schema. */
function joinStreams(streams: readonly Uint8Array[]): Uint8Array {
  const tables = streams.map((stream) => tableFromIPC(stream));
  return tableToIPC(tables[0]!.concat(...tables.slice(1)), 'stream');
}

test('damage that makes the Parquet decoder trap has a cause in words', async () => {
  const traps: string[] = [];
  for (let at = 8; at < parquet.length; at += 977) {
    const bytes = Buffer.from(parquet);
    bytes.fill(0xff, at, at + 9);
    const { error } = await read({ path: put('trap.parquet', bytes), columns });
    if (error === undefined) continue;
    assert.doesNotMatch(error.message, /unreachable/);
    if (error.message.includes('which gave up')) traps.push(error.message);
  }
  assert.notEqual(traps.length, 0);
});

test('Arrow that ends too early: the record batches before the end', async () => {
  for (const kind of ['stream', 'file'] as const) {
    const whole = arrowBytes(kind);
    const sound = await read({ path: put(`sound-${kind}.arrow`, whole), columns });
    assert.equal(sound.error, undefined);
    assert.equal(sound.rows.length, ROWS);
    assertPrefix(sound, kind);
    for (const share of [0.0002, 0.4, 0.9]) {
      const path = put(`short-${kind}.arrow`, whole.subarray(0, Math.floor(whole.length * share)));
      const result = await read({ path, columns });
      const error = assertError(result, 'source/truncated', path);
      assert.equal(result.rows.length % 1000, 0);
      assert.ok(Math.abs(result.rows.length - ROWS * share) < 1500, `${result.rows.length}`);
      assertPrefix(result, `short ${kind}`);
      assert.match(error.message, /at byte \d+/);
    }
  }
  const whole = arrowBytes('arrow-js file');
  const sound = await read({ path: put('sound-js.arrow', whole), columns });
  assert.equal(sound.error, undefined);
  assert.equal(sound.rows.length, ROWS);
  const path = put('short-js.arrow', whole.subarray(0, -20));
  assertError(await read({ path, columns }), 'source/truncated', path);
});

test('Arrow with a damaged message, and Arrow within gzip that ends too early', async () => {
  const whole = arrowBytes('stream');
  const bytes = Buffer.from(whole);
  const third = bytes.indexOf(Buffer.from([0xff, 0xff, 0xff, 0xff]), Math.floor(whole.length / 2));
  bytes.fill(0xee, third + 4, third + 40);
  const path = put('changed.arrow', bytes);
  const result = await read({ path, columns });
  const error = assertError(result, 'source/corrupt', path);
  assert.match(error.message, new RegExp(`at byte ${third}\\b`));
  assert.ok(result.rows.length > ROWS / 2 - 1500);
  assertPrefix(result, 'changed.arrow');
  const zipped = gzipSync(whole);
  const cut = put('short.arrow.gz', zipped.subarray(0, Math.floor(zipped.length / 2)));
  const short = await read({ path: cut, columns });
  assertError(short, 'source/truncated', cut);
  assert.ok(short.rows.length > 0 && short.rows.length < ROWS);
  assertPrefix(short, 'short.arrow.gz');
  const csv = put('text.arrow', Buffer.from(text));
  assertError(await read({ path: csv, columns }), 'source/format', csv);
});
