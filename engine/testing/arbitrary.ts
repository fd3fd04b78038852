/**
 * Inputs for properties over any operator, made from the examples of its declaration: rows that
 * resemble the example's rows, ways to cut them into batches, and configurations gone wrong.
 */

import fc from 'fast-check';
import type { ColumnSchema, Schema } from '../contract/schema.ts';
import type { Row, Table, Value } from './table.ts';

/** Rows of a stream and how far out of order they may be without being late. */
export interface Stream {
  readonly rows: readonly Row[];
  readonly maxOutOfOrdernessNs: bigint;
}

/**
 * Streams like the example's: its keys and a few more, its gaps between times (some of them
 * repeated, zero or large), its values, nearby values, zeroes and nulls. Many are out of order.
 */
export function arbitraryStream(table: Table, schema: Schema, rowsMax = 40): fc.Arbitrary<Stream> {
  const times = columnValues(table, schema.time).map(BigInt).sort(ascending);
  const gaps = times
    .slice(1)
    .map((time, i) => time - times[i]!)
    .filter((gap) => gap > 0n);
  const gap = fc.constantFrom(...(gaps.length === 0 ? [1_000_000_000n] : gaps));
  const keys = [...new Set(columnValues(table, schema.key).map(String)), 'K1', 'K2', 'K3'];
  const others = schema.columns.filter(({ name }) => name !== schema.time && name !== schema.key);
  const step = fc.tuple(gap, fc.constantFrom(0n, 0n, 1n, 1n, 1n, 2n, 7n, 30n));
  const back = fc.tuple(gap, fc.constantFrom(0n, 0n, 0n, 1n, 3n, 20n), fc.constantFrom(0n, 1n));
  const row = fc.record({
    step,
    back,
    key: fc.constantFrom(...keys),
    values: fc.tuple(...others.map((column) => arbitraryValue(column, table))),
  });
  return fc
    .record({
      steps: fc.array(row, { maxLength: rowsMax, size: 'max' }),
      isOrdered: fc.boolean(),
      tolerance: fc.tuple(gap, fc.constantFrom(0n, 0n, 1n, 5n)),
    })
    .map(({ steps, isOrdered, tolerance }) => {
      let now = times[0] ?? 0n;
      const rows = steps.map(({ step: [length, count], back: [far, often, odd], key, values }) => {
        now += length * count;
        const time = isOrdered ? now : now - far * often - odd;
        const pairs = others.map(({ name }, i): [string, Value] => [name, values[i] ?? null]);
        const all = { ...Object.fromEntries(pairs), [schema.time]: time, [schema.key]: key };
        return Object.fromEntries(schema.columns.map(({ name }) => [name, all[name] as Value]));
      });
      return { rows, maxOutOfOrdernessNs: tolerance[0] * tolerance[1] };
    });
}

function arbitraryValue(column: ColumnSchema, table: Table): fc.Arbitrary<Value> {
  const seen = columnValues(table, column.name);
  const example = seen.length === 0 ? [] : [{ weight: 6, arbitrary: fc.constantFrom(...seen) }];
  const missing = { weight: 1, arbitrary: fc.constant(null) };
  switch (column.type) {
    case 'float64': {
      const scale = Math.max(1, ...seen.map((value) => Math.abs(Number(value))));
      const near = fc
        .integer({ min: -200, max: 200 })
        .map((hundredth) => (scale * hundredth) / 100);
      return fc.oneof(...example, { weight: 4, arbitrary: near }, missing);
    }
    case 'int64': {
      const near = fc.bigInt({ min: -5n, max: 5n });
      return fc.oneof(...example, { weight: 3, arbitrary: near }, missing);
    }
    case 'timestamp': {
      const base = BigInt((seen[0] as bigint | undefined) ?? 0n);
      const near = fc.bigInt({ min: base - 10n ** 10n, max: base + 10n ** 10n });
      return fc.oneof(...example, { weight: 3, arbitrary: near }, missing);
    }
    case 'boolean':
      return fc.oneof({ weight: 6, arbitrary: fc.boolean() }, missing);
    case 'string': {
      const near = fc.constantFrom('', 'x', 'y', 'ünïcode');
      return fc.oneof(...example, { weight: 3, arbitrary: near }, missing);
    }
  }
}

function columnValues(table: Table, name: string): NonNullable<Value>[] {
  return table.rows.map((row) => row[name] ?? null).filter((value) => value !== null);
}

function ascending(a: bigint, b: bigint): number {
  return a < b ? -1 : a > b ? 1 : 0;
}

/** Cuts rows into batches of these sizes, over and over; a size of 0 is an empty batch. */
export function cut(rows: readonly Row[], sizes: readonly number[]): Row[][] {
  const batches: Row[][] = [];
  let next = 0;
  for (let i = 0; next < rows.length; i++) {
    const size = sizes[i % sizes.length]!;
    batches.push(rows.slice(next, next + size));
    next += size;
  }
  return batches;
}

/** Sizes for `cut`: at least one of them is not 0. */
export function arbitrarySizes(minimum = 1): fc.Arbitrary<number[]> {
  return fc
    .array(fc.integer({ min: minimum, max: 9 }), { minLength: 1, maxLength: 6 })
    .filter((sizes) => sizes.some((size) => size > 0));
}

const WORDS = [
  ...['1', '0', '-1', '1e308', '0.5', "'text'", '(', ')', ',', '+', '-', '*', '/', '%', '=', '<>'],
  ...[
    '<',
    '<=',
    '>',
    '>=',
    'and',
    'or',
    'not',
    'is',
    'null',
    'case',
    'when',
    'then',
    'else',
    'end',
  ],
  ...['abs', 'log', 'sqrt', 'least', 'greatest', 'coalesce', 'count', 'sum', 'mean', 'min', 'max'],
  ...['first', 'last', 'variance', 'stddev', 'zscore', 'lag', 'delta', 'pct_change', 'nosuch'],
  ...["'", '"', '.', ';', '$', '\u0000', 'é', 'true', 'between', 'in', 'like'],
];

/** Texts that might be an expression over the columns, and mostly are none. */
export function arbitraryExpression(schema: Schema): fc.Arbitrary<string> {
  const names = schema.columns.map(({ name }) => name);
  const word = fc.constantFrom(...WORDS, ...names, ...names);
  const call = fc
    .tuple(fc.constantFrom(...WORDS.slice(30, 50)), fc.array(word, { maxLength: 3 }))
    .map(([name, words]) => `${name}(${words.join(', ')})`);
  return fc
    .array(fc.oneof({ weight: 3, arbitrary: word }, { weight: 1, arbitrary: call }), {
      maxLength: 9,
    })
    .map((words) => words.join(' '));
}

function arbitraryJunk(schema: Schema): fc.Arbitrary<unknown> {
  const texts = ['', '5m', '0s', '1ns', '20 rows', '0 rows', '1 row', '-5m', 'yes', 'early', '> 3'];
  const names = schema.columns.map(({ name }) => name);
  return fc.oneof(
    { weight: 4, arbitrary: fc.constantFrom<unknown>(...texts, ...names) },
    { weight: 4, arbitrary: arbitraryExpression(schema) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(null, true, 0, -1, 1.5, 1e99, [], {}, [[]]) },
    { weight: 1, arbitrary: fc.constantFrom<unknown>(Number.NaN, ['price'], ['price', 'price']) },
    { weight: 1, arbitrary: fc.dictionary(fc.string(), arbitraryExpression(schema)) },
    { weight: 1, arbitrary: fc.jsonValue() },
  );
}

type Edit = readonly [
  where: number,
  how: 'replace' | 'remove' | 'add',
  junk: unknown,
  name: string,
];

/** The example's configuration with one to three places replaced by junk, removed or added. */
export function arbitraryBadConfig(config: unknown, schema: Schema): fc.Arbitrary<unknown> {
  const edit: fc.Arbitrary<Edit> = fc.tuple(
    fc.nat(1000),
    fc.constantFrom('replace', 'replace', 'replace', 'remove', 'add'),
    arbitraryJunk(schema),
    fc.constantFrom('typo', 'x', '', '__proto__', ...schema.columns.map(({ name }) => name)),
  );
  return fc.array(edit, { minLength: 1, maxLength: 3 }).map((edits) => {
    const box = { config: structuredClone(config) };
    // Copies: an edit must neither put a value into itself nor change it for the next run.
    for (const each of edits) applyEdit(box, structuredClone(each));
    return box.config;
  });
}

/** Edits one place of the document, counted in document order. */
function applyEdit(box: { config: unknown }, [where, how, junk, name]: Edit): void {
  const places: [parent: Record<string, unknown>, key: string][] = [];
  const visit = (parent: Record<string, unknown>, key: string): void => {
    places.push([parent, key]);
    const value = parent[key];
    if (typeof value !== 'object' || value === null) return;
    for (const child of Object.keys(value)) visit(value as Record<string, unknown>, child);
  };
  visit(box, 'config');
  const [parent, key] = places[where % places.length]!;
  const value = parent[key];
  if (how === 'remove') {
    if (Array.isArray(parent)) parent.splice(Number(key), 1);
    else if (parent !== box) delete parent[key];
  } else if (how === 'add' && typeof value === 'object' && value !== null) {
    // Not by assignment: that would give the value another prototype where the name is __proto__.
    const property = { value: junk, enumerable: true, writable: true, configurable: true };
    Object.defineProperty(value, name, property);
  } else {
    parent[key] = junk;
  }
}

/** The example's schema with columns gone, of another type, or rows that are stated again. */
export function arbitraryOtherSchema(schema: Schema): fc.Arbitrary<Schema> {
  const types = ['float64', 'int64', 'timestamp', 'string', 'boolean', 'gone'] as const;
  return fc
    .tuple(
      fc.array(fc.option(fc.constantFrom(...types), { freq: 2 }), {
        minLength: schema.columns.length,
        maxLength: schema.columns.length,
      }),
      fc.boolean(),
    )
    .map(([changes, revises]) => ({
      ...schema,
      revises,
      columns: schema.columns.flatMap((column, i) => {
        const change = changes[i] ?? null;
        if (change === null || column.name === schema.time || column.name === schema.key) {
          return [column];
        }
        return change === 'gone' ? [] : [{ name: column.name, type: change }];
      }),
    }));
}
