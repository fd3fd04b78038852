/** Merged or not, and wherever a merge dies: every row is there once. */

import assert from 'node:assert/strict';
import {
  copyFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  statSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import type { SinkContext } from '../../engine/contract/connector.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { mergeFiles } from '../../quality/merge-files.ts';
import { CrashPoint } from '../testing/crash-points.ts';
import { columnBatch, query, readBack, type Row, sortRows } from '../testing/rows.ts';
import { runSink, type StoredCheckpoint } from '../testing/sink-runs.ts';
import { completeMerge, MERGE_LIMITS, type MergeTask, planMerges } from './compact-parts.ts';
import { openParquet, parquet } from './parquet-sink.ts';
import { PARQUET_LIMITS } from './parquet-sink-writer.ts';

const schema: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};
const context: SinkContext = { sink: 'rows', pipeline: 'test', schema };
const DAY_NS = 86_400_000_000_000n;

let folder: string;
let runs = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-compact-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function newConfig(more: Record<string, unknown> = {}): Record<string, unknown> {
  return {
    path: join(folder, String(++runs)),
    compression: 'zstd',
    row_group_rows: 122_880,
    if_exists: 'replace',
    partition_by: ['date'],
    ...more,
  };
}

const rowOf = (id: number): Row => [`S${id % 3}`, BigInt(id % 2) * DAY_NS + BigInt(100 - id), id];
const batches = [4, 6, 2, 8].map((size, i) =>
  Array.from({ length: size }, (_, k) => rowOf(10 * i + k)),
);

/** A run with a checkpoint behind each batch, and parts of few rows. */
async function write(config: Record<string, unknown>): Promise<StoredCheckpoint[]> {
  const stored: StoredCheckpoint[] = [];
  const limits = { ...PARQUET_LIMITS, bufferRows: 1 };
  const open = (opened: SinkContext) => openParquet(config as never, opened, limits);
  const checkpoints = new Set([0, 1, 2]);
  await runSink({ definition: parquet, config, context, batches, checkpoints, open }, stored);
  return stored;
}

async function merge(tasks: readonly MergeTask[]): Promise<void> {
  for (const { inputs, staged } of tasks) {
    await mergeFiles({
      inputs: inputs.map(({ path }) => path),
      output: staged,
      orderBy: ['symbol', 'event_time'],
      compression: 'zstd',
    });
  }
}

/** Rows of exactly these files. */
async function rowsOf(files: readonly string[]): Promise<Row[]> {
  if (files.length === 0) return [];
  const list = files.map((file) => `'${file}'`).join(', ');
  const rows = await query(
    `SELECT symbol, epoch_ns(event_time), price
     FROM read_parquet([${list}], hive_partitioning = false)`,
  );
  return sortRows(rows as Row[]);
}

function visible(config: Record<string, unknown>): readonly string[] {
  return parquet.dataset(config, context)!.files!();
}

function allFiles(config: Record<string, unknown>): string[] {
  return readdirSync(String(config['path']), { recursive: true, withFileTypes: true })
    .filter((entry) => entry.isFile())
    .map(({ parentPath, name }) => join(parentPath, name));
}

const target = (config: Record<string, unknown>) => config as { path: string };

const noCheckpoint = async (): Promise<undefined> => undefined;

test('small parts of a hive folder become one, sorted by key and time', async () => {
  const config = newConfig();
  await write(config);
  const tasks = await planMerges(target(config), context, noCheckpoint);
  assert.deepEqual(
    tasks.map((task) => [basename(task.folder), task.inputs.length]),
    [
      ['date=1970-01-01', 4],
      ['date=1970-01-02', 4],
    ],
  );
  await merge(tasks);
  for (const task of tasks) {
    const path = completeMerge(target(config), context, task)!;
    const found = await query(`SELECT symbol, epoch_ns(event_time) FROM '${path}'`);
    const sorted = [...found].sort(([a, s], [b, t]) =>
      a === b ? Number((s as bigint) - (t as bigint)) : String(a) < String(b) ? -1 : 1,
    );
    assert.deepEqual(found, sorted);
    const [[type]] = (await query(`SELECT typeof(event_time) FROM '${path}'`)) as [[string]];
    assert.equal(type, 'TIMESTAMP_NS');
  }
  assert.equal(allFiles(config).length, 2);
  const partitions = [] as const;
  const dataset = { ...parquet.dataset(config, context)!, partitions };
  assert.deepEqual(await readBack(dataset, schema), sortRows(batches.flat()));
  assert.deepEqual(await planMerges(target(config), context, noCheckpoint), []);
});

test('parts that a checkpoint may name, and large ones, are left alone', async () => {
  const config = newConfig({ partition_by: undefined });
  const stored = await write(config);
  const [task] = await planMerges(target(config), context, async () => 3);
  assert.deepEqual(
    task!.inputs.map(({ path }) => basename(path)),
    [1, 2].map((epoch) => `part-test.rows-0001-0000${epoch}-0001.parquet`),
  );
  const smallBytes = task!.inputs[0]!.bytes;
  const none = await planMerges(target(config), context, async () => 3, {
    ...MERGE_LIMITS,
    smallBytes,
  });
  assert.equal(none.length, 0);
  await merge([task!]);
  completeMerge(target(config), context, task!);
  // The run goes on from the oldest checkpoint there is, and commits it again.
  const open = (opened: SinkContext) => openParquet(config as never, opened);
  const run = { definition: parquet, config, context, batches, checkpoints: new Set<number>() };
  await runSink({ ...run, open }, stored.slice(0, 3));
  assert.deepEqual(await rowsOf(visible(config)), sortRows(batches.flat()));
  // A new run replaces what was merged as well.
  await runSink({ ...run, batches: batches.slice(0, 1), open }, []);
  assert.deepEqual(await rowsOf(visible(config)), sortRows(batches[0]!));
});

test('parts of a first checkpoint that is stored meanwhile are left alone', async () => {
  const config = newConfig({ partition_by: undefined });
  mkdirSync(String(config['path']), { recursive: true });
  let stored: StoredCheckpoint[] = [];
  const tasks = await planMerges(target(config), context, async () => {
    // Before a run's first checkpoint there is none; now all of them come, and their parts.
    stored = await write(config);
    return undefined;
  });
  assert.deepEqual(tasks, []);
  assert.equal(stored.length, batches.length);
});

test('a merge whose inputs a run has replaced comes to nothing', async () => {
  const config = newConfig();
  await write(config);
  const tasks = await planMerges(target(config), context, noCheckpoint);
  await merge(tasks);
  await write(config);
  for (const task of tasks) assert.equal(completeMerge(target(config), context, task), undefined);
  assert.deepEqual(await rowsOf(visible(config)), sortRows(batches.flat()));
  assert.ok(allFiles(config).every((path) => path.endsWith('.parquet')));
});

test('a merge may die at any step: views see each row once, a glob none twice', async () => {
  const expected = sortRows(batches.flat());
  for (let step = 1; ; step++) {
    const config = newConfig({ partition_by: undefined });
    const original = await write(config).then(() => allFiles(config));
    const [task] = await planMerges(target(config), context, noCheckpoint);
    // Merging takes DuckDB a while: what it makes is the same each time.
    const ready = join(folder, 'merged');
    if (existsSync(ready)) copyFileSync(ready, task!.staged);
    else {
      await merge([task!]);
      copyFileSync(task!.staged, ready);
    }
    const crash = new CrashPoint(step);
    const hasEnded = await crash.survives(async () => {
      completeMerge(target(config), context, task!);
    });
    const what = `died at step ${step}`;
    const seen = visible(config);
    const isMerged = seen.length === 1 && statSync(seen[0]!).size === statSync(ready).size;
    assert.ok(isMerged || String(seen) === String(original.toSorted()), `${what}: ${seen.join()}`);
    const plain = allFiles(config).filter((path) => path.endsWith('.parquet'));
    const isAny = plain.every((path) => original.includes(path));
    assert.ok(isAny || plain.length === 1, `${what}: ${plain.join()}`);
    // Whoever comes next finishes it: a run that goes on, or another merge.
    if (step % 2 === 0) await planMerges(target(config), context, noCheckpoint);
    else {
      const resume = { epoch: 4, carried: undefined };
      await (await parquet.open(config, { ...context, resume })).close();
      await planMerges(target(config), context, noCheckpoint);
    }
    assert.deepEqual(await rowsOf(visible(config)), expected, what);
    assert.deepEqual(allFiles(config).toSorted(), [...visible(config)], what);
    assert.equal(dirname(seen[0]!), config['path']);
    if (hasEnded) {
      assert.ok(step > 15, `only ${step} steps were tried`);
      return;
    }
  }
});

test('rows that are merged in the middle of a run stay with it', async () => {
  const config = newConfig({ if_exists: 'append' });
  await write(config);
  const writer = await parquet.open(config, context);
  await writer.write(columnBatch(schema, [rowOf(999)]));
  const tasks = await planMerges(target(config), context, noCheckpoint);
  await merge(tasks);
  for (const task of tasks) completeMerge(target(config), context, task);
  await parquet.commit(config, (await writer.prepareCommit(1, true)).committables, context);
  await writer.close();
  assert.deepEqual(await rowsOf(visible(config)), sortRows([...batches.flat(), rowOf(999)]));
});
