/**
 * Trades as lines of JSON, all in memory, into columns: by the scanner that reads files and
 * streams, by a scanner in C (json-decode.c) that knows no escapes and no nulls, by JSON.parse into
 * typed arrays, and by JSON.parse into an array of objects. Every one checks names, which may come
 * in any order, and turns symbols into codes, but for the objects.
 */

import { ColumnStore } from '../connectors/formats/column-store.ts';
import { JsonScan } from '../connectors/formats/json-scan.ts';
import { type Benchmark, type Contender, measure, rateOf } from './harness/benchmark.ts';
import { CProgram } from './harness/c-program.ts';
import { symbolTexts, TradeGenerator, tradeColumns } from './workloads/w1.ts';

const SYMBOLS = 1000;
/** As many rows as a source has in a batch, and as many bytes as it reads at once. */
const BATCH_ROWS = 65_536;
const PIECE_BYTES = 1 << 18;
const MICROSECOND_NS = 1000n;

const COLUMNS = [
  { name: 'event_time', type: 'timestamp', from: 'event_time', isRequired: true },
  { name: 'symbol', type: 'string', from: 'symbol', isRequired: true },
  { name: 'price', type: 'float64', from: 'price', isRequired: true },
  { name: 'size', type: 'float64', from: 'size', isRequired: true },
] as const;

interface Line {
  /** Microseconds, as a double holds no nanoseconds. */
  readonly event_time: number;
  readonly symbol: string;
  readonly price: number;
  readonly size: number;
}

export const benchmark: Benchmark = {
  name: 'json-decode',
  question: 'How fast do lines of JSON become columns, beside a scanner in C and JSON.parse?',
  async run({ quick, repetitions, report }) {
    const rows = quick ? 50_000 : 1_000_000;
    const bytes = jsonLines(rows);
    const expected = sumOfObjects(parseObjects(bytes));
    using c = CProgram.start('json-decode.c', [bytes], [rows]);
    // Contenders have results of different types.
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    const contenders: Contender<any>[] = [
      {
        name: 'scanner',
        run: () => scan(bytes, false),
        check: () => assertSame('scanner', scan(bytes, true), expected),
      },
      {
        name: 'JSON.parse into typed arrays',
        run: () => parseColumns(bytes, rows),
        check: (sum: number) => assertSame('typed arrays', sum, expected),
      },
      {
        name: 'JSON.parse into row objects',
        run: () => parseObjects(bytes),
        check: (lines: readonly Line[]) => assertSame('objects', sumOfObjects(lines), expected),
      },
    ];
    if (c === undefined) report.note('C: left out, there is no gcc');
    else {
      const check = ([sum]: readonly number[]): void => assertSame('C', sum!, expected);
      contenders.push(c.contender('C, gcc -O3', check));
    }
    const measured = await measure(report, contenders, { repetitions, amount: rows, unit: 'rows' });
    const [own, arrays, objects, loop] = measured;
    if (loop !== undefined) report.against('scanner to C', own!, loop);
    report.against('scanner to JSON.parse into typed arrays', own!, arrays!);
    report.against('scanner to row objects', own!, objects!);
    report.figure('scanner', (rateOf(own!) * bytes.length) / rows / 1e6, 'MB/s');
  },
};

function jsonLines(rows: number): Buffer {
  const columns = tradeColumns(rows);
  new TradeGenerator({ rows, symbols: SYMBOLS }).fill(columns, rows);
  const texts = symbolTexts(SYMBOLS);
  const lines = Array.from({ length: rows }, (_, row) => {
    const time = columns.eventTime[row]! / MICROSECOND_NS;
    const [symbol, price] = [texts[columns.symbol[row]!]!, columns.price[row]!];
    const rest = `"symbol":"${symbol}","price":${price},"size":${columns.size[row]!}`;
    return `{"event_time":${time},${rest}}\n`;
  });
  return Buffer.from(lines.join(''));
}

/** Microseconds within a second, prices, sizes, and how many symbols there are. */
function scan(bytes: Buffer, isSummed: boolean): number {
  const store = new ColumnStore(COLUMNS, BATCH_ROWS);
  const json = new JsonScan(store, MICROSECOND_NS);
  let [sum, symbols] = [0, 0];
  const take = (): void => {
    const [times, codes, prices, sizes] = store.take(json.scanner.rowCount);
    if (isSummed && times?.type === 'timestamp' && codes?.type === 'string') {
      for (const time of times.values) sum += Number((time / MICROSECOND_NS) % 1_000_000n);
      for (const column of [prices, sizes]) {
        if (column?.type === 'float64') for (const value of column.values) sum += value;
      }
      symbols = codes.dictionary.length;
    }
    json.scanner.rowCount = 0;
  };
  for (let from = 0; from < bytes.length; from += PIECE_BYTES) {
    json.scanner.append(bytes.subarray(from, from + PIECE_BYTES));
    while (json.scan(({ reason }) => fail(reason)) === 'rows') take();
  }
  take();
  json.scanner.close();
  return sum + symbols;
}

function fail(reason: string): never {
  throw new Error(reason);
}

function parseColumns(bytes: Buffer, rows: number): number {
  const [times, prices, sizes] = [1, 2, 3].map(() => new Float64Array(rows));
  const codes = new Uint32Array(rows);
  const dictionary = new Map<string, number>();
  const text = bytes.toString('utf8');
  let row = 0;
  for (let from = 0; from < text.length; row++) {
    const to = text.indexOf('\n', from);
    const { event_time, symbol, price, size } = JSON.parse(text.slice(from, to)) as Line;
    let code = dictionary.get(symbol);
    if (code === undefined) dictionary.set(symbol, (code = dictionary.size));
    times![row] = event_time;
    codes[row] = code;
    prices![row] = price;
    sizes![row] = size;
    from = to + 1;
  }
  let sum = dictionary.size;
  for (let i = 0; i < row; i++) sum += (times![i]! % 1e6) + prices![i]! + sizes![i]!;
  return sum;
}

function parseObjects(bytes: Buffer): Line[] {
  const lines = bytes.toString('utf8').trimEnd().split('\n');
  return lines.map((line) => JSON.parse(line) as Line);
}

function sumOfObjects(lines: readonly Line[]): number {
  let sum = new Set(lines.map(({ symbol }) => symbol)).size;
  for (const { event_time, price, size } of lines) sum += (event_time % 1e6) + price + size;
  return sum;
}

function assertSame(name: string, found: number, expected: number): void {
  if (Math.abs(found - expected) <= 1e-9 * expected) return;
  throw new Error(`${name} reads something else: ${found}, expected ${expected}`);
}
