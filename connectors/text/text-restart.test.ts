/** Whatever is written, checkpointed, crashed and restarted: the file holds every row once. */

import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { basename, dirname, join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { SinkContext } from '../../engine/contract/connector.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { CrashPoint } from '../testing/crash-points.ts';
import type { Row } from '../testing/rows.ts';
import {
  crashEverywhere,
  runSink,
  type SinkRun,
  type StoredCheckpoint,
} from '../testing/sink-runs.ts';
import { csv } from './text-sinks.ts';

const schema: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'id', type: 'int64' },
  ],
  time: '',
  key: 'symbol',
};
const context: SinkContext = { sink: 'rows', pipeline: 'test', schema };
const HEADER = 'symbol,id\n';
const OLDER = `${HEADER}OLD,1\n`;

let folder: string;
let runs = 0;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-text-restart-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

function cut(sizes: readonly number[]): Row[][] {
  let id = 0;
  return sizes.map((size) => Array.from({ length: size }, (): Row => ['S', BigInt(++id)]));
}

function newRun(
  sizes: readonly number[],
  checkpoints: readonly number[],
  ifExists: string,
  older: string | undefined,
): SinkRun {
  const path = join(folder, `${++runs}.csv`);
  if (older !== undefined) writeFileSync(path, older);
  return {
    definition: csv,
    config: { path, if_exists: ifExists },
    context,
    batches: cut(sizes),
    checkpoints: new Set(checkpoints),
  };
}

function assertFile({ config, batches }: SinkRun, older: string | undefined, what?: string): void {
  const path = String(config['path']);
  const lines = batches.flat().map(([symbol, id]) => `${symbol},${id}\n`);
  const kept = config['if_exists'] === 'append' ? (older ?? '') : '';
  const start = kept === '' && lines.length > 0 ? HEADER : kept;
  const found = existsSync(path) ? readFileSync(path, 'utf8') : '';
  assert.equal(found, start + lines.join(''), what);
  const names = readdirSync(dirname(path)).filter((name) => name.startsWith(basename(path)));
  assert.deepEqual(names, existsSync(path) ? [basename(path)] : [], what);
}

for (const [ifExists, older] of [
  ['replace', undefined],
  ['replace', OLDER],
  ['append', OLDER],
  ['append', undefined],
] as const) {
  const title = `${ifExists}, ${older === undefined ? 'no file' : 'a file'} there before`;
  test(`a process may die at any step: ${title}`, async () => {
    const steps = await crashEverywhere(
      async () => ({
        ...newRun([2, 0, 3, 1], [0, 1, 2], ifExists, older),
        unstored: new Set([2]),
      }),
      (run, step) => assertFile(run, older, `died at step ${step}`),
    );
    assert.ok(steps > 20, `only ${steps} steps were tried`);
  });

  test(`a run that goes on from an older checkpoint takes back the rest: ${title}`, async () => {
    for (const sizes of [
      [2, 3, 4, 5],
      [0, 0, 4, 5],
    ]) {
      const run = newRun(sizes, [0, 1, 2], ifExists, older);
      const stored: StoredCheckpoint[] = [];
      await runSink(run, stored);
      for (const epoch of [3, 2, 1]) {
        await runSink(run, stored.slice(0, epoch));
        assertFile(run, older, `from checkpoint ${epoch}`);
      }
    }
  });
}

test('any writes, checkpoints, crashes and restarts give exactly the rows', async () => {
  await fc.assert(
    fc.asyncProperty(
      fc.array(fc.integer({ min: 0, max: 5 }), { minLength: 1, maxLength: 12, size: 'max' }),
      fc.array(fc.integer({ min: 0, max: 11 }), { maxLength: 8, size: 'max' }),
      fc.array(fc.integer({ min: 1, max: 60 }), { maxLength: 5, size: 'max' }),
      fc.uniqueArray(fc.integer({ min: 1, max: 6 }), { maxLength: 3 }),
      fc.constantFrom('replace', 'append'),
      fc.constantFrom(undefined, OLDER, ''),
      async (sizes, checkpoints, crashes, unstored, ifExists, older) => {
        const run = {
          ...newRun(sizes, checkpoints, ifExists, older),
          unstored: new Set(unstored),
        };
        const stored: StoredCheckpoint[] = [];
        for (const step of crashes) {
          const crash = new CrashPoint(step);
          await crash.survives(() => runSink(run, stored, crash));
        }
        await runSink(run, stored);
        assertFile(run, older);
      },
    ),
    { numRuns: 150 },
  );
});

test('a file whose rows have other columns is not gone on with', async () => {
  const run = newRun([2, 3], [0], 'replace', undefined);
  const stored: StoredCheckpoint[] = [];
  await runSink(run, stored);
  const columns = schema.columns.toReversed();
  const changed = { ...run, context: { ...context, schema: { ...schema, columns } } };
  await assert.rejects(runSink(changed, stored.slice(0, 1)), {
    code: 'sink/unwritable',
    message: /its header is symbol,id, expected id,symbol/,
  });
});

test('a file that has vanished is an error that names it', async () => {
  for (const sizes of [
    [2, 0, 3],
    [2, 1, 3],
  ]) {
    const run = newRun(sizes, [0, 1], 'replace', undefined);
    const stored: StoredCheckpoint[] = [];
    await runSink(run, stored);
    rmSync(String(run.config['path']));
    await assert.rejects(runSink(run, stored.slice(0, 2)), {
      code: 'sink/lost',
      message: /\d+\.csv: it (is gone|has \d+ bytes), expected \d+ bytes of earlier commits/,
    });
  }
});
