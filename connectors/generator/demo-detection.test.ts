/** The rules of the demo were written without the labels: on any market they find most of them. */

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';

const CLI = fileURLToPath(new URL('../../cli/main.js', import.meta.url));

interface DemoSummary {
  readonly accounts: Readonly<Record<'read' | 'processed' | 'late' | 'rejected', number>>;
  readonly detection: {
    readonly planted: number;
    readonly precision: number;
    readonly recall: number;
    readonly byKind: readonly { kind: string; planted: number; found: number }[];
  };
  readonly quality: { readonly failed: number; readonly passed: number };
}

for (const seed of [1, 2, 1234]) {
  test(`the demo finds the anomalies of market ${seed}`, () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-demo-'));
    try {
      const run = spawnSync(
        process.execPath,
        [CLI, 'demo', '--json', '--quiet', '-s', `sources.trades.seed=${seed}`],
        { cwd: folder, encoding: 'utf8' },
      );
      assert.equal(run.status, 0, run.stderr);
      const { accounts, detection, quality } = JSON.parse(run.stdout) as DemoSummary;
      assert.equal(accounts.read, 3_000_000);
      assert.equal(accounts.processed + accounts.late, 3_000_000);
      assert(accounts.late > 1000, `${accounts.late} late rows`);
      assert.equal(detection.planted, 48);
      assert(detection.precision > 0.85, `precision ${detection.precision}`);
      assert(detection.recall > 0.85, `recall ${detection.recall}`);
      for (const { kind, planted, found } of detection.byKind) {
        assert(found >= planted / 2, `${found} of ${planted} of kind ${kind}`);
      }
      assert(quality.passed > 0 && quality.failed === 0);
      const labels = readFileSync(join(folder, 'out/demo/labels.csv'), 'utf8');
      assert.equal(labels.trimEnd().split('\n').length, 49);
    } finally {
      rmSync(folder, { recursive: true });
    }
  });
}
