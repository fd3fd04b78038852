/** Where a run begins: anew, or at a checkpoint that fits the pipeline. */

import { type ErrorCode, EngineError } from '../contract/error.ts';
import type { Checkpoint, OperatorIdentity } from '../checkpoint/checkpoint.ts';
import { decodeCheckpoint } from '../checkpoint/checkpoint-file.ts';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import {
  decideStart,
  type FoundCheckpoint,
  type StartDecision,
  type StartRequest,
} from '../checkpoint/decide-start.ts';
import { fitPlan, type PlanIdentity } from '../checkpoint/fit-plan.ts';
import type { Catalog } from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { sinkDefinition } from './sink-host.ts';
import type { FoundSplit } from './source-files.ts';

export interface StartPoint {
  readonly checkpoint: Checkpoint | undefined;
  /** Whether the outputs of the checkpoint are known to be in sight already. */
  readonly isCommitted: boolean;
  /** Later checkpoints, to be removed once it is sure that the run can go on from this one. */
  readonly superseded: readonly number[];
  readonly warnings: readonly string[];
}

/** @throws {EngineError} Where no run may begin as things are: `checkpoint/…`, with the remedy. */
export async function findStart(
  store: CheckpointStore,
  request: StartRequest,
  plan: PipelinePlan,
  catalog: Catalog,
  splits: readonly FoundSplit[],
): Promise<StartPoint> {
  const loaded = new Map<number, Checkpoint>();
  const found = await findCheckpoints(store, request, loaded);
  const sinksThatKeep = plan.sinks
    .filter((_, index) => !sinkDefinition(plan, index, catalog).takesBack)
    .map(({ name }) => name);
  const decision: StartDecision = decideStart({ request, found, sinksThatKeep });
  if (decision.kind === 'refuse') throw new EngineError(decision.code, decision.message);
  if (decision.kind === 'begin') {
    for (const epoch of decision.remove.toReversed()) await store.remove(epoch);
    const warnings = request.kind === 'ignore' ? ignored(decision.remove, store, plan) : [];
    return { checkpoint: undefined, isCommitted: false, superseded: [], warnings };
  }
  const checkpoint = loaded.get(decision.epoch)!;
  const fit = fitPlan(checkpoint, identify(plan, catalog, splits));
  if (fit.refusals.length > 0) {
    const reasons = fit.refusals.map((refusal) => `\n  - ${refusal}`).join('');
    throw new EngineError(
      'checkpoint/incompatible',
      `cannot go on from ${store.nameOf(decision.epoch)}:${reasons}`,
    );
  }
  const superseded = decision.remove;
  const isCommitted = found.some(
    ({ epoch, isCommitted: is }) => epoch === decision.epoch && is === true,
  );
  const warnings = [...decision.warnings, ...fit.warnings];
  return { checkpoint, isCommitted, superseded, warnings };
}

/** What becomes of earlier output, by `if_exists` of its sink, if it has that. */
const FATES: ReadonlyMap<unknown, string> = new Map([
  ['replace', 'is replaced when the first outputs are committed'],
  ['append', 'stays, and the rows come a second time'],
  [undefined, 'stays, where it keeps any, and may come a second time'],
]);

/** What it means to ignore the state there is. */
function ignored(removed: readonly number[], store: CheckpointStore, plan: PipelinePlan): string[] {
  const [newest] = removed;
  const older = removed.length > 1 ? ` and ${removed.length - 1} older` : '';
  const gone =
    newest === undefined
      ? 'there is no checkpoint to ignore'
      : `${store.nameOf(newest)}${older} removed`;
  const fates = new Map<string, string[]>();
  for (const { name, config } of plan.sinks) {
    const fate = FATES.get((config as { if_exists?: unknown }).if_exists);
    // Those with a dot take the dead letters that the file has no sink for.
    if (fate === undefined || name.includes('.')) continue;
    fates.set(fate, [...(fates.get(fate) ?? []), name]);
  }
  const outputs = [...fates].map(([fate, names]) => `what ${names.join(', ')} wrote ${fate}`);
  const steps = [gone, 'every source is read from its start', ...outputs];
  return [`beginning anew with --ignore-state: ${steps.join('; ')}`];
}

/** Reads as many as the decision needs: the one asked for, or down to the first that is good. */
async function findCheckpoints(
  store: CheckpointStore,
  request: StartRequest,
  loaded: Map<number, Checkpoint>,
): Promise<FoundCheckpoint[]> {
  const found: FoundCheckpoint[] = [];
  for (const { epoch, isCommitted } of await store.list()) {
    const isWanted = request.kind === 'epoch' ? request.epoch === epoch : request.kind === 'newest';
    if (!isWanted || (request.kind === 'newest' && loaded.size > 0)) {
      found.push({ epoch });
      continue;
    }
    try {
      loaded.set(epoch, decodeCheckpoint(await store.read(epoch), store.nameOf(epoch)));
      found.push({ epoch, isCommitted });
    } catch (error) {
      if (!(error instanceof EngineError)) throw error;
      const code: ErrorCode = error.code;
      found.push({ epoch, problem: { code, message: error.message } });
    }
  }
  return found;
}

export function identifyOperators(
  plan: PipelinePlan,
  { operators }: Catalog,
): readonly OperatorIdentity[] {
  return plan.operators.map(({ name, type, config, inputSchema }) => {
    const { state } = operators.find((definition) => definition.name === type)!;
    const stateVersion = state.scope === 'none' ? 0 : state.version;
    return { name, type, stateVersion, config, input: inputSchema };
  });
}

function identify(
  plan: PipelinePlan,
  catalog: Catalog,
  splits: readonly FoundSplit[],
): PlanIdentity {
  return {
    pipeline: plan.name,
    key: plan.key,
    partitions: plan.partitions,
    sources: plan.sources.map(({ name, type }, index) => ({
      name,
      type,
      splits: splits.filter((found) => found.index === index).map(({ split }) => split.id),
    })),
    operators: identifyOperators(plan, catalog),
    sinks: plan.sinks,
  };
}
