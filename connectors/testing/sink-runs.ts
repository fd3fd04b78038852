/**
 * For tests of sinks: a pipeline as a sink sees it, with checkpoints, crashes and restarts.
 *
 * Batches come from a list that can be read again from any place; a checkpoint is the place, what
 * the sink has prepared, and its epoch. A restart commits the newest checkpoint again, opens the
 * sink with what it carries, and goes on from its place.
 */

import type {
  Committable,
  SinkContext,
  SinkDefinition,
  SinkWriter,
} from '../../engine/contract/connector.ts';
import { columnBatch, type Row } from './rows.ts';
import { CrashPoint } from './crash-points.ts';

export interface SinkRun {
  readonly definition: SinkDefinition;
  readonly config: Record<string, unknown>;
  readonly context: SinkContext;
  readonly batches: readonly (readonly Row[])[];
  /** Numbers of batches behind which there is a checkpoint. */
  readonly checkpoints: ReadonlySet<number>;
  /** Checkpoints, counted from 1, that cannot be stored: their committables wait for the next. */
  readonly unstored?: ReadonlySet<number>;
  /** Opens the writer in another way than the definition does. */
  readonly open?: (context: SinkContext) => Promise<SinkWriter>;
}

export interface StoredCheckpoint {
  readonly epoch: number;
  /** Batches read. */
  readonly position: number;
  readonly committables: readonly Committable[];
  readonly carried: Uint8Array | undefined;
  readonly isFinal: boolean;
}

/** Runs to the end, from the newest of the checkpoints on, which grow. */
export async function runSink(
  run: SinkRun,
  stored: StoredCheckpoint[],
  crash = new CrashPoint(Infinity),
): Promise<void> {
  const { definition, config, context, batches } = run;
  const last = stored.at(-1);
  if (last !== undefined) await definition.commit(config, last.committables, context);
  if (last?.isFinal === true) return;
  const resume = last && { epoch: last.epoch, carried: last.carried };
  const open = run.open ?? ((opened) => definition.open(config, opened));
  const writer = await open({ ...context, resume });
  let epoch = last?.epoch ?? 0;
  let pending: readonly Committable[] = [];
  const checkpoint = async (position: number, isFinal: boolean): Promise<void> => {
    const { committables, carried } = await writer.prepareCommit(++epoch, isFinal);
    pending = [...pending, ...committables];
    if (run.unstored?.has(epoch) === true && !isFinal) return;
    crash.step();
    stored.push({ epoch, position, committables: pending, carried, isFinal });
    crash.step();
    await definition.commit(config, pending, context);
    pending = [];
  };
  for (let i = last?.position ?? 0; i < batches.length; i++) {
    await writer.write(columnBatch(context.schema, batches[i]!));
    if (run.checkpoints.has(i)) await checkpoint(i + 1, false);
  }
  await checkpoint(batches.length, true);
  await writer.close();
}

/**
 * Runs again and again, each time dying one step later, and going on to the end.
 * @param check What must hold at the end; told after which step the process died.
 */
export async function crashEverywhere(
  prepare: (step: number) => Promise<SinkRun>,
  check: (run: SinkRun, step: number) => Promise<void> | void,
): Promise<number> {
  for (let step = 1; ; step++) {
    const run = await prepare(step);
    const stored: StoredCheckpoint[] = [];
    const crash = new CrashPoint(step);
    const hasEnded = await crash.survives(() => runSink(run, stored, crash));
    if (!hasEnded) await runSink(run, stored);
    await check(run, step);
    if (hasEnded) return step - 1;
  }
}
