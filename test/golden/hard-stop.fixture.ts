/**
 * A process of its own that runs a golden case: `CASE OUT STATE SLOTS CHECKPOINTS`. After so many
 * checkpoints have appeared it kills itself, at once and without a word; 0 lets it come to its end.
 */

import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { lintFile } from '../../config/lint.ts';
import { FeedTurns } from '../../engine/runtime/feed-turns.ts';
import { catalog, createPipeline } from '../../index.ts';

const TURNS_A_CHECKPOINT = 15;
/** In place of a checkpoint that has not begun. */
const STORED_WITHIN_MS = 2000;

const [folder, out, state, slots, checkpoints] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];

const { link } = files;
let left = Number(checkpoints);
let isStored = false;
let onStored = (): void => undefined;
files.link = async (from, to) => {
  await link(from, to);
  if (!String(to).endsWith('.checkpoint')) return;
  if (--left === 0) process.kill(process.pid, 'SIGKILL');
  isStored = true;
  onStored();
};
syncBuiltinESMExports();
// Rows wait for checkpoints now and then, so that enough fit into few rows on a busy machine too.
const { next } = FeedTurns.prototype;
let turns = 0;
FeedTurns.prototype.next = async function (this: FeedTurns) {
  if (left > 0 && ++turns % TURNS_A_CHECKPOINT === 0) {
    const stored = new Promise<void>((resolve) => {
      onStored = resolve;
    });
    if (!isStored) await Promise.race([stored, sleep(STORED_WITHIN_MS)]);
    isStored = false;
  }
  return next.call(this);
};
// Only the process dies, not the machine.
const handle = await files.open(process.execPath);
Object.assign(Object.getPrototypeOf(handle) as object, { sync: async () => undefined });
await handle.close();

const { plan } = await lintFile(join(folder, 'pipeline.yaml'), {
  catalog,
  environment: { CASE: folder, OUT: out },
});
const sources = plan!.sources.map((source) => ({ ...source, batchRows: 1 }));
const checkpoint = { intervalMs: 1, folder: state, keep: 2 };
const result = await createPipeline(
  { ...plan!, sources, checkpoint },
  { slots: Number(slots) },
).run();
process.stdout.write(JSON.stringify({ resumedFrom: result.resumedFrom }));
