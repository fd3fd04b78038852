/** The part of JSON Schema draft 07 that our schema uses, keyword by keyword, for its tests. */

import { isMapping } from '../engine/plan/field-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/** Where the value violates the schema: `path`, `path needs key` or `path has key`. */
export function violations(schema: JsonSchema, value: unknown, path = ''): string[] {
  const found: string[] = [];
  for (const [keyword, given] of Object.entries(schema)) {
    const isViolated = violates(keyword, given, value);
    if (isViolated === true) found.push(path);
    if (isViolated === undefined) found.push(...within(keyword, given, schema, value, path));
  }
  if (isMapping(value)) found.push(...ofEntries(schema, value, path));
  return found;
}

/** Whether the value violates a keyword; undefined for one that looks into schemas or the value. */
function violates(keyword: string, given: unknown, value: unknown): boolean | undefined {
  const holds = (other: unknown): boolean => violations(other as JsonSchema, value).length === 0;
  switch (keyword) {
    case 'type':
      return ![given].flat().some((type) => hasType(value, String(type)));
    case 'const':
      return value !== given;
    case 'enum':
      return !(given as unknown[]).includes(value);
    case 'pattern':
      return typeof value === 'string' && !new RegExp(String(given)).test(value);
    case 'minLength':
      return typeof value === 'string' && value.length < Number(given);
    case 'minimum':
      return typeof value === 'number' && value < Number(given);
    case 'maximum':
      return typeof value === 'number' && value > Number(given);
    case 'exclusiveMinimum':
      return typeof value === 'number' && value <= Number(given);
    case 'minItems':
      return Array.isArray(value) && value.length < Number(given);
    case 'maxItems':
      return Array.isArray(value) && value.length > Number(given);
    case 'minProperties':
      return isMapping(value) && Object.keys(value).length < Number(given);
    case 'anyOf':
      return !(given as unknown[]).some(holds);
    case 'oneOf':
      return (given as unknown[]).filter(holds).length !== 1;
    default:
      return undefined;
  }
}

function within(
  keyword: string,
  given: unknown,
  schema: JsonSchema,
  value: unknown,
  path: string,
): readonly string[] {
  switch (keyword) {
    case 'allOf':
      return (given as JsonSchema[]).flatMap((each) => violations(each, value, path));
    case 'if': {
      const isMet = violations(given as JsonSchema, value).length === 0;
      return isMet ? violations(schema['then'] as JsonSchema, value, path) : [];
    }
    case 'items':
      return Array.isArray(value)
        ? value.flatMap((item, i) => violations(given as JsonSchema, item, `${path}.${i}`))
        : [];
    case 'required':
      return isMapping(value)
        ? (given as string[]).flatMap((key) => {
            return Object.hasOwn(value, key) ? [] : [`${path} needs ${key}`];
          })
        : [];
    case 'properties':
    case 'additionalProperties':
    case 'propertyNames':
      return [];
    default:
      if (!ANNOTATIONS.includes(keyword)) throw new TypeError(`no such keyword: ${keyword}`);
      return [];
  }
}

const ANNOTATIONS =
  '$schema title description default examples then markdownEnumDescriptions'.split(' ');

function ofEntries(
  schema: JsonSchema,
  value: Readonly<Record<string, unknown>>,
  path: string,
): string[] {
  const properties = (schema['properties'] ?? {}) as Record<string, JsonSchema>;
  const { additionalProperties: others, propertyNames: names } = schema;
  return Object.entries(value).flatMap(([key, item]) => {
    const at = path === '' ? key : `${path}.${key}`;
    const found = names === undefined ? [] : violations(names as JsonSchema, key, at);
    const own = Object.hasOwn(properties, key) ? properties[key] : undefined;
    if (own !== undefined) return [...found, ...violations(own, item, at)];
    if (others === false) return [...found, `${path} has ${key}`];
    return isMapping(others) ? [...found, ...violations(others, item, at)] : found;
  });
}

function hasType(value: unknown, type: string): boolean {
  switch (type) {
    case 'object':
      return isMapping(value);
    case 'array':
      return Array.isArray(value);
    case 'integer':
      return Number.isInteger(value);
    case 'null':
      return value === null;
    default:
      return typeof value === type;
  }
}
