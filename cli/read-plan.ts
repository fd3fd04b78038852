/** A pipeline file to its plan, for commands that need a valid one. */

import { catalog } from '../catalog.ts';
import { type LintResult, lintFile } from '../config/lint.ts';
import { countLints, renderLints } from '../config/render-lints.ts';
import type { PipelinePlan } from '../engine/plan/pipeline-plan.ts';
import { note, type PipelineFlags, print, toJson } from './command.ts';
import { paletteFor } from './terminal/palette.ts';
import { plural } from './terminal/numbers.ts';

export type ReadPlan = LintResult & { readonly plan: PipelinePlan };

/**
 * Lints the file, tells its lints on stderr (with `--json` on stdout where it is invalid), and
 * returns its plan; undefined where there is none: the command ends as `invalidConfig`.
 * @throws {EngineError} config/unreadable
 */
export async function readPlan(
  file: string,
  { set = [], envFile = [], json = false }: PipelineFlags,
): Promise<ReadPlan | undefined> {
  const result = await lintFile(file, { catalog, overrides: set, envFiles: envFile });
  const { plan, lints } = result;
  if (lints.length > 0) note(renderLints(lints, paletteFor(process.stderr)));
  if (plan !== undefined) return { ...result, plan };
  const { errors } = countLints(lints);
  note(`${file} is invalid: ${plural(errors, 'error')}`);
  if (json) print(toJson({ file, lints }));
  return undefined;
}
