import assert from 'node:assert/strict';
import test from 'node:test';
import { planCatalog } from '../engine/testing/plan-catalog.ts';
import { type JsonSchema, pipelineJsonSchema } from './json-schema.ts';
import { loadText } from './load.ts';
import { violations } from './json-schema.oracle.ts';
import { SourceText } from './source-text.ts';

const schema = pipelineJsonSchema(planCatalog);

function check(yaml: string): string[] {
  const { document } = loadText(new SourceText('p.yaml', yaml), { environment: {} });
  return violations(schema, document);
}

const VALID = `name: bars
sources:
  trades: { type: ticks, path: data/*.csv, watermark: { idle_timeout: 1m } }
operators:
  bars:
    type: window
    input: trades
    size: 5m
    aggregates: { high: max(price) }
  rules:
    type: rules
    input: bars
    rules: [{ type: spike, when: price > 3, limit: { rows: 3 } }]
sinks:
  bars: { type: files, input: rules, path: out/bars }
quality:
  - { dataset: bars, not_null: [high] }
tests:
  - { name: one, input: { trades: "price" }, expect: { bars: [] } }
`;

const cases: readonly [
  name: string,
  replace: readonly [string, string],
  want: readonly string[],
][] = [
  ['valid', ['', ''], []],
  [
    'unknown option',
    ['size: 5m', 'sise: 5m'],
    ['operators.bars needs size', 'operators.bars has sise'],
  ],
  ['bad duration', ['size: 5m', 'size: 5 minutes'], ['operators.bars.size']],
  ['unknown type', ['type: ticks', 'type: tikcs'], ['sources.trades.type']],
  [
    'option of another type',
    ['path: out/bars', 'size: 5m'],
    ['sinks.bars needs path', 'sinks.bars has size'],
  ],
  ['number for a path', ['path: out/bars', 'path: 3'], ['sinks.bars.path']],
  ['two kinds of check', ['not_null: [high]', 'not_null: [high], unique: [high]'], ['quality.0']],
  ['no kind of check', [', not_null: [high]', ''], ['quality.0']],
  [
    'bare number for an expression',
    ['max(price)', '1, two: true, three: null'],
    ['operators.bars.aggregates.three'],
  ],
  ['no sinks', ['sinks:', 'sink:'], [' needs sinks', ' has sink']],
  ['bad name of a step', ['  rules:\n', '  Rules:\n'], ['operators.Rules']],
];

for (const [name, [from, to], want] of cases) {
  test(`json schema: ${name}`, () => {
    assert.deepEqual(check(VALID.replace(from, to)).sort(), [...want].sort());
  });
}

test('a variable is accepted for a value of any kind', () => {
  const document = {
    name: '${NAME}',
    partitions: '${N:3}',
    sources: { trades: { type: 'ticks', path: '${P}', format: '${F}', batch_rows: '${B}' } },
    sinks: { bars: { type: 'files', input: 'trades', path: 'x', overwrite: '${O}' } },
  };
  assert.deepEqual(violations(schema, document), []);
  assert.notDeepEqual(violations(schema, { ...document, partitions: 'three' }), []);
});

test('every option has a description, and no keyword of ours is left', () => {
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    assert.ok(Array.isArray(node) || typeof (node as JsonSchema)['kind'] !== 'string');
    for (const [key, child] of Object.entries(node)) {
      if (key === 'properties') {
        for (const [name, option] of Object.entries(child as Record<string, JsonSchema>)) {
          const isDescribed = option['description'] !== undefined || option['const'] !== undefined;
          assert.ok(isDescribed || ['limit', 'rows', 'type'].includes(name), name);
        }
      }
      visit(child);
    }
  };
  visit(schema);
});
