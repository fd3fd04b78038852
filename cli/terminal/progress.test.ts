import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BEGINNING_OF_TIME, END_OF_TIME, parseIsoTime } from '../../engine/contract/time.ts';
import { Progress, type ProgressSnapshot } from './progress.ts';
import type { Environment } from './palette.ts';
import { displayWidth } from './text.ts';

/** A terminal that keeps what is written, and a clock that stands until it is moved. */
class Screen {
  nowMs = 0;
  readonly written: string[] = [];
  readonly progress: Progress;

  constructor(
    { isTTY, columns = 100 }: { isTTY: boolean; columns?: number },
    environment: Environment = {},
    isQuiet = false,
  ) {
    this.progress = new Progress({
      stream: { isTTY, columns, write: (text) => this.written.push(text) },
      clock: { sleep: async () => undefined, nowMs: () => this.nowMs },
      environment: { NO_COLOR: '1', ...environment },
      isQuiet,
    });
  }

  at(nowMs: number, more: Partial<ProgressSnapshot> & { rows?: number } = {}): void {
    this.nowMs = nowMs;
    this.progress.update(snapshot(nowMs, more));
  }

  /** What a terminal would show in the end, line by line. */
  get lines(): string[] {
    const shown = this.written.join('').split('\n');
    return shown.map((line) => line.split('\r\x1b[2K').at(-1)!);
  }
}

function snapshot(
  elapsedMs: number,
  { rows = 0, ...more }: Partial<ProgressSnapshot> & { rows?: number },
): ProgressSnapshot {
  return {
    elapsedMs,
    accounts: { read: rows },
    watermark: BEGINNING_OF_TIME,
    anomalies: 0,
    bytesRead: 0,
    bytesTotal: undefined,
    ...more,
  };
}

const NOON = parseIsoTime('2026-01-02T12:00:00.999Z')!;

test('on a terminal one line is drawn over, at most ten times a second', () => {
  const screen = new Screen({ isTTY: true });
  for (let nowMs = 0; nowMs <= 1000; nowMs += 10) screen.at(nowMs, { rows: nowMs * 1000 });
  assert.equal(screen.written.length, 11);
  assert.ok(screen.written.every((text) => text.startsWith('\r\x1b[2K') && !text.includes('\n')));
  assert.deepEqual(screen.lines, ['1.00 M rows  1.00 M rows/s  0 anomalies']);
});

test('with a known total there are a bar, a share and the time left', () => {
  const screen = new Screen({ isTTY: true, columns: 120 });
  const total = { bytesTotal: 1000, watermark: NOON, anomalies: 42 };
  screen.at(0, { ...total });
  screen.at(2000, { ...total, rows: 2_500_000, bytesRead: 500 });
  assert.deepEqual(screen.lines, [
    '━━━━━━━━━━━━━━──────────────   50 %  2.50 M rows  1.25 M rows/s  ' +
      '2026-01-02 12:00:00  42 anomalies  2.0 s left',
  ]);
  screen.at(3999, { ...total, anomalies: 1, rows: 5_000_000, bytesRead: 999 });
  assert.match(screen.lines[0]!, / {2}99 % .* 1 anomaly .*4 ms left$/);
  screen.at(4100, { ...total, watermark: END_OF_TIME, rows: 5_000_000, bytesRead: 1000 });
  assert.match(screen.lines[0]!, /━{28} {2}100 % .* all read {2}42 anomalies$/);
});

test('rows a second are those of the last moments', () => {
  const screen = new Screen({ isTTY: true });
  for (let nowMs = 0; nowMs <= 10_000; nowMs += 100) {
    screen.at(nowMs, { rows: Math.min(nowMs, 5000) * 1000 });
    if (nowMs === 5000) assert.match(screen.lines[0]!, /1\.00 M rows\/s/);
  }
  assert.match(screen.lines[0]!, /5\.00 M rows {2}0 rows\/s/);
});

test('a narrow terminal gets fewer parts', () => {
  const shownAt = (columns: number): string => {
    const screen = new Screen({ isTTY: true, columns });
    const total = { bytesTotal: 1000, watermark: NOON, anomalies: 42 };
    screen.at(0, total);
    screen.at(2000, { ...total, rows: 2_500_000, bytesRead: 500 });
    return screen.lines[0]!;
  };
  assert.equal(
    shownAt(80),
    '━━━━━────   50 %  2.50 M rows  1.25 M rows/s  2026-01-02 12:00:00  42 anomalies',
  );
  assert.equal(
    shownAt(81),
    '50 %  2.50 M rows  1.25 M rows/s  2026-01-02 12:00:00  42 anomalies  2.0 s left',
  );
  assert.equal(shownAt(60), '━━━━━─────   50 %  2.50 M rows  1.25 M rows/s  42 anomalies');
  assert.equal(shownAt(40), '50 %  2.50 M rows  42 anomalies');
  assert.equal(shownAt(20), '2.50 M rows');
});

test('a line never reaches the last cell of the terminal', () => {
  fc.assert(
    fc.property(
      fc.integer({ min: 20, max: 160 }),
      fc.integer({ min: 0, max: 1e12 }),
      fc.integer({ min: 0, max: 1e9 }),
      fc.double({ min: 0, max: 2, noNaN: true }),
      fc.boolean(),
      (columns, rows, anomalies, done, isColored) => {
        const screen = new Screen(
          { isTTY: true, columns },
          isColored ? { NO_COLOR: '', FORCE_COLOR: '1' } : {},
        );
        screen.at(60_000, {
          rows,
          anomalies,
          bytesRead: done * 1000,
          bytesTotal: 1000,
          watermark: NOON,
        });
        assert.ok(displayWidth(screen.lines[0]!) < columns, screen.lines[0]);
      },
    ),
  );
});

test('elsewhere a plain line comes every five seconds, the first after five', () => {
  for (const [isTTY, environment] of [
    [false, {}],
    [true, { CI: 'true' }],
    [true, { TERM: 'dumb' }],
  ] as const) {
    const screen = new Screen({ isTTY }, environment);
    for (let nowMs = 0; nowMs <= 12_000; nowMs += 100) {
      screen.at(nowMs, {
        rows: nowMs * 100,
        watermark: NOON,
        bytesTotal: 20_000,
        bytesRead: nowMs,
      });
    }
    screen.progress.clear();
    assert.equal(
      screen.written.join(''),
      '25 % done, 500 k rows, 100 k rows/s, watermark 2026-01-02 12:00:00, 0 anomalies, ' +
        '15.0 s left\n' +
        '50 % done, 1.00 M rows, 100 k rows/s, watermark 2026-01-02 12:00:00, 0 anomalies, ' +
        '10.0 s left\n',
    );
  }
});

test('quiet means no progress, but notes', () => {
  const screen = new Screen({ isTTY: true }, {}, true);
  for (let nowMs = 0; nowMs <= 12_000; nowMs += 100) screen.at(nowMs, { rows: nowMs });
  screen.progress.clear();
  assert.deepEqual(screen.written, []);
  screen.progress.note('stopping');
  assert.deepEqual(screen.written, ['stopping\n']);
});

test('a note stands above the line, which comes back below it and goes in the end', () => {
  const screen = new Screen({ isTTY: true });
  screen.at(0, { rows: 0 });
  screen.at(1000, { rows: 10 });
  screen.progress.note('stopping: waiting for what has been read');
  assert.deepEqual(screen.lines, ['stopping: waiting for what has been read', '']);
  screen.at(1001, { rows: 20 });
  assert.deepEqual(screen.lines, [
    'stopping: waiting for what has been read',
    '20 rows  20 rows/s  0 anomalies',
  ]);
  screen.progress.clear();
  screen.progress.clear();
  assert.deepEqual(screen.lines, ['stopping: waiting for what has been read', '']);
});
