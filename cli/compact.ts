/** `tidemark compact`: few large files in place of many small ones. */

import type { Command } from 'commander';
import { join } from 'node:path';
import { DEFAULT_DIRECTORY } from '../engine/plan/pipeline-fields.ts';
import type { MergeTask } from '../connectors/parquet/compact-parts.ts';
import type { PipelinePlan, SinkPlan } from '../engine/plan/pipeline-plan.ts';
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
import { paletteFor } from './terminal/palette.ts';

interface CompactFlags extends PipelineFlags {
  readonly sink?: string;
}

/** What was made of the small files of one hive folder. */
interface Compacted {
  readonly sink: string;
  readonly folder: string;
  /** Null where a run has replaced the files meanwhile. */
  readonly file: string | null;
  readonly files: number;
  readonly bytes: number;
  readonly mergedBytes: number;
  readonly rows: number;
}

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('compact')
      .summary('merge the small Parquet files of a pipeline')
      .description(
        'Merges the committed Parquet files of each hive folder that are smaller than 128 MiB\n' +
          'into files of up to 512 MiB, sorted by the key and the time. A run may be at work\n' +
          'meanwhile: files that a checkpoint may still name are left alone.\n\n' +
          'tidemark query and check see each row once at any moment, and after any crash. Other\n' +
          'readers that take whatever files they find may miss rows of a folder for the moment\n' +
          'in which its files change places; they never see a row twice. After a crash in that\n' +
          'moment, the next compact or run puts the files in place.',
      )
      .argument('<file>', 'pipeline file')
      .option('--sink <name>', 'only this sink; by default all that write Parquet'),
  );
  withExamples(command, [
    ['tidemark compact live.yaml', 'all Parquet sinks'],
    ['tidemark compact live.yaml --sink bars', 'one of them'],
    ['tidemark compact live.yaml --json', 'what was merged, as JSON'],
  ]).action(
    action(async (file: string, flags: CompactFlags) => {
      const { readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const sinks = read.plan.sinks.filter(({ type }) => type === 'parquet');
      const chosen = sinks.filter(({ name }) => flags.sink === undefined || name === flags.sink);
      if (flags.sink !== undefined && chosen.length === 0) {
        const names = sinks.map(({ name }) => name).join(', ') || 'none';
        return command.error(`error: no Parquet sink is called ${flags.sink}; there are ${names}`);
      }
      const compacted: Compacted[] = [];
      for (const sink of chosen) {
        for await (const each of compactSink(read.plan, sink)) {
          compacted.push(each);
          if (flags.json !== true) print(line(each));
        }
      }
      if (flags.json === true) print(toJson(compacted));
      else note(summary(compacted));
      return ExitCode.done;
    }),
  );
}

async function* compactSink(plan: PipelinePlan, sink: SinkPlan): AsyncGenerator<Compacted> {
  const { completeMerge, planMerges } = await import('../connectors/parquet/compact-parts.ts');
  const context = { sink: sink.name, pipeline: plan.name, schema: sink.schema };
  const config = sink.config as { path: string };
  for (const task of await planMerges(config, context, () => oldestEpoch(plan))) {
    const rows = await writeMerged(sink, task);
    const { size } = await (await import('node:fs/promises')).stat(task.staged);
    const file = completeMerge(config, context, task) ?? null;
    yield {
      sink: sink.name,
      folder: task.folder,
      file,
      files: task.inputs.length,
      bytes: task.inputs.reduce((sum, { bytes }) => sum + bytes, 0),
      mergedBytes: size,
      rows,
    };
  }
}

async function writeMerged({ config, schema }: SinkPlan, task: MergeTask): Promise<number> {
  const { mergeFiles } = await import('../quality/merge-files.ts');
  const inFolders = (config['partition_by'] ?? []) as readonly string[];
  const orderBy = [schema.key, schema.time].filter(
    (name) => !inFolders.includes(name) && schema.columns.some((column) => column.name === name),
  );
  return mergeFiles({
    inputs: task.inputs.map(({ path }) => path),
    output: task.staged,
    orderBy,
    compression: config['compression'] as 'zstd' | 'snappy' | 'none',
  });
}

/** Of the checkpoints that a run could go on from, also with the section of them brought back. */
async function oldestEpoch({ name, checkpoint }: PipelinePlan): Promise<number | undefined> {
  const { FolderStore } = await import('../engine/checkpoint/folder-store.ts');
  const folder = checkpoint?.folder ?? join(DEFAULT_DIRECTORY, name);
  const stored = await FolderStore.toLookAt(folder).list();
  return stored.at(-1)?.epoch;
}

function line({ folder, file, files, bytes, mergedBytes, rows }: Compacted): string {
  const { dim } = paletteFor(process.stdout);
  if (file === null) return `${folder}: left alone, a run has replaced its files meanwhile`;
  const sizes = `${formatBytes(bytes)} → ${formatBytes(mergedBytes)}`;
  return `${folder}: ${plural(files, 'file')} → 1 ${dim(`${sizes}, ${formatCount(rows)} rows`)}`;
}

function summary(compacted: readonly Compacted[]): string {
  const done = compacted.filter(({ file }) => file !== null);
  if (done.length === 0) {
    return (
      'Nothing to merge: no folder has two small files that are settled, ' +
      'which are those older than every checkpoint that is kept.'
    );
  }
  const files = done.reduce((sum, each) => sum + each.files, 0);
  const bytes = done.reduce((sum, each) => sum + each.bytes, 0);
  const merged = done.reduce((sum, each) => sum + each.mergedBytes, 0);
  return (
    `Merged ${plural(files, 'file')} of ${formatBytes(bytes)} ` +
    `into ${formatCount(done.length)} of ${formatBytes(merged)}.`
  );
}
