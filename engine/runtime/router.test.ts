import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { partitionOf } from '../contract/hash.ts';
import type { WatermarkScope } from '../contract/connector.ts';
import type { Schema } from '../contract/schema.ts';
import { BEGINNING_OF_TIME } from '../contract/time.ts';
import { toColumnBatch } from '../testing/column-rows.ts';
import type { Row } from '../testing/table.ts';
import { partitionsOfSlot, Router } from './router.ts';

const schema: Schema = {
  columns: [
    { name: 'time', type: 'timestamp' },
    { name: 'key', type: 'string' },
    { name: 'venue', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'flag', type: 'boolean' },
    { name: 'sequence', type: 'int64' },
  ],
  time: 'time',
  key: 'key',
};

const row: fc.Arbitrary<Row> = fc.record({
  time: fc.bigInt(-50n, 50n),
  key: fc.constantFrom('A', 'B', 'C', 'D', 'Ω', 'a-long-symbol'),
  venue: fc.option(fc.constantFrom('N', 'Q', 'P')),
  price: fc.option(fc.double({ noNaN: true })),
  flag: fc.option(fc.boolean()),
  sequence: fc.option(fc.bigInt(-(2n ** 62n), 2n ** 62n)),
});

/** What the slots learn of a reader's texts, batch by batch. */
class Learner {
  readonly #texts = new Map<number, string[]>();

  learn(news: readonly { column: number; from: number; texts: readonly string[] }[]): void {
    for (const { column, from, texts } of news) {
      const known = this.#texts.get(column) ?? [];
      assert.equal(known.length, from, 'texts are announced in order, none twice');
      this.#texts.set(column, [...known, ...texts]);
    }
  }

  text(column: number, code: number): string | null {
    return code === 0xffff_ffff ? null : this.#texts.get(column)![code]!;
  }
}

test('each slot gets the rows of its partitions, together and in arrival order', () => {
  fc.assert(
    fc.property(
      fc.array(fc.array(row, { maxLength: 30, size: 'max' }), { maxLength: 4 }),
      fc.integer({ min: 1, max: 7 }),
      fc.integer({ min: 1, max: 3 }),
      fc.bigInt(0n, 20n),
      fc.constantFrom<WatermarkScope>('split', 'partition'),
      (batches, partitions, slots, delay, scope) => {
        const router = new Router(schema, partitions, slots, { maxOutOfOrdernessNs: delay, scope });
        const learner = new Learner();
        for (const rows of batches) {
          const routed = router.route(toColumnBatch(schema, rows));
          learner.learn(routed.newTexts);
          const { peaks, isDisordered } = peaksOracle(rows, delay, (key) =>
            scope === 'split' ? 0 : partitionOf(key, partitions),
          );
          for (let slot = 0; slot < slots; slot++) {
            const own = routed.slots[slot];
            const expected = partitionsOfSlot(slot, slots, partitions).map((partition) =>
              rows.flatMap((candidate, index) =>
                partitionOf(candidate['key'] as string, partitions) === partition
                  ? [{ ...candidate, peak: isDisordered ? peaks[index]! : null }]
                  : [],
              ),
            );
            assert.deepEqual(own === undefined ? [] : readRows(own, learner), expected.flat());
            if (own === undefined) continue;
            assert.equal(own.hasPeaks, isDisordered);
            const lengths = [...own.starts.slice(1)].map((end, i) => end - own.starts[i]!);
            assert.deepEqual(
              lengths,
              expected.map((part) => part.length),
            );
          }
        }
      },
    ),
    { numRuns: 200 },
  );
});

function peaksOracle(
  rows: readonly Row[],
  delay: bigint,
  groupOf: (key: string) => number,
): { peaks: bigint[]; isDisordered: boolean } {
  const largest = new Map<number, bigint>();
  let isDisordered = false;
  const peaks = rows.map(({ time, key }) => {
    const group = groupOf(key as string);
    const before = largest.get(group) ?? BEGINNING_OF_TIME;
    if (before !== BEGINNING_OF_TIME && before - (time as bigint) > delay) isDisordered = true;
    if ((time as bigint) > before) largest.set(group, time as bigint);
    return before;
  });
  return { peaks, isDisordered };
}

function readRows(
  routed: NonNullable<ReturnType<Router['route']>['slots'][number]>,
  learner: Learner,
): Row[] {
  const { buffer, columnOffsets: at, rowCount, hasPeaks } = routed;
  const times = new BigInt64Array(buffer, at[0], rowCount);
  const keys = new Uint32Array(buffer, at[1], rowCount);
  const venues = new Uint32Array(buffer, at[2], rowCount);
  const prices = new Float64Array(buffer, at[3], rowCount);
  const flags = new Uint8Array(buffer, at[4], rowCount);
  const sequences = new BigInt64Array(buffer, at[5], rowCount);
  const peaks = hasPeaks ? new BigInt64Array(buffer, at[6], rowCount) : undefined;
  return Array.from({ length: rowCount }, (_, i) => ({
    time: times[i]!,
    key: learner.text(1, keys[i]!),
    venue: learner.text(2, venues[i]!),
    price: Number.isNaN(prices[i]!) ? null : prices[i]!,
    flag: flags[i] === 2 ? null : flags[i] === 1,
    sequence: sequences[i] === -(2n ** 63n) ? null : sequences[i]!,
    peak: peaks === undefined ? null : peaks[i]!,
  }));
}

test('smallest and largest event time span the batch', () => {
  const watermark = { maxOutOfOrdernessNs: 0n, scope: 'split' } as const;
  const router = new Router(schema, 4, 2, watermark);
  const rows = [30n, 10n, 20n].map((time) => ({ time, key: 'A' }));
  const [range] = router.route(toColumnBatch(schema, rows)).times;
  assert.deepEqual([range!.smallest, range!.largest], [10n, 30n]);
});

test('where partitions have times of their own, each has its smallest and largest', () => {
  const watermark = { maxOutOfOrdernessNs: 0n, scope: 'partition' } as const;
  const router = new Router(schema, 2, 2, watermark);
  const keyIn = (partition: number) =>
    ['A', 'B', 'C', 'D'].find((key) => partitionOf(key, 2) === partition)!;
  const rows = [
    { time: 30n, key: keyIn(0) },
    { time: 5n, key: keyIn(1) },
    { time: 10n, key: keyIn(0) },
  ];
  assert.deepEqual(router.route(toColumnBatch(schema, rows)).times, [
    { smallest: 10n, largest: 30n },
    { smallest: 5n, largest: 5n },
  ]);
});
