/** Options as rows of a Markdown table: what each takes, its default, and what it is for. */

import { isDeepStrictEqual } from 'node:util';
import type { Fields, z } from '../engine/contract/fields.ts';
import { fieldDoc } from '../engine/contract/operator.ts';
import { flowText, orList } from '../engine/plan/check-fields.ts';
import { exampleOf, isMapping, metaOf, optionsOf, unwrap } from '../engine/plan/field-schema.ts';

export function table(header: readonly string[], rows: readonly (readonly string[])[]): string {
  const line = (cells: readonly string[]): string =>
    `| ${cells.map((cell) => cell.replace(/\|/g, '\\|').replace(/\n/g, ' ')).join(' | ')} |`;
  return [line(header), line(header.map(() => '---')), ...rows.map(line)].join('\n');
}

/** One row an option; the options of a mapping follow it with its name in front. */
export function optionTable(fields: Fields, title = 'Option'): string {
  const rows = optionRows(fields, '');
  if (rows.length === 0) return 'It has no options of its own.';
  return table([title, 'Takes', 'Default', 'What it is'], rows);
}

function optionRows(fields: Fields, prefix: string): readonly (readonly string[])[] {
  return Object.entries(fields).flatMap(([name, field]) => {
    const path = `${prefix}${name}`;
    const example = exampleOf(field);
    const doc = fieldDoc(field) ?? '';
    const nested = nestedOptions(field);
    const text = example === undefined || nested !== undefined ? doc : withExample(doc, example);
    const row = [`\`${path}\``, kindOf(field), defaultOf(field), text];
    if (nested === undefined) return [row];
    return [row, ...optionRows(nested.fields, `${path}${nested.mark}.`)];
  });
}

function withExample(doc: string, example: unknown): string {
  return `${doc} For example \`${flowText(example)}\`.`;
}

interface SchemaDefinition {
  readonly type: string;
  readonly element?: z.ZodType;
  readonly valueType?: z.ZodType;
  readonly options?: readonly z.ZodType[];
  readonly entries?: Readonly<Record<string, unknown>>;
  readonly values?: readonly unknown[];
}

function definitionOf(field: z.ZodType): SchemaDefinition {
  return (unwrap(field) as unknown as { def: SchemaDefinition }).def;
}

function nestedOptions(
  field: z.ZodType,
): { readonly fields: Fields; readonly mark: string } | undefined {
  const own = optionsOf(field);
  if (own !== undefined) return { fields: own, mark: '' };
  const { element, valueType } = definitionOf(field);
  const inside = element && optionsOf(element);
  if (inside !== undefined) return { fields: inside, mark: '[]' };
  const value = valueType && optionsOf(valueType);
  return value === undefined ? undefined : { fields: value, mark: '.*' };
}

const KIND_WORDS: Readonly<Record<string, string>> = {
  duration: 'duration',
  bytes: 'size',
  column: 'column',
  expression: 'expression',
  secret: 'secret',
  path: 'path',
  extent: 'rows or duration',
  comparison: 'comparison',
};

function kindOf(field: z.ZodType): string {
  const kind = metaOf(field, 'kind');
  const word = typeof kind === 'string' ? KIND_WORDS[kind] : undefined;
  const { type, element, valueType, options, entries, values } = definitionOf(field);
  switch (type) {
    case 'array':
      return word === undefined ? `list of ${kindOf(element!)}` : `list of ${word}s`;
    case 'record':
      return `mapping to ${word ?? kindOf(valueType!)}`;
    case 'object':
      return 'mapping';
    case 'enum':
      return orList(Object.keys(entries ?? {}).map((each) => `\`${each}\``));
    case 'literal':
      return orList((values ?? []).map((each) => `\`${String(each)}\``));
    case 'union':
      return word ?? orList([...new Set((options ?? []).map(kindOf))]);
    case 'number':
      return rangeOf(field);
    case 'boolean':
      return 'true or false';
    case 'string':
      return word ?? 'text';
    default:
      return word ?? 'any value';
  }
}

function rangeOf(field: z.ZodType): string {
  const { minValue, maxValue, format } = unwrap(field) as unknown as {
    readonly minValue: number | null;
    readonly maxValue: number | null;
    readonly format: string | null;
  };
  const kind = format?.includes('int') === true ? 'whole number' : 'number';
  const isBounded = (limit: number | null): limit is number =>
    limit !== null && Number.isFinite(limit) && Math.abs(limit) < Number.MAX_SAFE_INTEGER;
  if (isBounded(minValue) && isBounded(maxValue)) return `${kind}, ${minValue} to ${maxValue}`;
  if (isBounded(minValue)) return `${kind}, at least ${minValue}`;
  return isBounded(maxValue) ? `${kind}, at most ${maxValue}` : kind;
}

/** Whether the default is no more than those of its options, each of which has a row. */
function isOfItsOptions(field: z.ZodType, data: object): boolean {
  if (optionsOf(field) === undefined) return false;
  const ofOptions = field.safeParse({});
  return ofOptions.success && isDeepStrictEqual(ofOptions.data, data);
}

function defaultOf(field: z.ZodType): string {
  const absent = field.safeParse(undefined);
  if (!absent.success) return 'required';
  const { data } = absent;
  if (data === undefined) return '';
  return isMapping(data) && isOfItsOptions(field, data) ? '' : `\`${flowText(data)}\``;
}
