/** A pipeline file to its plan, for commands that need a valid one. */

import type { Command } from 'commander';

import { catalog } from '../catalog.ts';
import { type LintResult, lintFile } from '../config/lint.ts';
import { countLints, renderLints } from '../config/render-lints.ts';
import type { CheckpointPlan, PipelinePlan } from '../engine/plan/pipeline-plan.ts';
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

/** The plan of a pipeline that takes checkpoints. */
export interface CheckpointedPlan {
  readonly plan: PipelinePlan;
  readonly checkpoint: CheckpointPlan;
}

/** As `readPlan`; a pipeline without checkpoints is wrong usage of the command, which ends. */
export async function readCheckpointedPlan(
  command: Command,
  file: string,
  flags: PipelineFlags,
): Promise<CheckpointedPlan | undefined> {
  const read = await readPlan(file, flags);
  if (read === undefined) return undefined;
  const { plan } = read;
  if (plan.checkpoint === undefined) return command.error(noCheckpoints(file));
  return { plan, checkpoint: plan.checkpoint };
}

export function noCheckpoints(file: string): string {
  return `error: ${file} takes no checkpoints; add checkpoint: { interval: 10s }`;
}
