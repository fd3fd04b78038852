import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import type { ReaderContext, SourceBatch, SplitReader } from '../../engine/contract/connector.ts';
import { z } from '../../engine/contract/fields.ts';
import type { Problem } from '../../engine/contract/problem.ts';
import { fields, generator, type GeneratorConfig, marketConfig } from './generator-source.ts';
import { GeneratorReader } from './generator-reader.ts';
import { plantedAnomalies } from './planting.ts';

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-generator-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function config(more: Record<string, unknown> = {}): GeneratorConfig {
  return z
    .strictObject(fields)
    .parse({ symbols: 5, duration: '1h', trades: 10_000, anomalies: 6, ...more });
}

async function context(settings: GeneratorConfig, more: Partial<ReaderContext> = {}) {
  const schema = generator.plan(settings, 'symbol', ({ message }) => assert.fail(message));
  const [split] = await generator.splits(settings, { source: 'trades' });
  return { source: 'trades', schema, split: split!, lane: 0, lanes: 1, batchRows: 1000, ...more };
}

async function readAll(reader: SplitReader): Promise<SourceBatch[]> {
  const batches: SourceBatch[] = [];
  for (;;) {
    const batch = await reader.poll();
    if (batch === 'end') return batches;
    if (batch !== 'idle') batches.push(batch);
  }
}

/** Sequence numbers in the order of arrival. */
function sequencesOf(batches: readonly SourceBatch[]): bigint[] {
  return batches.flatMap(({ columns }) => [...(columns[5] as { values: BigInt64Array }).values]);
}

test('a reader gives every row once, in batches of the schema, then the end for ever', async () => {
  const settings = config();
  const reading = await context(settings);
  const reader = await generator.open(settings, reading);
  const batches = await readAll(reader);
  assert.equal(await reader.poll(), 'end');
  assert.equal(sequencesOf(batches).length, 10_000);
  for (const batch of batches) {
    assert.deepEqual(
      batch.columns.map(({ type }) => type),
      reading.schema.columns.map(({ type }) => type),
    );
    for (const column of batch.columns) {
      const values = column.type === 'string' ? column.codes : column.values;
      assert.equal(values.length, batch.rowCount);
      if (column.type === 'string') {
        assert(column.codes.every((code) => typeof column.dictionary[code] === 'string'));
      }
    }
  }
  assert.equal(batches.at(-1)!.bytesRead, reading.split.totalBytes);
  assert.deepEqual(reader.position(), { rows: 10_000 });
  await reader.close();
});

test('a reader goes on after any position', async () => {
  const settings = config();
  const all = sequencesOf(await readAll(await generator.open(settings, await context(settings))));
  for (const rows of [0, 1, 999, 1000, 5432, 10_000]) {
    const resumed = await context(settings, { resumeAt: { rows }, batchRows: 777 });
    const rest = sequencesOf(await readAll(await generator.open(settings, resumed)));
    assert.deepEqual(rest, all.slice(rows), `from ${rows}`);
  }
});

test('a paced reader gives what is due at a multiple of real time, and else waits', async () => {
  const settings = config({ duration: '10m', trades: 6000, out_of_order: 0, late: 0 });
  let nowMs = 5000;
  const sleeps: number[] = [];
  const reader = GeneratorReader.open(marketConfig(settings), await context(settings), {
    speed: 60,
    labels: undefined,
    nowMs: () => nowMs,
    sleep: (milliseconds) => {
      sleeps.push(milliseconds);
      nowMs += milliseconds;
      return Promise.resolve();
    },
  });
  let rows = 0;
  for (;;) {
    const batch = await reader.poll();
    if (batch === 'end') break;
    if (batch === 'idle') continue;
    rows += batch.rowCount;
    const times = (batch.columns[0] as { values: BigInt64Array }).values;
    const marketMs = Number(times.at(-1)! - marketConfig(settings).start) / 1e6;
    assert(marketMs <= (nowMs - 5000) * 60 + 1000, `${marketMs} ms of the market at ${nowMs}`);
  }
  assert.equal(rows, 6000);
  assert(Math.abs(nowMs - 5000 - 10_000) < 200, 'ten minutes in ten seconds');
  assert(sleeps.every((milliseconds) => milliseconds > 0 && milliseconds <= 100));
});

test('labels are written whole when the reader opens', async () => {
  const path = join(folder, 'new', 'labels.csv');
  const settings = config({ labels: path, duration: '4h' });
  await generator.open(settings, await context(settings));
  const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
  assert.equal(lines[0], 'symbol,type,start,end,note');
  const planted = plantedAnomalies(marketConfig(settings));
  assert.equal(planted.length, 6);
  assert.equal(lines.length, 7);
  assert.match(lines[1]!, /^[A-Z]{4},[a-z_]+,2026-03-02T\d\d:\d\d:\d\dZ,2026-03-02T[\d:]+Z,[^,]+$/);
  assert.deepEqual(readdirSync(join(folder, 'new')), ['labels.csv']);
});

test('labels that cannot be written are an error with path and cause', async () => {
  writeFileSync(join(folder, 'file'), '');
  const settings = config({ labels: join(folder, 'file', 'labels.csv') });
  await assert.rejects(generator.open(settings, await context(settings)), {
    code: 'sink/unwritable',
    message: /source "trades": cannot write labels to .*labels\.csv: .*(?:ENOTDIR|EEXIST)/,
  });
  assert(!existsSync(join(folder, 'file', 'labels.csv')));
});

test('anomalies are a total or numbers by kind', () => {
  assert.deepEqual(marketConfig(config({ anomalies: 8 })).anomalies, {
    bad_print: 2,
    gap: 2,
    price_spike: 1,
    stuck_price: 1,
    volatility_burst: 1,
    volume_surge: 1,
  });
  assert.deepEqual(marketConfig(config({ anomalies: { gap: 3 } })).anomalies, {
    bad_print: 0,
    gap: 3,
    price_spike: 0,
    stuck_price: 0,
    volatility_burst: 0,
    volume_surge: 0,
  });
});

const badCases: readonly [Record<string, unknown>, string][] = [
  [{ start: 'noon' }, 'expected a time such as 2026-03-02T14:30:00Z'],
  [{ speed: 'fast' }, 'expected max or a multiple such as 10x'],
  [{ late: 0.5 }, 'expected a share from 0 to 0.1'],
  [{ anomalies: 'many' }, 'expected a number, or numbers by kind such as { gap: 3 }'],
  [{ anomalies: { spike: 1 } }, 'Unrecognized key: "spike"'],
];
for (const [more, message] of badCases) {
  test(`${JSON.stringify(more)} is refused: ${message}`, () => {
    const { error } = z.strictObject(fields).safeParse(more);
    assert.deepEqual(
      error?.issues.map((issue) => issue.message),
      [message],
    );
  });
}

test('constraints: whole seconds, at most a day, late after out of order', () => {
  const violations = (more: Record<string, unknown>): string[] =>
    generator.constraints.flatMap(({ at, violated }) => {
      const message = violated(config(more));
      return message === undefined ? [] : [`${at.join('.')} ${message}`];
    });
  assert.deepEqual(violations({}), []);
  assert.deepEqual(violations({ duration: '1500ms' }), ['duration must be whole seconds']);
  assert.deepEqual(violations({ duration: '25h' }), ['duration must not exceed 1d']);
  assert.deepEqual(violations({ late_delay: '1ms' }), ['late_delay must not be below max_delay']);
});

test('the key is a text column', () => {
  const problems: Problem[] = [];
  const report = (problem: Problem): number => problems.push(problem);
  assert.equal(generator.plan(config(), 'venue', report).key, 'venue');
  assert.deepEqual(problems, []);
  generator.plan(config(), 'price', report);
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['config/unknown-column'],
  );
});
