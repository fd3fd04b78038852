/** One seed: a log, and engines that live and die at random until one comes to the end. */

import assert from 'node:assert/strict';
import { setImmediate } from 'node:timers/promises';
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

const PLAN = simulatedPlan();
const DEATHS_MAX = 6;

/**
 * Fails, naming the seed, where the outcome is not that of an undisturbed life.
 * @returns How often an engine died.
 */
export async function simulateSeed(seed: number): Promise<number> {
  const random = randomOf(seed);
  const upTo = (largest: number): number => Math.floor(random() * (largest + 1));
  const circumstances = (): Circumstances => ({
    plan: PLAN,
    log,
    scope,
    slots: 1 + upTo(2),
    checkpointMs: 2 + upTo(40),
  });
  const log = logOf(random, 20 + upTo(180));
  const scope = random() < 0.5 ? 'split' : 'partition';
  const quiet = new World();
  await live(new Life(quiet, QUIET), circumstances());
  const expected = outcomeOf(quiet, PLAN);

  const world = new World();
  for (let deaths = 0; ; deaths++) {
    const steps = deaths < DEATHS_MAX ? upTo(90) : Number.POSITIVE_INFINITY;
    const life = new Life(world, restless(random, steps));
    const result = await live(life, circumstances());
    if (result === undefined) continue;
    assert.deepEqual(outcomeOf(world, PLAN), expected, `seed ${seed}`);
    assert.equal(unaccounted(result), 0, `seed ${seed}`);
    assert.equal(world.checkpoints.size, 0, `seed ${seed}`);
    return deaths;
  }
}

/** Batches of any size, polls in vain, and disks that are full now and then. */
function restless(random: () => number, steps: number): Fate {
  const batchMax = 1 + Math.floor(random() * 40);
  return {
    steps,
    batchRows: () => (random() < 0.1 ? 0 : 1 + Math.floor(random() * batchMax)),
    carries: () => random() < 0.4,
    isFull: () => random() < 0.1,
    isSinkFull: () => random() < 0.03,
    pause: async () => {
      if (random() < 0.3) await setImmediate();
    },
  };
}
