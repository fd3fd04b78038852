/** The options of the file source, and what follows from them without looking at a file. */

import {
  choice,
  COLUMN_NAME,
  column,
  type ConfigOf,
  flag,
  path,
  text,
  z,
} from '../../engine/contract/fields.ts';
import { didYouMean, type Report } from '../../engine/contract/problem.ts';
import type { ColumnType, Schema } from '../../engine/contract/schema.ts';
import type { FileColumn, TimeUnitNs } from '../formats/decoder.ts';

const FORMATS = ['csv', 'ndjson', 'parquet', 'arrow'] as const;
export type FileFormat = (typeof FORMATS)[number];

const TYPES = ['float64', 'int64', 'timestamp', 'string', 'boolean'] as const;
const TIME_UNITS_NS = {
  auto: 0n,
  s: 1_000_000_000n,
  ms: 1_000_000n,
  us: 1_000n,
  ns: 1n,
} as const satisfies Record<string, TimeUnitNs>;

const source = z.union(
  [z.string().min(1), z.number().int().min(1, { error: 'expected a position from 1 on' })],
  { error: 'expected the name of a column in the file, or its position from 1 on' },
);

const columns = z
  .record(
    z.string().regex(COLUMN_NAME, { error: 'expected a column name of letters, digits and _' }),
    z.union(
      [
        source,
        z.strictObject({
          from: source
            .meta({ description: 'The column in the file; by default the one of the same name.' })
            .optional(),
          type: choice(TYPES, { doc: 'Type of the column.' }).optional(),
        }),
      ],
      { error: 'expected a column in the file, or { from, type }' },
    ),
    { error: 'expected columns such as { price: last_price, size: qty }' },
  )
  .meta({
    description:
      'Columns to read: the name it gets, and the column in the file it is read from (by ' +
      'position where there is no header; along the dots in nested JSON). By default ' +
      '`event_time` and the `time` column are timestamps, the key is a text, and everything ' +
      'else float64.',
    examples: [
      { symbol: 'symbol', event_time: 'ts_event', price: 'price' },
      { symbol: 'sym', event_time: 'time', sequence: { from: 'seq', type: 'int64' } },
    ],
  });

export const fields = {
  path: path({
    doc:
      'Path of a file, or a glob; the files are read in the order of their names, as one stream. ' +
      'Compression by gzip or zstd is recognised. A pipe such as `/dev/stdin` will do for all ' +
      'formats but Parquet; it is read once, and cannot be gone on with after a restart.',
    examples: ['data/trades-*.csv.gz'],
  }),
  format: choice(FORMATS, {
    doc:
      'Format of the files; by default told from the extension of `path`. `arrow` is Arrow IPC, ' +
      'file or stream.',
  }).optional(),
  columns,
  time: column({ doc: 'The column, by its new name, that is the event time.' }).default(
    'event_time',
  ),
  time_unit: choice(['auto', 's', 'ms', 'us', 'ns'], {
    doc:
      'Unit of times that are numbers; `auto` tells it from the magnitude of each (below 1e11 ' +
      'seconds, below 1e14 milliseconds, below 1e17 microseconds, else nanoseconds).',
  }).default('auto'),
  delimiter: text({
    doc: 'Character between the cells of a csv file; by default a comma, in a `.tsv` file a tab.',
    examples: [';', '\t'],
  })
    .refine((value) => /^[\t -~]$/.test(value) && !/["\d]/.test(value), {
      error: 'expected one ASCII character that is neither a quote nor a digit',
    })
    .optional(),
  header: flag({
    doc:
      'Is the first row of a csv file its column names? Without a header, columns are read by ' +
      'position, and every row must have as many cells as the first.',
  }).default(true),
};

export type FileConfig = ConfigOf<typeof fields>;

const EXTENSIONS: Readonly<Record<string, FileFormat>> = {
  csv: 'csv',
  tsv: 'csv',
  txt: 'csv',
  ndjson: 'ndjson',
  jsonl: 'ndjson',
  json: 'ndjson',
  parquet: 'parquet',
  pq: 'parquet',
  arrow: 'arrow',
  arrows: 'arrow',
  ipc: 'arrow',
  feather: 'arrow',
};

function extensionOf(pattern: string): string | undefined {
  return /\.([a-z]+)(?:\.(?:gz|zst))?$/i.exec(pattern)?.[1]?.toLowerCase();
}

/** The declared format, or the one that the extension tells; undefined where it tells none. */
export function formatOf({ format, path: pattern }: FileConfig): FileFormat | undefined {
  return format ?? EXTENSIONS[extensionOf(pattern) ?? ''];
}

export function delimiterOf({ delimiter, path: pattern }: FileConfig): string {
  return delimiter ?? (extensionOf(pattern) === 'tsv' ? '\t' : ',');
}

export function timeUnitOf({ time_unit: unit }: FileConfig): TimeUnitNs {
  return TIME_UNITS_NS[unit];
}

/** The columns to read, in the order of the configuration. */
export function columnsOf(config: FileConfig, key: string): FileColumn[] {
  return Object.entries(config.columns).map(([name, value]) => {
    const spec = typeof value === 'object' ? value : { from: value };
    const isTime = name === config.time || name === 'event_time';
    const byDefault: ColumnType = isTime ? 'timestamp' : name === key ? 'string' : 'float64';
    return {
      name,
      type: spec.type ?? byDefault,
      from: spec.from ?? name,
      isRequired: name === key || name === config.time,
    };
  });
}

/** The schema of the rows, and everything that is wrong with the options together. */
export function planSchema(config: FileConfig, key: string, report: Report): Schema {
  const planned = columnsOf(config, key);
  const schema: Schema = {
    columns: planned.map(({ name, type }) => ({ name, type })),
    time: config.time,
    key,
  };
  checkFormat(config, report);
  for (const { name, type, from } of planned) {
    checkPosition(config, name, from, report);
    const required = name === config.time ? 'timestamp' : name === key ? 'string' : undefined;
    if (required === undefined || type === required) continue;
    const role = name === config.time ? 'event time' : "pipeline's key";
    report({
      path: ['columns', name, 'type'],
      code: 'config/column-type',
      message: `${name} is the ${role} and must be a ${required}, got ${type}`,
    });
  }
  checkPresent(config, key, "the pipeline's key", ['columns'], report);
  const hasTimeOption = config.time !== 'event_time';
  checkPresent(config, config.time, 'event time', [hasTimeOption ? 'time' : 'columns'], report);
  return schema;
}

function checkPresent(
  config: FileConfig,
  name: string,
  role: string,
  at: readonly string[],
  report: Report,
): void {
  const names = Object.keys(config.columns);
  if (names.includes(name)) return;
  const help = didYouMean(name, names) ?? `add ${name}: <column in the file> to columns`;
  report({
    path: at,
    target: at[0] === 'time' ? 'value' : 'key',
    code: 'config/unknown-column',
    message: `columns has no ${name}, which is ${role}`,
    help,
  });
}

function checkFormat(config: FileConfig, report: Report): void {
  const format = formatOf(config);
  if (format === undefined) {
    report({
      path: ['path'],
      code: 'config/missing-field',
      message: `the format cannot be told from ${JSON.stringify(config.path)}`,
      help: `add format: ${FORMATS.join(', ')}`,
    });
    return;
  }
  if (format === 'csv') return;
  for (const [option, isSet] of [
    ['delimiter', config.delimiter !== undefined],
    ['header', !config.header],
  ] as const) {
    if (!isSet) continue;
    report({
      path: [option],
      target: 'key',
      code: 'config/constraint',
      message: `${option} is for csv files, and the format is ${format}`,
      help: `remove ${option}`,
    });
  }
  if (format !== 'parquet' || !/\.(?:gz|zst)$/i.test(config.path)) return;
  report({
    path: ['path'],
    code: 'config/constraint',
    message: 'a Parquet file is compressed inside and cannot be read from a compressed one',
  });
}

function checkPosition(
  config: FileConfig,
  name: string,
  from: string | number,
  report: Report,
): void {
  const format = formatOf(config);
  const byPosition = format === 'csv' && !config.header;
  if (format === undefined || byPosition === (typeof from === 'number')) return;
  const value = config.columns[name];
  report({
    path: typeof value === 'object' ? ['columns', name, 'from'] : ['columns', name],
    code: 'config/constraint',
    message: byPosition
      ? `${name} is read from ${JSON.stringify(from)}, but without a header columns have no names`
      : `${name} is read from position ${from}, but the columns of the file have names`,
    help: byPosition
      ? 'give the position of the column in the row, from 1 on'
      : format === 'csv'
        ? 'give the name in the header, or set header: false'
        : 'give the name of the column',
  });
}
