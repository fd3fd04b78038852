/**
 * Fields of a configuration: small domain builders over zod, each of which demands a sentence of
 * documentation. They validate and describe; they never transform, so that the same schema gives
 * the types, the lints, the JSON Schema and the reference page. Chain `.default(…)` or
 * `.optional()` as in zod; a field with neither is required.
 */

import { z } from 'zod';
import { parseDuration } from './time.ts';

export { z };

export type Fields = Readonly<Record<string, z.ZodType>>;
export type ConfigOf<F extends Fields> = z.output<z.ZodObject<{ -readonly [K in keyof F]: F[K] }>>;
export type ConfigInput<F extends Fields> = z.input<
  z.ZodObject<{ -readonly [K in keyof F]: F[K] }>
>;

export type FieldKind =
  | 'duration'
  | 'bytes'
  | 'column'
  | 'expression'
  | 'secret'
  | 'path'
  | 'extent'
  | 'comparison';

export interface FieldDoc {
  /** One or two sentences. */
  readonly doc: string;
  readonly examples?: readonly unknown[];
}

function meta(kind: FieldKind | undefined, { doc, examples }: FieldDoc): Record<string, unknown> {
  return {
    description: doc,
    ...(kind === undefined ? {} : { kind }),
    ...(examples === undefined ? {} : { examples }),
  };
}

/** A text that a builder has noted of a field, also behind `.optional()` and `.default()`. */
export function fieldMeta(field: z.ZodType, name: 'description' | 'kind'): string | undefined {
  const own = field.meta()?.[name];
  if (typeof own === 'string') return own;
  const inner = (field as { def?: { innerType?: z.ZodType } }).def?.innerType;
  return inner === undefined ? undefined : fieldMeta(inner, name);
}

/** A length of time with its unit: `250ms`, `10s`, `1h30m`. Read it with `durationNs`. */
export function duration(field: FieldDoc): z.ZodString {
  return z
    .string({ error: 'expected a duration such as 250ms, 10s or 1h' })
    .refine((text) => parseDuration(text) !== undefined, {
      error: 'expected a duration such as 250ms, 10s or 1h',
    })
    .meta(meta('duration', field)) as z.ZodString;
}

const BYTES = /^(\d+)(B|KiB|MiB|GiB|kB|MB|GB)$/;
const BYTES_UNITS: Readonly<Record<string, number>> = {
  B: 1,
  kB: 1e3,
  MB: 1e6,
  GB: 1e9,
  KiB: 2 ** 10,
  MiB: 2 ** 20,
  GiB: 2 ** 30,
};

/** An amount of memory with its unit: `64MiB`. Read it with `byteCount`. */
export function bytes(field: FieldDoc): z.ZodString {
  return z
    .string({ error: 'expected a size such as 512KiB or 64MiB' })
    .refine((text) => BYTES.test(text), { error: 'expected a size such as 512KiB or 64MiB' })
    .meta(meta('bytes', field)) as z.ZodString;
}

/** Bytes of a size that the linter has accepted. */
export function byteCount(text: string): number {
  const match = BYTES.exec(text);
  if (match === null) throw new TypeError(`not a size: ${text}`);
  return Number(match[1]) * BYTES_UNITS[match[2]!]!;
}

const EXTENT_ROWS = /^(\d+) rows?$/;

/** How far a rolling window reaches: `20 rows` or a duration. Read it with `parseExtent`. */
export function extent(field: FieldDoc): z.ZodString {
  return z
    .string({ error: 'expected a number of rows such as 20 rows, or a duration such as 1h' })
    .refine((text) => parseExtent(text) !== undefined, {
      error: 'expected a number of rows such as 20 rows, or a duration such as 1h',
    })
    .meta(meta('extent', field)) as z.ZodString;
}

export type Extent = { readonly rows: number } | { readonly durationNs: bigint };

export function parseExtent(text: string): Extent | undefined {
  const rows = EXTENT_ROWS.exec(text);
  if (rows !== null) return Number(rows[1]) > 0 ? { rows: Number(rows[1]) } : undefined;
  const nanoseconds = parseDuration(text);
  return nanoseconds === undefined || nanoseconds === 0n ? undefined : { durationNs: nanoseconds };
}

/** Name of a new column: a word that an expression can use. */
export const COLUMN_NAME = /^[A-Za-z_][A-Za-z0-9_]*$/;

/** The name of one column. */
export function column(field: FieldDoc): z.ZodString {
  return z
    .string({ error: 'expected the name of a column' })
    .min(1)
    .meta(meta('column', field)) as z.ZodString;
}

/** Names of columns. */
export function columns(field: FieldDoc): z.ZodArray<z.ZodString> {
  return z
    .array(z.string({ error: 'expected the name of a column' }).min(1), {
      error: 'expected a list of column names',
    })
    .min(1)
    .meta(meta('column', field)) as z.ZodArray<z.ZodString>;
}

/** An expression as YAML gives it, where a bare `0` or `true` is no text. */
export type ExpressionValue = string | number | boolean;

/** The text of an expression: the one place where a bare number or boolean becomes one. */
export function expressionText(value: ExpressionValue): string {
  return String(value);
}

type ExpressionSchema = z.ZodUnion<readonly [z.ZodString, z.ZodNumber, z.ZodBoolean]>;

function expressionValue(): ExpressionSchema {
  return z.union([z.string().min(1), z.number(), z.boolean()], {
    error: 'expected an expression',
  });
}

/**
 * An expression in the language of docs/expressions.md, or a bare number or boolean, which is one
 * too. Read it with `parseExpression`; its meaning is checked by the operator.
 */
export function expression(field: FieldDoc): ExpressionSchema {
  return expressionValue().meta(meta('expression', field));
}

/** New columns and the expressions that make them. */
export function expressions(field: FieldDoc): z.ZodRecord<z.ZodString, ExpressionSchema> {
  return z
    .record(
      z.string().regex(COLUMN_NAME, { error: 'expected a column name of letters, digits and _' }),
      expressionValue().meta({ kind: 'expression' }),
      { error: 'expected columns and their expressions, such as { notional: price * size }' },
    )
    .meta(meta('expression', field));
}

export function text(field: FieldDoc): z.ZodString {
  return z.string({ error: 'expected a text' }).meta(meta(undefined, field)) as z.ZodString;
}

/** A file, a folder or (where the field says so) a glob. Relative to the working directory. */
export function path(field: FieldDoc): z.ZodString {
  return z.string({ error: 'expected a path' }).min(1).meta(meta('path', field)) as z.ZodString;
}

/** A password or token: hidden wherever a configuration is shown. */
export function secret(field: FieldDoc): z.ZodString {
  return z.string({ error: 'expected a text' }).meta(meta('secret', field)) as z.ZodString;
}

export function flag(field: FieldDoc): z.ZodBoolean {
  return z
    .boolean({ error: 'expected true or false' })
    .meta(meta(undefined, field)) as z.ZodBoolean;
}

/** A whole number from `minimum` to `maximum`. */
export function integer(field: FieldDoc & { minimum: number; maximum: number }): z.ZodNumber {
  const error = `expected a whole number from ${field.minimum} to ${field.maximum}`;
  return z
    .number({ error })
    .int({ error })
    .min(field.minimum, { error })
    .max(field.maximum, { error })
    .meta(meta(undefined, field)) as z.ZodNumber;
}

export function number(field: FieldDoc): z.ZodNumber {
  return z.number({ error: 'expected a number' }).meta(meta(undefined, field)) as z.ZodNumber;
}

/** One of a few words. */
export function choice<const T extends readonly [string, ...string[]]>(
  options: T,
  field: FieldDoc,
): z.ZodEnum<{ [K in T[number]]: K }> {
  return z
    .enum(options as unknown as [T[number], ...T[number][]], {
      error: `expected ${options.join(', ').replace(/, ([^,]*)$/, ' or $1')}`,
    })
    .meta(meta(undefined, field)) as unknown as z.ZodEnum<{ [K in T[number]]: K }>;
}
