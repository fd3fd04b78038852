/**
 * The fields of a pipeline file that no operator or connector declares: those of the file itself,
 * those that every source, step and sink has, and those of quality checks and tests. As with any
 * declaration, lints, JSON Schema and the reference page derive from them.
 */

import { column, columns, duration, integer, path, text, z } from '../contract/fields.ts';

/** Name of a source, step or sink: it is also a name of files, tables and metrics. */
export const STEP_NAME = /^[a-z][a-z0-9_]*$/;
const SLUG = /^[a-z][a-z0-9]*(?:[-_][a-z0-9]+)*$/;

export const DEFAULT_DEAD_LETTER_PATH = 'out/dead-letter';

/** What the sections of a pipeline file are for. */
export const SECTIONS = {
  sources: 'Where rows come from: a name for each, and its `type` and options.',
  operators: 'The steps of the chain: a name for each, its `type`, its `input` and its options.',
  sinks: 'Where rows go: a name for each, its `type`, its `input` and its options.',
  quality: 'Checks over what the sinks wrote, run after the pipeline and by `tidemark check`.',
  tests: 'Given rows and the rows expected from them, run by `tidemark test`.',
} as const;

/** Where the checkpoints of all pipelines are, if a file does not say otherwise. */
export const DEFAULT_DIRECTORY = 'state';

/** Fields of the file itself, beside its sections. */
export const PIPELINE_FIELDS = {
  name: z
    .string({ error: 'expected a name of lower-case letters, digits and dashes' })
    .regex(SLUG, { error: 'expected a name of lower-case letters, digits and dashes' })
    .meta({
      description: 'Name of the pipeline, in output files and metrics.',
      examples: ['market-anomalies'],
    }),
  key: column({
    doc: 'The text column whose value decides the partition of a row.',
    examples: ['symbol'],
  }).default('symbol'),
  partitions: integer({
    doc: 'Number of partitions. It is fixed for the life of the pipeline.',
    minimum: 1,
    maximum: 1024,
    examples: [16],
  }).default(16),
  dead_letter: z
    .strictObject(
      {
        path: path({ doc: 'Folder of the dead-letter files.' }).default(DEFAULT_DEAD_LETTER_PATH),
      },
      { error: 'expected a mapping such as { path: out/dead-letter }' },
    )
    .meta({ description: 'Where rows go that could not be decoded or are invalid.' })
    .default({ path: DEFAULT_DEAD_LETTER_PATH }),
  checkpoint: z
    .strictObject(
      {
        interval: duration({ doc: 'Time between two checkpoints.' }).default('10s'),
        directory: path({
          doc: 'Where checkpoints are kept, in a folder for each pipeline.',
        }).default(DEFAULT_DIRECTORY),
        keep: integer({
          doc: 'Checkpoints that are kept: the newest, and older ones to go back to.',
          minimum: 1,
          maximum: 1000,
        }).default(3),
      },
      { error: 'expected a mapping such as { interval: 10s, directory: state }' },
    )
    .meta({
      description:
        'Checkpoints, from which a run that was broken off goes on, losing and repeating ' +
        'nothing. Without this, it starts again from the beginning. Outputs become visible at ' +
        'each checkpoint. A run that reaches the end of its sources leaves none behind.',
      examples: [{ interval: '10s', directory: 'state' }],
    })
    .optional(),
} as const;

/** Fields of every source, beside those of its type. */
export const SOURCE_FIELDS = {
  watermark: z
    .strictObject(
      {
        max_out_of_orderness: duration({
          doc: 'How far an event time may lie behind the largest one seen before it.',
          examples: ['2s'],
        }).default('0s'),
        idle_timeout: duration({
          doc:
            'A split without rows for this long no longer holds the watermark back. Only time in ' +
            'which it was listened to counts: not while its reader lags behind or has lost its ' +
            'connection, nor while the process is stopped.',
          examples: ['30s'],
        }).default('30s'),
      },
      { error: 'expected a mapping such as { max_out_of_orderness: 2s, idle_timeout: 30s }' },
    )
    .meta({ description: 'How the watermark follows the event times of the rows.' })
    .default({ max_out_of_orderness: '0s', idle_timeout: '30s' }),
  batch_rows: integer({
    doc: 'Rows that a batch has at most.',
    minimum: 1,
    maximum: 1 << 20,
  }).default(65_536),
} as const;

/** The `input` of every step and sink. */
export const INPUT_FIELD = text({
  doc: 'A source, a step, or a further output of one, such as `bars.late` or `trades.rejected`.',
  examples: ['trades', 'bars.late'],
});

/** Of a sink. */
export const INPUTS_FIELD = z
  .union([INPUT_FIELD, z.array(INPUT_FIELD).min(1)], {
    error: 'expected the name of a source or step, or a list',
  })
  .meta({
    description:
      'Whose rows it takes: a source, a step, or a further output of one, such as `bars.late` or ' +
      '`trades.rejected`. Of a list, all must have the same columns; the rows of each keep their ' +
      'order.',
    examples: ['bars', ['spikes', 'gaps']],
  });

const COMPARISON = /^\s*(?:==?|!=|<>|<=?|>=?)\s*\d{1,15}\s*$/;

function comparison(doc: string): z.ZodString {
  const error = 'expected a comparison such as > 10';
  return z
    .string({ error })
    .regex(COMPARISON, { error })
    .meta({ description: doc, kind: 'comparison', examples: ['> 10'] });
}

const bound = (doc: string) => z.number({ error: 'expected a number' }).meta({ description: doc });
const rowCount = (doc: string) =>
  integer({ doc, minimum: 0, maximum: Number.MAX_SAFE_INTEGER }).optional();

/** The kinds of checks; each check has exactly one of them. */
export const CHECK_KINDS = {
  not_null: columns({ doc: 'Columns that have no nulls.', examples: [['close', 'volume']] }),
  unique: columns({
    doc: 'Columns that together tell every row from the others.',
    examples: [['symbol', 'window_start']],
  }),
  accepted_range: z
    .strictObject(
      {
        column: column({ doc: 'A number column.' }),
        min: bound('Smallest value that is accepted.').optional(),
        max: bound('Largest value that is accepted.').optional(),
      },
      { error: 'expected a mapping such as { column: price, min: 0 }' },
    )
    .refine((range) => range.min !== undefined || range.max !== undefined, {
      error: 'needs min, max or both',
    })
    .meta({
      description: 'Values of a column lie between two bounds, both accepted.',
      examples: [{ column: 'close', min: 0 }],
    }),
  row_count: z
    .strictObject(
      {
        min: rowCount('Smallest number of rows that is accepted.'),
        max: rowCount('Largest number of rows that is accepted.'),
      },
      { error: 'expected a mapping such as { min: 1 }' },
    )
    .refine((range) => range.min !== undefined || range.max !== undefined, {
      error: 'needs min, max or both',
    })
    .meta({ description: 'The dataset has about this many rows.', examples: [{ min: 1 }] }),
  freshness: z
    .strictObject(
      {
        column: column({ doc: 'A timestamp column. By default the event time.' }).optional(),
        max_age: duration({ doc: 'How old the newest row may be.', examples: ['1d'] }),
        now: text({
          doc: 'The time to compare with, such as `2013-10-08T00:00:00Z`. By default the clock.',
        }).optional(),
      },
      { error: 'expected a mapping such as { max_age: 1d }' },
    )
    .meta({ description: 'The newest row is not too old.', examples: [{ max_age: '1d' }] }),
  monotonic: z
    .strictObject(
      {
        column: column({ doc: 'A number or timestamp column.' }),
        by: columns({ doc: 'Columns within whose values it must not fall.' }).optional(),
      },
      { error: 'expected a mapping such as { column: window_start, by: [symbol] }' },
    )
    .meta({
      description: 'Values of a column never fall from one row to the next, as written.',
      examples: [{ column: 'window_start', by: ['symbol'] }],
    }),
  sql: text({
    doc: 'A query that returns the rows one does not want; every sink is a view.',
    examples: ['select * from bars where high < low'],
  }).min(1, { error: 'expected a query' }),
} as const;

export type CheckKind = keyof typeof CHECK_KINDS;

/** Fields of every quality check, beside its kind. */
export const CHECK_FIELDS = {
  name: z
    .string({ error: 'expected a name of letters, digits and _' })
    .regex(/^[A-Za-z_][A-Za-z0-9_-]*$/, { error: 'expected a name of letters, digits and _' })
    .meta({
      description: 'Name in the report. By default made of the dataset, the kind and its columns.',
    })
    .optional(),
  dataset: text({ doc: 'Name of the sink whose output is checked.', examples: ['bars'] }),
  severity: z
    .enum(['error', 'warn'], { error: 'expected error or warn' })
    .meta({ description: 'Whether a failure fails the run (exit code 3) or is only reported.' })
    .default('error'),
  warn_if: comparison('Number of failing rows from which the check warns.').default('!= 0'),
  error_if: comparison('Number of failing rows from which the check fails.').default('!= 0'),
} as const;

const rowsOfTest = z
  .union([z.string(), z.array(z.record(z.string(), z.unknown()))], {
    error: 'expected rows: a table with cells parted by |, or a list of mappings',
  })
  .meta({ description: 'Rows: a table with cells parted by `|`, or a list of mappings.' });

const namedRows = (doc: string, error: string) =>
  z
    .record(z.string(), rowsOfTest, { error })
    .refine((rows) => Object.keys(rows).length > 0, { error })
    .meta({ description: doc });

/** Fields of a test case. */
export const TEST_FIELDS = {
  name: text({ doc: 'What the case shows.', examples: ['a late row is counted'] }).min(1, {
    error: 'expected a name',
  }),
  input: namedRows(
    'Rows of each source; sources that are not named stay empty.',
    'expected rows for at least one source',
  ),
  expect: namedRows(
    'Rows of each step or further output, such as `bars`, `bars.late` or `trades.rejected`: with ' +
      'that one, rows of the source that cannot be read are rejected. Some columns suffice.',
    'expected rows of at least one step',
  ),
} as const;
