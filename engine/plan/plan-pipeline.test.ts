import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { planCatalog } from '../testing/plan-catalog.ts';
import { PROBLEM_CODES } from '../contract/problem.ts';
import { CHECK_KINDS as RUNNABLE_CHECKS } from '../../quality/checks.ts';
import { CHECK_KINDS } from './pipeline-fields.ts';
import { planPipeline } from './plan-pipeline.ts';
import { orderSteps } from './step-order.ts';

const VALID = {
  name: 'bars',
  key: 'symbol',
  partitions: 4,
  dead_letter: { path: 'dead' },
  checkpoint: { interval: '10s' },
  sources: { trades: { type: 'ticks', path: 'a', watermark: { idle_timeout: '1s' } } },
  operators: {
    some: { type: 'pick', input: 'trades', columns: ['price'] },
    bars: { type: 'window', input: 'some', size: '5m', aggregates: { high: 'max(price)' } },
    spikes: { type: 'rules', input: 'bars', rules: [{ type: 'a', when: 'b', limit: { rows: 3 } }] },
  },
  sinks: {
    bars: { type: 'files', input: 'spikes', path: 'out', partition_by: ['date'] },
    late: { type: 'nowhere', input: 'bars.late' },
  },
  quality: [
    { dataset: 'bars', not_null: ['high'] },
    { dataset: 'bars', monotonic: { column: 'window_start', by: ['symbol'] }, severity: 'warn' },
    { dataset: 'bars', freshness: { max_age: '1d' }, warn_if: '> 3' },
  ],
  tests: [{ name: 'a', input: { trades: [{ price: 3 }] }, expect: { bars: '', 'bars.late': [] } }],
};

function check(document: unknown): void {
  const before = fc.stringify(document);
  const isGivenText = before.includes('\\u0000');
  const { plan, problems } = planPipeline(document, planCatalog);
  assert.equal(fc.stringify(document), before);
  assert.equal(
    plan === undefined,
    problems.some(({ severity }) => severity !== 'warning'),
  );
  for (const { code, message, path, help = '' } of problems) {
    assert.ok(Object.hasOwn(PROBLEM_CODES, code));
    assert.doesNotMatch(message, /undefined|\[object|Invalid input|[a-z]{3}\.$/);
    assert.ok(Array.isArray(path));
    // What stands for unknown names is no word of the user's.
    assert.ok(isGivenText || !`${message} ${help}`.includes('\u0000'));
  }
}

test('the valid document has a plan', () => {
  const { plan, problems } = planPipeline(VALID, planCatalog);
  assert.deepEqual(problems, []);
  assert.deepEqual(
    plan?.operators.map(({ name }) => name),
    ['some', 'bars', 'spikes'],
  );
});

test('a sink takes several steps, whose columns must be the same', () => {
  const inputs = (...names: unknown[]): object => {
    const late = { type: 'nowhere', input: names };
    return { ...VALID, sinks: { ...VALID.sinks, late } };
  };
  const sound = planPipeline(inputs('bars', 'spikes'), planCatalog);
  assert.deepEqual(
    sound.plan?.sinks[1]?.inputs.map(({ step }) => step),
    ['bars', 'spikes'],
  );
  const told = (...names: unknown[]): readonly string[] =>
    planPipeline(inputs(...names), planCatalog).problems.map(
      ({ path, message }) => `${path.join('.')} ${message}`,
    );
  assert.deepEqual(told('bars', 'trades', 3, 'bars'), [
    'sinks.late.input.2 input: expected the name of one source or step, got 3',
    'sinks.late.input.3 input: "bars" is named twice',
  ]);
  assert.match(told('bars', 'trades')[0]!, /^sinks\.late\.input\.1 trades lacks the column /);
  assert.match(told()[0]!, /^sinks\.late\.input /);
});

test('the checks that can be planned are those that can be run', () => {
  assert.deepEqual(Object.keys(CHECK_KINDS).sort(), [...RUNNABLE_CHECKS].sort());
});

const value = fc.oneof(
  fc.constantFrom<unknown>('', 'symbol', '5m', 'bars', 'trades', 'ticks', 'window', 'late'),
  fc.constantFrom<unknown>(null, undefined, 0, -1, 1.5, Number.NaN, true, {}, [], [[]], [null]),
  fc.anything({ withNullPrototype: true, withBigInt: true }),
);

test('any value gives a plan or problems, never an exception', () => {
  fc.assert(fc.property(value, check), { numRuns: 500 });
});

const WORDS = [
  ...'__proto__ constructor toString hasOwnProperty a.b type input name'.split(' '),
  '',
  ...Object.keys(VALID),
  ...Object.keys(VALID.operators),
];

/** Every path of a document. */
function paths(node: unknown, path: (string | number)[] = []): (string | number)[][] {
  if (typeof node !== 'object' || node === null) return [path];
  const inner = Object.entries(node).flatMap(([key, child]) =>
    paths(child, [...path, Array.isArray(node) ? Number(key) : key]),
  );
  return [path, ...inner];
}

interface Mutation {
  readonly path: (string | number)[];
  readonly kind: 'replace' | 'remove' | 'add';
  readonly key: string;
  readonly value: unknown;
}

const mutation: fc.Arbitrary<Mutation> = fc.record({
  path: fc.constantFrom(...paths(VALID).slice(1)),
  kind: fc.constantFrom<Mutation['kind']>('replace', 'remove', 'add'),
  key: fc.oneof(fc.constantFrom(...WORDS), fc.string()),
  value,
});

function mutate(document: unknown, { path, kind, key, value: given }: Mutation): void {
  let parent = document as Record<string | number, unknown>;
  for (const segment of path.slice(0, -1)) {
    const next = parent[segment];
    if (typeof next !== 'object' || next === null) return;
    parent = next as Record<string | number, unknown>;
  }
  const last = path[path.length - 1]!;
  if (kind === 'remove') delete parent[last];
  else if (kind === 'replace') parent[last] = given;
  else if (!Array.isArray(parent)) {
    Object.defineProperty(parent, key, {
      value: given,
      enumerable: true,
      configurable: true,
      writable: true,
    });
  }
}

test('a valid document with mistakes gives a plan or problems, never an exception', () => {
  fc.assert(
    fc.property(fc.array(mutation, { minLength: 1, maxLength: 4 }), (mutations) => {
      const document: unknown = structuredClone(VALID);
      for (const each of mutations) mutate(document, each);
      check(document);
    }),
    { numRuns: 2000 },
  );
});

test('a declaration that fails is a problem of its step alone', () => {
  const document = structuredClone(VALID) as { operators: Record<string, unknown> };
  document.operators['bad'] = { type: 'faulty', input: 'trades' };
  document.operators['worse'] = { type: 'pick', input: 'trades', columns: ['prise'] };
  const { problems } = planPipeline(document, planCatalog);
  assert.deepEqual(problems.map(({ code, path }) => `${path.join('.')} ${code}`).sort(), [
    'operators.bad config/unplannable',
    'operators.bad config/unused',
    'operators.worse config/unused',
    'operators.worse.columns.0 config/unknown-column',
  ]);
});

test('steps come after their inputs, and rings are named once in the direction of the rows', () => {
  const inputs = new Map([
    ['d', ['c']],
    ['tail', ['a', 'y', 'c']],
    ['c', ['a']],
    ['x', ['z']],
    ['a', ['source']],
    ['y', ['b', 'x']],
    ['b', ['source', 'a']],
    ['z', ['y']],
    ['self', ['self']],
  ]);
  const { order, rings } = orderSteps(inputs);
  assert.deepEqual(rings, [['x', 'y', 'z'], ['self']]);
  assert.deepEqual(order, ['a', 'c', 'd', 'b', 'tail']);
});

test('order: every step after its inputs, for any inputs', () => {
  const names = ['a', 'b', 'c', 'd', 'e', 'f'];
  const anyInputs = fc.array(fc.subarray([...names, 'source'], { maxLength: 3 }), {
    minLength: names.length,
    maxLength: names.length,
  });
  fc.assert(
    fc.property(anyInputs, (chosen) => {
      const inputs = new Map(names.map((name, index) => [name, chosen[index]!]));
      const { order, rings } = orderSteps(inputs);
      assert.deepEqual([...order, ...rings.flat()].sort(), names);
      for (const ring of rings) {
        ring.forEach((name, i) => {
          assert.ok(inputs.get(ring[(i + 1) % ring.length]!)!.includes(name));
        });
      }
      const isRinged = names.some((name) => reaches(inputs, name, name));
      assert.equal(rings.length > 0, isRinged);
      if (isRinged) return;
      for (const [index, name] of order.entries()) {
        for (const input of inputs.get(name)!) {
          assert.ok(order.indexOf(input) < index, `${name} before ${input}`);
        }
      }
    }),
    { numRuns: 500 },
  );
});

function reaches(
  inputs: ReadonlyMap<string, readonly string[]>,
  from: string,
  to: string,
  seen: Set<string> = new Set(),
): boolean {
  return (inputs.get(from) ?? []).some((name) => {
    if (name === to) return true;
    if (seen.has(name)) return false;
    seen.add(name);
    return reaches(inputs, name, to, seen);
  });
}
