/** Parquet files in a folder, made visible at the commit. */

import { accessSync, constants, statSync } from 'node:fs';
import { normalize } from 'node:path';
import { defineSink, type SinkContext } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import {
  byteCount,
  bytes,
  choice,
  columns,
  type ConfigOf,
  integer,
  path,
  z,
} from '../../engine/contract/fields.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { didYouMean } from '../../engine/contract/problem.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import {
  commitParts,
  discardParts,
  findFiles,
  PartNames,
  removeStaleParts,
} from '../staging/part-files.ts';
import { createFolder } from '../staging/staged-file.ts';
import { sinkError } from '../staging/sink-error.ts';
import { partitionColumns } from './partition-folders.ts';
import type { ParquetOptions, ParquetSinkWriter } from './parquet-sink-writer.ts';

const EXTENSION = '.parquet';
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
        doc: 'Rows after which another file is begun.',
        minimum: 1,
        maximum: Number.MAX_SAFE_INTEGER,
      }).optional(),
      bytes: bytes({ doc: 'Size after which another file is begun.' }).optional(),
    })
    .meta({
      description: 'When to begin another file before the commit. By default never.',
      examples: [{ rows: 10_000_000 }, { bytes: '512MiB' }],
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
      'Exactly once: files appear whole, by a rename, when the checkpoint or the run is complete.',
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
  takesBack: false,
  open: openWriter,
  commit: async (_config, committables, { sink }) =>
    commitParts(sink, new PartNames(sink, EXTENSION), committables),
  discard: async (config, committables) => discardParts(folderOf(config), committables),
  dataset: (config, { sink, schema }) => {
    const partitionBy = config.partition_by ?? [];
    return {
      format: 'parquet',
      glob: new PartNames(sink, EXTENSION).glob(folderOf(config)),
      columns: schema.columns.filter(({ name }) => !partitionBy.includes(name)),
      partitions: partitionBy.map(
        (name) =>
          schema.columns.find((column) => column.name === name) ?? { name, type: 'date' as const },
      ),
    };
  },
});

function folderOf({ path: folder }: Config): string {
  return normalize(folder).replace(/(?<=.)\/+$/, '');
}

async function openWriter(config: Config, context: SinkContext): Promise<ParquetSinkWriter> {
  const { sink, schema } = context;
  const folder = folderOf(config);
  const names = new PartNames(sink, EXTENSION);
  createFolder(sink, folder);
  checkWritable(sink, folder);
  removeStaleParts(sink, folder, names);
  if (config.if_exists === 'fail') refuseExisting(sink, folder, names);
  const options: ParquetOptions = {
    path: folder,
    partitionBy: partitionColumns(config.partition_by ?? [], schema),
    compression: config.compression,
    rowGroupRows: config.row_group_rows,
    rollRows: config.roll?.rows ?? Number.POSITIVE_INFINITY,
    rollBytes:
      config.roll?.bytes === undefined ? Number.POSITIVE_INFINITY : byteCount(config.roll.bytes),
    replaces: config.if_exists === 'replace',
  };
  // Arrow and Parquet take a fifth of a second to load: only the thread that writes needs them.
  const { ParquetSinkWriter } = await import('./parquet-sink-writer.ts');
  return new ParquetSinkWriter(options, context, names);
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
  const [existing] = findFiles(sink, folder, (name) => names.isPart(name));
  if (existing === undefined) return;
  throw new EngineError(
    'sink/exists',
    `sink "${sink}": cannot write into ${folder}: found ${existing} of an earlier run, expected ` +
      'none because of if_exists: fail',
  );
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
