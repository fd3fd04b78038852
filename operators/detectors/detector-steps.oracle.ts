/**
 * Oracle of every detector: the steps that a user would write by hand, run one after the other.
 */

import assert from 'node:assert/strict';
import fc from 'fast-check';
import type { OperatorDefinition } from '../../engine/contract/operator.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { arbitrarySizes, arbitraryStream, cut } from '../../engine/testing/arbitrary.ts';
import { type Row, type RunOptions, runOperator } from '../../engine/testing/harness.ts';
import { assertSameRows, parseTable, schemaOfTable } from '../../engine/testing/table.ts';
import { derive } from '../derive/derive.ts';
import { rolling } from '../rolling/rolling.ts';
import { threshold } from '../threshold/threshold.ts';

const STEPS = { derive, rolling, threshold };

/** The steps of a pipeline, without `input`: each reads the one before. */
export type Steps = readonly ({ readonly type: keyof typeof STEPS } & Record<string, unknown>)[];

export interface Comparison {
  /** A table of typical rows. */
  readonly rows: string;
  readonly detector: OperatorDefinition;
  readonly config: object;
  readonly steps: Steps;
  /** Anomalies that the rows of the table have at least, so that something is compared. */
  readonly found: number;
}

/** The detector gives what the steps give, to the last bit, but for the words of explanations. */
export function assertEqualsSteps({ rows, detector, config, steps, found }: Comparison): void {
  const table = parseTable(rows);
  const schema = schemaOfTable(table);
  const compare = (
    given: readonly Row[],
    sizes: readonly number[],
    options: RunOptions,
  ): number => {
    const { outputs, metrics } = runOperator(detector, config, schema, cut(given, sizes), options);
    const want = runSteps(steps, schema, given, options);
    assertSameRows(plain(outputs['main']!), plain(want.rows), { isExact: true, isOrdered: true });
    assert.deepEqual(metrics, want.metrics);
    return want.rows.length;
  };
  const own = compare(table.rows, [4096], {});
  assert.ok(own >= found, `${own} anomalies in the table, expected ${found}`);
  const property = fc.property(
    arbitraryStream(table, schema, 60),
    arbitrarySizes(),
    ({ rows: stream, maxOutOfOrdernessNs }, sizes) => {
      compare(stream, sizes, { maxOutOfOrdernessNs });
    },
  );
  fc.assert(property, { numRuns: 60 });
}

function runSteps(
  steps: Steps,
  schema: Schema,
  rows: readonly Row[],
  options: RunOptions,
): { readonly rows: readonly Row[]; readonly metrics: Record<string, number> } {
  let current = { rows, schema, metrics: {} };
  for (const { type, ...config } of steps) {
    const run = runOperator(STEPS[type], config, current.schema, [current.rows], options);
    const { outputs, outputsPlan, metrics } = run;
    current = { rows: outputs['main']!, schema: outputsPlan.main, metrics };
  }
  return current;
}

/** Without what a detector says in other words than the steps: rule and history. */
function plain(rows: readonly Row[]): Row[] {
  return rows.map((row) => {
    const explanation = JSON.parse(row['explanation'] as string) as Record<string, unknown>;
    const { rule: _rule, over: _over, exclude_current: _current, ...rest } = explanation;
    return { ...row, explanation: JSON.stringify(rest) };
  });
}
