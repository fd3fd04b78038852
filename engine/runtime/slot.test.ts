/** A slot, and the ports to it, around the moment at which it is closed. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { setImmediate } from 'node:timers/promises';
import type { Catalog } from '../contract/connector.ts';
import { type Fate, Life, World } from '../testing/simulated-world.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { Slot } from './slot.ts';
import { inlineWorkers, type Workers } from './workers.ts';

const plan = { sources: [], operators: [], sinks: [], partitions: 2 } as unknown as PipelinePlan;
const catalog: Catalog = { operators: [], sources: [], sinks: [] };
const place = { slot: 0, slots: 1 };
const CLOSED = /a slot that was closed is used/;

test('a slot that is closed touches its memory no more', () => {
  const slot = new Slot(plan, catalog, place);
  slot.advance([5n]);
  assert.deepEqual(
    slot.snapshot().tasks.map(({ watermark }) => watermark),
    [5n, 5n],
  );
  slot.dispose();
  slot.dispose();
  const batch = { source: 0, reader: 0, rows: undefined, newTexts: [], times: [], nowMs: 0 };
  assert.throws(() => slot.process({ ...batch, steps: [], isUrgent: false }), CLOSED);
  assert.throws(() => slot.advance([6n]), CLOSED);
  assert.throws(() => slot.snapshot(), CLOSED);
});

/** An engine whose slots take their time for every answer. */
function slowWorkers(): Workers {
  const fate = { steps: Number.POSITIVE_INFINITY, pause: () => setImmediate() } as Partial<Fate>;
  return new Life(new World(), fate as Fate).workers(catalog);
}

for (const [name, workers] of [
  ['inline', inlineWorkers(catalog)],
  ['simulated and slow', slowWorkers()],
] as const) {
  test(`calls that are under way come to their end before a slot is closed: ${name}`, async () => {
    const slot = await workers.openSlot({ plan, ...place });
    const answered: string[] = [];
    const note = (call: string) => () => void answered.push(call);
    const snapshot = slot.snapshot();
    await Promise.all([
      slot.advance([5n]).then(note('advance')),
      slot.counters().then(note('counters')),
      snapshot.then(note('snapshot')),
      slot.close().then(note('close')),
    ]);
    assert.equal(answered.at(-1), 'close');
    assert.equal(answered.length, 4);
    await assert.rejects(slot.advance([6n]), CLOSED);
  });
}
