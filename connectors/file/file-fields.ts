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
import { BINANCE_STREAMS } from '../formats/binance-columns.ts';
import { DATABENTO_SCHEMAS } from '../formats/databento-columns.ts';
import type { FileColumn, TimeUnitNs } from '../formats/decoder.ts';
import {
  binancePreset,
  databentoPreset,
  type Preset,
  presetSource,
  usualColumns,
} from './presets.ts';

const FORMATS = [
  'csv',
  'ndjson',
  'parquet',
  'arrow',
  'dbn',
  'databento_csv',
  'binance_ws',
] as const;
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
      'else float64. The formats `dbn`, `databento_csv` and `binance_ws` know their columns: ' +
      'there they may be left out, to read the usual ones.',
    examples: [
      { symbol: 'symbol', event_time: 'ts_event', price: 'price' },
      { symbol: 'sym', event_time: 'time', sequence: { from: 'seq', type: 'int64' } },
    ],
  })
  .optional();

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
      "file or stream; `dbn` Databento's binary encoding, versions 1 to 3; `databento_csv` its " +
      'csv files, with prices and times in either spelling; `binance_ws` lines of a local time ' +
      'in nanoseconds and a message of a Binance stream.',
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
  schema: choice(DATABENTO_SCHEMAS, {
    doc:
      'Which records to read from Databento files, by default `trades`. Others are passed over ' +
      'and counted where a file mixes them.',
  }).optional(),
  bad_quality: choice(['keep', 'reject'], {
    doc:
      'What becomes of records whose flags say BAD_TS_RECV or MAYBE_BAD_BOOK in a `dbn` file. By ' +
      'default they are kept, because the doubt is about the time of receipt and the book, not ' +
      'the trade; the summary counts them, and the column `flags` shows them.',
  }).optional(),
  stream: choice(BINANCE_STREAMS, {
    doc:
      'Which messages to read from a capture of Binance streams, by default `trade`. Book ' +
      'tickers have no time of their own: their event time is the local one, put right by the ' +
      'clock skew that trades and depth messages show.',
  }).optional(),
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
  dbn: 'dbn',
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

/** The columns that the format knows, where it does. */
function presetOf(config: FileConfig): Preset | undefined {
  const format = formatOf(config);
  if (format === 'binance_ws') return binancePreset(config.stream ?? 'trade');
  if (format !== 'dbn' && format !== 'databento_csv') return undefined;
  return databentoPreset(config.schema ?? 'trades', format === 'databento_csv');
}

/** A column of the configuration. */
interface NamedColumn {
  readonly name: string;
  readonly type: ColumnType | undefined;
  /** As the configuration has it, or the column of the same name. */
  readonly from: string | number;
}

function namedColumns(config: FileConfig, key: string, preset: Preset | undefined): NamedColumn[] {
  const named = config.columns ?? (preset ? usualColumns(preset, config.time, key) : {});
  return Object.entries(named).map(([name, value]) => {
    const spec = typeof value === 'object' ? value : { from: value };
    const own = preset === undefined ? name : presetSource(preset, name, config.time, key);
    return { name, type: spec.type, from: spec.from ?? own };
  });
}

/** The columns to read, in the order of the configuration. */
export function columnsOf(config: FileConfig, key: string): FileColumn[] {
  const preset = presetOf(config);
  return namedColumns(config, key, preset).map(({ name, type, from }) => {
    const known = preset?.columns[from];
    const isTime = name === config.time || name === 'event_time';
    const byDefault: ColumnType = isTime ? 'timestamp' : name === key ? 'string' : 'float64';
    // A key is a text: an instrument id that is one is spelled.
    const isSpelled = name === key && known?.types.includes('string') === true;
    return {
      name,
      type: type ?? (isSpelled ? 'string' : (known?.types[0] ?? byDefault)),
      from: known?.from ?? from,
      isRequired: name === key || name === config.time,
      encoding: known?.encoding,
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
  const preset = presetOf(config);
  if (preset !== undefined) checkPreset(config, key, preset, report);
  if (config.columns === undefined && preset === undefined) {
    report({
      path: [],
      target: 'key',
      code: 'config/missing-field',
      message: 'columns is missing, which says what to read from the files',
      help: `add columns: { ${key}: …, ${config.time}: …, price: … }`,
    });
    return schema;
  }
  for (const { name, type, from } of planned) {
    if (preset === undefined) checkPosition(config, name, from, report);
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
  const names = Object.keys(config.columns ?? {});
  if (config.columns === undefined || names.includes(name)) return;
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
  for (const [option, isSet, formats] of [
    ['delimiter', config.delimiter !== undefined, ['csv']],
    ['header', !config.header, ['csv']],
    ['schema', config.schema !== undefined, ['dbn', 'databento_csv']],
    ['bad_quality', config.bad_quality !== undefined, ['dbn']],
    ['stream', config.stream !== undefined, ['binance_ws']],
  ] as const) {
    if (!isSet || (formats as readonly string[]).includes(format)) continue;
    report({
      path: [option],
      target: 'key',
      code: 'config/constraint',
      message: `${option} is for ${formats.join(' and ')} files, and the format is ${format}`,
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

/** Where a column of the configuration says what it is read from. */
function sourcePath(config: FileConfig, name: string): string[] {
  const value = config.columns?.[name];
  const isSpelled = typeof value === 'object' && value.from !== undefined;
  return isSpelled ? ['columns', name, 'from'] : ['columns', name];
}

/** Every column must be one that the format has, and of a type that it can be read as. */
function checkPreset(config: FileConfig, key: string, preset: Preset, report: Report): void {
  const names = Object.keys(preset.columns);
  for (const { name, type, from } of namedColumns(config, key, preset)) {
    const known = preset.columns[from];
    if (known === undefined) {
      report({
        path: sourcePath(config, name),
        code: 'config/unknown-column',
        message: `${preset.what} has no column ${JSON.stringify(from)}`,
        help: didYouMean(String(from), names) ?? `it has ${names.join(', ')}`,
      });
    } else if (type !== undefined && !known.types.includes(type)) {
      report({
        path: ['columns', name, 'type'],
        code: 'config/column-type',
        message: `${from} is read as ${known.types.join(' or ')}, got ${type}`,
      });
    }
  }
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
  const value = config.columns?.[name];
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
