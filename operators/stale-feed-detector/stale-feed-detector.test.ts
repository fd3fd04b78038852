import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { cut } from '../../engine/testing/arbitrary.ts';
import { type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { staleFeedDetector } from './stale-feed-detector.ts';

const SCHEMA = schemaOfTable(parseTable('event_time | symbol | price'));
const SECOND = 1_000_000_000n;
const DAY_S = 86_400;
/** A Tuesday in New York; the next is a holiday, and the Friday after it a half-day. */
const TUESDAY_S = Date.parse('2024-11-26T05:00:00Z') / 1000;
/** Regular sessions of that week and the next, in seconds from that midnight. */
const SESSIONS = [0, 1, 3, 6, 7, 8, 9, 10].map((day): [number, number] => {
  const open = day * DAY_S + 9.5 * 3600;
  return [open, open + (day === 3 ? 3.5 : 6.5) * 3600];
});
const ALWAYS: [number, number][] = [[Number.NEGATIVE_INFINITY, Number.POSITIVE_INFINITY]];

interface Settings {
  readonly quantile: number;
  readonly multiple: number;
  readonly min_rows: number;
  readonly atLeast: number;
}

/** What the waits say, with all of them in a list. */
function limitOf(waits: readonly number[], settings: Settings): number {
  const { quantile, multiple, min_rows, atLeast } = settings;
  // They are looked at when there are enough, and then every 32.
  let count = waits.length;
  while (count > min_rows && count % 32 !== 0) count--;
  if (count < min_rows) return Number.POSITIVE_INFINITY;
  const sorted = waits.slice(0, count).sort((a, b) => a - b);
  const wait = sorted[Math.max(0, Math.ceil(quantile * count) - 1)]!;
  const usual = 0.001 * 2 ** ((Math.floor(Math.log2(wait / 0.001) * 4) + 1) / 4);
  return Math.ceil(Math.max(multiple * usual, atLeast) * 1000) / 1000;
}

/** Times at which a symbol is found silent, in seconds, by its rows and the latest of all rows. */
function silencesOracle(
  times: readonly number[],
  latest: number,
  sessions: readonly [number, number][],
  settings: Settings,
): number[] {
  const inSession = times.filter((time) => sessions.some(([a, b]) => time >= a && time < b));
  const distinct = [...new Set(inSession)];
  const found: number[] = [];
  const waits: number[] = [];
  for (const [i, last] of distinct.entries()) {
    const own = sessions.findIndex(([a, b]) => last >= a && last < b);
    if (i > 0 && distinct[i - 1]! >= sessions[own]![0]) waits.push(last - distinct[i - 1]!);
    const limit = limitOf(waits, settings);
    // Until the next row of the symbol, or the last one of any.
    const until = distinct[i + 1] ?? latest;
    let [from, end] = [last, sessions[own]![1]];
    if (from + limit >= end) [from, end] = sessions[own + 1] ?? [Infinity, Infinity];
    for (let k = 0; k <= 5; k++) {
      const due = from + limit * 2 ** k;
      if (due < until && due < end) found.push(due);
    }
  }
  return found;
}

const step = fc.record({
  symbol: fc.constantFrom('A', 'A', 'A', 'B', 'C'),
  wait: fc.constantFrom(0, 1, 1, 1, 2, 5, 30, 400, 3600, DAY_S / 2, DAY_S),
});

for (const calendar of ['24x7', 'nyse'] as const) {
  test(`finds the silences of its definition (${calendar})`, () => {
    let total = 0;
    const property = fc.property(
      fc.array(step, { minLength: 20, maxLength: 150, size: 'max' }),
      fc.constantFrom(0.5, 0.9, 1),
      fc.constantFrom(1, 5, 33),
      fc.constantFrom(1, 3),
      fc.array(fc.integer({ min: 1, max: 40 }), { minLength: 1, maxLength: 3 }),
      (steps, quantile, min_rows, multiple, sizes) => {
        let time = 9 * 3600;
        const rows = steps
          .map(({ symbol, wait }) => ({ symbol, time: (time += wait) }))
          .filter((row) => row.time < 10 * DAY_S);
        const settings = { quantile, multiple, min_rows, atLeast: 3 };
        const { outputs } = runOperator(
          staleFeedDetector,
          { calendar, quantile, multiple, min_rows, at_least: '3s' },
          SCHEMA,
          cut(
            rows.map(({ symbol, time: at }): Row => {
              return { event_time: BigInt(TUESDAY_S + at) * SECOND, symbol, price: 1 };
            }),
            sizes,
          ),
          { restartAfterBatch: [0, 2], partitions: 2 },
        );
        const latest = rows.at(-1)?.time ?? 0;
        for (const symbol of ['A', 'B', 'C']) {
          const own = rows.filter((row) => row.symbol === symbol).map((row) => row.time);
          const sessions = calendar === 'nyse' ? SESSIONS : ALWAYS;
          const expected = silencesOracle(own, latest, sessions, settings);
          const found = outputs['main']!.filter((row) => row['symbol'] === symbol);
          const times = found.map((row) => Number(row['event_time']) / 1e9 - TUESDAY_S);
          const rounded = (values: readonly number[]): number[] =>
            values.map((value) => Math.round(value * 1e3) / 1e3).sort((a, b) => a - b);
          assert.deepEqual(rounded(times), rounded(expected));
          total += expected.length;
        }
      },
    );
    fc.assert(property, { numRuns: 300 });
    assert.ok(total > 300, `${total}`);
  });
}

const at = (text: string): bigint => BigInt(Date.parse(text)) * 1_000_000n;

test('a feed that dies is found by what others send, once for each doubling', () => {
  const rows: Row[] = [];
  const start = at('2024-11-26T14:30:00Z');
  for (let i = 0; i < 2000; i++) {
    const event_time = start + BigInt(i) * SECOND;
    if (i < 500) rows.push({ event_time, symbol: 'DEAD', price: 1 });
    rows.push({ event_time, symbol: 'ALIVE', price: 1 });
  }
  const { outputs } = runOperator(staleFeedDetector, {}, SCHEMA, cut(rows, [64]));
  const found = outputs['main']!.map(({ symbol, event_time: time, score, severity }) => [
    ...[symbol, Number(((time as bigint) - start) / SECOND), score, severity],
  ]);
  assert.deepEqual(found, [
    ['DEAD', 529, 1, 'low'],
    ['DEAD', 559, 2, 'medium'],
    ['DEAD', 619, 4, 'medium'],
    ['DEAD', 739, 8, 'high'],
    ['DEAD', 979, 16, 'high'],
    ['DEAD', 1459, 32, 'high'],
  ]);
});

test('nothing is expected overnight, nor over a holiday; the next session begins anew', () => {
  const rows: Row[] = [];
  const day = (from: string, symbols: readonly string[], seconds: number): void => {
    for (let i = 0; i < seconds; i++) {
      for (const symbol of symbols) {
        rows.push({ event_time: at(from) + BigInt(i) * SECOND, symbol, price: 1 });
      }
    }
  };
  day('2024-11-27T20:55:00Z', ['A', 'B'], 300);
  // Of the holiday, when someone has sent something.
  day('2024-11-28T15:00:00Z', ['B'], 3);
  // B comes back 40 s after the opening; before it A has traded already, which is no session.
  day('2024-11-29T14:29:50Z', ['A'], 50);
  day('2024-11-29T14:30:40Z', ['A', 'B'], 20);
  const { outputs } = runOperator(staleFeedDetector, {}, SCHEMA, cut(rows, [97]));
  assert.deepEqual(
    outputs['main']!.map(({ symbol, event_time: time }) => [symbol, time]),
    [['B', at('2024-11-29T14:30:30Z')]],
  );
});

test('a late row is passed over, whatever the batches', () => {
  const rows = Array.from({ length: 400 }, (_, i): Row => {
    const time = i % 7 === 3 ? i - 60 : i;
    return { event_time: BigInt(time) * SECOND, symbol: i % 3 === 0 ? 'A' : 'B', price: 1 };
  });
  rows.push({ event_time: 600n * SECOND, symbol: 'A', price: 1 });
  const config = { calendar: '24x7', min_rows: 10 };
  const run = (size: number): unknown[] => {
    const { outputs } = runOperator(staleFeedDetector, config, SCHEMA, cut(rows, [size]));
    return outputs['main']!.map((row) => row['anomaly_id'] as string).sort();
  };
  const whole = run(4096);
  assert.ok(whole.length > 0);
  for (const size of [1, 7]) assert.deepEqual(run(size), whole);
});
