/** Runs the pipelines of config/pipelines/reference over real data. */

import assert from 'node:assert/strict';
import { basename, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { lintFile } from '../../config/lint.ts';
import { catalog, createPipeline } from '../../index.ts';
import { readOutput, type Row } from './oracle-rows.ts';

const PIPELINES = fileURLToPath(new URL('../../../config/pipelines/reference/', import.meta.url));

/**
 * Runs a pipeline, whose outputs go to the folder, and reads these columns of its anomalies.
 * @param pipeline Path of its file, from the folder of the reference pipelines, without the ending.
 */
export async function anomaliesOf(
  folder: string,
  pipeline: string,
  source: string,
  input: string,
  columns: readonly string[],
): Promise<readonly Row[]> {
  const out = join(folder, basename(pipeline));
  const file = join(PIPELINES, `${pipeline}.yaml`);
  const first = await lintFile(file, { catalog });
  const overrides = [
    `sources.${source}.path=${input}`,
    ...first.plan!.sinks.map(({ name }) => `sinks.${name}.path=${join(out, name)}`),
    `dead_letter.path=${join(out, 'dead-letter')}`,
  ];
  const { plan, lints } = await lintFile(file, { catalog, overrides });
  assert.deepEqual(lints, []);
  const result = await createPipeline(plan!, { slots: 2 }).run();
  assert.equal(result.failure, undefined);
  const { read, processed } = result.accounts;
  assert.equal(processed, read, 'every row is processed');
  return readOutput(join(out, 'anomalies'), columns);
}
