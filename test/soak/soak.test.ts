/** A short trial; `npm run soak -- --minutes 30` is a long one. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { soak } from './soak.ts';

const SECONDS = 60;

test('a minute of kills loses nothing and doubles nothing', async () => {
  const seed = Math.floor(Math.random() * 1e6);
  const result = await soak({
    seconds: SECONDS,
    tradesPerSecond: 5000,
    seed,
    log: () => undefined,
  });
  assert(result.engineKills >= 3 && result.serverKills >= 1, JSON.stringify({ seed, ...result }));
});
