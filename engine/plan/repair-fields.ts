/**
 * Options with mistakes, mended as far as one can tell what was meant, so that what depends on them
 * can be looked at in the same go. The result is never run.
 */

import { type Fields, z } from '../contract/fields.ts';
import { didYouMean } from '../contract/problem.ts';
import { exampleOf, isMapping, unwrap } from './field-schema.ts';
import type { StepConfig } from './pipeline-plan.ts';

export interface Repaired {
  readonly config: StepConfig;
  /** Options whose values are not the user's; problems with them mean nothing. */
  readonly mended: ReadonlySet<string>;
  /** Options that were misspelt, to how they are spelt in the file. */
  readonly respelt: ReadonlyMap<string, string>;
}

/** Undefined where a value that was meant cannot be told, as in a mapping of new columns. */
export function repairFields(fields: Fields, given: StepConfig): Repaired | undefined {
  const values: Record<string, unknown> = { ...given };
  const mended = new Set<string>();
  const respelt = new Map<string, string>();
  const result = z.strictObject(fields).safeParse(values);
  for (const issue of result.error?.issues ?? []) {
    if (issue.code === 'unrecognized_keys' && issue.path.length === 0) {
      for (const key of issue.keys) respell(values, key, fields, respelt);
    } else if (issue.path.length !== 1) {
      return undefined;
    }
  }
  for (const issue of z.strictObject(fields).safeParse(values).error?.issues ?? []) {
    const option = String(issue.path[0]);
    const field = Object.hasOwn(fields, option) ? fields[option] : undefined;
    if (field === undefined || !isSimple(field)) return undefined;
    mended.add(option);
    delete values[option];
    if (!field.safeParse(undefined).success) values[option] = exampleOf(field);
  }
  const repaired = z.strictObject(fields).safeParse(values);
  return repaired.success ? { config: repaired.data, mended, respelt } : undefined;
}

/** Gives a misspelt option the name that was probably meant, or leaves it out. */
function respell(
  values: Record<string, unknown>,
  key: string,
  fields: Fields,
  respelt: Map<string, string>,
): void {
  const free = Object.keys(fields).filter((name) => values[name] === undefined);
  const meant = key.length > 100 ? undefined : didYouMean(key, free);
  const name = meant?.slice('did you mean '.length, -1);
  if (name !== undefined) {
    values[name] = values[key];
    respelt.set(name, key);
  }
  delete values[key];
}

/** Whether any value does: one that gives no columns their names. */
function isSimple(field: z.ZodType): boolean {
  const { type, options } = (
    unwrap(field) as unknown as {
      readonly def: { readonly type: string; readonly options?: readonly z.ZodType[] };
    }
  ).def;
  if (type === 'union') return options!.every(isSimple);
  return ['string', 'number', 'boolean', 'enum', 'literal'].includes(type);
}

/** Every key of a value, however deep: names that a faulty step may have been about to make. */
export function keysWithin(value: unknown, keys: Set<string> = new Set()): ReadonlySet<string> {
  if (Array.isArray(value)) for (const item of value) keysWithin(item, keys);
  if (isMapping(value)) {
    for (const [key, item] of Object.entries(value)) {
      keys.add(key);
      keysWithin(item, keys);
    }
  }
  return keys;
}
