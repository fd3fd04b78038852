/** `npm run soak -- --minutes M`: the trial, as long as one likes. */

import { parseArgs } from 'node:util';
import { soak } from './soak.ts';

const { values } = parseArgs({
  options: {
    minutes: { type: 'string', default: '1' },
    rate: { type: 'string', default: '20000' },
    seed: { type: 'string', default: String(Math.floor(Math.random() * 1e6)) },
  },
});
const minutes = Number(values.minutes);
const rate = Number(values.rate);
if (!(minutes > 0) || !(rate > 0)) {
  process.stderr.write(
    'usage: npm run soak -- [--minutes M] [--rate TRADES_A_SECOND] [--seed N]\n',
  );
  process.exit(2);
}
const log = (text: string): void => void process.stderr.write(`${text}\n`);
log(`seed ${values.seed}, ${minutes} min, ${rate} trades/s`);
const result = await soak({
  seconds: Math.round(minutes * 60),
  tradesPerSecond: rate,
  seed: Number(values.seed),
  log,
});
process.stdout.write(
  `${result.trades} trades, ${result.engineKills} engines and ${result.serverKills} servers ` +
    `killed, ${result.checkpointsSeen} checkpoints: ${result.bars} bars and ${result.anomalies} ` +
    'anomalies, none missing, none twice, each equal to an undisturbed run\n',
);
