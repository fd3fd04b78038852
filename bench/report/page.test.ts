import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { readResults, type BenchResult } from '../harness/results.ts';
import { drawPage } from './page.ts';
import { PAGE, readWhereWeLose, RESULTS } from './paths.ts';

const machine = {
  ...{ cpu: 'a cpu', cores: 2, memoryGiB: 24, kernel: '6.1', node: 'v20.20.0' },
  ...{ commit: 'abc1234', hasChanges: false, load: 0.1, versions: { gcc: '12.2.0' } },
};

function result(name: string, change: Partial<BenchResult>): BenchResult {
  return {
    ...{ name, question: `How fast is ${name}?`, command: `npm run bench -- ${name}` },
    ...{ quick: false, startedAt: '2026-11-21T08:00:00.000Z', elapsedSeconds: 12.3 },
    ...{ probes: [{ seconds: 0.01, share: 1 }], machine },
    ...{ measurements: [], ratios: [], latencies: [], figures: [], notes: [] },
    ...change,
  };
}

function measured(name: string, seconds: number[], x?: number) {
  const point = x === undefined ? {} : { point: { series: 'ours', axis: 'symbols', x } };
  return {
    section: 'one',
    name,
    seconds,
    cpuSeconds: seconds,
    amount: 100,
    unit: 'rows',
    ...point,
  };
}

test('a page tells where we lose: slower than others, and bars that are not met', () => {
  const loses = { section: 'one', isPeer: true, values: [0.5, 0.4, 0.6] };
  const { markdown } = drawPage(
    {
      format: 1,
      benchmarks: [
        result('first', {
          ratios: [
            { ...loses, name: 'ours to DuckDB' },
            { ...loses, name: 'ours to C', values: [2, 2, 2] },
            { ...loses, name: 'ten times as many', isPeer: false },
          ],
          figures: [
            {
              ...{ section: '', name: 'peak memory', value: 700, unit: 'MiB' },
              target: { comparison: 'at most', value: 500 },
            },
          ],
        }),
      ],
    },
    'Written by hand.',
  );
  const lines = markdown.slice(markdown.indexOf('## Where we lose'), markdown.indexOf('## first'));
  assert.match(lines, /Written by hand\./);
  assert.match(lines, /- first: ours to DuckDB: 0\.50 times\./);
  assert.match(lines, /- first: peak memory: 700 MiB, wanted at most 500\./);
  assert.doesNotMatch(lines, /ours to C|ten times as many/);
});

test('a page says what was measured while the machine was busy', () => {
  const probes = [{ seconds: 0.01, share: 0.5 }];
  const benchmarks = [result('idle', {}), result('pressed', { probes })];
  const { markdown } = drawPage({ format: 1, benchmarks }, '');
  assert.match(markdown, /busy with other work:\*\* pressed\./);
});

test('a page has the command, commit and median of each figure, and its charts exist', () => {
  const { markdown, charts } = drawPage(
    {
      format: 1,
      benchmarks: [
        result('bars', {
          measurements: [
            measured('ours', [1, 2, 9]),
            measured('C, gcc -O3', [4, 4, 4]),
            measured('row objects', [20, 20, 20]),
          ],
        }),
        result('scale', { measurements: [measured('10', [1], 10), measured('20', [2], 20)] }),
        result('latency', {
          latencies: [1, 10].map((rate) => ({
            ...{ section: '', name: 'there and back', rate, medians: [1, 2], count: 100 },
            ...{ p50: 1.5, p99: 3, p999: 5, largest: 9 },
          })),
        }),
      ],
    },
    '',
  );
  assert.match(markdown, /`npm run bench -- bars` · commit abc1234 · 2026-11-21 08:00 UTC/);
  assert.match(markdown, /\| ours \| 2\.00 s \| 1\.00 s to 9\.00 s \| 3 \| 50\.0 rows\/s \|/);
  assert.match(markdown, /\| there and back \| 10 \| 1\.50 ms \| 3\.00 ms \| 5\.00 ms \|/);
  const pictures = [...markdown.matchAll(/\]\(benchmarks\/([^)]+)\)/g)].map(([, file]) => file);
  assert.deepEqual(new Set(pictures), new Set(charts.map(({ file }) => file)));
  assert.equal(charts.length, 3);
  for (const { svg } of charts) assert.doesNotMatch(svg, /NaN|Infinity|undefined/);
});

test('docs/benchmarks.md is what the report makes of its results', (context) => {
  if (!existsSync(RESULTS)) {
    context.skip('no results are committed');
    return;
  }
  const { markdown, charts } = drawPage(readResults(RESULTS), readWhereWeLose());
  const remedy = 'npm run bench:report -- --draw';
  assert.equal(readFileSync(PAGE, 'utf8'), markdown, remedy);
  for (const { file, svg } of charts) {
    assert.equal(readFileSync(join(PAGE, '..', 'benchmarks', file), 'utf8'), svg, remedy);
  }
});
