/** Whether a checkpoint fits an edited pipeline, and what the user reads where it does not. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { emptyAccounts } from '../contract/row-accounts.ts';
import type { Schema } from '../contract/schema.ts';
import type { Checkpoint, OperatorIdentity, SinkSnapshot } from './checkpoint.ts';
import { type Fit, fitPlan, type PlanIdentity } from './fit-plan.ts';

const trades: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'price', type: 'float64' },
  ],
  time: 'event_time',
  key: 'symbol',
};

const bars: OperatorIdentity = {
  name: 'bars',
  type: 'tumbling_window',
  stateVersion: 1,
  config: { size: '5m', aggregates: { high: 'max(price)' } },
  input: trades,
};
const odd: OperatorIdentity = {
  name: 'odd',
  type: 'filter',
  stateVersion: 0,
  config: { where: 'price > 3' },
  input: trades,
};

const out: SinkSnapshot = {
  name: 'out',
  type: 'parquet',
  config: { path: 'out' },
  schema: trades,
  committables: [],
  carried: undefined,
};
const carrying: SinkSnapshot = { ...out, carried: Uint8Array.of(1) };

const split = (id: string, row: number | undefined) => ({
  id,
  position: row === undefined ? undefined : { row },
  peaks: [0n],
});
const source = (name: string, ...splits: ReturnType<typeof split>[]) => ({
  name,
  type: 'file',
  accounts: emptyAccounts(),
  splits,
});

const CHECKPOINT: Checkpoint = {
  epoch: 3,
  createdMs: 0,
  isComplete: false,
  pipeline: 'market',
  key: 'symbol',
  partitions: 16,
  watermarks: [0n],
  sources: [source('trades', split('a.csv', 7), split('b.csv', undefined))],
  operators: [bars, odd],
  sinks: [out],
  tasks: [],
};

const PLAN: PlanIdentity = {
  pipeline: 'market',
  key: 'symbol',
  partitions: 16,
  sources: [{ name: 'trades', type: 'file', splits: ['a.csv', 'b.csv'] }],
  operators: [bars, odd],
  sinks: [out],
};

const refused = (...refusals: string[]): Fit => ({ refusals, warnings: [] });
const warned = (...warnings: string[]): Fit => ({ refusals: [], warnings });
const operators = (...own: OperatorIdentity[]) => ({ operators: own });
const keptNot = (what: string): Fit =>
  refused(
    `operator bars cannot keep its state: ${what}; change it back, give it another name to start ` +
      'it empty, or start anew with --ignore-state',
  );
const carriedNot = (what: string): Fit =>
  refused(
    `rows of sink out wait in the checkpoint, and the sink ${what}; change it back and stop a ` +
      'run with Ctrl-C to write them, or start anew with --ignore-state',
  );
const extended = (...columns: Schema['columns']): Schema => ({ ...trades, columns });
const [time, symbol, price] = trades.columns as [
  Schema['columns'][0],
  Schema['columns'][0],
  Schema['columns'][0],
];

type Case = readonly [
  name: string,
  checkpoint: Partial<Checkpoint>,
  plan: Partial<PlanIdentity>,
  want: Fit,
];

const CASES: readonly Case[] = [
  ['nothing has changed', {}, {}, warned()],
  [
    'another pipeline, of which nothing else is said',
    { key: 'other' },
    { pipeline: 'ships', sources: [] },
    refused(
      'it is of the pipeline market, this one is ships; give this one a checkpoint directory of ' +
        'its own',
    ),
  ],
  [
    'another key and number of partitions, both told at once',
    {},
    { key: 'venue', partitions: 8 },
    refused(
      'key was symbol and is venue now: all state is placed by it; change it back, or start anew ' +
        'with --ignore-state',
      'partitions was 16 and is 8 now: all state is placed by it; change it back, or start anew ' +
        'with --ignore-state',
    ),
  ],
  [
    'a source under another name',
    {},
    { sources: [{ name: 'quotes', type: 'file', splits: ['a.csv'] }] },
    warned(
      'source trades is gone, and where it had got to is forgotten',
      'source quotes is new and is read from its start',
    ),
  ],
  [
    'a source of another type',
    {},
    { sources: [{ name: 'trades', type: 'nats', splits: [] }] },
    refused(
      'source trades was of type file and is of type nats now; give it another name to read it ' +
        'from its start',
    ),
  ],
  [
    'a split is gone that was being read',
    {},
    { sources: [{ name: 'trades', type: 'file', splits: ['b.csv'] }] },
    refused(
      'source trades no longer has a.csv, which was being read; bring it back, or give the ' +
        'source another name to read what it has now from the start',
    ),
  ],
  [
    'a split is gone of which nothing was read, and another has come',
    {},
    { sources: [{ name: 'trades', type: 'file', splits: ['a.csv', 'c.csv'] }] },
    warned(),
  ],
  [
    'an operator with state is gone',
    {},
    operators(odd),
    warned('operator bars is gone, with its state'),
  ],
  ['an operator without state is gone', {}, operators(bars), warned()],
  [
    'an operator with state is new, behind others in another order',
    {},
    operators(odd, { ...bars, name: 'long_bars' }, bars),
    warned('operator long_bars is new and starts empty'),
  ],
  ['an operator without state is new', { operators: [bars] }, {}, warned()],
  [
    'an operator without state may change as it likes',
    {},
    operators(bars, { ...odd, type: 'derive', config: {}, input: extended(time) }),
    warned(),
  ],
  [
    'an operator of another type, of which its options say nothing',
    {},
    operators({ ...bars, type: 'hopping_window', config: { size: '1m' } }, odd),
    keptNot('its type was tumbling_window and is hopping_window now'),
  ],
  [
    'state of another version',
    {},
    operators({ ...bars, stateVersion: 2 }, odd),
    keptNot('this version of Tidemark keeps it in another form (2, it has 1)'),
  ],
  [
    'an operator that had no state and has some now',
    {},
    operators(bars, { ...odd, stateVersion: 1 }),
    refused(
      'operator odd cannot keep its state: this version of Tidemark keeps it in another form (1, ' +
        'it has 0); change it back, give it another name to start it empty, or start anew with ' +
        '--ignore-state',
    ),
  ],
  [
    'options changed, added and removed',
    {},
    operators({ ...bars, config: { size: '1m', rows: 5n } }, odd),
    keptNot(
      'size was 5m and is 1m, aggregates was {"high":"max(price)"} and is not set, rows was not ' +
        'set and is 5n',
    ),
  ],
  [
    'of options with many entries, only those that differ are told',
    {},
    operators(
      { ...bars, config: { size: '5m', aggregates: { high: 'max(size)', n: 'count()' } } },
      odd,
    ),
    keptNot(
      'aggregates.high was max(price) and is max(size), aggregates.n was not set and is count()',
    ),
  ],
  [
    'an option that is not set is like one that is missing',
    {},
    operators({ ...bars, config: { ...bars.config, emit: undefined } }, odd),
    warned(),
  ],
  [
    'columns came and went',
    {},
    operators({ ...bars, input: extended(time, symbol, { name: 'size', type: 'int64' }) }, odd),
    keptNot('its input has changed (-price float64 +size int64)'),
  ],
  [
    'columns in another order',
    {},
    operators({ ...bars, input: extended(time, price, symbol) }, odd),
    keptNot('its input has changed (the order or the meaning of its columns)'),
  ],
  ['a sink that carries nothing may go', {}, { sinks: [] }, warned()],
  [
    'a sink that carries nothing may change',
    {},
    { sinks: [{ ...out, type: 'csv' }] },
    warned('sink out was of type parquet and is of type csv now: earlier rows stay there'),
  ],
  [
    'a sink that carries nothing may move',
    {},
    { sinks: [{ ...out, config: { ...out.config, path: 'elsewhere' } }] },
    warned('sink out has moved: path was out and is elsewhere now; earlier rows stay there'),
  ],
  [
    'a sink is new',
    {},
    { sinks: [out, { ...out, name: 'more' }] },
    warned('sink more is new and gets only what comes from now on'),
  ],
  ['a sink that carries rows stays', { sinks: [carrying] }, {}, warned()],
  ['a sink that carries rows is gone', { sinks: [carrying] }, { sinks: [] }, carriedNot('is gone')],
  ...[
    { ...out, type: 'csv' },
    { ...out, config: { path: 'elsewhere' } },
    { ...out, schema: extended(time, symbol) },
  ].map(
    (sink, index): Case => [
      `a sink that carries rows has changed (${index})`,
      { sinks: [carrying] },
      { sinks: [sink] },
      carriedNot('has changed'),
    ],
  ),
];

for (const [name, checkpoint, plan, want] of CASES) {
  test(`fit: ${name}`, () => {
    assert.deepEqual(fitPlan({ ...CHECKPOINT, ...checkpoint }, { ...PLAN, ...plan }), want);
  });
}
