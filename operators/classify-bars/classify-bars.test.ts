import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import fc from 'fast-check';
import { EngineError } from '../../engine/contract/error.ts';
import { cut } from '../../engine/testing/arbitrary.ts';
import { planOperator, type Row, runOperator } from '../../engine/testing/harness.ts';
import { parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { SPLIT_FACTORS } from './bar-rules.ts';
import { classifyBars } from './classify-bars.ts';
import { parseSplits } from './splits-file.ts';

const SCHEMA = schemaOfTable(
  parseTable('event_time | symbol | open | high | low | close | volume'),
);
const HOUR = 3_600_000_000_000n;
/** 2023-11-15T00:00:00Z. */
const START = 1_700_006_400_000_000_000n;

interface Bar {
  open: number;
  high: number;
  low: number;
  close: number;
  volume: number;
}

/** A market that moves by up to half a percent a bar. */
const market = fc
  .array(
    fc.record({ move: fc.double({ min: -0.005, max: 0.005, noNaN: true }), size: fc.nat(999) }),
    {
      ...{ minLength: 12, maxLength: 40, size: 'max' },
    },
  )
  .map((steps) => {
    let price = 100;
    return steps.map(({ move, size }): Bar => {
      const open = price;
      price *= 1 + move;
      const high = Math.max(open, price) * 1.002;
      return { open, high, low: Math.min(open, price) * 0.998, close: price, volume: 1e4 + size };
    });
  });

function rowsOf(bars: readonly Bar[], symbol = 'A'): Row[] {
  return bars.map((bar, i) => ({ event_time: START + BigInt(i) * HOUR, symbol, ...bar }));
}

function classify(rows: readonly Row[], config: Record<string, unknown> = {}) {
  const { outputs } = runOperator(classifyBars, config, SCHEMA, cut(rows, [5]));
  return { bars: outputs['main']!, events: outputs['events']! };
}

/** In units of the first row: prices times the factor, shares by it. */
function assertClean(row: Row, { open, high, low, close, volume }: Bar): void {
  const expected = { open, high, low, close, volume };
  for (const [name, value] of Object.entries(expected)) {
    const found = row[`clean_${name}`] as number;
    assert.ok(Math.abs(found / value - 1) < 1e-9, `clean_${name} is ${found}, not ${value}`);
  }
}

test('a market without events is left as it is', () => {
  fc.assert(
    fc.property(market, (bars) => {
      const found = classify(rowsOf(bars));
      assert.deepEqual(found.events, []);
      for (const [i, row] of found.bars.entries()) {
        assert.equal(row['row_class'], 'regular');
        assertClean(row, bars[i]!);
      }
    }),
  );
});

test('a split of any known ratio is recognised, and the prices go on as if there were none', () => {
  const property = fc.property(
    market,
    fc.constantFrom(...SPLIT_FACTORS),
    fc.integer({ min: 8, max: 11 }),
    (bars, factor, at) => {
      const split = bars.map((bar, i): Bar => {
        if (i < at) return bar;
        const { open, high, low, close, volume } = bar;
        return {
          ...{ open: open / factor, high: high / factor, low: low / factor },
          ...{ close: close / factor, volume: volume * factor },
        };
      });
      const found = classify(rowsOf(split));
      const classes = found.bars.map(({ row_class: kind }) => kind);
      assert.deepEqual(
        classes,
        bars.map((_, i) => (i === at ? 'corporate_action' : 'regular')),
      );
      assert.equal(found.events.length, 1);
      assert.equal(found.events[0]!['type'], 'corporate_action');
      for (const [i, row] of found.bars.entries()) assertClean(row, bars[i]!);
    },
  );
  fc.assert(property);
});

test('a jump by the ratio of a split is of the market where it is traded, or does not stay', () => {
  const bars = Array.from({ length: 12 }, (_, i): Bar => {
    const [open, high, low, close] = i < 10 ? [100, 101, 99, 100] : [50, 50.5, 49.5, 50];
    return { open: open!, high: high!, low: low!, close: close!, volume: 1000 };
  });
  const kindsAt10 = (change: Partial<Bar>): unknown => {
    const changed = bars.map((bar, i) => (i === 10 ? { ...bar, ...change } : bar));
    return classify(rowsOf(changed)).bars[10]!['row_class'];
  };
  assert.equal(kindsAt10({}), 'corporate_action');
  assert.equal(kindsAt10({ volume: 2000 }), 'corporate_action');
  assert.equal(kindsAt10({ volume: 20_000 }), 'regular');
  assert.equal(kindsAt10({ open: 53, high: 53 }), 'regular');
  assert.equal(kindsAt10({ close: 65, high: 65 }), 'regular');
  const off = rowsOf(bars);
  assert.equal(classify(off, { ratios: false }).bars[10]!['row_class'], 'regular');
});

test('a wick or an opening print that nothing confirms is taken out', () => {
  const property = fc.property(
    market,
    fc.constantFrom('up', 'down', 'open'),
    fc.double({ min: 0.4, max: 9, noNaN: true }),
    fc.integer({ min: 8, max: 11 }),
    (bars, where, size, at) => {
      const bad = bars.map((bar, i): Bar => {
        if (i !== at) return bar;
        const high = bar.high * (1 + size);
        if (where === 'up') return { ...bar, high };
        return where === 'down'
          ? { ...bar, low: bar.low / (1 + size) }
          : { ...bar, open: high, high };
      });
      const found = classify(rowsOf(bad), { ratios: where !== 'open' });
      assert.deepEqual(
        found.bars.map(({ row_class: kind }) => kind),
        bars.map((_, i) => (i === at ? 'bad_print' : 'regular')),
      );
      assert.deepEqual(
        found.events.map(({ type, event_time: time }) => [type, time]),
        [['bad_print', START + BigInt(at) * HOUR]],
      );
      const { open, close } = bars[at]!;
      const row = found.bars[at]!;
      const clean = [row['clean_open'], row['clean_close'], row['clean_high'], row['clean_low']];
      assert.equal(clean[0], open);
      assert.equal(clean[1], close);
      assert.ok((clean[2] as number) <= bars[at]!.high && (clean[3] as number) >= bars[at]!.low);
      for (const [i, other] of found.bars.entries()) if (i !== at) assertClean(other, bars[i]!);
    },
  );
  fc.assert(property);
});

test('in a market of wide bars, and where much is traded, no wick is doubted', () => {
  const calm = Array.from({ length: 12 }, (): Bar => {
    return { open: 100, high: 101, low: 99, close: 100, volume: 1000 };
  });
  const wick = (bars: readonly Bar[], change: Partial<Bar>): unknown => {
    const changed = bars.map((bar, i) => (i === 10 ? { ...bar, ...change } : bar));
    return classify(rowsOf(changed)).bars[10]!['row_class'];
  };
  assert.equal(wick(calm, { low: 78 }), 'bad_print');
  // As in a flash crash: as deep, but traded.
  assert.equal(wick(calm, { low: 78, volume: 6000 }), 'regular');
  assert.equal(wick(calm, { low: 10, volume: 6000 }), 'bad_print');
  const wide = calm.map((bar): Bar => ({ ...bar, high: 106, low: 94 }));
  assert.equal(wick(wide, { low: 78 }), 'regular');
  assert.equal(wick(wide, { low: 30 }), 'bad_print');
});

const folder = mkdtempSync(join(tmpdir(), 'tidemark-splits-'));
after(() => rmSync(folder, { recursive: true, force: true }));

test('splits of a file are applied where the prices show them', () => {
  const splits = join(folder, 'splits.csv');
  // The second is in the prices already; the ratio of the third is not a common one.
  writeFileSync(splits, 'date,symbol,factor\n2023-11-15,A,1.1\n2023-11-15,B,1.1\n');
  const prices = (level: number): Bar[] =>
    Array.from({ length: 6 }, (_, i): Bar => {
      const price = i < 3 ? 100 : level;
      return { open: price, high: price, low: price, close: price, volume: 10 };
    });
  const rows = [...rowsOf(prices(91), 'A'), ...rowsOf(prices(99), 'B')];
  const { outputs } = runOperator(classifyBars, { splits }, SCHEMA, cut(rows, [4]), {
    restartAfterBatch: 1,
    maxOutOfOrdernessNs: 100n * HOUR,
  });
  const factors = (symbol: string) =>
    outputs['main']!.filter((row) => row['symbol'] === symbol).map((row) => row['split_factor']);
  assert.deepEqual(factors('A'), [1, 1, 1, 1.1, 1.1, 1.1]);
  assert.deepEqual(factors('B'), [1, 1, 1, 1, 1, 1]);
  assert.equal(outputs['events']!.length, 1);
  const [event] = outputs['events']!;
  assert.equal(event!['confidence'], 1);
  const { details } = JSON.parse(event!['explanation'] as string) as Record<string, Row>;
  assert.deepEqual([details!['factor'], details!['is_from_file']], [1.1, 1]);
});

test('a file of splits that cannot be used is refused by line', () => {
  const refused = (text: string): string => {
    try {
      parseSplits(text, 'no');
      return 'accepted';
    } catch (error) {
      assert.ok(error instanceof EngineError);
      return error.message;
    }
  };
  assert.match(refused('symbol,factor\nA,2\n'), /line 1: "symbol,factor", expected the columns/);
  assert.match(refused('symbol,date,factor\nA,2020-01-01,2\nA,2020-1-1,2\n'), /line 3: /);
  assert.match(refused('symbol,date,factor\nA,2020-01-01,0\n'), /line 2: /);
  assert.match(refused('symbol,date,factor\nA,2020-13-01,2\n'), /line 2: /);
  assert.match(refused('symbol,date,factor\nA,2020-01-01,\n'), /line 2: /);
  const parsed = parseSplits('\uFEFFFactor,Symbol,Date\r\n2,A,1970-01-02\r\n\r\n', 'no');
  assert.deepEqual([...parsed], [['A', [{ day: 1, factor: 2 }]]]);
  const missing = { splits: join(folder, 'none.csv') };
  assert.throws(
    () => classify([], missing),
    (error) => error instanceof EngineError && /there is no such file/.test(error.message),
  );
});

const anything = fc.oneof(
  fc.constantFrom(...[0, -0, null, Number.POSITIVE_INFINITY, Number.NEGATIVE_INFINITY, -40]),
  fc.constantFrom(5e-324, 1e308, -1e308, 1e9, 1e9 + 1e-3, 100),
  fc.double({ min: 90, max: 110, noNaN: true }),
);

test('whatever a feed sends, numbers are finite or null', () => {
  const bar = fc.record({
    ...{ open: anything, high: anything, low: anything, close: anything, volume: anything },
    symbol: fc.constantFrom('A', 'A', 'A', 'B', 'once'),
    gap: fc.constantFrom(1n, HOUR, 240n * HOUR),
  });
  const property = fc.property(fc.array(bar, { maxLength: 60, size: 'max' }), (bars) => {
    let time = START;
    const rows = bars.map(({ gap, ...rest }): Row => ({ event_time: (time += gap), ...rest }));
    const found = classify(rows, { min_rows: 2 });
    assert.equal(found.bars.length, rows.length);
    for (const row of found.bars) {
      const names = ['split_factor', 'clean_open', 'clean_high', 'clean_low', 'clean_close'];
      const numbers = [...names, 'clean_volume'].map((name) => row[name]!);
      assert.ok(numbers.every((value) => value === null || Number.isFinite(value)));
      assert.equal(row['row_class'] === null, row['clean_close'] === null);
    }
    for (const row of found.events) {
      for (const name of ['value', 'baseline', 'score', 'threshold', 'confidence']) {
        assert.ok(row[name] === null || Number.isFinite(row[name]), name);
      }
    }
  });
  fc.assert(property, { numRuns: 300 });
});

test('problems stand at their fields', () => {
  const got = (config: Record<string, unknown>, schema = SCHEMA): string[] =>
    planOperator(classifyBars, config, schema).problems.map(
      (p) => `${p.path.join('.')}: ${p.code}`,
    );
  assert.deepEqual(got({}), []);
  assert.deepEqual(got({ open: 'opening' }), ['open: config/unknown-column']);
  assert.deepEqual(got({ tolerance_pct: 50 }), ['tolerance_pct: config/constraint']);
  const columns = [...SCHEMA.columns, { name: 'row_class', type: 'string' } as const];
  assert.deepEqual(got({}, { ...SCHEMA, columns }), ['open: config/duplicate-column']);
});
