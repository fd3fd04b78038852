import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EXAMPLE_SUMMARY } from './testing/example-summary.ts';
import { paletteFor, PLAIN } from './palette.ts';
import { renderChecks } from './render-checks.ts';
import { renderSummary, summaryJson } from './render-summary.ts';
import type { RunSummary } from './run-summary.ts';
import { displayWidth } from './text.ts';

function shown(summary: RunSummary, width: number): string {
  return renderSummary(summary, { width, palette: PLAIN }).join('\n');
}

function section(summary: RunSummary, title: string, width = 80): string {
  const found = shown(summary, width)
    .split('\n\n')
    .find((text) => text.startsWith(title));
  assert.ok(found !== undefined, `no section ${title}`);
  return `\n${found}\n`;
}

test('the accounts stand as an addition, and say where rows went that were not processed', () => {
  assert.equal(
    section(EXAMPLE_SUMMARY, 'Rows'),
    `
Rows
     5,011,020  processed
  +        812  late       → out/late
  +        413  rejected   → out/dead-letter/market-anomalies.trades.ndjson
  +        100  duplicate
  ────────────
  =  5,012,345  read
`,
  );
});

test('accounts that do not add up say so', () => {
  const accounts = { ...EXAMPLE_SUMMARY.accounts, processed: 5_011_000, late: 0 };
  const text = section({ ...EXAMPLE_SUMMARY, accounts }, 'Rows');
  assert.match(text, /≠ {2}5,012,345 {2}read/);
  assert.match(text, /832 rows in no account/);
  assert.doesNotMatch(text, /out\/late/);
});

test('anomalies by type and severity, planted against found', () => {
  assert.equal(
    section(EXAMPLE_SUMMARY, 'Anomalies') + section(EXAMPLE_SUMMARY, 'Detection', 120),
    `
Anomalies           low  medium  high  total
  price_spike        50      30    16     96
  volatility_burst   70      10     0     80
  volume_surge        1      20    20     41
  all               121      60    36    217
  first one 1.3 s after the start

Detection       planted  found  recall
  bad_print          20     20   100 %
  price_spike        20     19  95.0 %
  volume_surge       20     18  90.0 %
  all                60     57  95.0 %
  recall     95.0 %  57 of 60 planted were found
  precision  97.2 %  211 of 217 anomalies point at one
  an anomaly points at a planted one of the same symbol if its window overlaps it
`,
  );
});

test('a message that matters stands beside its check or below it, and is never cut', () => {
  assert.equal(
    section(EXAMPLE_SUMMARY, 'Quality', 60),
    `
Quality  1 passed · 1 warned · 2 failed
  ✓  no_missing_close    bars       0 rows with a null in c…
  !  one_bar_per_window  bars
    1,204 values of symbol, window_start occur more than
    once (warn if > 10)
  ✗  sane_prices         bars       2 rows returned
  ✗  misspelt            anomalies
    Parser Error: syntax error at or near "selec"
    LINE 1: selec * from anomalies
            ^
`,
  );
});

test('in detail the statement and the first of the failing rows follow', () => {
  const report = {
    ...EXAMPLE_SUMMARY.quality!,
    checks: EXAMPLE_SUMMARY.quality!.checks.slice(1, 2),
  };
  const lines = renderChecks(report, { width: 100, palette: PLAIN, isDetailed: true });
  assert.equal(
    `\n${lines.join('\n')}\n`,
    `
  !  one_bar_per_window  bars
    1,204 values of symbol, window_start occur more than once (warn if > 10)
    SELECT "symbol", "window_start", count(*) AS "rows" FROM "bars"
    ┌─────────┬─────────────────────┬───────┐
    │ symbol  │    window_start     │ rows  │
    │ varchar │    timestamp_ns     │ int64 │
    ├─────────┼─────────────────────┼───────┤
    │ AAPL    │ 2026-01-02 09:30:00 │     3 │
    │ MSFT    │ 2026-01-02 09:30:00 │     2 │
    └─────────┴─────────────────────┴───────┘
    and 1,202 more
`,
  );
});

test('where the files lie, and what to ask them', () => {
  assert.equal(
    section(EXAMPLE_SUMMARY, 'Output') + section(EXAMPLE_SUMMARY, 'Try'),
    `
Output                      files      size    rows
  bars       out/bars           3  1.20 MiB  23,400
  anomalies  out/anomalies      1  27.7 KiB     217
  late       out/late           1  8.91 KiB     812
  nowhere    blackhole                          217

Try
  # the strongest anomalies
  npx tidemark query config/pipelines/market-anomalies.yaml "
    select symbol, event_time, type, score, explanation from anomalies order by
    abs(score) desc limit 10"
  # anomalies an hour
  npx tidemark query config/pipelines/market-anomalies.yaml "
    select hour(event_time), count(*) from anomalies group by all"
`,
  );
});

test('queries and files are quoted for a shell', () => {
  const queries = [
    { title: 'dollars', sql: `select '$HOME' as "a" from bars` },
    { title: 'plain', sql: 'from bars' },
  ];
  const text = section({ ...EXAMPLE_SUMMARY, file: "it's here.yaml", queries }, 'Try', 120);
  assert.match(text, /query 'it'\\''s here\.yaml' 'select '\\''\$HOME'\\'' as "a" from bars'\n/);
  assert.match(text, /query 'it'\\''s here\.yaml' "from bars"\n/);
});

test('a run that failed or was stopped says so at the top; empty sections are left out', () => {
  const failed: RunSummary = {
    pipeline: 'p',
    file: 'p.yaml',
    options: [],
    outcome: 'failed',
    failure: { code: 'source/truncated', message: 'trades.csv.gz ends in the middle of a block' },
    elapsedMs: 12,
    rowsPerSecond: 0,
    slots: 1,
    partitions: 1,
    accounts: { read: 0, processed: 0, late: 0, rejected: 0, duplicate: 0 },
    kept: {},
    warnings: [],
    steps: [],
    outputs: [],
    queries: [],
  };
  assert.equal(
    shown(failed, 80),
    `p  ✗ failed in 12 ms
  0 rows/s · 1 slot · 1 partition
  source/truncated: trades.csv.gz ends in the middle of a block

Rows
     0  processed
  +  0  late
  +  0  rejected
  +  0  duplicate
  ────
  =  0  read`,
  );
  assert.match(
    shown({ ...EXAMPLE_SUMMARY, outcome: 'stopped' }, 80),
    /^market-anomalies {2}■ stopped/,
  );
  const none = { total: 0, severities: [], byType: [] };
  assert.equal(
    section({ ...EXAMPLE_SUMMARY, anomalies: none }, 'Anomalies'),
    '\nAnomalies\n  none\n',
  );
});

test('no line is wider than the terminal, but for the command that is to be copied', () => {
  for (let width = 50; width <= 160; width++) {
    for (const palette of [PLAIN, paletteFor({ isTTY: true }, {})]) {
      for (const line of renderSummary(EXAMPLE_SUMMARY, { width, palette })) {
        if (line.includes('npx tidemark')) continue;
        assert.ok(displayWidth(line) <= width, `${displayWidth(line)} > ${width}: ${line}`);
      }
    }
  }
});

test('as JSON it is the object itself', () => {
  assert.deepEqual(JSON.parse(summaryJson(EXAMPLE_SUMMARY)), EXAMPLE_SUMMARY);
});

test('figures of the sources that have some', () => {
  const metrics = { clock_skew_seconds: -1.2746, messages_passed_over: 13_209 };
  const sources = [{ name: 'quotes', metrics }];
  assert.equal(
    section({ ...EXAMPLE_SUMMARY, sources }, 'Sources'),
    `
Sources
  quotes  clock skew            -1.275 s
          messages passed over    13,209
`,
  );
  assert.doesNotMatch(shown(EXAMPLE_SUMMARY, 80), /Sources/);
});
