import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { inject, type InjectedLabel, type Kind, type Trade } from './inject.ts';
import { randomFrom } from './random.ts';
import {
  type BacktestJson,
  f1Of,
  InjectedScores,
  precisionBeyondNatural,
  precisionByEvent,
  precisionOf,
  recallOf,
} from './scores.ts';
import { readTrades, writeLabels, writeTrades } from './trades-file.ts';

const SECOND = 1_000_000_000n;
const SESSION = { start: 1_381_152_600n * SECOND, end: 1_381_176_000n * SECOND };
const SYMBOLS = ['BUSY', 'QUIET'];

/** A day: one symbol trades twice a second, the other every 20 s, from before the opening on. */
function day(): Trade[] {
  const trades: Trade[] = [];
  const random = randomFrom(7);
  const sequences = new Map<string, number>();
  const prices = new Map<string, number>();
  for (let half = -1200; half < 48_000; half++) {
    for (const symbol of SYMBOLS) {
      if (symbol === 'QUIET' && half % 40 !== 0) continue;
      const sequence = (sequences.get(symbol) ?? 0) + 1;
      sequences.set(symbol, sequence);
      const price = Math.round((prices.get(symbol) ?? 5000) + random.integer(-2, 2));
      prices.set(symbol, price);
      const time = SESSION.start + (BigInt(half) * SECOND) / 2n;
      const size = random.integer(1, 9) * 100;
      trades.push({ symbol, time, price: price / 100, size, sequence, rest: 'Q,0,0' });
    }
  }
  return trades;
}

const TRADES = day();
const SEEDS = [1, 2, 3];
const runs = SEEDS.map((seed) => inject(TRADES, SESSION, seed));
const originals = new Map(TRADES.map((trade) => [`${trade.symbol} ${trade.sequence}`, trade]));
const originalOf = ({ symbol, sequence }: Trade): Trade => originals.get(`${symbol} ${sequence}`)!;

/** The original trades of a label, and what has become of them. */
function within({ symbol, start, end }: InjectedLabel, trades: readonly Trade[]): readonly Trade[] {
  return trades.filter((t) => t.symbol === symbol && t.time >= start && t.time <= end);
}

function each(
  kind: Kind,
  look: (label: InjectedLabel, before: readonly Trade[], after: readonly Trade[]) => void,
): void {
  let count = 0;
  for (const { labels, trades } of runs) {
    for (const label of labels.filter((of) => of.kind === kind)) {
      count++;
      look(label, within(label, TRADES), within(label, trades));
    }
  }
  assert.ok(count > 20, `${count} of ${kind}`);
}

test('the same seed gives the same, another one something else', () => {
  assert.deepEqual(inject(TRADES, SESSION, 1), runs[0]);
  assert.notDeepEqual(runs[1]!.labels, runs[0]!.labels);
});

test('what no label tells of is as it was', () => {
  for (const { trades, labels } of runs) {
    const seen = new Map<string, number>();
    for (const trade of trades) {
      const name = `${trade.symbol} ${trade.sequence}`;
      seen.set(name, (seen.get(name) ?? 0) + 1);
    }
    const covered = (trade: Trade): boolean =>
      labels.some((label) => within(label, [trade]).length > 0);
    for (const [name, trade] of originals) {
      if (seen.get(name) !== 1) assert.ok(covered(trade), `${name} ${seen.get(name)} times`);
    }
    for (const trade of trades) {
      const before = originalOf(trade);
      assert.equal(trade.time, before.time);
      assert.equal(trade.rest, before.rest);
      if (trade.price !== before.price || trade.size !== before.size) assert.ok(covered(trade));
    }
    // Those that arrive behind a later one were sent again, or were late.
    const newest = new Map<string, bigint>();
    for (const trade of trades) {
      const before = newest.get(trade.symbol) ?? 0n;
      if (trade.time < before) assert.ok(covered(trade));
      else newest.set(trade.symbol, trade.time);
    }
  }
});

test('anomalies of one symbol lie apart from each other, and within the session', () => {
  for (const { labels } of runs) {
    for (const symbol of SYMBOLS) {
      const own = labels.filter(
        (label) => label.symbol === symbol && label.type !== 'sequence_gap',
      );
      const sorted = own.toSorted((a, b) => (a.start < b.start ? -1 : 1));
      for (const [i, label] of sorted.entries()) {
        assert.ok(label.end >= label.start);
        assert.ok(label.start >= SESSION.start + 300n * SECOND);
        assert.ok(label.end <= SESSION.end - 300n * SECOND);
        if (i > 0) assert.ok(label.start > sorted[i - 1]!.end);
      }
    }
  }
});

test('spikes are 0.5 to 5 percent off, up and down, for up to three trades', () => {
  const lengths = new Set<number>();
  const signs = new Set<number>();
  each('spike', ({ type }, before, after) => {
    assert.equal(type, 'price_spike');
    lengths.add(after.length);
    for (const [i, { price }] of after.entries()) {
      const off = price / before[i]!.price - 1;
      signs.add(Math.sign(off));
      // Prices are whole cents.
      assert.ok(Math.abs(off) > 0.0048 && Math.abs(off) < 0.0502, `${off}`);
    }
  });
  assert.deepEqual(lengths, new Set([1, 2, 3]));
  assert.equal(signs.size, 2);
});

test('a decimal point is misplaced by one', () => {
  each('decimal', (_label, [before], after) => {
    assert.equal(after.length, 1);
    assert.ok(Math.abs(after[0]!.price * 10 - before!.price) < 1e-4);
  });
});

test('a stuck price is that of its first trade, for 2 to 5 minutes and 30 trades', () => {
  each('stuck', ({ symbol, start, end }, before, after) => {
    assert.equal(symbol, 'BUSY', 'the other one has no 30 trades in 5 minutes');
    assert.ok(after.length >= 30);
    assert.ok(end - start > 115n * SECOND && end - start <= 300n * SECOND);
    for (const { price } of after) assert.equal(price, before[0]!.price);
  });
});

test('volumes are 8 to 25 times what they were, for one to two minutes', () => {
  each('volume', ({ start, end }, before, after) => {
    assert.ok(end - start <= 120n * SECOND);
    const factors = after.map(({ size }, i) => size / before[i]!.size);
    const [smallest, largest] = [Math.min(...factors), Math.max(...factors)];
    assert.ok(smallest >= 7.99 && largest <= 25.01 && largest - smallest < 0.02);
  });
});

test('a duplicate comes again up to 2 s later, a late trade up to 10 s, and gaps stay', () => {
  each('duplicate', (_label, before, after) => {
    assert.equal(after.length, before.length + 1);
    assert.deepEqual(new Set(after.map(({ sequence }) => sequence)).size, before.length);
  });
  const isLate = (trades: readonly Trade[], { symbol, start }: InjectedLabel): boolean => {
    const own = trades.filter((trade) => trade.symbol === symbol);
    const at = own.findIndex(({ time }) => time === start);
    assert.ok(at > 0);
    return own[at - 1]!.time > start && own[at - 1]!.time <= start + 30n * SECOND;
  };
  for (const { trades, labels } of runs) {
    for (const label of labels.filter(({ type }) => type === 'out_of_sequence')) {
      assert.ok(isLate(trades, label));
      const gap = labels.find(({ type, symbol, start }) => {
        return type === 'sequence_gap' && symbol === label.symbol && start === label.start;
      });
      assert.ok(gap !== undefined && gap.end > gap.start);
    }
  }
  each('gap', (_label, before, after) => {
    // All but the last, behind which the gap shows.
    assert.deepEqual(
      after.map(({ sequence }) => sequence),
      [before.at(-1)!.sequence],
    );
    assert.ok(before.length >= 2 && before.length <= 51);
  });
});

test('of a silent symbol nothing is left, for 2 to 5 minutes', () => {
  each('silent', ({ symbol, start, end }, before, after) => {
    assert.equal(symbol, 'BUSY');
    // The first that comes again.
    assert.deepEqual(after, [before.at(-1)]);
    assert.ok(before.length >= 30 && end - start > 115n * SECOND && end - start < 302n * SECOND);
  });
});

test('files hold what is written to them', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-injected-'));
  try {
    const few = TRADES.slice(0, 50_000);
    const [plain, packed] = [join(folder, 'trades.csv'), join(folder, 'trades.csv.gz')];
    await writeTrades(plain, few);
    writeFileSync(packed, gzipSync(readFileSync(plain)));
    assert.deepEqual(readTrades(packed), few);
    const labels = runs[0]!.labels.slice(0, 1);
    writeLabels(plain, labels);
    const [{ symbol, start, end, type }] = labels as [InjectedLabel];
    assert.equal(
      readFileSync(plain, 'utf8'),
      `symbol,window_start,window_end,type\n${symbol},${start},${end},${type}\n`,
    );
    writeFileSync(packed, gzipSync('a,b\n1,2\n'));
    assert.throws(() => readTrades(packed), /expected ts_event,symbol/);
  } finally {
    rmSync(folder, { recursive: true });
  }
});

test('false alarms of the untouched trades are counted apart, and events once', () => {
  const alarm = (time: string) => ({ key: 'A', event_time: time, type: 'spike' });
  const spike = { labels: 4, found: 2, alerts: 9, correct: 6, delayMedian: 1, delayMax: 3 };
  const injected: BacktestJson = {
    types: { spike },
    falseAlarms: ['09:30', '09:40', '09:50'].map(alarm),
  };
  const clean: BacktestJson = { types: {}, falseAlarms: ['09:40', '10:00'].map(alarm) };
  const scores = new InjectedScores();
  scores.add(injected, clean);
  scores.add(injected, clean);
  const [[type, score]] = scores.types as [readonly [string, (typeof scores.types)[0][1]]];
  assert.equal(type, 'spike');
  assert.deepEqual([score.labels, score.found, score.natural, score.longest], [8, 4, 2, 3]);
  assert.equal(precisionOf(score), 12 / 18);
  assert.equal(precisionBeyondNatural(score), 12 / 16);
  assert.equal(precisionByEvent(score), 4 / 10);
  assert.equal(recallOf(score), 0.5);
  assert.ok(Math.abs(f1Of(score) - (2 * 0.4 * 0.5) / 0.9) < 1e-12);
});
