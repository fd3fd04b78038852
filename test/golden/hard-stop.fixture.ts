/**
 * A process of its own that runs a golden case: `CASE OUT STATE SLOTS CHECKPOINTS`. After so many
 * checkpoints have appeared it kills itself, at once and without a word; 0 lets it come to its end.
 */

import files from 'node:fs/promises';
import { syncBuiltinESMExports } from 'node:module';
import { join } from 'node:path';
import { lintFile } from '../../config/lint.ts';
import { catalog, createPipeline } from '../../index.ts';

const [folder, out, state, slots, checkpoints] = process.argv.slice(2) as [
  string,
  string,
  string,
  string,
  string,
];

const { link } = files;
let left = Number(checkpoints);
files.link = async (from, to) => {
  await link(from, to);
  if (String(to).endsWith('.checkpoint') && --left === 0) process.kill(process.pid, 'SIGKILL');
};
syncBuiltinESMExports();
// Only the process dies, not the machine: quick checkpoints, so that enough fit into few rows.
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
