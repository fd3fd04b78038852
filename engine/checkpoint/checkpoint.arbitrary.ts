/** Random checkpoints, with everything that may stand in one. */

import fc from 'fast-check';
import type { Checkpoint } from './checkpoint.ts';

/** Of the prototype that a reader gives. */
const record = <T>(fields: { [K in keyof T]: fc.Arbitrary<T[K]> }): fc.Arbitrary<T> =>
  fc.record(fields, { noNullPrototype: true }) as fc.Arbitrary<T>;

const name = fc.stringMatching(/^[a-z][a-z0-9_]{0,8}$/);
const time = fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n });
const count = fc.nat(2 ** 40);
const bytes = fc.uint8Array({ maxLength: 40 });
const plain = fc.dictionary(
  name,
  fc.oneof(fc.string(), fc.integer(), fc.double({ noNaN: true }), fc.boolean(), fc.constant(null)),
  { maxKeys: 3, noNullPrototype: true },
);
const details = fc.dictionary(name, fc.oneof(fc.string(), fc.integer()), {
  maxKeys: 3,
  noNullPrototype: true,
});

const schema = record({
  columns: fc.array(
    record({ name, type: fc.constantFrom('float64' as const, 'string' as const) }),
    { maxLength: 3 },
  ),
  time: name,
  key: name,
});

const source = record({
  name,
  type: name,
  accounts: record({
    read: count,
    processed: count,
    late: count,
    rejected: count,
    duplicate: count,
  }),
  splits: fc.array(
    record({
      id: fc.string(),
      position: fc.option(details, { nil: undefined }),
      peaks: fc.array(time, { maxLength: 3 }),
    }),
    { maxLength: 3 },
  ),
});

const operator = record({
  name,
  type: name,
  stateVersion: fc.nat(9),
  config: plain,
  input: schema,
});

const sink = record({
  name,
  type: name,
  config: plain,
  schema,
  committables: fc.array(details, { maxLength: 3 }),
  carried: fc.option(bytes, { nil: undefined }),
  totals: fc.option(record({ rows: count, files: count, bytes: count }), { nil: undefined }),
});

const tables = fc.dictionary(name, bytes, { minKeys: 1, maxKeys: 3, noNullPrototype: true });
const task = record({
  partition: fc.nat(255),
  watermark: time,
  keys: fc.array(fc.string({ unit: 'grapheme' }), { maxLength: 4 }),
  operators: fc.dictionary(name, tables, { maxKeys: 3, noNullPrototype: true }),
});

export const arbitraryCheckpoint: fc.Arbitrary<Checkpoint> = record<Checkpoint>({
  epoch: fc.integer({ min: 1, max: 2 ** 31 }),
  createdMs: count,
  isComplete: fc.boolean(),
  pipeline: fc.string(),
  key: name,
  partitions: fc.integer({ min: 1, max: 4096 }),
  watermarks: fc.array(time, { minLength: 1, maxLength: 4 }),
  sources: fc.array(source, { maxLength: 2 }),
  operators: fc.array(operator, { maxLength: 3 }),
  sinks: fc.array(sink, { maxLength: 3 }),
  tasks: fc.array(task, { maxLength: 3 }),
});
