/**
 * JSON Schema (draft 07) of the pipeline file, for completion and checks in editors.
 *
 * It is derived from the declarations, and is weaker than the linter: it knows options and their
 * kinds, not columns, inputs or expressions. A variable such as `${N:500}` is accepted everywhere.
 */

import type { Catalog } from '../engine/contract/connector.ts';
import { fieldDoc } from '../engine/contract/operator.ts';
import { type Fields, z } from '../engine/contract/fields.ts';
import {
  CHECK_FIELDS,
  CHECK_KINDS,
  INPUT_FIELD,
  INPUTS_FIELD,
  PIPELINE_FIELDS,
  SECTIONS,
  SOURCE_FIELDS,
  STEP_NAME,
  TEST_FIELDS,
} from '../engine/plan/pipeline-fields.ts';

export type JsonSchema = { [keyword: string]: unknown };

const VARIABLE = { type: 'string', pattern: '^\\$\\{' };
const PATTERNS: Readonly<Record<string, string>> = {
  duration: '^([0-9]+(ns|us|µs|ms|s|m|h|d))+$',
  bytes: '^[0-9]+(B|KiB|MiB|GiB|kB|MB|GB)$',
  extent: '^([1-9][0-9]* rows?|([0-9]+(ns|us|µs|ms|s|m|h|d))+)$',
};

/** The schema of a whole pipeline file. */
export function pipelineJsonSchema(catalog: Catalog): JsonSchema {
  const { $schema: _draft, ...file } = objectSchema(PIPELINE_FIELDS);
  const fields = file['properties'] as Record<string, JsonSchema>;
  const { name, key, partitions, ...rest } = fields;
  return {
    $schema: 'http://json-schema.org/draft-07/schema#',
    title: 'Tidemark pipeline',
    type: 'object',
    additionalProperties: false,
    required: ['name', 'sources', 'sinks'],
    properties: {
      name,
      sources: section('sources', catalog.sources, () => SOURCE_FIELDS),
      key,
      partitions,
      operators: section('operators', catalog.operators, ({ inputs }) => ({
        input: inputs === 'several' ? INPUTS_FIELD : INPUT_FIELD,
      })),
      sinks: section('sinks', catalog.sinks, () => ({ input: INPUTS_FIELD })),
      quality: qualitySchema(),
      tests: { description: SECTIONS.tests, type: 'array', items: objectSchema(TEST_FIELDS) },
      ...rest,
    },
  };
}

interface Declaration {
  readonly name: string;
  readonly summary: string;
  readonly fields: Fields;
}

/** Named entries, whose options depend on their `type`. */
function section<D extends Declaration>(
  name: keyof typeof SECTIONS,
  definitions: readonly D[],
  common: (definition: D) => Fields,
): JsonSchema {
  const kind = name.slice(0, -1);
  const type = {
    description: `Type of the ${kind}.`,
    enum: definitions.map((definition) => definition.name),
    // Editors that know the keyword show what each type is while one chooses.
    markdownEnumDescriptions: definitions.map(({ summary }) => summary),
  };
  return {
    description: SECTIONS[name],
    type: 'object',
    propertyNames: { pattern: STEP_NAME.source },
    ...(name === 'operators' ? {} : { minProperties: 1 }),
    additionalProperties: {
      type: 'object',
      required: ['type'],
      properties: { type },
      allOf: definitions.map((definition) => ({
        if: { properties: { type: { const: definition.name } }, required: ['type'] },
        // oxlint-disable-next-line unicorn/no-thenable -- a keyword of JSON Schema
        then: {
          description: definition.summary,
          ...typed(definition.name, { ...common(definition), ...definition.fields }),
        },
      })),
    },
  };
}

function typed(type: string, fields: Fields): JsonSchema {
  const schema = objectSchema(fields);
  const properties = { type: { const: type }, ...(schema['properties'] as object) };
  return { ...schema, properties };
}

function qualitySchema(): JsonSchema {
  const schema = objectSchema({ ...CHECK_FIELDS, ...optional(CHECK_KINDS) });
  return {
    description: SECTIONS.quality,
    type: 'array',
    items: { ...schema, oneOf: Object.keys(CHECK_KINDS).map((kind) => ({ required: [kind] })) },
  };
}

function optional(fields: Fields): Fields {
  return Object.fromEntries(
    Object.entries(fields).map(([name, field]) => {
      const description = fieldDoc(field);
      return [name, field.optional().meta(description === undefined ? {} : { description })];
    }),
  );
}

function objectSchema(fields: Fields): JsonSchema {
  const { $schema: _draft, ...schema } = z.toJSONSchema(z.strictObject(fields), {
    target: 'draft-7',
    io: 'input',
    unrepresentable: 'any',
    override: ({ jsonSchema }) => refine(jsonSchema as JsonSchema),
  }) as JsonSchema;
  return schema;
}

/** Adds what the kind of a field says about its text, and admits variables. */
function refine(schema: JsonSchema): void {
  const { kind } = schema;
  delete schema['kind'];
  if (kind === 'expression' && schema['anyOf'] !== undefined) {
    delete schema['anyOf'];
    Object.assign(schema, { type: ['string', 'number', 'boolean'], minLength: 1 });
    return;
  }
  if (schema['type'] === 'string' && typeof kind === 'string' && PATTERNS[kind] !== undefined) {
    schema['pattern'] = PATTERNS[kind];
  }
  const isFree = schema['type'] === 'string' && !schema['pattern'] && !schema['enum'];
  const isScalar = ['string', 'number', 'integer', 'boolean'].includes(String(schema['type']));
  if (isFree || !isScalar || schema['const'] !== undefined) return;
  const { description, default: fallback, examples, ...rest } = schema;
  for (const key of Object.keys(rest)) delete schema[key];
  schema['anyOf'] = [rest, VARIABLE];
  if (description === undefined) delete schema['description'];
  if (fallback === undefined) delete schema['default'];
  if (examples === undefined) delete schema['examples'];
}
