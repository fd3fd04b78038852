import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { OperatorDefinition } from '../contract/operator.ts';
import { defineOperator } from '../contract/operator.ts';
import { END_OF_TIME } from '../contract/time.ts';
import type { Row } from './harness.ts';
import { runOperator } from './harness.ts';
import { POISON } from './poisoned-memory.ts';
import { diffRows, formatTable, parseTable, schemaOfTable } from './table.ts';

const table = parseTable(`
  event_time | symbol | price | size:int64 | venue:string | open:boolean
  09:30:00   | A      | 1.5   | 7          | x            | true
  09:30:02   | B      |       |            |              |
  09:30:01   | A      | 3     | 9          | ""           | false
`);
const schema = schemaOfTable(table);

/** Passes its input through, and remembers how many rows it saw. */
const pass: OperatorDefinition = defineOperator({
  name: 'pass',
  since: '0.1.0',
  stability: 'experimental',
  summary: 'Passes rows.',
  guarantees: { order: 'Kept.', lateness: 'None.', backPressure: 'None.' },
  fields: {},
  constraints: [],
  plan: (_, input) => ({ main: input }),
  state: { version: 1, scope: 'none', tables: { rows_seen: 'A count.' } },
  metrics: { rows_seen: { unit: 'rows', doc: 'Rows seen.' } },
  examples: [],
  open: (_, context, state) => {
    let seen = state === undefined ? 0 : state['rows_seen']![0]!;
    return {
      process: (batch, collector) => {
        seen += batch.rowCount;
        context.countRows(
          'late',
          batch,
          Uint32Array.from({ length: batch.rowCount }, (__, i) => i),
        );
        collector.emit(batch);
      },
      advance: (watermark) => {
        if (watermark === END_OF_TIME) context.count('rows_seen', seen);
        return watermark;
      },
      snapshot: () => ({ rows_seen: Uint8Array.of(seen) }),
      dispose: () => {},
    };
  },
});

test('rows go in and come out as they are, nulls too', () => {
  const { outputs } = runOperator(pass, {}, schema, [table.rows]);
  assert.deepEqual(outputs['main'], table.rows);
  assert.equal(
    diffRows(outputs['main']!, table.rows, { isExact: true, isOrdered: true }),
    undefined,
  );
});

test('the watermark of a row follows all rows before it, also those of other partitions', () => {
  const { emissions, late, metrics } = runOperator(pass, {}, schema, [table.rows], {
    partitions: 2,
  });
  const ofA = emissions.find(({ rows }) => rows.some((row) => row['symbol'] === 'A'))!;
  const latest = table.rows[1]!['event_time'];
  assert.equal(ofA.rowWatermarks?.[1], latest);
  assert.equal(late, 3);
  assert.deepEqual(metrics, { rows_seen: 3 });
  const tolerant = runOperator(pass, {}, schema, [table.rows], {
    maxOutOfOrdernessNs: 1_000_000_000n,
  });
  assert.equal(tolerant.emissions[0]!.rowWatermarks, undefined);
});

test('a restart carries the state over', () => {
  const batches = table.rows.map((row): Row[] => [row]);
  const { metrics, outputs } = runOperator(pass, {}, schema, batches, {
    restartAfterBatch: [0, 1],
  });
  assert.deepEqual(metrics, { rows_seen: 3 });
  assert.deepEqual(outputs['main'], table.rows);
});

test('the arena does not outlive a call, nor does it come cleared', () => {
  let kept = 0;
  const seen: number[] = [];
  const keeper: OperatorDefinition = {
    ...pass,
    open: (_, { memory }) => ({
      process: (batch) => {
        if (kept !== 0) seen.push(memory.f64(kept, 1)[0]!);
        kept = batch.columns[2]!.pointer;
        seen.push(memory.f64(memory.arena.allocate(8), 1)[0]!);
      },
      advance: (watermark) => watermark,
      snapshot: () => ({}),
      dispose: () => {},
    }),
  };
  runOperator(keeper, {}, schema, [table.rows.slice(0, 1), table.rows.slice(0, 1)]);
  const poison = new Float64Array(new Uint8Array(8).fill(POISON).buffer)[0]!;
  assert.deepEqual(seen.slice(0, 1), [poison]);
  assert.deepEqual(seen.at(-1), poison);
});

test('an operator that writes into its input is caught', () => {
  const vandal: OperatorDefinition = {
    ...pass,
    open: (_, { memory }) => ({
      process: (batch) => memory.f64(batch.columns[2]!.pointer, 1).fill(0),
      advance: (watermark) => watermark,
      snapshot: () => ({}),
      dispose: () => {},
    }),
  };
  assert.throws(() => runOperator(vandal, {}, schema, [table.rows]), /leaves its input alone/);
});

test('a configuration that is not accepted is told', () => {
  assert.throws(() => runOperator(pass, { typo: 1 }, schema, []), /unknown-field/);
});

test('a difference between rows is told in a table', () => {
  const [first, second, third] = table.rows as [Row, Row, Row];
  assert.equal(diffRows([third, first, second], table.rows), undefined);
  assert.match(diffRows([second], [first])!, /^expected 1 row, got as many, but not the same\n/);
  assert.match(diffRows([], table.rows)!, /^expected 3 rows, got 0\n/);
  assert.equal(diffRows([{ ...first, price: 1.5 * (1 + 1e-12) }], [first]), undefined);
  assert.match(diffRows([{ ...first, price: 1.5000001 }], [first])!, /not expected \(1\)/);
  assert.match(diffRows([first], [first, second])!, /missing \(1\):[^]*B/);
  assert.match(diffRows([{ ...first, price: null }], [first])!, /missing \(1\)/);
  assert.match(diffRows([second, first], [first, second], { isOrdered: true })!, /another order/);
  assert.equal(diffRows([{ ...first, more: 1 }], [first]), undefined, 'some columns suffice');
});

test('a table is formatted as it is parsed', () => {
  const again = parseTable(formatTable(table.rows, schema), schema);
  assert.deepEqual(again.rows, table.rows);
});
