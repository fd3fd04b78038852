/** The lock under which parts are removed: between processes, after deaths, across containers. */

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, readdirSync, readFileSync, rmSync, utimesSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { PartNames } from './part-files.ts';
import { withPartLock } from './part-merge.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-lock-'));
after(() => rmSync(root, { recursive: true, force: true }));

const names = new PartNames({ pipeline: 'live', sink: 'bars' }, '.parquet');
const moduleOf = (name: string): string => new URL(`./${name}.js`, import.meta.url).href;
const PROCESSES = 4;
const TURNS = 60;

/**
 * Takes the lock again and again, each time writes its number, looks whether it is still there and
 * leaves the lock of a dead process behind.
 */
const program = `
  import { readFileSync, writeFileSync, unlinkSync } from 'node:fs';
  import { join } from 'node:path';
  const { PartNames } = await import(${JSON.stringify(moduleOf('part-files'))});
  const { withPartLock } = await import(${JSON.stringify(moduleOf('part-merge'))});
  const folder = process.argv[1];
  const names = new PartNames({ pipeline: 'live', sink: 'bars' }, '.parquet');
  for (let turn = 0; turn < ${TURNS}; turn++) {
    withPartLock('bars', folder, names, () => {
      writeFileSync(join(folder, 'inside'), String(process.pid), { flag: 'wx' });
      for (const until = performance.now() + 1; performance.now() < until; );
      unlinkSync(join(folder, 'inside'));
      writeFileSync(join(folder, names.lock), '1073741824-0-' + process.pid + turn);
    });
  }`;

test('one at a time, though each finds the lock of a dead process', async () => {
  const folder = mkdtempSync(join(root, 'out-'));
  const children = Array.from({ length: PROCESSES }, () =>
    spawn(process.execPath, ['--input-type=module', '--eval', program, folder], {
      stdio: ['ignore', 'ignore', 'inherit'],
    }),
  );
  const codes = await Promise.all(children.map((child) => once(child, 'exit')));
  assert.deepEqual(
    codes.map(([code]) => code),
    children.map(() => 0),
  );
  withPartLock('bars', folder, names, () => undefined);
  assert.deepEqual(readdirSync(folder), []);
});

test('a lock of another container holds until nobody can be at work any more', () => {
  const folder = mkdtempSync(join(root, 'out-'));
  const path = join(folder, names.lock);
  writeFileSync(path, `${process.pid}-00000000-abc-1`);
  const old = Date.now() / 1000 - 60;
  utimesSync(path, old, old);
  const inside = withPartLock('bars', folder, names, () => readFileSync(path, 'utf8'));
  assert.match(inside, new RegExp(`^${process.pid}-[0-9a-f]{8}-\\w+-\\d+$`));
  assert.deepEqual(readdirSync(folder), []);
});
