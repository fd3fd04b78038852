/**
 * What every operator owes, tested from its declaration alone. The examples give configurations,
 * schemas and typical rows; from them come random streams, random cuts, restarts and bad
 * configurations. `runOperator` adds its own checks to every run: columns fit the promised schema,
 * inputs are left alone, metrics and state tables are declared, dispose may be called twice.
 */

import assert from 'node:assert/strict';
import { test as nodeTest } from 'node:test';
import fc from 'fast-check';
import type { OperatorDefinition, OperatorExample, Outputs } from '../contract/operator.ts';
import type { Schema } from '../contract/schema.ts';
import {
  arbitraryBadConfig,
  arbitraryOtherSchema,
  arbitrarySizes,
  arbitraryStream,
  cut,
} from './arbitrary.ts';
import type { Row, RunOptions, RunResult } from './harness.ts';
import { planOperator, runOperator } from './harness.ts';
import type { Table } from './table.ts';
import { assertSameRows, parseTable, schemaOfTable } from './table.ts';

type Test = (name: string, body: () => void) => unknown;

interface Case {
  readonly definition: OperatorDefinition;
  readonly example: OperatorExample<unknown>;
  readonly table: Table;
  readonly schema: Schema;
}

const RUNS = 30;
/** Rows that an accepted configuration may make of an example's. */
const ROWS_OUT_MAX = 100_000;

/** Declares one test a rule for each example of the operator. */
export function operatorCompliance(definition: OperatorDefinition, test: Test = nodeTest): void {
  const { name, examples } = definition;
  test(`${name}: has an example`, () => assert.notEqual(examples.length, 0));
  for (const example of examples) {
    const table = parseTable(example.input);
    const given: Case = { definition, example, table, schema: schemaOfTable(table) };
    for (const [rule, holds] of Object.entries(RULES)) {
      test(`${name}: ${rule} (${example.title})`, () => holds(given));
    }
  }
}

const RULES: Readonly<Record<string, (given: Case) => void>> = {
  'the example holds': exampleHolds,
  'the plan is pure and its outputs are sound': planIsSound,
  'the output does not depend on how rows are cut into batches': cutsDoNotMatter,
  'empty batches are harmless': emptyBatchesAreHarmless,
  'the watermark never goes back, and rows keep to it': watermarkIsKept,
  'stopping and restoring changes nothing': restartsDoNotMatter,
  'many partitions give what one gives': partitionsDoNotMatter,
  'disposing gives all memory back': memoryIsGivenBack,
  'a bad configuration gives problems, never an exception': badConfigsAreTold,
};

function run(given: Case, batches: readonly Row[][], options: RunOptions = {}): RunResult {
  return runOperator(given.definition, given.example.config, given.schema, batches, options);
}

function exampleHolds(given: Case): void {
  const { example, table } = given;
  const result = run(given, [[...table.rows]]);
  const expected = { ...example.outputs, main: example.output };
  for (const [output, text] of Object.entries(expected)) {
    const schema = (result.outputsPlan as Readonly<Record<string, Schema>>)[output];
    assert(schema !== undefined, `output ${output} exists`);
    const rows = parseTable(text, schema);
    for (const { name } of rows.columns) {
      assert(
        schema.columns.some((column) => column.name === name),
        `output ${output} has a column ${name}`,
      );
    }
    const actual = result.outputs[output]!;
    assertSameRows(actual, rows.rows, { message: `output ${output}` });
  }
}

function planIsSound({ definition, example, schema }: Case): void {
  const planned = planOperator(definition, example.config, schema);
  assert.deepEqual(planned.problems, [], 'the example is accepted');
  assert.deepEqual(planOperator(definition, example.config, schema).outputs, planned.outputs);
  assertSoundOutputs(planned.outputs!);
}

function assertSoundOutputs(outputs: Outputs): void {
  assert('main' in outputs, 'there is a main output');
  for (const [output, schema] of Object.entries(outputs)) {
    const types = new Map(schema.columns.map(({ name, type }) => [name, type]));
    assert.equal(types.size, schema.columns.length, `columns of ${output} have different names`);
    assert.equal(types.get(schema.time), 'timestamp', `${output} has a time column`);
    assert.equal(types.get(schema.key), 'string', `${output} has a key column`);
  }
}

/** Runs a property over random streams that resemble the example's input. */
function forAnyStream<T>(
  { table, schema }: Case,
  more: fc.Arbitrary<T>,
  holds: (rows: readonly Row[], options: RunOptions, more: T) => void,
): void {
  const property = fc.property(arbitraryStream(table, schema), more, (stream, extra) => {
    holds(stream.rows, { maxOutOfOrdernessNs: stream.maxOutOfOrdernessNs }, extra);
  });
  fc.assert(property, { numRuns: RUNS });
}

function cutsDoNotMatter(given: Case): void {
  forAnyStream(given, arbitrarySizes(), (rows, options, sizes) => {
    const whole = run(given, cut(rows, [4096]), options);
    for (const other of [[1], [7], sizes]) {
      assertSameResult(run(given, cut(rows, other), options), whole, `batches of ${String(other)}`);
    }
  });
}

function emptyBatchesAreHarmless(given: Case): void {
  assertSameResult(run(given, [[], []]), run(given, []), 'nothing but empty batches');
  forAnyStream(given, arbitrarySizes(0), (rows, options, sizes) => {
    const filled = cut(
      rows,
      sizes.map((size) => size || 1),
    );
    const result = run(given, [[], ...cut(rows, sizes), []], options);
    assertSameResult(result, run(given, filled, options), 'with empty batches');
  });
}

function watermarkIsKept(given: Case): void {
  forAnyStream(given, arbitrarySizes(), (rows, options, sizes) => {
    const { watermarks, emissions, outputsPlan } = run(given, cut(rows, sizes), options);
    for (const ofTask of watermarks) {
      for (let i = 1; i < ofTask.length; i++) {
        assert(ofTask[i]! >= ofTask[i - 1]!, `watermark ${ofTask[i]} after ${ofTask[i - 1]}`);
      }
    }
    const { time, revises } = outputsPlan.main;
    if (revises === true) return;
    for (const { output, rows: emitted, rowWatermarks, promised } of emissions) {
      if (output !== 'main') continue;
      for (const [i, row] of emitted.entries()) {
        const at = row[time];
        // A row that came late in the input may go on as one, if it says so.
        if (typeof at !== 'bigint') continue;
        if (rowWatermarks !== undefined && at < rowWatermarks[i]!) continue;
        assert(at >= promised, `a row at ${at} after the watermark ${promised}`);
      }
    }
  });
}

/** Also where the watermark of a partition moves before it has had a row again. */
function restartsDoNotMatter(given: Case): void {
  const restarts = fc.tuple(
    arbitrarySizes(),
    fc.array(fc.nat(10), { minLength: 1, maxLength: 3 }),
    fc.integer({ min: 1, max: 4 }),
  );
  forAnyStream(given, restarts, (rows, options, [sizes, restartAfterBatch, partitions]) => {
    const batches = cut(rows, sizes);
    const result = run(given, batches, { ...options, restartAfterBatch, partitions });
    assertSameResult(result, run(given, batches, options), 'with restarts');
  });
}

function partitionsDoNotMatter(given: Case): void {
  const partitions = fc.tuple(arbitrarySizes(), fc.integer({ min: 2, max: 5 }));
  forAnyStream(given, partitions, (rows, options, [sizes, count]) => {
    const batches = cut(rows, sizes);
    const result = run(given, batches, { ...options, partitions: count });
    assertSameResult(result, run(given, batches, options), `${count} partitions`);
  });
}

function memoryIsGivenBack(given: Case): void {
  forAnyStream(given, arbitrarySizes(), (rows, options, sizes) => {
    const result = run(given, cut(rows, sizes), { ...options, restartAfterBatch: 0 });
    assert.equal(result.leakedSlabs, 0, 'blocks that dispose did not free');
    run(given, cut(rows, sizes), { ...options, finish: false });
  });
}

function badConfigsAreTold({ definition, example, table, schema }: Case): void {
  const bad = fc.tuple(
    fc.oneof(
      { weight: 9, arbitrary: arbitraryBadConfig(example.config, schema) },
      { weight: 1, arbitrary: fc.constant(example.config) },
    ),
    fc.oneof(fc.constant(schema), arbitraryOtherSchema(schema)),
  );
  const property = fc.property(bad, ([config, input]) => {
    const { outputs, problems } = planOperator(definition, config, input);
    for (const { message, path } of problems) {
      assert.notEqual(message, '');
      assert(path.length === 0 || typeof path[0] === 'string', 'a problem names its place');
    }
    if (outputs === undefined) return;
    assertSoundOutputs(outputs);
    // What is accepted must run, and not for ever: an explosion of rows is a bad configuration too.
    if (input !== schema) return;
    runOperator(definition, config, schema, [[...table.rows]], { rowsOutMax: ROWS_OUT_MAX });
  });
  fc.assert(property, { numRuns: 10 * RUNS });
}

function assertSameResult(actual: RunResult, expected: RunResult, message: string): void {
  for (const [output, rows] of Object.entries(expected.outputs)) {
    assertSameRows(actual.outputs[output]!, rows, {
      isExact: true,
      message: `output ${output}: ${message}`,
    });
  }
  assert.equal(actual.late, expected.late, `late rows: ${message}`);
  assert.equal(actual.duplicate, expected.duplicate, `duplicate rows: ${message}`);
}
