/** Parquet files in a folder, made visible at the commit. */

import { accessSync, constants, statSync } from 'node:fs';
import { dirname, normalize, relative, sep } from 'node:path';
import { defineSink, type SinkContext } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import {
  byteCount,
  bytes,
  choice,
  columns,
  type ConfigOf,
  duration,
  integer,
  path,
  z,
} from '../../engine/contract/fields.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { didYouMean } from '../../engine/contract/problem.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { generationOf } from './carried-rows.ts';
import { commitParts, discardParts, takeParts } from '../staging/part-commit.ts';
import { partNotes } from '../staging/part-notes.ts';
import { findParts, type PartId, PartNames, removeStaleParts } from '../staging/part-files.ts';
import { visibleParts } from '../staging/part-merge.ts';
import { createFolder } from '../staging/staged-file.ts';
import { sinkError } from '../staging/sink-error.ts';
import { partitionColumns } from './partition-folders.ts';
import type { ParquetLimits, ParquetOptions, ParquetSinkWriter } from './parquet-sink-writer.ts';

export const EXTENSION = '.parquet';
const ROLL_BYTES = '512MiB';
const ROLL_AGE = '10m';
/** The partition column that is made of the time column. */
const DATE = 'date';

const fields = {
  path: path({
    doc: 'Folder of the files. It is created where it is missing.',
    examples: ['out/bars'],
  }),
  partition_by: columns({
    doc:
      'Columns that become folders (`date=2013-10-07/`) instead of columns of the files. `date` ' +
      'is the UTC day of the time column; others are strings, booleans or int64.',
    examples: [['date'], ['date', 'symbol']],
  }).optional(),
  compression: choice(['zstd', 'snappy', 'none'], {
    doc: 'How pages are compressed. Files of `snappy` are larger and written twice as fast.',
  }).default('zstd'),
  row_group_rows: integer({
    doc: 'Rows in a row group: the unit in which readers skip and work in parallel.',
    minimum: 1,
    maximum: 10_000_000,
    examples: [122_880],
  }).default(122_880),
  roll: z
    .strictObject({
      rows: integer({
        doc: 'Rows after which another file is begun. By default, none.',
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
      }).optional(),
      bytes: bytes({
        doc: 'Size after which another file is begun. By default, 512 MiB.',
      }).optional(),
      age: duration({
        doc:
          'How long rows, fewer than a row group, may wait in checkpoints before a file is ' +
          'written for them, by the clock of the machine. By default, 10 minutes.',
      }).optional(),
    })
    .meta({
      description:
        'When files are finished. A checkpoint finishes those that have a row group; rows that ' +
        'are fewer wait in the checkpoint.',
      examples: [{ rows: 10_000_000 }, { bytes: '128MiB', age: '1m' }],
    })
    .optional(),
  if_exists: choice(['replace', 'append', 'fail'], {
    doc:
      'What happens to files that this sink wrote in an earlier run: removed at the first ' +
      'commit, kept beside the new ones, or an error at the start. Files of others are never ' +
      'touched.',
  }).default('replace'),
};

type Config = ConfigOf<typeof fields>;

export const parquet = defineSink({
  name: 'parquet',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Writes rows as Parquet files into a folder, optionally in hive folders.',
  guarantees: {
    order: 'Rows of a file keep the order in which they reached the sink.',
    delivery:
      'Exactly once: files appear whole, by a rename, when the checkpoint or run is complete. ' +
      'Rows that are fewer than a row group may wait in checkpoints, up to 32 MiB of them.',
    backPressure: 'A batch is taken when the one before it is encoded or buffered, within limits.',
  },
  fields,
  constraints: [],
  examples: [
    { title: 'One folder a day', config: { path: 'out/bars', partition_by: ['date'] } },
    {
      title: 'Larger files, written faster',
      config: { path: 'out/bars', compression: 'snappy', if_exists: 'append' },
    },
  ],
  plan: checkPartitions,
  takesBack: true,
  open: (config, context) => openParquet(config, context),
  commit: async (_config, committables, context) =>
    commitParts(context.sink, new PartNames(context, EXTENSION), committables, context.wasMade),
  notes: (config, context, past) => partNotes(folderOf(config), EXTENSION, context, past),
  discard: async (config, committables) => discardParts(folderOf(config), committables),
  dataset: (config, context) => {
    const { schema } = context;
    const folder = folderOf(config);
    const names = new PartNames(context, EXTENSION);
    const partitionBy = config.partition_by ?? [];
    return {
      format: 'parquet',
      glob: names.glob(folder),
      files: () => visibleParts(context.sink, folder, names),
      columns: schema.columns.filter(({ name }) => !partitionBy.includes(name)),
      partitions: partitionBy.map(
        (name) =>
          schema.columns.find((column) => column.name === name) ?? { name, type: 'date' as const },
      ),
    };
  },
});

export function folderOf({ path: folder }: Pick<Config, 'path'>): string {
  return normalize(folder).replace(/(?<=.)\/+$/, '');
}

/** @param limits, nowMs Others than usual, for tests. */
export async function openParquet(
  config: Config,
  context: SinkContext,
  limits?: ParquetLimits,
  nowMs?: () => number,
): Promise<ParquetSinkWriter> {
  const { sink, schema, resume } = context;
  const folder = folderOf(config);
  const names = new PartNames(context, EXTENSION);
  createFolder(sink, folder);
  checkWritable(sink, folder);
  removeStaleParts(sink, folder, names);
  const { if_exists: ifExists, roll = {} } = config;
  if (ifExists === 'fail' && resume === undefined) refuseExisting(sink, folder, names);
  if (ifExists === 'append' || resume !== undefined) checkLayout(sink, folder, names, config);
  const options: ParquetOptions = {
    path: folder,
    partitionBy: partitionColumns(config.partition_by ?? [], schema),
    compression: config.compression,
    rowGroupRows: config.row_group_rows,
    rollRows: roll.rows ?? Number.POSITIVE_INFINITY,
    rollBytes: byteCount(roll.bytes ?? ROLL_BYTES),
    rollAgeMs: Number(durationNs(roll.age ?? ROLL_AGE) / 1_000_000n),
    ...resumeParts(folder, names, context),
    replaces: ifExists === 'replace',
  };
  // Parquet takes some time to load: only the thread that writes needs it.
  const { ParquetSinkWriter } = await import('./parquet-sink-writer.ts');
  return new ParquetSinkWriter(options, context, names, limits, nowMs);
}

/**
 * The generation of the parts of this run. Where it goes on from a checkpoint, what it committed
 * after that goes: its rows are read again.
 */
function resumeParts(
  folder: string,
  names: PartNames,
  { sink, resume }: SinkContext,
): Pick<ParquetOptions, 'generation' | 'hasParts'> {
  takeParts(sink, names, folder, () => false);
  const ids = [...findParts(sink, folder, names).values()];
  const newest = ids.reduce((most, { generation }) => Math.max(most, generation), 0);
  if (resume === undefined) return { generation: newest + 1, hasParts: false };
  const generation =
    resume.carried === undefined ? Math.max(1, newest) : generationOf(resume.carried);
  refuseOthers(sink, resume.epoch, generation, findParts(sink, folder, names));
  const isOwn = (part: PartId): boolean => part.generation === generation;
  const isLater = (part: PartId): boolean => isOwn(part) && part.epoch > resume.epoch;
  takeParts(sink, names, folder, isLater);
  return { generation, hasParts: ids.some((part) => isOwn(part) && !isLater(part)) };
}

/**
 * A run without checkpoints in between has read the rows of this checkpoint too, and replaced what
 * was committed before it: going on would leave rows twice, or lose them.
 */
function refuseOthers(
  sink: string,
  epoch: number,
  generation: number,
  parts: ReadonlyMap<string, PartId>,
): void {
  for (const [path, part] of parts) {
    const isNewer = part.generation > generation;
    if (!isNewer && (part.generation !== generation || part.epoch > 0)) continue;
    throw new EngineError(
      'checkpoint/incompatible',
      `sink "${sink}": cannot go on from checkpoint ${epoch}: a run without checkpoints has ` +
        `written ${path} since; start anew with --ignore-state`,
    );
  }
}

/** Says so at the start rather than after an hour's work. */
function checkWritable(sink: string, folder: string): void {
  try {
    if (!statSync(folder).isDirectory()) {
      throw Object.assign(new Error('it is not a folder'), { code: 'ENOTDIR' });
    }
    accessSync(folder, constants.W_OK | constants.X_OK);
  } catch (error) {
    throw sinkError(sink, `write into ${folder}`, error);
  }
}

function refuseExisting(sink: string, folder: string, names: PartNames): void {
  const [existing] = findParts(sink, folder, names).keys();
  if (existing === undefined) return;
  throw new EngineError(
    'sink/exists',
    `sink "${sink}": cannot write into ${folder}: found ${existing} of an earlier run, expected ` +
      'none because of if_exists: fail',
  );
}

/** Files in two layouts cannot be read as one: the key would be null in some of them. */
function checkLayout(sink: string, folder: string, names: PartNames, config: Config): void {
  const wanted = layoutText(config.partition_by ?? []);
  for (const path of findParts(sink, folder, names).keys()) {
    const segments = dirname(relative(folder, path)).split(sep);
    const keys = segments.filter((name) => name.includes('=')).map((name) => name.split('=')[0]!);
    const found = layoutText(keys.map((key) => decodeURIComponent(key)));
    if (found === wanted) continue;
    throw new EngineError(
      'sink/layout',
      `sink "${sink}": cannot continue ${folder}: ${path} of an earlier run is ${found}, ` +
        `expected ${wanted}; partition as before, or write into another folder`,
    );
  }
}

function layoutText(columns: readonly string[]): string {
  return columns.length === 0 ? 'not partitioned' : `partitioned by ${columns.join(', ')}`;
}

const PARTITION_TYPES: ReadonlySet<string> = new Set(['string', 'boolean', 'int64']);

function checkPartitions(config: Config, input: Schema, report: Report): void {
  const seen = new Set<string>();
  for (const [position, name] of (config.partition_by ?? []).entries()) {
    const at = ['partition_by', position];
    const column = input.columns.find((candidate) => candidate.name === name);
    if (seen.has(name)) {
      report({ path: at, code: 'config/duplicate-column', message: `${name} is named twice` });
    }
    seen.add(name);
    if (column === undefined && (name !== DATE || input.time === '')) {
      const help = didYouMean(name, [...input.columns.map((each) => each.name), DATE]);
      report({
        path: at,
        code: 'config/unknown-column',
        message: `the input has no column ${name}`,
        ...(help === undefined ? {} : { help }),
      });
    } else if (column !== undefined && !PARTITION_TYPES.has(column.type)) {
      report({
        path: at,
        code: 'config/column-type',
        message:
          `cannot partition by ${name}: it is ${column.type}, ` +
          'expected string, boolean or int64',
        help: `partition by ${DATE}, the day of the time column`,
      });
    }
  }
  if (input.columns.every(({ name }) => seen.has(name))) {
    report({
      path: ['partition_by'],
      code: 'config/constraint',
      message: 'every column is a folder: expected at least one that stands in the files',
    });
  }
}
