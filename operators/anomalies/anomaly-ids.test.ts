import assert from 'node:assert/strict';
import { test } from 'node:test';
import { TextTable } from '../../engine/testing/rows.ts';
import { type AnomalyIdentity, NO_REVISION_HIGH, NO_REVISION_LOW } from './anomaly-counts.ts';
import { AnomalyIds } from './anomaly-ids.ts';

const KEYS = new TextTable(['A', 'B/1']);

function spike(ids: AnomalyIds, key: string, time: number, revision?: number): AnomalyIdentity {
  return {
    key: KEYS.codeOf(key),
    type: ids.typeCode('spike'),
    timeLow: time,
    timeHigh: 0,
    revisionLow: revision ?? NO_REVISION_LOW,
    revisionHigh: revision === undefined ? NO_REVISION_HIGH : 0,
  };
}

test('counts below the watermark are forgotten, those above are kept', () => {
  const ids = new AnomalyIds('step', KEYS);
  for (let time = 0; time < 5000; time++) ids.next(spike(ids, 'A', time), false);
  const sizeOf = (): number => {
    const { id_counts: bytes } = new AnomalyIds('step', KEYS, ids.snapshot()).snapshot();
    return (JSON.parse(new TextDecoder().decode(bytes)) as unknown[]).length;
  };
  assert.equal(sizeOf(), 5000);
  ids.advance(4998n);
  assert.equal(sizeOf(), 2);
  assert.equal(ids.next(spike(ids, 'A', 4998), false), 'step/A/4998/spike/2');
  assert.equal(ids.next(spike(ids, 'A', 10), true), 'step/A/10/spike/late-1');
});

test('a snapshot holds the counts of late rows', () => {
  const ids = new AnomalyIds('step', KEYS);
  assert.equal(ids.next(spike(ids, 'A', 1), true), 'step/A/1/spike/late-1');
  const restored = new AnomalyIds('step', KEYS, ids.snapshot());
  assert.equal(restored.next(spike(restored, 'A', 1), true), 'step/A/1/spike/late-2');
  assert.equal(restored.next(spike(restored, 'B/1', 1), true), 'step/B/1/1/spike/late-1');
});

test('a snapshot is read back whatever is in an id, also with other types and key codes', () => {
  const ids = new AnomalyIds('step', KEYS);
  assert.equal(ids.typeCode('gap'), 0);
  const given = [
    spike(ids, 'B/1', 7),
    spike(ids, 'B/1', 7, 0),
    spike(ids, 'B/1', 7, 3),
    { ...spike(ids, 'A', 7), timeLow: -1, timeHigh: -1 },
    { ...spike(ids, 'A', 7), timeHigh: 396_000_000 },
  ];
  assert.deepEqual(
    given.map((identity) => ids.next(identity, false)),
    [
      'step/B/1/7/spike',
      'step/B/1/7.0/spike',
      'step/B/1/7.3/spike',
      'step/A/-1/spike',
      'step/A/1700807049216000007/spike',
    ],
  );
  const keys = new TextTable(['new', ...KEYS.texts()]);
  const restored = new AnomalyIds('step', keys, ids.snapshot());
  const again = given.map(({ key, ...identity }) =>
    restored.next({ ...identity, key: key + 1, type: restored.typeCode('spike') }, false),
  );
  assert.deepEqual(again, [
    'step/B/1/7/spike/2',
    'step/B/1/7.0/spike/2',
    'step/B/1/7.3/spike/2',
    'step/A/-1/spike/2',
    'step/A/1700807049216000007/spike/2',
  ]);
});

test('a state of before reads as it was written', () => {
  const table = (rows: unknown): Uint8Array => new TextEncoder().encode(JSON.stringify(rows));
  const state = {
    id_counts: table([['step/B/1/7.2/spike', '7', 2]]),
    late_counts: table([['A', 4]]),
  };
  const ids = new AnomalyIds('step', KEYS, state);
  assert.deepEqual(ids.snapshot(), state);
  assert.equal(ids.next(spike(ids, 'B/1', 7, 2), false), 'step/B/1/7.2/spike/3');
  assert.equal(ids.next(spike(ids, 'A', 7), true), 'step/A/7/spike/late-5');
});
