/**
 * Golden pipelines. Each folder of cases/ holds a pipeline, its input and the expected rows of each
 * sink. Every case is run on threads in several ways, with other numbers of slots and other batch
 * sizes, and must give the same file each time, to the last digit of every number.
 *
 * `UPDATE_GOLDEN=1` writes the expected rows anew (from the first execution).
 */

import assert from 'node:assert/strict';
import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { lintFile } from '../../config/lint.ts';
import { unaccountedRows } from '../../engine/contract/row-accounts.ts';
import { catalog, createPipeline } from '../../index.ts';

const CASES = fileURLToPath(new URL('../../../test/golden/cases/', import.meta.url));

const EXECUTIONS: readonly { readonly slots: number; readonly batchRows: number }[] = [
  { slots: 1, batchRows: 65_536 },
  { slots: 2, batchRows: 7 },
  { slots: 3, batchRows: 4096 },
  { slots: 2, batchRows: 1 },
];

/** Sorted lines of each file that the run has written, by name. */
async function execute(
  name: string,
  slots: number,
  batchRows: number,
): Promise<Map<string, string>> {
  const out = mkdtempSync(join(tmpdir(), 'tidemark-golden-'));
  try {
    const { plan, lints } = await lintFile(join(CASES, name, 'pipeline.yaml'), {
      catalog,
      environment: { CASE: join(CASES, name), OUT: out },
    });
    assert.deepEqual(lints, []);
    const sources = plan!.sources.map((source) => ({ ...source, batchRows }));
    const result = await createPipeline({ ...plan!, sources }, { slots }).run();
    assert.equal(result.failure, undefined);
    assert.equal(unaccountedRows(result.accounts), 0, 'every row is accounted for');
    const written = new Map<string, string>();
    for (const file of readdirSync(out, { recursive: true, encoding: 'utf8' }).sort()) {
      if (!file.endsWith('.ndjson')) continue;
      const lines = readFileSync(join(out, file), 'utf8').trimEnd().split('\n').sort();
      // The folder of a case differs between machines, the rest of a dead letter does not.
      written.set(file, `${lines.join('\n')}\n`.replaceAll(join(CASES, name), '.'));
    }
    const { read, processed, late, rejected, duplicate } = result.accounts;
    const accounts = JSON.stringify({ read, processed, late, rejected, duplicate });
    written.set('accounts.ndjson', `${accounts}\n`);
    return written;
  } finally {
    rmSync(out, { recursive: true });
  }
}

const names = readdirSync(CASES);
assert(names.length > 0, 'there are golden cases');

for (const name of names) {
  test(`${name}: the same output however it is run`, async () => {
    const expectedFolder = join(CASES, name, 'expected');
    for (const [index, { slots, batchRows }] of EXECUTIONS.entries()) {
      const written = await execute(name, slots, batchRows);
      if (index === 0 && process.env['UPDATE_GOLDEN'] === '1') {
        for (const [file, text] of written) writeFileSync(join(expectedFolder, file), text);
      }
      const expected = new Map(
        readdirSync(expectedFolder)
          .sort()
          .map((file) => [file, readFileSync(join(expectedFolder, file), 'utf8')]),
      );
      const how = `${slots} slots, batches of ${batchRows}`;
      assert.deepEqual([...written.keys()].sort(), [...expected.keys()].sort(), how);
      for (const [file, text] of written) assert.equal(text, expected.get(file), `${file}: ${how}`);
    }
  });
}
