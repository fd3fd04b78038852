import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BEGINNING_OF_TIME, END_OF_TIME } from '../contract/time.ts';
import { type TimeRanges, WatermarkTracker } from './watermark-tracker.ts';

const at = (...times: (bigint | undefined)[]): TimeRanges =>
  times.map((time) => (time === undefined ? undefined : { smallest: time, largest: time }));

function addSplit(
  tracker: WatermarkTracker,
  delayNs: bigint,
  idleTimeoutMs: number,
  scope: 'split' | 'partition' = 'split',
): number {
  return tracker.addSplit({ delayNs, idleTimeoutMs, scope }, 0);
}

/** The split is listened to from one time to another, without anything coming. */
function silence(
  tracker: WatermarkTracker,
  split: number,
  fromMs: number,
  toMs: number,
): readonly bigint[] {
  let watermarks = tracker.idle(split, fromMs);
  for (let nowMs = fromMs; nowMs < toMs; ) {
    nowMs = Math.min(toMs, nowMs + 100);
    watermarks = tracker.idle(split, nowMs);
  }
  return watermarks;
}

test('the watermark is the largest event time minus the delay', () => {
  const tracker = new WatermarkTracker(1);
  const split = addSplit(tracker, 5n, 1000);
  assert.equal(tracker.watermark, BEGINNING_OF_TIME);
  assert.deepEqual(tracker.rows(split, at(100n), 1), [
    {
      peakBefore: BEGINNING_OF_TIME,
      othersWatermark: END_OF_TIME,
      watermarkBefore: BEGINNING_OF_TIME,
      watermark: 95n,
    },
  ]);
  assert.deepEqual(tracker.rows(split, at(90n), 2), [
    {
      peakBefore: 100n,
      othersWatermark: END_OF_TIME,
      watermarkBefore: 95n,
      watermark: 95n,
    },
  ]);
});

test('the slowest split holds the watermark back until it is idle, and it never falls', () => {
  const tracker = new WatermarkTracker(1);
  const quick = addSplit(tracker, 0n, 1000);
  const slow = addSplit(tracker, 0n, 1000);
  tracker.rows(quick, at(100n), 0);
  assert.equal(tracker.watermark, BEGINNING_OF_TIME);
  tracker.rows(slow, at(10n), 0);
  assert.equal(tracker.watermark, 10n);
  tracker.rows(quick, at(200n), 900);
  assert.deepEqual(silence(tracker, slow, 1, 1000), [10n]);
  assert.deepEqual(tracker.idle(slow, 1001), [200n], 'the slow split is idle');
  tracker.rows(slow, at(20n), 1002);
  assert.equal(tracker.watermark, 200n, 'it is back, with older rows');
});

test('with every split idle the watermark stays', () => {
  const tracker = new WatermarkTracker(1);
  const split = addSplit(tracker, 0n, 10);
  tracker.rows(split, at(7n), 0);
  assert.deepEqual(silence(tracker, split, 0, 100), [7n]);
});

test('the end of the last split is the end of time', () => {
  const tracker = new WatermarkTracker(1);
  const a = addSplit(tracker, 0n, 1000);
  const b = addSplit(tracker, 0n, 1000);
  tracker.rows(a, at(50n), 0);
  assert.deepEqual(tracker.end(b), [50n]);
  assert.deepEqual(tracker.end(a), [END_OF_TIME]);
});

test('time in which the process stood still, or the reader was not asked, is no silence', () => {
  const tracker = new WatermarkTracker(1);
  const quick = addSplit(tracker, 0n, 1000);
  const slow = addSplit(tracker, 0n, 1000);
  tracker.rows(quick, at(200n), 0);
  tracker.rows(slow, at(10n), 0);
  assert.deepEqual(silence(tracker, slow, 1, 901), [10n]);
  assert.deepEqual(tracker.idle(slow, 60_000), [10n], 'stopped, then asked at once');
  assert.equal(tracker.isIdle(quick), false, 'nobody has asked it');
  assert.deepEqual(silence(tracker, slow, 60_000, 60_099), [10n]);
  assert.deepEqual(tracker.idle(slow, 50_000), [10n], 'a clock that was set back');
  assert.deepEqual(silence(tracker, slow, 50_000, 50_001), [200n], '1000 ms of silence in all');
});

test('silence of a reader that has lost its connection, or lags behind, is none', () => {
  const tracker = new WatermarkTracker(2);
  const split = addSplit(tracker, 0n, 1000, 'partition');
  tracker.rows(split, at(10n, 50n), 0, true);
  for (let nowMs = 0; nowMs < 5000; nowMs += 100) {
    assert.deepEqual(tracker.idle(split, nowMs, false), [10n, 50n], 'not connected');
  }
  for (let nowMs = 5000; nowMs < 10_000; nowMs += 100) {
    tracker.rows(split, at(undefined, 60n), nowMs, false);
    assert.deepEqual(tracker.watermarks, [10n, 60n], 'behind');
  }
  tracker.rows(split, at(12n, 70n), 10_000, true);
  assert.deepEqual(tracker.watermarks, [12n, 70n], 'no row was late');
});

test('in a stream that never pauses, a partition that is silent is idle all the same', () => {
  const tracker = new WatermarkTracker(2);
  const split = addSplit(tracker, 0n, 1000, 'partition');
  tracker.rows(split, at(10n, 20n), 0, true);
  let time = 20n;
  for (let nowMs = 100; nowMs <= 900; nowMs += 100) {
    tracker.rows(split, at(undefined, ++time), nowMs, true);
    assert.deepEqual(tracker.watermarks, [10n, time]);
  }
  const steps = tracker.rows(split, at(undefined, 40n), 1000, true);
  assert.deepEqual(
    steps.map(({ watermarkBefore, watermark }) => [watermarkBefore, watermark]),
    [
      [10n, 40n],
      [29n, 40n],
    ],
  );
});

test('equals the definition: smallest of the active splits, never falling', () => {
  const step = fc.record({
    split: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom('rows', 'rows', 'rows', 'silence', 'deaf', 'end'),
    time: fc.bigInt(0n, 100n),
    wait: fc.integer({ min: 0, max: 8 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const tracker = new WatermarkTracker(1);
      const splits = [0n, 3n, 9n].map((delay) => {
        addSplit(tracker, delay, 10);
        const listened = { silent: 0, answered: undefined as number | undefined };
        return { delay, peak: BEGINNING_OF_TIME, ...listened, ended: false, idle: false };
      });
      let now = 0;
      let expected: bigint = BEGINNING_OF_TIME;
      for (const { split, kind, time, wait } of steps) {
        now += wait;
        const own = splits[split]!;
        if (kind === 'rows' && !own.ended) {
          tracker.rows(split, at(time), now);
          if (time > own.peak) own.peak = time;
          own.silent = 0;
          own.idle = false;
        } else if (kind === 'end') {
          tracker.end(split);
          own.ended = true;
        } else {
          tracker.idle(split, now, kind !== 'deaf');
          own.silent += kind === 'deaf' ? 0 : now - (own.answered ?? now);
          own.answered = kind === 'deaf' ? undefined : now;
          own.idle ||= own.silent >= 10;
          if (splits.every((each) => each.idle || each.ended)) continue;
        }
        const active = splits.filter((each) => !each.idle && !each.ended);
        let smallest: bigint = END_OF_TIME;
        for (const { peak, delay } of active) {
          const watermark = peak === BEGINNING_OF_TIME ? peak : peak - delay;
          if (watermark < smallest) smallest = watermark;
        }
        if (smallest > expected) expected = smallest;
        assert.equal(tracker.watermark, expected);
      }
    }),
  );
});

test('where partitions have event times of their own, so have their watermarks', () => {
  const tracker = new WatermarkTracker(3);
  const split = addSplit(tracker, 5n, 1000, 'partition');
  tracker.rows(split, at(100n, undefined, 20n), 0);
  assert.deepEqual(tracker.watermarks, [95n, BEGINNING_OF_TIME, 15n]);
  assert.equal(tracker.watermark, 15n, 'the slowest that has had rows');
  const steps = tracker.rows(split, at(90n, 40n, undefined), 0);
  assert.deepEqual(
    steps.map(({ peakBefore, watermark }) => [peakBefore, watermark]),
    [
      [100n, 95n],
      [BEGINNING_OF_TIME, 35n],
      [20n, 15n],
    ],
  );
});

test('a partition that is silent follows the slowest of the others; all silent, they stay', () => {
  const tracker = new WatermarkTracker(3);
  const split = addSplit(tracker, 0n, 1000, 'partition');
  tracker.rows(split, at(10n, 20n, 30n), 0, true);
  tracker.rows(split, at(undefined, 50n, 40n), 900, true);
  assert.deepEqual(silence(tracker, split, 900, 1000), [40n, 50n, 40n]);
  assert.deepEqual(silence(tracker, split, 1000, 5000), [40n, 50n, 40n]);
  tracker.rows(split, at(35n, undefined, undefined), 5001);
  assert.deepEqual(tracker.watermarks, [40n, 50n, 40n], 'back with older rows: none falls');
});

test('a split of one time and one of many hold back the same tasks', () => {
  const tracker = new WatermarkTracker(2);
  const whole = addSplit(tracker, 0n, 1000);
  const parts = addSplit(tracker, 0n, 1000, 'partition');
  tracker.rows(whole, at(30n), 7);
  tracker.rows(parts, at(10n, 90n), 8);
  assert.deepEqual(tracker.watermarks, [10n, 30n]);
  const others = { isIdle: false, hasEnded: false };
  assert.deepEqual(tracker.standings(0), [
    { peak: 30n, watermark: 30n, movedMs: 7, ...others },
    { peak: 10n, watermark: 10n, movedMs: 8, ...others },
  ]);
  assert.equal(tracker.standings(1)[parts]!.watermark, 90n);
});

test('a tracker goes on from the peaks and watermarks of another', () => {
  const step = fc.record({
    times: fc.tuple(fc.option(fc.bigInt(0n, 99n)), fc.option(fc.bigInt(0n, 99n))),
    isCut: fc.boolean(),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 20, size: 'max' }), (steps) => {
      const whole = new WatermarkTracker(2);
      let cut = new WatermarkTracker(2);
      addSplit(whole, 3n, 1000, 'partition');
      addSplit(cut, 3n, 1000, 'partition');
      for (const { times, isCut } of steps) {
        const ranges = at(...times.map((time) => time ?? undefined));
        assert.deepEqual(cut.rows(0, ranges, 0), whole.rows(0, ranges, 0));
        if (!isCut) continue;
        const peaks = cut.peaks(0);
        cut = new WatermarkTracker(2, cut.watermarks);
        cut.addSplit({ delayNs: 3n, idleTimeoutMs: 1000, scope: 'partition', peaks }, 0);
      }
    }),
  );
});
