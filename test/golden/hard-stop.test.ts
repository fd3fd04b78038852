/**
 * Each golden case once more: two slots, three checkpoints, then SIGKILL; and again, killed after
 * two more; then three slots that go on to the end. The files are those of a straight run.
 */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CASES = fileURLToPath(new URL('../../../test/golden/cases/', import.meta.url));
const FIXTURE = fileURLToPath(new URL('hard-stop.fixture.js', import.meta.url));

function run(args: readonly string[]): { signal: string | null; output: string } {
  const child = spawnSync(process.execPath, ['--enable-source-maps', FIXTURE, ...args], {
    encoding: 'utf8',
    timeout: 60_000,
  });
  assert(child.status === 0 || child.signal === 'SIGKILL', child.stderr);
  return { signal: child.signal, output: child.stdout };
}

for (const name of readdirSync(CASES)) {
  test(`${name}: killed and restored on more slots, it writes the same`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-hard-stop-'));
    try {
      const [out, state] = [join(folder, 'out'), join(folder, 'state')];
      const paths = [join(CASES, name), out, state];
      assert.equal(run([...paths, '2', '3']).signal, 'SIGKILL');
      assert.equal(run([...paths, '2', '2']).signal, 'SIGKILL');
      const last = run([...paths, '3', '0']);
      assert.deepEqual(JSON.parse(last.output), { resumedFrom: 5 });
      const expectedFolder = join(CASES, name, 'expected');
      const expected = readdirSync(expectedFolder).filter((file) => file !== 'accounts.ndjson');
      assert(expected.length > 0);
      for (const file of expected) {
        const lines = readFileSync(join(out, file), 'utf8').trimEnd().split('\n').sort();
        const text = `${lines.join('\n')}\n`.replaceAll(join(CASES, name), '.');
        assert.equal(text, readFileSync(join(expectedFolder, file), 'utf8'), file);
      }
      assert.deepEqual(readdirSync(state), [], 'a run that is complete leaves no checkpoint');
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
