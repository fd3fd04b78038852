/**
 * Reading a zod schema as data: what a field is behind `.optional()` and `.default()`, which
 * options a mapping has, and where secrets are.
 */

import type { Fields, z } from '../contract/fields.ts';
import type { Path } from '../contract/problem.ts';

interface Definition {
  readonly type: string;
  readonly innerType?: z.ZodType;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly shape?: Fields;
  readonly options?: readonly z.ZodType[];
}

function definitionOf(schema: z.ZodType): Definition {
  return (schema as unknown as { def: Definition }).def;
}

/** The schema behind `.optional()`, `.default()` and the like. */
export function unwrap(schema: z.ZodType): z.ZodType {
  const { innerType } = definitionOf(schema);
  return innerType === undefined ? schema : unwrap(innerType);
}

/** Options of a mapping that takes only these, or undefined. */
export function optionsOf(schema: z.ZodType): Fields | undefined {
  return definitionOf(unwrap(schema)).shape;
}

/** Schemas that may apply to the value at the path; a union has several. */
export function schemasAt(schema: z.ZodType, path: Path): readonly z.ZodType[] {
  const inner = unwrap(schema);
  const { options, shape, element, valueType } = definitionOf(inner);
  if (options !== undefined) return options.flatMap((option) => schemasAt(option, path));
  if (path.length === 0) return [inner];
  const [head, ...rest] = path;
  if (shape !== undefined) {
    const field = Object.hasOwn(shape, head!) ? shape[head!] : undefined;
    return field === undefined ? [] : schemasAt(field, rest);
  }
  const next = element ?? valueType;
  return next === undefined ? [] : schemasAt(next, rest);
}

/** Whether a value of the schema may give columns their names: a mapping with keys of its own. */
export function namesColumns(schema: z.ZodType): boolean {
  const { type, element, shape, options } = definitionOf(unwrap(schema));
  if (type === 'record') return true;
  const within = [...(element === undefined ? [] : [element]), ...(options ?? [])];
  return [...within, ...Object.values(shape ?? {})].some(namesColumns);
}

/** An example of a value of the field, or undefined. */
export function exampleOf(field: z.ZodType): unknown {
  const examples = metaOf(field, 'examples');
  return Array.isArray(examples) ? examples[0] : undefined;
}

/** A property of the field's meta, also behind `.optional()` and `.default()`. */
export function metaOf(field: z.ZodType, key: string): unknown {
  const own = field.meta()?.[key];
  if (own !== undefined) return own;
  const { innerType } = definitionOf(field);
  return innerType === undefined ? undefined : metaOf(innerType, key);
}

export function isMapping(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** Paths of the values that a secret field holds. */
export function secretPaths(fields: Fields, config: unknown): readonly Path[] {
  const found: Path[] = [];
  const visit = (schema: z.ZodType, value: unknown, path: Path): void => {
    if (value === undefined) return;
    if (metaOf(schema, 'kind') === 'secret') {
      found.push(path);
      return;
    }
    const { options, shape, element, valueType } = definitionOf(unwrap(schema));
    for (const option of options ?? []) visit(option, value, path);
    if (element !== undefined && Array.isArray(value)) {
      value.forEach((item, index) => visit(element, item, [...path, index]));
    }
    if (!isMapping(value)) return;
    for (const [key, item] of Object.entries(value)) {
      const next = shape === undefined ? valueType : Object.hasOwn(shape, key) && shape[key];
      if (next) visit(next, item, [...path, key]);
    }
  };
  if (isMapping(config)) {
    for (const [name, value] of Object.entries(config)) {
      if (Object.hasOwn(fields, name)) visit(fields[name]!, value, [name]);
    }
  }
  return found;
}

/** What stands for a secret wherever a configuration is shown. */
export const REDACTED = '********';

/** A copy of the configuration in which secrets are not readable. */
export function redactConfig(
  fields: Fields,
  config: Readonly<Record<string, unknown>>,
): Record<string, unknown> {
  const copy = structuredClone(config) as Record<string, unknown>;
  for (const path of secretPaths(fields, config)) {
    let parent: Record<string | number, unknown> = copy;
    for (const segment of path.slice(0, -1)) {
      parent = parent[segment] as Record<string | number, unknown>;
    }
    parent[path[path.length - 1]!] = REDACTED;
  }
  return copy;
}
