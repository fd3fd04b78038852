/**
 * Trades of W1 dealt out over 16 partitions by their symbol, batch by batch, on one core: by the
 * router, which also copies them into its memory, looks for rows out of order and makes the buffers
 * of two slots; and by a counting sort of the four columns, as one writes it by hand, in C
 * (partition-split.c) and in plain JavaScript; and by pushing objects into an array a partition.
 */

import { partitionOf } from '../engine/contract/hash.ts';
import { partitionsOfSlot, Router } from '../engine/runtime/router.ts';
import { type Benchmark, type Contender, measure } from './harness/benchmark.ts';
import { CProgram } from './harness/c-program.ts';
import { type SharedTrades, sharedTrades, tradeVectors } from './workloads/memory-source.ts';
import { symbolTexts, W1_SCHEMA } from './workloads/w1.ts';

const PARTITIONS = 16;
const SLOTS = 2;
const BATCH_ROWS = 65_536;
const SYMBOLS = 1000;

interface Row {
  readonly time: number;
  readonly symbol: string;
  readonly price: number;
  readonly size: number;
}

export const benchmark: Benchmark = {
  name: 'partition-split',
  question: 'What does it cost to deal trades out over partitions, beside a counting sort in C?',
  async run({ quick, repetitions, report }) {
    const rows = quick ? 200_000 : 4_000_000;
    const trades = sharedTrades({ rows, symbols: SYMBOLS }, BATCH_ROWS);
    const { eventTime, symbol, price, size } = trades.columns;
    const partitions = Uint32Array.from(symbolTexts(SYMBOLS), (text) =>
      partitionOf(text, PARTITIONS),
    );
    const input = [eventTime, price, size, symbol, partitions].map(
      ({ buffer, byteLength }) => new Uint8Array(buffer, 0, byteLength),
    );
    using c = CProgram.start('partition-split.c', input, [rows, SYMBOLS, PARTITIONS, BATCH_ROWS]);
    const expected = split(trades, partitions, true);
    const objects = rowObjects(trades, Math.min(rows, 1_000_000));
    const few = split({ ...trades, rows: objects.length }, partitions, true);
    // Contenders have results of different types.
    // eslint-disable-next-line @typescript-eslint/no-explicit-any
    const contenders: Contender<any>[] = [
      {
        name: 'router',
        run: () => route(trades, false),
        check: () => assertSame('router', route(trades, true), expected),
      },
      { name: 'plain JavaScript, typed arrays', run: () => split(trades, partitions, false) },
      {
        name: `row objects, ${objects.length.toLocaleString('en-US')} trades`,
        amount: objects.length,
        run: () => splitObjects(objects),
        check: (split: readonly (readonly Row[])[][]) =>
          assertSame('objects', sumOfObjects(split), few),
      },
    ];
    if (c === undefined) report.note('C: left out, there is no gcc');
    else {
      const check = ([sum]: readonly number[]): void => assertSame('C', sum!, expected);
      contenders.push(c.contender('C, gcc -O3', check));
    }
    const options = { repetitions, amount: rows, unit: 'trades' };
    const [own, plain, pushed, loop] = await measure(report, contenders, options);
    if (loop !== undefined) report.against('router to C', own!, loop);
    report.against('router to plain JavaScript', own!, plain!);
    report.against('router to row objects', own!, pushed!);
  },
};

/** What a sum must tell: which partition a price is in, and at which place of its batch. */
function weight(partition: number, place: number): number {
  return partition + 1 + (place % 7);
}

function route(trades: SharedTrades, isSummed: boolean): number {
  const watermark = { maxOutOfOrdernessNs: 0n, scope: 'split' } as const;
  const router = new Router(W1_SCHEMA, PARTITIONS, SLOTS, watermark);
  let sum = 0;
  for (let from = 0; from < trades.rows; from += BATCH_ROWS) {
    const to = Math.min(trades.rows, from + BATCH_ROWS);
    const routed = router.route({ rowCount: to - from, columns: tradeVectors(trades, from, to) });
    for (const [slot, part] of routed.slots.entries()) {
      if (part === undefined) continue;
      if (isSummed) {
        const prices = new Float64Array(part.buffer, part.columnOffsets[2], part.rowCount);
        for (const [rank, partition] of partitionsOfSlot(slot, SLOTS, PARTITIONS).entries()) {
          const start = part.starts[rank]!;
          for (let row = start; row < part.starts[rank + 1]!; row++) {
            sum += prices[row]! * weight(partition, row - start);
          }
        }
      }
      router.recycle(part.buffer);
    }
  }
  return sum;
}

/** A counting sort of each batch; the columns go to where they lie by partition. */
function split(trades: SharedTrades, partitions: Uint32Array, isSummed: boolean): number {
  const { eventTime, symbol, price, size } = trades.columns;
  const times = new BigInt64Array(BATCH_ROWS);
  const codes = new Uint32Array(BATCH_ROWS);
  const [prices, sizes] = [new Float64Array(BATCH_ROWS), new Float64Array(BATCH_ROWS)];
  let sum = 0;
  for (let from = 0; from < trades.rows; from += BATCH_ROWS) {
    const to = Math.min(trades.rows, from + BATCH_ROWS);
    const starts = new Uint32Array(PARTITIONS + 1);
    for (let row = from; row < to; row++) starts[partitions[symbol[row]!]! + 1]!++;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      starts[partition + 1]! += starts[partition]!;
    }
    const next = starts.slice();
    for (let row = from; row < to; row++) {
      const place = next[partitions[symbol[row]!]!]!++;
      times[place] = eventTime[row]!;
      codes[place] = symbol[row]!;
      prices[place] = price[row]!;
      sizes[place] = size[row]!;
    }
    if (!isSummed) continue;
    for (let partition = 0; partition < PARTITIONS; partition++) {
      const start = starts[partition]!;
      for (let row = start; row < starts[partition + 1]!; row++) {
        sum += prices[row]! * weight(partition, row - start);
      }
    }
  }
  return sum;
}

function rowObjects({ columns, dictionary }: SharedTrades, count: number): Row[] {
  return Array.from({ length: count }, (_, row) => ({
    time: Number(columns.eventTime[row]! / 1000n) / 1000,
    symbol: dictionary[columns.symbol[row]!]!,
    price: columns.price[row]!,
    size: columns.size[row]!,
  }));
}

function splitObjects(rows: readonly Row[]): Row[][][] {
  const partitions = new Map<string, number>();
  const batches: Row[][][] = [];
  for (let from = 0; from < rows.length; from += BATCH_ROWS) {
    const parts: Row[][] = Array.from({ length: PARTITIONS }, () => []);
    for (const row of rows.slice(from, from + BATCH_ROWS)) {
      let partition = partitions.get(row.symbol);
      if (partition === undefined) {
        partition = partitionOf(row.symbol, PARTITIONS);
        partitions.set(row.symbol, partition);
      }
      parts[partition]!.push(row);
    }
    batches.push(parts);
  }
  return batches;
}

function sumOfObjects(batches: readonly (readonly (readonly Row[])[])[]): number {
  let sum = 0;
  for (const parts of batches) {
    for (const [partition, rows] of parts.entries()) {
      for (const [place, { price }] of rows.entries()) sum += price * weight(partition, place);
    }
  }
  return sum;
}

function assertSame(name: string, found: number, expected: number): void {
  if (Math.abs(found - expected) <= 1e-9 * expected) return;
  throw new Error(`${name} deals out otherwise: ${found}, expected ${expected}`);
}
