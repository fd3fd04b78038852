import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { test } from 'node:test';
import { catalog } from '../catalog.ts';
import { columnBatch, type Row } from '../connectors/testing/rows.ts';
import { z } from '../engine/contract/fields.ts';
import type { Schema } from '../engine/contract/schema.ts';
import { type PipelinePlan, REJECTED_SCHEMA, type SinkPlan } from '../engine/plan/pipeline-plan.ts';
import { deadLetterPath } from '../index.ts';
import { displayRows, runQuery } from '../quality/query.ts';
import { runChecks } from '../quality/run-checks.ts';
import { openDatasets } from './datasets.ts';

const SCHEMA: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'event_time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
    { name: 'seq', type: 'int64' },
    { name: 'halted', type: 'boolean' },
  ],
  time: 'event_time',
  key: 'symbol',
};

const FIRST = 1_767_346_200_000_000_001n;
const ROWS: readonly Row[] = [
  ['600519', FIRST, 0.1, 9_007_199_254_740_993n, true],
  ['600519', FIRST + 1n, -0, null, false],
  ['a "b", c', FIRST + 86_400_000_000_000n, null, -1n, null],
  ['', FIRST + 2n, 1e300, 0n, true],
];

function sinkPlan(name: string, type: string, config: Record<string, unknown>): SinkPlan {
  const { fields } = catalog.sinks.find((sink) => sink.name === type)!;
  return {
    name,
    type,
    config: z.object(fields).parse(config) as SinkPlan['config'],
    inputs: [{ step: 'trades', output: 'main' }],
    schema: SCHEMA,
  };
}

function planOf(folder: string): PipelinePlan {
  return {
    name: 'p',
    key: 'symbol',
    partitions: 1,
    sources: [
      {
        name: 'trades',
        type: 'file',
        config: {},
        schema: SCHEMA,
        watermark: { maxOutOfOrdernessNs: 0n, idleTimeoutMs: 0 },
        batchRows: 1,
      },
    ],
    operators: [],
    sinks: [
      sinkPlan('flat', 'parquet', { path: join(folder, 'flat') }),
      sinkPlan('foldered', 'parquet', {
        path: join(folder, 'run=3/[x]'),
        partition_by: ['date', 'symbol'],
      }),
      sinkPlan('json', 'ndjson', { path: join(folder, 'rows [*].ndjson') }),
      sinkPlan('csv', 'csv', { path: join(folder, 'rows.csv') }),
      sinkPlan('nowhere', 'blackhole', {}),
      sinkPlan('screen', 'csv', { path: '-' }),
    ],
    deadLetter: { path: join(folder, 'dead') },
    quality: [],
  };
}

async function writeRows({ sinks, name: pipeline }: PipelinePlan): Promise<void> {
  for (const { name, type, config, schema } of sinks) {
    if (['nowhere', 'screen'].includes(name)) continue;
    const definition = catalog.sinks.find((sink) => sink.name === type)!;
    const context = { sink: name, pipeline, schema };
    const writer = await definition.open(config, context);
    await writer.write(columnBatch(schema, ROWS));
    const { committables } = await writer.prepareCommit(1, true);
    await definition.commit(config, committables, context);
    await writer.close();
  }
}

async function inFolder(use: (folder: string) => Promise<void>): Promise<void> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-datasets-'));
  await use(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

const COLUMNS = 'symbol, event_time, price, seq, halted';

test('every sink with files is a view of the rows that were written, in every format', async () => {
  await inFolder(async (folder) => {
    const plan = planOf(folder);
    await writeRows(plan);
    await using datasets = await openDatasets(plan);
    for (const name of ['flat', 'foldered', 'json', 'csv']) {
      assert.equal(datasets.problem(name), undefined, name);
      const sql = `select ${COLUMNS} from ${name} order by event_time`;
      assert.deepEqual(
        await displayRows(await runQuery(datasets, sql)),
        [
          ['600519', '2026-01-02 09:30:00.000000001', '0.1', '9007199254740993', 'true'],
          ['600519', '2026-01-02 09:30:00.000000002', '-0.0', null, 'false'],
          ['', '2026-01-02 09:30:00.000000003', '1e+300', '0', 'true'],
          ['a "b", c', '2026-01-03 09:30:00.000000001', null, '-1', null],
        ],
        name,
      );
    }
    assert.equal(datasets.has('nowhere') || datasets.has('screen'), false);
    const names = datasets.columns('foldered').map((column) => column.name);
    assert.deepEqual(names.toSorted(), ['date', 'event_time', 'halted', 'price', 'seq', 'symbol']);
  });
});

test('before a run the views are there, without rows', async () => {
  await inFolder(async (folder) => {
    const plan = planOf(folder);
    await using datasets = await openDatasets(plan);
    const sql = ['flat', 'foldered', 'json', 'csv']
      .map((name) => `select count(*), max(event_time), min(symbol) from ${name}`)
      .join(' union all ');
    const rows = await displayRows(await runQuery(datasets, sql));
    assert.deepEqual(rows, Array(4).fill(['0', null, null]));
    const checks = [
      { not_null: ['price'] },
      { row_count: { min: 1 } },
      { freshness: { max_age: '1d' } },
    ];
    const report = await runChecks(
      datasets,
      checks.map((check, index) => ({
        name: `check_${index}`,
        dataset: 'foldered',
        check,
        severity: 'error',
        warnIf: '!= 0',
        errorIf: '!= 0',
      })),
      { nowMs: 0 },
    );
    assert.deepEqual(
      report.checks.map(({ status, message }) => [status, message]),
      [
        ['pass', '0 rows with a null in price'],
        ['error', '0 rows, expected at least 1 row'],
        ['error', 'no event_time, expected one in the last 1d'],
      ],
    );
  });
});

test('rejected rows that no sink takes are a view of their own', async () => {
  await inFolder(async (folder) => {
    const plan = planOf(folder);
    const path = deadLetterPath(plan, 'trades');
    mkdirSync(dirname(path), { recursive: true });
    const row = { source: 'trades', origin: 'a.csv', line: 7, reason: 'price: x', raw: 'A,x' };
    writeFileSync(path, `${JSON.stringify(row)}\n`);
    await using datasets = await openDatasets(plan);
    const sql = 'select origin, line, reason from trades_rejected';
    assert.deepEqual(await displayRows(await runQuery(datasets, sql)), [
      ['a.csv', '7', 'price: x'],
    ]);

    const sink: SinkPlan = {
      ...sinkPlan('bad_rows', 'ndjson', { path: join(folder, 'bad.ndjson') }),
      inputs: [{ step: 'trades', output: 'rejected' }],
      schema: REJECTED_SCHEMA,
    };
    await using taken = await openDatasets({ ...plan, sinks: [sink] });
    assert.deepEqual(
      taken.specs.map(({ name }) => name),
      ['bad_rows'],
    );
  });
});
