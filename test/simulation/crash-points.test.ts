/**
 * The engine dies after each single step, once at every step of a whole life, for several
 * schedules; what comes out after the restart equals the outcome of an undisturbed life.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Fate, Life, World } from '../../engine/testing/simulated-world.ts';
import {
  type Circumstances,
  live,
  logOf,
  outcomeOf,
  QUIET,
  randomOf,
  simulatedPlan,
  unaccounted,
} from './simulate.ts';

interface Schedule {
  readonly name: string;
  readonly rows: number;
  readonly circumstances: Omit<Circumstances, 'plan' | 'log'>;
  readonly slotsAfter: number;
  /** Made anew for every life. */
  readonly fate: () => Omit<Fate, 'steps'>;
}

const every = (n: number) => {
  let count = 0;
  return () => ++count % n === 0;
};

const SCHEDULES: readonly Schedule[] = [
  {
    name: 'everything staged at every checkpoint, one slot',
    rows: 120,
    circumstances: { scope: 'split', slots: 1, checkpointMs: 12 },
    slotsAfter: 1,
    fate: () => QUIET,
  },
  {
    name: 'rows carried now and then, two slots, then three',
    rows: 120,
    circumstances: { scope: 'split', slots: 2, checkpointMs: 20 },
    slotsAfter: 3,
    fate: () => ({ ...QUIET, carries: every(2) }),
  },
  {
    name: 'partitions with event times of their own, a full disk at every third checkpoint',
    rows: 120,
    circumstances: { scope: 'partition', slots: 3, checkpointMs: 10 },
    slotsAfter: 2,
    fate: () => ({ ...QUIET, batchRows: () => 11, carries: every(3), isFull: every(3) }),
  },
];

for (const { name, rows, circumstances, slotsAfter, fate } of SCHEDULES) {
  test(`dies after each step: ${name}`, async () => {
    const plan = simulatedPlan();
    const log = logOf(randomOf(rows), rows);
    const settings: Circumstances = { ...circumstances, plan, log };

    const quiet = new World();
    const whole = new Life(quiet, { ...fate(), steps: Number.POSITIVE_INFINITY });
    const undisturbed = await live(whole, settings);
    assert.equal(unaccounted(undisturbed!), 0);
    assert.equal(quiet.checkpoints.size, 0, 'a run that is complete leaves no checkpoint');
    const expected = outcomeOf(quiet, plan);
    for (const [sink, own] of Object.entries(expected)) assert(own.length > 0, `${sink} is empty`);

    const deaths = new Set<string>();
    for (let steps = 0; steps < whole.steps; steps++) {
      const world = new World();
      const first = new Life(world, { ...fate(), steps });
      assert.equal(await live(first, settings), undefined, `dies at step ${steps}`);
      deaths.add(first.diedAfter!);
      const second = new Life(world, { ...fate(), steps: Number.POSITIVE_INFINITY });
      const result = await live(second, { ...settings, slots: slotsAfter });
      const at = `died after "${first.diedAfter}", step ${steps}`;
      assert.deepEqual(outcomeOf(world, plan), expected, at);
      assert.equal(unaccounted(result!), 0, at);
      assert.equal(world.checkpoints.size, 0, at);
    }
    for (const step of ['read rows', 'take a snapshot', 'stage a part', 'commit a part']) {
      assert(deaths.has(step), `never died after "${step}": ${[...deaths].join(', ')}`);
    }
    assert(deaths.has('write the checkpoint') && deaths.has('remove a checkpoint'));
  });
}
