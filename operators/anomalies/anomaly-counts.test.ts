import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { AnomalyCounts, type AnomalyIdentity } from './anomaly-counts.ts';
import { int64Of } from './time-texts.ts';

const word = fc.constantFrom(0, 1, -1, 2 ** 31 - 1, -(2 ** 31));
const identity: fc.Arbitrary<AnomalyIdentity> = fc.record({
  key: fc.nat(40),
  type: fc.nat(1),
  timeLow: word,
  timeHigh: word,
  revisionLow: fc.nat(1),
  revisionHigh: fc.constantFrom(0, -(2 ** 31)),
});
const step = fc.oneof(
  { weight: 40, arbitrary: identity },
  { weight: 1, arbitrary: fc.record({ timeLow: word, timeHigh: word }) },
);

test('counts equal those of a map, however often times are forgotten', () => {
  fc.assert(
    fc.property(fc.array(step, { maxLength: 400, size: 'max' }), (steps) => {
      const counts = new AnomalyCounts();
      const oracle = new Map<string, { identity: AnomalyIdentity; count: number }>();
      for (const each of steps) {
        if ('key' in each) {
          const name = JSON.stringify(Object.entries(each).sort(([a], [b]) => (a < b ? -1 : 1)));
          const count = (oracle.get(name)?.count ?? 0) + 1;
          oracle.set(name, { identity: each, count });
          assert.equal(counts.add(each), count);
        } else {
          const limit = int64Of(each.timeLow, each.timeHigh);
          counts.forget(each.timeLow, each.timeHigh);
          for (const [name, { identity: old }] of oracle) {
            if (int64Of(old.timeLow, old.timeHigh) < limit) oracle.delete(name);
          }
        }
        assert.equal(counts.size, oracle.size);
      }
      const left = [...counts.entries()].map(([{ ...fields }, count]) => ({ ...fields, count }));
      const want = [...oracle.values()].map(({ identity: old, count }) => ({ ...old, count }));
      assert.deepEqual(left, want);
    }),
    { numRuns: 200 },
  );
});
