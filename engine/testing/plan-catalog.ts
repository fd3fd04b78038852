/**
 * A small catalogue for tests of planning and linting: declarations that are never opened. Each
 * kind of option, requirement and output that a real declaration can have occurs once.
 */

import { type Catalog, defineSink, defineSource } from '../contract/connector.ts';
import {
  choice,
  columns,
  duration,
  expressions,
  expressionText,
  flag,
  integer,
  path,
  secret,
  text,
  z,
} from '../contract/fields.ts';
import { defineOperator } from '../contract/operator.ts';
import { didYouMean, type Report } from '../contract/problem.ts';
import type { ColumnSchema, Schema } from '../contract/schema.ts';
import { durationNs } from '../contract/time.ts';

const guarantees = { order: 'Any.', lateness: 'Any.', backPressure: 'None.', delivery: 'None.' };
const common = { since: '0.1.0', stability: 'experimental', guarantees, constraints: [] } as const;
const neverOpened = (): never => {
  throw new TypeError('a declaration for tests of planning is never opened');
};

const TICKS: readonly ColumnSchema[] = [
  { name: 'event_time', type: 'timestamp' },
  { name: 'symbol', type: 'string' },
  { name: 'price', type: 'float64' },
  { name: 'size', type: 'float64' },
];

const ticks = defineSource({
  ...common,
  name: 'ticks',
  summary: 'Trades that nobody reads.',
  fields: {
    path: path({ doc: 'Files to read.', examples: ['data/*.csv'] }),
    format: choice(['csv', 'ndjson'], { doc: 'Format of the files.' }).default('csv'),
    password: secret({ doc: 'Opens the files.' }).optional(),
  },
  plan: (_config, key, report) => {
    if (!TICKS.some(({ name, type }) => name === key && type === 'string')) {
      report({ path: [], target: 'key', code: 'config/unknown-column', message: `no key ${key}` });
    }
    return { columns: TICKS, time: 'event_time', key };
  },
  splits: async () => [],
  open: neverOpened,
  examples: [{ title: 'Files', config: { path: 'data/*.csv' } }],
});

function requireColumn(
  schema: Schema,
  name: string,
  at: (string | number)[],
  report: Report,
): void {
  const names = schema.columns.map((column) => column.name);
  if (names.includes(name)) return;
  const help = didYouMean(name, names);
  report({
    path: at,
    offset: 0,
    code: 'config/unknown-column',
    message: `no column ${name}`,
    ...(help === undefined ? {} : { help }),
  });
}

const window = defineOperator({
  ...common,
  name: 'window',
  summary: 'Aggregates rows.',
  fields: {
    size: duration({ doc: 'Length of each window.', examples: ['1m'] }),
    allowed_lateness: duration({ doc: 'How late a row may be.' }).default('0s'),
    emit: choice(['final', 'early'], { doc: 'When windows are put out.' }).default('final'),
    aggregates: expressions({ doc: 'New columns.', examples: [{ high: 'max(price)' }] }),
  },
  constraints: [
    {
      at: ['allowed_lateness'],
      violated: ({ size, allowed_lateness }) =>
        durationNs(allowed_lateness) > durationNs(size) ? 'must not exceed size' : undefined,
    },
  ],
  plan: ({ aggregates, emit }, input, report) => {
    const made = Object.entries(aggregates).map(([name, value]): ColumnSchema => {
      const expression = expressionText(value);
      const argument = /\((\w+)\)/.exec(expression);
      if (argument === null) {
        const message = `expected an aggregate, got ${expression}`;
        report({ path: ['aggregates', name], code: 'config/expression-syntax', message });
      } else if (!input.columns.some((column) => column.name === argument[1])) {
        const problem = { code: 'config/unknown-column', message: `no column ${argument[1]}` };
        report({ path: ['aggregates', name], offset: argument.index + 1, ...problem } as never);
      }
      return { name, type: 'float64' };
    });
    const key: ColumnSchema = { name: input.key, type: 'string' };
    const start: ColumnSchema = { name: 'window_start', type: 'timestamp' };
    const main = { columns: [key, start, ...made], time: 'window_start', key: input.key };
    return { main: { ...main, ...(emit === 'early' ? { revises: true } : {}) }, late: input };
  },
  state: { version: 1, scope: 'keyed', tables: { open_windows: 'Windows that are open.' } },
  metrics: {},
  examples: [
    {
      title: 'Bars',
      config: { size: '1m', aggregates: { high: 'max(price)' } },
      input: '',
      output: '',
    },
  ],
  open: neverOpened,
});

const pick = defineOperator({
  ...common,
  name: 'pick',
  summary: 'Keeps some columns.',
  fields: { columns: columns({ doc: 'Columns to keep.', examples: [['price']] }) },
  plan: (config, input, report) => {
    config.columns.forEach((name, index) => requireColumn(input, name, ['columns', index], report));
    return { main: input };
  },
  state: { version: 1, scope: 'none', tables: {} },
  metrics: {},
  examples: [{ title: 'One column', config: { columns: ['price'] }, input: '', output: '' }],
  open: neverOpened,
});

const rules = defineOperator({
  ...common,
  name: 'rules',
  summary: 'Applies rules.',
  fields: {
    rules: z
      .array(
        z.strictObject({
          type: text({ doc: 'Name of the rule.' }),
          when: text({ doc: 'Condition.', examples: ['price > 3'] }),
          limit: z.union([z.literal('none'), z.strictObject({ rows: z.number() })]).optional(),
        }),
      )
      .min(1)
      .meta({ description: 'Rules.', examples: [[{ type: 'spike', when: 'price > 3' }]] }),
  },
  plan: (_config, input) => ({ main: input }),
  state: { version: 1, scope: 'none', tables: {} },
  metrics: {},
  examples: [
    {
      title: 'A rule',
      config: { rules: [{ type: 'spike', when: 'price > 3' }] },
      input: '',
      output: '',
    },
  ],
  open: neverOpened,
});

const faulty = defineOperator({
  ...common,
  name: 'faulty',
  summary: 'Fails while it is planned.',
  fields: {},
  plan: () => {
    throw new TypeError('planned and failed');
  },
  state: { version: 1, scope: 'none', tables: {} },
  metrics: {},
  examples: [],
  open: neverOpened,
});

const files = defineSink({
  ...common,
  name: 'files',
  summary: 'Writes files.',
  fields: {
    path: path({ doc: 'Folder to write to.', examples: ['out/bars'] }),
    rows_max: integer({ doc: 'Rows of a file.', minimum: 1, maximum: 1000 }).default(100),
    overwrite: flag({ doc: 'Replace what is there.' }).default(true),
    partition_by: columns({ doc: 'Folder keys.' }).optional(),
  },
  plan: () => undefined,
  takesBack: false,
  open: neverOpened,
  commit: async () => undefined,
  discard: async () => undefined,
  dataset: (config, { schema }) => ({
    format: 'parquet',
    glob: `${config.path}/**/*.parquet`,
    columns: schema.columns,
    partitions: (config.partition_by ?? []).map((name) => ({ name, type: 'date' as const })),
  }),
  examples: [{ title: 'A folder', config: { path: 'out/bars' } }],
});

const nowhere = defineSink({
  ...common,
  name: 'nowhere',
  summary: 'Forgets rows.',
  fields: {},
  plan: () => undefined,
  takesBack: false,
  open: neverOpened,
  commit: async () => undefined,
  discard: async () => undefined,
  dataset: () => undefined,
  examples: [{ title: 'Nowhere', config: {} }],
});

export const planCatalog: Catalog = {
  operators: [faulty, pick, rules, window],
  sources: [ticks],
  sinks: [files, nowhere],
};
