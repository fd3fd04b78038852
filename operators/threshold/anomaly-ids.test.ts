import assert from 'node:assert/strict';
import { test } from 'node:test';
import { AnomalyIds } from './anomaly-ids.ts';

const spike = { key: 'A', type: 'spike', revision: null, isLate: false };

test('counts below the watermark are forgotten, those above are kept', () => {
  const ids = new AnomalyIds('step');
  for (let time = 0n; time < 5000n; time++) ids.next({ ...spike, time });
  const sizeOf = (): number => {
    const { id_counts: bytes } = new AnomalyIds('step', ids.snapshot()).snapshot();
    return (JSON.parse(new TextDecoder().decode(bytes)) as unknown[]).length;
  };
  assert.equal(sizeOf(), 5000);
  ids.advance(4998n);
  assert.equal(sizeOf(), 2);
  assert.equal(ids.next({ ...spike, time: 4998n }), 'step/A/4998/spike/2');
  assert.equal(ids.next({ ...spike, time: 10n, isLate: true }), 'step/A/10/spike/late-1');
});

test('a snapshot holds the counts of late rows', () => {
  const ids = new AnomalyIds('step');
  const late = { ...spike, time: 1n, isLate: true };
  assert.equal(ids.next(late), 'step/A/1/spike/late-1');
  const restored = new AnomalyIds('step', ids.snapshot());
  assert.equal(restored.next(late), 'step/A/1/spike/late-2');
  assert.equal(restored.next({ ...late, key: 'B' }), 'step/B/1/spike/late-1');
});
