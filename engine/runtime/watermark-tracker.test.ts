import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { BEGINNING_OF_TIME, END_OF_TIME } from '../contract/time.ts';
import { WatermarkTracker } from './watermark-tracker.ts';

test('the watermark is the largest event time minus the delay', () => {
  const tracker = new WatermarkTracker();
  const split = tracker.addSplit(5n, 1000, 0);
  assert.equal(tracker.watermark, BEGINNING_OF_TIME);
  assert.deepEqual(tracker.rows(split, 100n, 1), {
    peakBefore: BEGINNING_OF_TIME,
    othersWatermark: END_OF_TIME,
    watermarkBefore: BEGINNING_OF_TIME,
    watermark: 95n,
  });
  assert.deepEqual(tracker.rows(split, 90n, 2), {
    peakBefore: 100n,
    othersWatermark: END_OF_TIME,
    watermarkBefore: 95n,
    watermark: 95n,
  });
});

test('the slowest split holds the watermark back until it is idle, and it never falls', () => {
  const tracker = new WatermarkTracker();
  const quick = tracker.addSplit(0n, 1000, 0);
  const slow = tracker.addSplit(0n, 1000, 0);
  tracker.rows(quick, 100n, 0);
  assert.equal(tracker.watermark, BEGINNING_OF_TIME);
  tracker.rows(slow, 10n, 0);
  assert.equal(tracker.watermark, 10n);
  tracker.rows(quick, 200n, 900);
  assert.equal(tracker.tick(999), 10n);
  assert.equal(tracker.tick(1000), 200n, 'the slow split is idle');
  tracker.rows(slow, 20n, 1001);
  assert.equal(tracker.watermark, 200n, 'it is back, with older rows');
});

test('with every split idle the watermark stays', () => {
  const tracker = new WatermarkTracker();
  const split = tracker.addSplit(0n, 10, 0);
  tracker.rows(split, 7n, 0);
  assert.equal(tracker.tick(100), 7n);
});

test('the end of the last split is the end of time', () => {
  const tracker = new WatermarkTracker();
  const a = tracker.addSplit(0n, 1000, 0);
  const b = tracker.addSplit(0n, 1000, 0);
  tracker.rows(a, 50n, 0);
  assert.equal(tracker.end(b), 50n);
  assert.equal(tracker.end(a), END_OF_TIME);
});

test('equals the definition: smallest of the active splits, never falling', () => {
  const step = fc.record({
    split: fc.integer({ min: 0, max: 2 }),
    kind: fc.constantFrom('rows', 'rows', 'rows', 'tick', 'end'),
    time: fc.bigInt(0n, 100n),
    wait: fc.integer({ min: 0, max: 8 }),
  });
  fc.assert(
    fc.property(fc.array(step, { maxLength: 30, size: 'max' }), (steps) => {
      const tracker = new WatermarkTracker();
      const splits = [0n, 3n, 9n].map((delay) => {
        tracker.addSplit(delay, 10, 0);
        return { delay, peak: BEGINNING_OF_TIME, last: 0, ended: false, idle: false };
      });
      let now = 0;
      let expected: bigint = BEGINNING_OF_TIME;
      for (const { split, kind, time, wait } of steps) {
        now += wait;
        const own = splits[split]!;
        if (kind === 'rows' && !own.ended) {
          tracker.rows(split, time, now);
          if (time > own.peak) own.peak = time;
          own.last = now;
          own.idle = false;
        } else if (kind === 'end') {
          tracker.end(split);
          own.ended = true;
        } else {
          tracker.tick(now);
          for (const each of splits) each.idle ||= now - each.last >= 10;
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
