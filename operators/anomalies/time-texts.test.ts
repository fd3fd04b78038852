import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { formatTime } from '../../engine/contract/time.ts';
import { int64Of, TimeTexts } from './time-texts.ts';

/** Times of all sizes, many of them near each other or on whole seconds and days. */
const time = fc.oneof(
  fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n }),
  fc.bigInt({ min: -100n, max: 100n }),
  fc.bigInt({ min: -9_000_000_000n, max: 9_000_000_000n }).map((second) => second * 1_000_000_000n),
  fc.bigInt({ min: 0n, max: 100_000n }).map((day) => day * 86_400_000_000_000n),
  fc
    .record({ second: fc.nat(3_000_000), fraction: fc.constantFrom(1n, 999_999_999n, 120_000n) })
    .map(({ second, fraction }) => 1_700_000_000_000_000_000n + BigInt(second) + fraction),
);

test('times read as formatTime and toString write them, also when they come again', () => {
  fc.assert(
    fc.property(fc.array(time, { maxLength: 50, size: 'max' }), (times) => {
      const texts = new TimeTexts();
      for (const each of [...times, ...times]) {
        const low = Number(BigInt.asIntN(32, each));
        const high = Number(each >> 32n);
        assert.equal(int64Of(low, high), each);
        assert.equal(texts.iso(low, high), formatTime(each));
        assert.equal(texts.decimal(low, high), `${each}`);
      }
    }),
    { numRuns: 300 },
  );
});
