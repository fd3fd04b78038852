/** Whatever is written, checkpointed, crashed and restarted: every row is there once. */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { SinkContext } from '../../engine/contract/connector.ts';
import { z } from '../../engine/contract/fields.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { CrashPoint } from '../testing/crash-points.ts';
import { columnBatch, query, readBack, type Row, sortRows } from '../testing/rows.ts';
import {
  crashEverywhere,
  runSink,
  type SinkRun,
  type StoredCheckpoint,
} from '../testing/sink-runs.ts';
import { openParquet, parquet } from './parquet-sink.ts';
import { PARQUET_LIMITS, type ParquetLimits } from './parquet-sink-writer.ts';

const schema: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
    { name: 'note', type: 'string' },
  ],
  time: 'event_time',
  key: 'symbol',
};
const context: SinkContext = { sink: 'rows', pipeline: 'test', schema };
const object = z.strictObject(parquet.fields);
const DAY_NS = 86_400_000_000_000n;

let folder: string;
let runs = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-restart-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function config(more: Record<string, unknown> = {}): Record<string, unknown> {
  return object.parse({ path: join(folder, String(++runs)), ...more });
}

function files(path: unknown): string[] {
  return readdirSync(String(path), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name).slice(String(path).length + 1))
    .sort();
}

/** Rows that differ from all others; some of them with nulls. */
function rowOf(id: number): Row {
  const time = BigInt(id % 3) * DAY_NS + BigInt(id);
  return [`S${id % 4}`, time, id % 5 === 0 ? null : id / 8, id % 7 === 0 ? null : `row ${id}`];
}

function cut(sizes: readonly number[]): Row[][] {
  let id = 0;
  return sizes.map((size) => Array.from({ length: size }, () => rowOf(++id)));
}

function assertOnlyParts(path: unknown, message?: string): string[] {
  const found = files(path);
  const others = found.filter((name) => !name.endsWith('.parquet'));
  assert.deepEqual(others, [], message);
  return found;
}

async function assertRows(
  settings: Record<string, unknown>,
  expected: readonly Row[],
  message?: string,
): Promise<void> {
  const found = assertOnlyParts(settings['path'], message);
  const dataset = parquet.dataset(settings, context)!;
  const partitions = dataset.partitions.filter(({ type }) => type !== 'date');
  const rows = found.length === 0 ? [] : await readBack({ ...dataset, partitions }, schema);
  assert.deepEqual(rows, sortRows(expected), message);
}

/** Dies at each step in a folder of its own, and looks at all of them by one query. */
async function assertSurvivesEverywhere(
  prepare: (settings: Record<string, unknown>) => Promise<SinkRun>,
): Promise<number> {
  const root = join(folder, String(++runs));
  const rows: Row[][] = [];
  const steps = await crashEverywhere(
    (step) => prepare(object.parse({ path: join(root, String(step)), partition_by: ['date'] })),
    (run, step) => {
      assertOnlyParts(run.config['path'], `died at step ${step}`);
      rows[step] = run.batches.flat();
    },
  );
  const found = (await query(
    `SELECT filename, symbol, epoch_ns(event_time), price, note
     FROM read_parquet('${root}/**/*.parquet', filename = true, hive_partitioning = false)`,
  )) as [string, ...Row][];
  const byStep = new Map<number, Row[]>();
  for (const [path, ...cells] of found) {
    const step = Number(path.slice(root.length + 1).split('/')[0]);
    byStep.set(step, [...(byStep.get(step) ?? []), cells as unknown as Row]);
  }
  for (const [step, expected] of rows.entries()) {
    if (expected === undefined) continue;
    const own = byStep.get(step) ?? [];
    assert.deepEqual(sortRows(own), sortRows(expected), `died at step ${step}`);
  }
  return steps;
}

const SMALL: ParquetLimits = {
  bufferRows: 4,
  chunkRows: 3,
  bufferBytesMax: 1_000_000,
  openFilesMax: 2,
  carriedBytesMax: 1_000_000,
};

function smallRun(
  sizes: readonly number[],
  checkpoints: readonly number[],
  settings = config({ partition_by: ['date'] }),
): SinkRun {
  return {
    definition: parquet,
    config: settings,
    context,
    batches: cut(sizes),
    checkpoints: new Set(checkpoints),
    open: (opened) => openParquet(settings as never, opened, SMALL),
  };
}

test('a process may die at any step: what is left is whole, and nothing is doubled', async () => {
  const steps = await assertSurvivesEverywhere(async (settings) =>
    smallRun([5, 9, 6], [0, 1], settings),
  );
  assert.ok(steps > 60, `only ${steps} steps were tried`);
});

test('a process that replaces older output may die at any step', async () => {
  await assertSurvivesEverywhere(async (settings) => {
    await runSink(smallRun([8, 9], [0], settings), []);
    return { ...smallRun([3, 4], [0], settings), unstored: new Set([1]) };
  });
});

const limits: fc.Arbitrary<ParquetLimits> = fc.record({
  bufferRows: fc.integer({ min: 1, max: 30 }),
  chunkRows: fc.integer({ min: 1, max: 30 }),
  bufferBytesMax: fc.integer({ min: 0, max: 40_000 }),
  openFilesMax: fc.integer({ min: 1, max: 3 }),
  carriedBytesMax: fc.oneof(fc.constant(1_000_000), fc.integer({ min: 0, max: 2000 })),
});

test('any writes, checkpoints, crashes and restarts give exactly the rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 40 }), { minLength: 1, maxLength: 12, size: 'max' }),
      fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 8, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 90 }), { maxLength: 4, size: 'max' }),
      fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 2 }),
      fc.constantFrom<string[][]>([], ['date'], ['symbol', 'date']),
      fc.constantFrom('1ms', '10m'),
      limits,
      async (sizes, checkpoints, crashes, unstored, partitionBy, age, small) => {
        const settings = config({
          ...(partitionBy.length === 0 ? {} : { partition_by: partitionBy }),
          roll: { rows: 50, age },
        });
        const run: SinkRun = {
          definition: parquet,
          config: settings,
          context,
          batches: cut(sizes),
          checkpoints: new Set(checkpoints),
          unstored: new Set(unstored),
          open: (opened) => openParquet(settings as never, opened, small),
        };
        const stored: StoredCheckpoint[] = [];
        for (const step of crashes) {
          const crash = new CrashPoint(step);
          await crash.survives(() => runSink(run, stored, crash));
        }
        await runSink(run, stored);
        await assertRows(settings, run.batches.flat());
      },
    ),
    { numRuns: 40 },
  );
});

test('a run that goes on from an older checkpoint takes back what came after it', async () => {
  const run = smallRun([6, 7, 8, 9, 10], [0, 1, 2, 3]);
  const stored: StoredCheckpoint[] = [];
  await runSink(run, stored);
  for (const epoch of [3, 1]) {
    await runSink(run, stored.slice(0, epoch));
    await assertRows(run.config, run.batches.flat(), `from checkpoint ${epoch}`);
  }
});

test('a run that goes on keeps the parts of earlier runs where it appends', async () => {
  const settings = config({ if_exists: 'append' });
  const run: SinkRun = {
    definition: parquet,
    config: settings,
    context,
    batches: cut([6, 7, 8]),
    checkpoints: new Set([0, 1]),
    open: (opened) => openParquet(settings as never, opened, SMALL),
  };
  await runSink(run, []);
  const stored: StoredCheckpoint[] = [];
  await runSink({ ...run, batches: [[], ...cut([5])] }, stored);
  await runSink({ ...run, batches: [[], ...cut([5])] }, stored.slice(0, 1));
  await assertRows(settings, [...run.batches.flat(), ...cut([5]).flat()]);
});

test('few rows wait in checkpoints until they are old, and no longer', async () => {
  const settings = config({ roll: { age: '10s' } });
  let nowMs = 1_000_000;
  const open = (resume?: SinkContext['resume']) =>
    openParquet(settings as never, { ...context, resume }, PARQUET_LIMITS, () => nowMs);
  const writer = await open();
  await writer.write(columnBatch(schema, [rowOf(1)]));
  nowMs += 9999;
  await writer.write(columnBatch(schema, [rowOf(2)]));
  const young = await writer.prepareCommit(1, false);
  assert.deepEqual(
    young.committables.map(({ kind }) => kind),
    ['replace'],
  );
  // The age of rows survives a restart.
  const restarted = await open({ epoch: 1, carried: young.carried });
  nowMs += 1;
  const old = await restarted.prepareCommit(2, false);
  assert.equal(old.carried, undefined);
  await parquet.commit(settings, old.committables, context);
  await restarted.close();
  await assertRows(settings, [rowOf(1), rowOf(2)]);
  await writer.close();
});

test('rows from before the clock was set back do not wait until it is there again', async () => {
  const settings = config({ roll: { age: '10s' } });
  let nowMs = 1_000_000;
  const writer = await openParquet(settings as never, context, PARQUET_LIMITS, () => nowMs);
  await writer.write(columnBatch(schema, [rowOf(1)]));
  nowMs -= 3_600_000;
  const { committables, carried } = await writer.prepareCommit(1, false);
  assert.equal(carried, undefined);
  await parquet.commit(settings, committables, context);
  await assertRows(settings, [rowOf(1)]);
  await writer.close();
});

test('a checkpoint hands out files that have a row group, and carries the rest', async () => {
  const run = smallRun([9], [0]);
  const stored: StoredCheckpoint[] = [];
  await runSink({ ...run, batches: cut([20]) }, stored);
  const [first] = stored;
  // Days of 7, 7 and 6 rows, in row groups of 4.
  assert.deepEqual(
    first!.committables.map(({ kind, rows }) => [kind, rows]),
    [
      ['part', 4],
      ['part', 4],
      ['part', 4],
      ['replace', undefined],
    ],
  );
  assert.ok(first!.carried !== undefined && first!.carried.length < 2000);
});

test('rows of other columns than the sink has are refused', async () => {
  const run = smallRun([3], [0]);
  const stored: StoredCheckpoint[] = [];
  await runSink(run, stored);
  const narrow: SinkContext = {
    ...context,
    schema: { ...schema, columns: schema.columns.slice(1) },
  };
  const { epoch, carried } = stored[0]!;
  await assert.rejects(parquet.open(run.config, { ...narrow, resume: { epoch, carried } }), {
    code: 'checkpoint/incompatible',
    message: /symbol string, event_time timestamp.*expected .*event_time timestamp/,
  });
});

for (const earlier of [0, 1]) {
  test(`a run without checkpoints in between is told, ${earlier} runs earlier`, async () => {
    const run = smallRun([9], [0]);
    const write = async (open: Partial<SinkContext>, epoch: number): Promise<void> => {
      const writer = await parquet.open(run.config, { ...context, ...open });
      await writer.write(columnBatch(schema, [rowOf(1), rowOf(2)]));
      const { committables } = await writer.prepareCommit(epoch, true);
      await parquet.commit(run.config, committables, context);
      await writer.close();
    };
    for (let i = 0; i < earlier; i++) await write({}, 0);
    const stored: StoredCheckpoint[] = [];
    await runSink(run, stored);
    const { epoch, carried, committables } = stored[0]!;
    await write({}, 0);
    await parquet.commit(run.config, committables, context);
    await assert.rejects(parquet.open(run.config, { ...context, resume: { epoch, carried } }), {
      code: 'checkpoint/incompatible',
      message: /a run without checkpoints has written .*\.parquet since; start anew/,
    });
  });
}
