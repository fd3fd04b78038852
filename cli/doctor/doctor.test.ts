import assert from 'node:assert/strict';
import {
  chmodSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { PLAIN } from '../terminal/palette.ts';
import { displayWidth } from '../terminal/text.ts';
import { natsServer, simd, workerThreads, writable } from './attempts.ts';
import { examine, node } from './examine.ts';
import { type Finding, renderReport, reportOf } from './report.ts';

function inFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-doctor-'));
  return use(folder).finally(() => rmSync(folder, { recursive: true, force: true }));
}

test('where the tests run, pipelines run, and everything has been asked', async () => {
  await inFolder(async (folder) => {
    const report = await examine({ environment: {}, folder });
    const failed = report.findings.filter(({ status }) => status === 'fail');
    assert.deepEqual(failed, []);
    const names = report.findings.map(({ name }) => name);
    for (const name of [
      ...['node', 'tidemark', 'platform', 'cores', 'memory', 'wasm simd', 'kernels'],
      ...['worker threads', 'duckdb', 'parquet-wasm', 'disk of working folder'],
      ...['disk of temporary files', 'out', 'temporary files', 'time zone', 'terminal'],
      'nats-server',
    ]) {
      assert.ok(names.includes(name), name);
    }
    const duckdb = report.findings.find(({ name }) => name === 'duckdb')!;
    assert.match(duckdb.found, /^\d+\.\d+\.\d+$/);
    for (const { name, status, remedy } of report.findings) {
      assert.equal(remedy !== undefined, status === 'warn' || status === 'fail', name);
    }
    assert.deepEqual(readdirSync(folder), [], 'nothing is left behind');
  });
});

test('a Node that is too old is told', () => {
  const table: readonly [version: string, status: string][] = [
    ['20.19.0', 'ok'],
    ['20.18.9', 'fail'],
    ['18.20.0', 'fail'],
    ['22.0.0', 'ok'],
    ['100.1.2', 'ok'],
  ];
  for (const [version, status] of table) assert.equal(node(version).status, status, version);
});

test('SIMD and threads are tried for real', async () => {
  assert.deepEqual(simd(), { name: 'wasm simd', status: 'ok', found: 'yes' });
  assert.equal((await workerThreads()).status, 'ok');
});

test('a folder is tried by writing to it, and left as it was', async () => {
  await inFolder(async (folder) => {
    assert.equal((await writable('out', join(folder, 'a/b/out'))).status, 'ok');
    assert.equal(existsSync(join(folder, 'a')), false);

    mkdirSync(join(folder, 'out'));
    writeFileSync(join(folder, 'out/kept'), 'x');
    assert.equal((await writable('out', join(folder, 'out'))).status, 'ok');
    assert.deepEqual(readdirSync(join(folder, 'out')), ['kept']);

    writeFileSync(join(folder, 'file'), 'x');
    for (const path of ['file', 'file/out']) {
      const finding = await writable('out', join(folder, path));
      assert.equal(finding.status, 'fail', path);
      assert.match(finding.found, /cannot be written to: ENOTDIR/);
      assert.ok(finding.remedy);
    }
  });
});

test('nats-server is looked for on the PATH', async () => {
  await inFolder(async (folder) => {
    const path = join(folder, 'nats-server');
    const look = async (): Promise<string> =>
      (await natsServer({ PATH: `/nowhere:${folder}` })).found;
    assert.match(await look(), /^not on the PATH/);
    writeFileSync(path, '#!/bin/sh\necho "nats-server: v2.9.10"\n');
    assert.match(await look(), /^not on the PATH/);
    chmodSync(path, 0o755);
    assert.equal(await look(), `nats-server: v2.9.10 (${path})`);
    writeFileSync(path, '#!/bin/sh\nexit 3\n');
    assert.equal(await look(), `${path}, which does not start`);
  });
});

const FINDINGS: readonly Finding[] = [
  { name: 'node', status: 'ok', found: '20.20.2' },
  { name: 'time zone', status: 'info', found: 'UTC' },
  { name: 'memory', status: 'warn', found: '1.00 GiB, 12.0 MiB free', remedy: 'free some' },
  {
    name: 'duckdb',
    status: 'fail',
    found: 'Cannot find module',
    remedy: 'run npm install on this machine: check and query need DuckDB built for it',
  },
];

test('the report is as bad as its worst finding', () => {
  assert.equal(reportOf(FINDINGS.slice(0, 2)).status, 'ok');
  assert.equal(reportOf(FINDINGS.slice(0, 3)).status, 'warn');
  assert.equal(reportOf(FINDINGS).status, 'fail');
});

test('a report fits the width and says what to do', () => {
  assert.equal(
    `\n${renderReport(reportOf(FINDINGS), { width: 50, palette: PLAIN }).join('\n')}\n`,
    `
✓  node       20.20.2
·  time zone  UTC
!  memory     1.00 GiB, 12.0 MiB free
              → free some
✗  duckdb     Cannot find module
              → run npm install on this machine:
              check and query need DuckDB built
              for it

Pipelines do not run here as it is.
`,
  );
  for (let width = 40; width < 120; width += 7) {
    for (const line of renderReport(reportOf(FINDINGS), { width, palette: PLAIN })) {
      assert.ok(displayWidth(line) <= width, line);
    }
  }
});
