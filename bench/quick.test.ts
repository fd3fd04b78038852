/**
 * Every benchmark still runs, and its contenders still give the same: with little data, once each.
 * How long it takes is nobody's concern here. What needs real data is left out.
 */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { benchmarkNames, loadBenchmark } from './harness/catalog.ts';
import { runBenchmark } from './harness/run-benchmarks.ts';
import { drawPage } from './report/page.ts';

const data = mkdtempSync(join(tmpdir(), 'tidemark-no-data-'));
after(() => rmSync(data, { recursive: true }));

test('there are benchmarks, each of which asks a question', async () => {
  assert(benchmarkNames().length > 10, benchmarkNames().join());
  for (const file of benchmarkNames()) {
    const { name, question } = await loadBenchmark(file);
    assert.equal(name, file);
    assert.match(question, /\?/, `the question of ${name}`);
  }
});

for (const name of benchmarkNames()) {
  test(`${name} runs`, async () => {
    const result = await runBenchmark(name, { quick: true, repetitions: 1, data });
    if (typeof result === 'string') assert.fail(result);
    const { measurements, figures, latencies, notes } = result;
    const found = [...measurements, ...figures, ...latencies, ...notes];
    assert(found.length > 0, 'it has measured something, or says why it has not');
    drawPage({ format: 1, benchmarks: [result] }, '');
  });
}
