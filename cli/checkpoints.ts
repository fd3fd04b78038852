/** `tidemark checkpoints`: what a pipeline could go on from, each read whole and verified. */

import type { Command } from 'commander';
import type { StoredCheckpoint } from '../engine/checkpoint/checkpoint-store.ts';
import {
  action,
  note,
  type PipelineFlags,
  print,
  toJson,
  withExamples,
  withPipelineOptions,
} from './command.ts';
import { ExitCode } from './exit-code.ts';
import { formatBytes, formatCount, plural } from './terminal/numbers.ts';
import { paletteFor, terminalWidth } from './terminal/palette.ts';

interface Listed extends StoredCheckpoint {
  readonly path: string;
  /** Why it cannot be used, where it cannot. */
  readonly problem?: string;
  readonly rows?: number;
  readonly watermark?: string | null;
  readonly keys?: number;
  readonly isComplete?: boolean;
}

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('checkpoints')
      .summary('list and verify the checkpoints of a pipeline')
      .description(
        'Reads every checkpoint of a pipeline whole and lists what is in it, the newest first.\n' +
          'The next run goes on from the newest; go back to an older one\n' +
          'with tidemark run --from-checkpoint. A run may be at work meanwhile.',
      )
      .argument('<file>', 'pipeline file'),
  );
  withExamples(command, [
    ['tidemark checkpoints live.yaml', 'list and verify them'],
    ["tidemark checkpoints live.yaml --json | jq '.[0].epoch'", 'the number of the newest'],
  ]).action(
    action(async (file: string, flags: PipelineFlags) => {
      const { readCheckpointedPlan } = await import('./read-plan.ts');
      const read = await readCheckpointedPlan(command, file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const { checkpoint } = read;
      const listed = await verifyAll(checkpoint.folder);
      if (flags.json === true) print(toJson(listed));
      else await show(listed, checkpoint.folder);
      const isGood = listed.every(({ problem }) => problem === undefined);
      return isGood ? ExitCode.done : ExitCode.failed;
    }),
  );
}

async function verifyAll(folder: string): Promise<Listed[]> {
  const { FolderStore } = await import('../engine/checkpoint/folder-store.ts');
  const { decodeCheckpoint } = await import('../engine/checkpoint/checkpoint-file.ts');
  const { formatTime } = await import('../engine/contract/time.ts');
  const { watermarkOf } = await import('../engine/runtime/watermark-tracker.ts');
  const store = FolderStore.toLookAt(folder);
  const listed: Listed[] = [];
  for (const stored of await store.list()) {
    const path = store.nameOf(stored.epoch);
    try {
      const checkpoint = decodeCheckpoint(await store.read(stored.epoch), path);
      const watermark = watermarkOf(checkpoint.watermarks);
      listed.push({
        ...stored,
        path,
        rows: checkpoint.sources.reduce((sum, { accounts }) => sum + accounts.read, 0),
        watermark: watermark === undefined ? null : formatTime(watermark),
        keys: checkpoint.tasks.reduce((sum, { keys }) => sum + keys.length, 0),
        isComplete: checkpoint.isComplete,
      });
    } catch (error) {
      listed.push({ ...stored, path, problem: (error as Error).message });
    }
  }
  return listed;
}

async function show(listed: readonly Listed[], folder: string): Promise<void> {
  const { describeHolder, runningEngine } = await import('../engine/checkpoint/folder-lock.ts');
  const { grid } = await import('./terminal/grid.ts');
  const palette = paletteFor(process.stdout);
  const holder = await runningEngine(folder);
  if (listed.length === 0) {
    note(`${folder} holds no checkpoint: the next run begins anew.`);
  } else {
    const rows = listed.map(({ epoch, writtenMs, bytes, problem, rows, keys, watermark }) => [
      String(epoch),
      new Date(writtenMs).toISOString().slice(0, 19).replace('T', ' '),
      formatBytes(bytes),
      rows === undefined ? '' : formatCount(rows),
      keys === undefined ? '' : formatCount(keys),
      watermark?.slice(0, 19).replace('T', ' ') ?? '',
      problem ?? 'good',
    ]);
    const right = { align: 'right' } as const;
    const title = ['epoch', 'written', 'size', 'rows', 'keys', 'watermark', 'state'];
    const columns = [right, {}, right, right, right, {}, { cut: 'end' } as const];
    const [head, ...lines] = grid([title, ...rows], columns, terminalWidth(process.stdout));
    print(palette.dim(head!), ...lines);
    const damaged = listed.filter(({ problem }) => problem !== undefined);
    for (const { problem } of damaged) note(`${palette.red('error')}: ${problem}`);
    const good = listed.length - damaged.length;
    note(`${plural(listed.length, 'checkpoint')} in ${folder}, ${good} good`);
  }
  if (holder !== undefined) note(`A run is at work: ${describeHolder(holder)}.`);
}
