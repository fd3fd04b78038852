/** The part of JSON Schema draft 07 that our schema uses, keyword by keyword, for its tests. */

import { isMapping } from '../engine/plan/field-schema.ts';
import type { JsonSchema } from './json-schema.ts';

/** Where the value violates the schema: `path`, `path needs key` or `path has key`. */
export function violations(schema: JsonSchema, value: unknown, path = ''): string[] {
  const holds = (other: unknown): boolean =>
    violations(other as JsonSchema, value, path).length === 0;
  const found: string[] = [];
  const require = (isValid: boolean): void => {
    if (!isValid) found.push(path);
  };
  for (const [keyword, given] of Object.entries(schema)) {
    switch (keyword) {
      case 'type':
        require(hasType(value, String(given)));
        break;
      case 'const':
        require(value === given);
        break;
      case 'enum':
        require((given as unknown[]).includes(value));
        break;
      case 'pattern':
        require(typeof value !== 'string' || new RegExp(String(given)).test(value));
        break;
      case 'minLength':
        require(typeof value !== 'string' || value.length >= Number(given));
        break;
      case 'minimum':
        require(typeof value !== 'number' || value >= Number(given));
        break;
      case 'maximum':
        require(typeof value !== 'number' || value <= Number(given));
        break;
      case 'exclusiveMinimum':
        require(typeof value !== 'number' || value > Number(given));
        break;
      case 'minItems':
        require(!Array.isArray(value) || value.length >= Number(given));
        break;
      case 'maxItems':
        require(!Array.isArray(value) || value.length <= Number(given));
        break;
      case 'minProperties':
        require(!isMapping(value) || Object.keys(value).length >= Number(given));
        break;
      case 'anyOf':
        require((given as unknown[]).some(holds));
        break;
      case 'oneOf':
        require((given as unknown[]).filter(holds).length === 1);
        break;
      case 'allOf':
        for (const each of given as JsonSchema[]) found.push(...violations(each, value, path));
        break;
      case 'if':
        if (holds(given)) found.push(...violations(schema['then'] as JsonSchema, value, path));
        break;
      case 'items':
        if (Array.isArray(value)) {
          value.forEach((item, i) =>
            found.push(...violations(given as JsonSchema, item, `${path}.${i}`)),
          );
        }
        break;
      case 'required':
        for (const key of isMapping(value) ? (given as string[]) : []) {
          if (!Object.hasOwn(value as object, key)) found.push(`${path} needs ${key}`);
        }
        break;
      case 'properties':
      case 'additionalProperties':
      case 'propertyNames':
        break;
      default:
        if (!ANNOTATIONS.includes(keyword)) throw new TypeError(`no such keyword: ${keyword}`);
    }
  }
  if (isMapping(value)) found.push(...ofEntries(schema, value, path));
  return found;
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
