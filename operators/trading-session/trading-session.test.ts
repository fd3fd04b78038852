import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { gunzipSync } from 'node:zlib';
import fc from 'fast-check';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { SECONDS_PER_DAY } from './eastern-time.ts';
import { tradingSession } from './trading-session.ts';
import { dayKind } from './us-calendar.ts';

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
  ],
  time: 'event_time',
  key: 'symbol',
};

const SECOND = 1_000_000_000n;
const HOURS = new Intl.DateTimeFormat('sv-SE', {
  timeZone: 'America/New_York',
  ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
  ...({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
});

/** The definition of one row, by the time zone database of the runtime. */
function oracle(time: bigint): Row {
  const [date, clock] = HOURS.format(Number(time / 1_000_000n)).split(' ') as [string, string];
  const [hour, minute, second] = clock.split(':').map(Number) as [number, number, number];
  const minutes = hour * 60 + minute + (second + Number(time % SECOND) / 1e9) / 60;
  const kind = dayKind(Date.parse(date) / 1000 / SECONDS_PER_DAY);
  const close = (kind === 'half' ? 13 : 16) * 60;
  let session = 'closed';
  if (kind !== 'closed' && minutes >= 240 && minutes < close + 240) {
    session = minutes < 570 ? 'pre' : minutes < close ? 'regular' : 'post';
  }
  const isClosed = session === 'closed';
  return {
    session,
    session_date: BigInt(Date.parse(date)) * 1_000_000n,
    minutes_since_open: isClosed ? null : minutes - 570,
    minutes_to_close: isClosed ? null : close - minutes,
  };
}

/** Moments of 1998 to 2030, many of them next to whole half hours. */
const moment = fc
  .record({
    halfHour: fc.integer({
      min: Date.UTC(1998, 0, 1) / 1_800_000,
      max: Date.UTC(2031, 0, 1) / 1_800_000,
    }),
    shift: fc.constantFrom(-1n, 0n, 0n, 1n, 128n, -SECOND, 61n * SECOND + 5n),
  })
  .map(({ halfHour, shift }) => BigInt(halfHour) * 1800n * SECOND + shift);

function assertNear(actual: unknown, expected: unknown, message: string): void {
  if (typeof actual !== 'number' || typeof expected !== 'number') {
    assert.equal(actual, expected, message);
  } else assert.ok(Math.abs(actual - expected) < 1e-9, `${message}: ${actual}, got ${expected}`);
}

test('columns are those of the definition, in any order of rows', () => {
  const property = fc.property(
    fc.array(moment, { minLength: 1, maxLength: 60, size: 'max' }),
    fc.constantFrom('regular', 'extended', 'all'),
    fc.array(fc.integer({ min: 1, max: 9 }), { minLength: 1, maxLength: 4 }),
    (times, keep, sizes) => {
      const rows = times.map((event_time): Row => ({ event_time, symbol: 'A' }));
      const { outputs, metrics } = runOperator(tradingSession, { keep }, schema, cut(rows, sizes), {
        maxOutOfOrdernessNs: 10n ** 18n,
      });
      const want = rows
        .map((row) => ({ ...row, ...oracle(row['event_time'] as bigint) }) as Row)
        .filter(({ session }) =>
          keep === 'all' ? true : keep === 'regular' ? session === 'regular' : session !== 'closed',
        );
      const got = outputs['main']!;
      assert.equal(got.length, want.length);
      assert.equal(metrics['outside_rows_total'] ?? 0, rows.length - want.length);
      for (const [i, row] of want.entries()) {
        for (const [name, value] of Object.entries(row)) {
          assertNear(got[i]![name], value, `${name} at ${row['event_time']}`);
        }
      }
    },
  );
  fc.assert(property, { numRuns: 300 });
});

test('without an exchange, every day is a session, also before 1970', () => {
  for (const [time, date, minutes] of [
    ['2024-02-29T23:59:30Z', '2024-02-29', 1439.5],
    ['1969-12-31T00:00:00Z', '1969-12-31', 0],
    ['2024-12-25T12:00:00Z', '2024-12-25', 720],
  ] as const) {
    const rows = [{ event_time: parseIsoTime(time)!, symbol: 'A' }];
    const config = { calendar: '24x7', keep: 'regular' };
    const [row] = runOperator(tradingSession, config, schema, [rows]).outputs['main']!;
    assert.equal(row!['session'], 'regular');
    assert.equal(row!['session_date'], parseIsoTime(date));
    assert.equal(row!['minutes_since_open'], minutes);
    assert.equal(row!['minutes_to_close'], 1440 - minutes);
  }
});

test('a column that is there already is a problem', () => {
  const columns = [...schema.columns, { name: 'session', type: 'string' } as const];
  const { problems } = planOperator(tradingSession, {}, { ...schema, columns });
  assert.deepEqual(
    problems.map(({ code }) => code),
    ['config/duplicate-column'],
  );
});

const shared =
  process.env['TIDEMARK_SHARED'] ?? fileURLToPath(new URL('../../../../shared', import.meta.url));
const folder = `${shared}/data/us-equities`;
const skip = existsSync(`${folder}/bars-1h-ibm.csv.gz`) ? false : `no hourly bars in ${folder}`;

test('hourly bars lie in sessions, on every trading day and on no other', { skip }, () => {
  const rows = ['ibm'].flatMap((symbol) =>
    gunzipSync(readFileSync(`${folder}/bars-1h-${symbol}.csv.gz`))
      .toString()
      .trimEnd()
      .split('\n')
      .slice(1)
      .map((line): Row => ({ event_time: parseIsoTime(line.split(',')[0]!)!, symbol })),
  );
  const got = runOperator(tradingSession, {}, schema, [rows], {
    maxOutOfOrdernessNs: 10n ** 18n,
  }).outputs['main']!;
  assert.deepEqual(
    got.filter(({ session }) => session === 'closed'),
    [],
  );
  const days = new Set(got.map((row) => Number(row['session_date']) / 1e9 / SECONDS_PER_DAY));
  const first = Math.min(...days);
  const missing: number[] = [];
  for (let day = first; day <= Math.max(...days); day++) {
    if (dayKind(day) !== 'closed' && !days.has(day)) missing.push(day);
  }
  assert.deepEqual(missing, []);
});
