import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { columnKernels } from '../../wasm/host/columns.ts';
import { Kernels } from '../../wasm/host/kernels.ts';
import type { Batch } from '../contract/batch.ts';
import type { ColumnType, Schema } from '../contract/schema.ts';
import { PoisonedMemory } from '../testing/poisoned-memory.ts';
import { readRows, TextTable, writeColumn } from '../testing/rows.ts';
import type { Row, Value } from '../testing/table.ts';
import { compileExpression, compileToFloat64, compileToMask } from './compile-expression.ts';
import { arbitraryExpression, arbitraryRow, EXPRESSION_SCHEMA } from './expression.arbitrary.ts';
import type { Expression } from './expression.ts';
import {
  evaluateOracle,
  type OracleRow,
  type OracleValue,
  type Transcendental,
} from './expression.oracle.ts';
import { formatExpression } from './format-expression.ts';
import { parseExpression } from './parse-expression.ts';
import { typeOf } from './type-of.ts';

function fail(problem: { message: string }): never {
  throw new Error(problem.message);
}

function parsed(text: string): Expression {
  return parseExpression(text, [], fail)!;
}

/** A slot with one task: keys, strings and a third dictionary, as another operator may make one. */
class Bench {
  readonly memory = new PoisonedMemory();
  readonly kernels = new Kernels(this.memory);
  readonly keys = new TextTable(['ZZZ']);
  readonly strings = new TextTable();
  readonly others = new TextTable(['YYY', 'XXX']);

  batch(rows: readonly Row[], schema: Schema = EXPRESSION_SCHEMA): Batch {
    const columns = schema.columns.map((column) => {
      const dictionary =
        column.name === schema.key
          ? this.keys
          : column.name.startsWith('odd')
            ? this.others
            : this.strings;
      return writeColumn(this.memory, column, rows, dictionary);
    });
    return { rowCount: rows.length, columns, rowWatermarks: 0, origin: 0 };
  }

  /** Values of the expression over the batches, compiled once. */
  run(
    expression: Expression,
    batches: readonly (readonly Row[])[],
    schema = EXPRESSION_SCHEMA,
  ): Value[] {
    const type = typeOf(expression, schema, [], fail)!;
    const evaluate = compileExpression(expression, schema, this);
    const result: Schema = { columns: [{ name: 'x', type }], time: '', key: '' };
    return batches.flatMap((rows) => {
      const batch = this.batch(rows, schema);
      const column = evaluate(batch);
      const out = readRows(this.memory, result, { ...batch, columns: [column] });
      this.memory.arena.reset();
      return out.map(({ x }) => x!);
    });
  }
}

/** The kernels' own functions on one value, so that the oracle agrees to the last bit. */
function kernelMath({ memory, kernels }: Bench): Transcendental {
  const loops = columnKernels(kernels);
  const pointer = memory.allocate(24);
  const view = memory.f64(pointer, 3);
  const unary = (run: typeof loops.logF64) => (x: number) => {
    const values = view.length > 0 ? view : memory.f64(pointer, 3);
    values[0] = x;
    run(pointer, pointer + 16, 1);
    return values[2]!;
  };
  return {
    log: unary(loops.logF64),
    log10: unary(loops.log10F64),
    exp: unary(loops.expF64),
    pow: (x, y) => {
      const values = memory.f64(pointer, 3);
      values[0] = x;
      values[1] = y;
      loops.powF64(pointer, 1, pointer + 8, 1, pointer + 16, 1);
      return values[2]!;
    },
  };
}

function oracleRow(row: Row, schema: Schema): OracleRow {
  const values = schema.columns.map(({ name, type }): [string, OracleValue] => {
    const value = row[name] ?? null;
    return [name, type === 'timestamp' && value !== null ? { ns: BigInt(value) } : value];
  });
  return Object.fromEntries(values);
}

function plain(value: OracleValue, type: ColumnType): Value {
  if (value === null) return null;
  if (typeof value === 'object') return value.ns;
  if (type === 'float64') return Number(value) + 0; // -0 and 0 are one number
  return value;
}

function cut<T>(rows: readonly T[], cuts: readonly number[]): T[][] {
  const at = [0, ...cuts.map((part) => Math.round(part * rows.length)), rows.length];
  at.sort((a, b) => a - b);
  return at.slice(1).map((end, i) => rows.slice(at[i]!, end));
}

test('a compiled expression equals the oracle, however the rows are cut into batches', () => {
  const unit = fc.double({ min: 0, max: 1, noNaN: true });
  fc.assert(
    fc.property(
      arbitraryExpression,
      fc.array(arbitraryRow, { maxLength: 60, size: 'max' }),
      fc.array(unit, { maxLength: 3 }),
      (expression, rows, cuts) => {
        const bench = new Bench();
        const type = typeOf(expression, EXPRESSION_SCHEMA, [], () => {});
        if (type === undefined) return; // nothing but null
        const math = kernelMath(bench);
        const want = rows.map((row) =>
          plain(evaluateOracle(expression, oracleRow(row, EXPRESSION_SCHEMA), math), type),
        );
        const got = bench.run(expression, cut(rows, cuts));
        assert.deepEqual(
          got.map((value) => (typeof value === 'number' ? value + 0 : value)),
          want,
          formatExpression(expression),
        );
      },
    ),
    { numRuns: 1500 },
  );
});

test('columns of many rows take the SIMD path and its tail', () => {
  const texts = [
    '(price - size) / price * 100',
    'case when price > size and is_open or venue = symbol then price else -size end',
    'abs(least(price, size, trades)) >= 2 or not is_open',
    "seen - event_time > 5 and seen < '2013-10-07T13:30:00.000000001Z'",
    "venue in ('XNAS', 'IBM', null) or symbol in ('IBM')",
  ];
  const rows = fc.sample(arbitraryRow, { numRuns: 333, seed: 7 });
  for (const text of texts) {
    const expression = parsed(text);
    const bench = new Bench();
    const type = typeOf(expression, EXPRESSION_SCHEMA, [], fail)!;
    const want = rows.map((row) =>
      plain(evaluateOracle(expression, oracleRow(row, EXPRESSION_SCHEMA)), type),
    );
    const got = bench.run(expression, [rows.slice(0, 1), [], rows.slice(1)]);
    assert.deepEqual(
      got.map((value) => (typeof value === 'number' ? value + 0 : value)),
      want,
      text,
    );
  }
});

const ROW: Row = {
  event_time: 10_000_000_000n,
  symbol: 'IBM',
  price: 4,
  size: null,
  seen: 8_500_000_000n,
  trades: 3n,
  venue: 'XNAS',
  is_open: true,
};

const cases: readonly (readonly [text: string, want: Value])[] = [
  ['price / 0', null],
  ['0 / 0', null],
  ['price % 0', null],
  ['-7 % 4', -3],
  ['log(0)', null],
  ['log(-1)', null],
  ['sqrt(-1)', null],
  ['exp(1000)', null],
  ['1e308 * 10', null],
  ['pow(size, 0)', null],
  ['pow(1, size)', null],
  ['pow(2, 10)', 1024],
  ['round(2.5)', 3],
  ['round(-2.5)', -3],
  ['round(0.49999999999999994)', 0],
  ['round(2.345, 2)', 2.35],
  ['round(1e300, 15)', 1e300],
  ['sign(-0.1)', -1],
  ['ln(exp(1))', 1],
  ['log10(1000)', 3],
  ['trades / 2', 1.5],
  ['-trades', -3],
  ['coalesce(size, price)', 4],
  ['coalesce(size, null)', null],
  ['least(size, price)', 4],
  ['greatest(size, price, 9)', 9],
  ['least(trades, 5)', 3],
  ['greatest(event_time, seen)', 10_000_000_000n],
  ["least(seen, '1970-01-01')", 0n],
  ['event_time - seen', 1.5],
  ["event_time - '1970-01-01T00:00:01Z'", 9],
  ['size = size', null],
  ['size is null', true],
  ['size is not null', false],
  ['size > 0 and false', false],
  ['size > 0 or true', true],
  ['not size > 0', null],
  ['price between 4 and 5', true],
  ['price not between size and 3', true],
  ['price in (1, null)', null],
  ['price in (4, null)', true],
  ['price not in (1, 2)', true],
  ["symbol = 'IBM'", true],
  ["symbol <> 'unheard of'", true],
  ['symbol = venue', false],
  ["case when size > 0 then 'big' when price > 0 then symbol end", 'IBM'],
  ["case when size > 0 then 'big' end is null", true],
  ["coalesce(venue, 'nowhere')", 'XNAS'],
  ['case when is_open then trades else 1 end', 3],
  ["seen = '1970-01-01T00:00:08.5Z'", true],
  ["seen in ('1970-01-01T00:00:08.5Z')", true],
  ['null is null', true],
  ['price != 4', false],
  ["'it''s'", "it's"],
  ["'a' = 'a'", true],
  ['true', true],
  ['is_open = false', false],
  ['7', 7],
];

test('what each construct means', () => {
  for (const [text, want] of cases) {
    // Twenty rows: the first through the vector loop, the last through its tail.
    const got = new Bench().run(parsed(text), [Array.from({ length: 20 }, () => ROW)]);
    assert.deepEqual(new Set(got), new Set([want]), text);
  }
});

test('timestamps and int64 columns compare exactly beyond 2^53', () => {
  const bench = new Bench();
  const row = {
    ...ROW,
    event_time: 2n ** 62n,
    seen: 2n ** 62n + 1n,
    trades: 2n ** 60n,
    end: 2n ** 60n + 1n,
  };
  assert.deepEqual(bench.run(parsed('event_time < seen'), [[row]]), [true]);
  assert.deepEqual(bench.run(parsed('trades < "end"'), [[row]]), [true]);
  assert.deepEqual(bench.run(parsed('least("end", trades)'), [[row]]), [2n ** 60n]);
});

test('a difference of times that does not fit an int64 is still right', () => {
  const row = { ...ROW, event_time: 2n ** 62n, seen: -(2n ** 62n) - 5n };
  const [seconds] = new Bench().run(parsed('event_time - seen'), [[row]]);
  assert.ok(Math.abs((seconds as number) / (2 ** 63 / 1e9) - 1) < 1e-15);
});

test('a text that a key dictionary learns later is found then', () => {
  const bench = new Bench();
  const rows = (symbol: string): Row[] => [{ ...ROW, symbol, venue: 'MSFT' }];
  const sameText = parsed("symbol = 'MSFT'");
  const sameColumns = parsed('symbol = venue');
  const batches = [rows('IBM'), rows('MSFT'), rows('AAPL')];
  assert.deepEqual(bench.run(sameText, batches), [false, true, false]);
  assert.deepEqual(new Bench().run(sameColumns, batches), [false, true, false]);
});

test('a bare column is passed through without a copy', () => {
  const bench = new Bench();
  const batch = bench.batch([ROW]);
  const column = compileExpression(parsed('price'), EXPRESSION_SCHEMA, bench)(batch);
  assert.equal(column, batch.columns[2]);
  assert.equal(compileToFloat64(parsed('price'), EXPRESSION_SCHEMA, bench)(batch), column.pointer);
});

test('a chain of arithmetic needs one column of scratch memory', () => {
  const bench = new Bench();
  const rows = Array.from({ length: 1000 }, () => ROW);
  const evaluate = compileExpression(
    parsed('(price + trades) * 2 / size - abs(price * 3) + 1'),
    EXPRESSION_SCHEMA,
    bench,
  );
  const batch = bench.batch(rows);
  const { used: before } = bench.memory.arena.mark();
  evaluate(batch);
  const { used: after } = bench.memory.arena.mark();
  // Two branches meet: two columns of 8,000 bytes and one converted one, and a few constants.
  assert.ok(after - before < 3 * 8000, `${after - before} bytes`);
});

test('as float64 and as mask', () => {
  const bench = new Bench();
  const rows = [ROW, { ...ROW, is_open: null }, { ...ROW, is_open: false, trades: null }];
  const floats = (text: string): number[] => {
    const pointer = compileToFloat64(parsed(text), EXPRESSION_SCHEMA, bench)(bench.batch(rows));
    return [...bench.memory.f64(pointer, 3)];
  };
  assert.deepEqual(floats('trades'), [3, 3, Number.NaN]);
  assert.deepEqual(floats('is_open'), [1, Number.NaN, 0]);
  assert.deepEqual(floats('not is_open'), [0, Number.NaN, 1]);
  assert.deepEqual(floats('1.5'), [1.5, 1.5, 1.5]);
  const mask = compileToMask(parsed('is_open'), EXPRESSION_SCHEMA, bench)(bench.batch(rows));
  assert.deepEqual([...bench.memory.bytes(mask, 3)], [1, 2, 0]);
});

test('log, log10, exp and pow agree with the library to a few units in the last place', () => {
  const math = kernelMath(new Bench());
  const close = (got: number, want: number, what: string): void => {
    if (Number.isNaN(got)) assert.ok(!Number.isFinite(want), what);
    else
      assert.ok(Math.abs(got - want) <= 4e-16 * Math.abs(want) + 5e-324, `${what}: ${got} ${want}`);
  };
  fc.assert(
    fc.property(fc.double({ noNaN: true }), fc.integer({ min: -30, max: 30 }), (x, y) => {
      close(math.log(x), Math.log(x), `log(${x})`);
      close(math.log10(x), Math.log10(x), `log10(${x})`);
      const small = x % 700;
      if (Number.isFinite(small)) close(math.exp(small), Math.exp(small), `exp(${small})`);
      if (Number.isFinite(x)) close(math.pow(x, y), x ** y, `pow(${x}, ${y})`);
    }),
    { numRuns: 2000 },
  );
});

test('every null that arithmetic makes has the same bits', () => {
  const bench = new Bench();
  const rows = Array.from({ length: 5 }, (_, i) => ({ ...ROW, price: i % 2 === 0 ? null : 0 }));
  for (const text of ['1 / price', 'price + size', 'log(price)', '-size', 'pow(size, price)']) {
    const batch = bench.batch(rows);
    const { pointer } = compileExpression(parsed(text), EXPRESSION_SCHEMA, bench)(batch);
    const bits = [...bench.memory.i64(pointer, rows.length)];
    assert.deepEqual(new Set(bits), new Set([0x7ff8_0000_0000_0000n]), text);
  }
});
