/** `npm run sim`: as many seeds as one likes, or one of them again. */

import { parseArgs } from 'node:util';
import { simulateSeed } from './seeded.ts';

const { values } = parseArgs({
  options: {
    seeds: { type: 'string', default: '1000' },
    seed: { type: 'string' },
    from: { type: 'string', default: '1' },
  },
});
const first = Number(values.seed ?? values.from);
const last = values.seed === undefined ? first + Number(values.seeds) - 1 : first;
if (!Number.isInteger(first) || !Number.isInteger(last)) {
  process.stderr.write('usage: npm run sim -- [--seeds N] [--from N] [--seed N]\n');
  process.exit(2);
}
let deaths = 0;
for (let seed = first; seed <= last; seed++) {
  try {
    deaths += await simulateSeed(seed);
  } catch (error) {
    process.stderr.write(`seed ${seed} fails; again with: npm run sim -- --seed ${seed}\n`);
    throw error;
  }
  if (seed % 100 === 0) process.stderr.write(`${seed - first + 1} seeds, ${deaths} deaths\n`);
}
process.stdout.write(`seeds ${first} to ${last}: all good, ${deaths} engines died on the way\n`);
