/** Lives at random; `npm run sim -- --seeds 10000` tries more, and `--seed N` one again. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { simulateSeed } from './seeded.ts';

const SEEDS = 200;

test(`${SEEDS} seeds give what an undisturbed life gives`, async () => {
  let deaths = 0;
  for (let seed = 1; seed <= SEEDS; seed++) deaths += await simulateSeed(seed);
  assert(deaths > SEEDS, `only ${deaths} engines died: that proves little`);
});
