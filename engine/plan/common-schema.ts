/** The schema that several inputs of one step or sink share. */

import type { Path } from '../contract/problem.ts';
import type { Schema } from '../contract/schema.ts';
import type { KnownSchema } from './doubts.ts';
import type { Planning, ResolvedInput } from './planning.ts';
import { referenceText } from './references.ts';

/** The schema of the first input, which all must have. */
export function commonSchema(
  planning: Planning,
  inputs: readonly (ResolvedInput | undefined)[],
  path: Path,
  {
    schemaOf,
    help,
  }: {
    readonly schemaOf: (input: ResolvedInput | undefined, path: Path) => KnownSchema;
    /** What to do about inputs of different columns. */
    readonly help: string;
  },
): KnownSchema {
  const at = (index: number): Path => (inputs.length === 1 ? path : [...path, index]);
  const all = inputs.map((input, index) => schemaOf(input, at(index)));
  const first = all[0]!;
  const doubted = all.find(({ doubts }) => doubts !== undefined);
  if (doubted !== undefined) return { schema: first.schema, doubts: doubted.doubts };
  for (const [index, { schema }] of all.entries()) {
    const difference = differenceOf(first.schema, schema);
    if (difference === undefined) continue;
    planning.report({
      path: at(index),
      code: 'config/column-type',
      message: `${referenceText(inputs[index]!)} ${difference} ${referenceText(inputs[0]!)}`,
      help,
    });
    return { schema: first.schema, doubts: new Set() };
  }
  const revises = all.some(({ schema }) => schema.revises === true);
  return revises ? { ...first, schema: { ...first.schema, revises } } : first;
}

/** What makes the second schema another one, if anything. */
function differenceOf(first: Schema, second: Schema): string | undefined {
  if (first === second) return undefined;
  const columns = (schema: Schema): string[] =>
    schema.columns.map(({ name, type }) => `${name} of type ${type}`);
  const [wanted, found] = [columns(first), columns(second)];
  const index = wanted.findIndex((column, i) => column !== found[i]);
  if (index >= 0) return `lacks the column ${wanted[index]} of`;
  if (found.length > wanted.length) return `has a column ${found[wanted.length]}, unlike`;
  return first.time === second.time ? undefined : 'has another event time than';
}
