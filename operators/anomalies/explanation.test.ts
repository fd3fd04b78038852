import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Explanation, hashNumber, windowJson } from './explanation.ts';
import { BatchTexts, RepeatFinder } from './text-column.ts';

const number = fc.oneof(
  fc.double(),
  fc.constantFrom(0, -0, Number.NaN, Number.POSITIVE_INFINITY, 1e21, 1e-7, -3, 5e-324),
);

test('an explanation is what JSON.stringify makes of it', () => {
  const limit = fc.oneof(fc.constant(Number.NaN), fc.double({ min: 0, noNaN: true }));
  const window = fc.option(fc.constant({ start: '2024-01-02T09:30:00Z', end: '2024-01-02' }));
  const numbers = fc.record({ observed: number, score: number, baseline: number });
  const history = fc.option(fc.record({ over: fc.string(), exclude_current: fc.boolean() }), {
    nil: undefined,
  });
  const details = fc.dictionary(fc.stringMatching(/^[a-z]/), number, { noNullPrototype: true });
  fc.assert(
    fc.property(
      fc.string({ unit: 'binary' }),
      fc.option(fc.record({ up: limit, down: limit }), { nil: undefined }),
      fc.boolean(),
      numbers,
      fc.record({ times: window, history, details }),
      (rule, limits, hasBaseline, { observed, score, baseline }, more) => {
        const { times } = more;
        const names = Object.keys(more.details);
        const frame = { rule, limits, hasBaseline, history: more.history, details: names };
        const explanation = new Explanation(frame);
        const columns = names.map((name) => ({ values: Float64Array.of(7, more.details[name]!) }));
        const written = times === null ? 'null' : windowJson(times.start, times.end);
        const want = JSON.stringify({
          rule,
          observed,
          score,
          threshold: limits === undefined ? 0.5 : score < 0 ? limits.down : limits.up,
          baseline: hasBaseline ? baseline : null,
          window: times,
          ...more.history,
          ...(names.length === 0 ? {} : { details: more.details }),
        });
        assert.equal(explanation.text(observed, score, baseline, written, columns, 1, 0.5), want);
      },
    ),
    { numRuns: 500 },
  );
});

test('numbers that read alike have one hash', () => {
  assert.equal(hashNumber(7, 0), hashNumber(7, -0));
  assert.equal(hashNumber(7, Number.NaN), hashNumber(7, Number.NEGATIVE_INFINITY));
  assert.notEqual(hashNumber(7, 1), hashNumber(7, 1 + Number.EPSILON));
});

test('a dictionary has each text once, also where other texts have the same hash', () => {
  const finder = new RepeatFinder();
  const batch = fc.array(fc.constantFrom('a', 'b', 'c', 'd', 'e', 'f'), {
    maxLength: 100,
    size: 'max',
  });
  fc.assert(
    fc.property(fc.array(batch, { maxLength: 4 }), fc.nat(3), (batches, hashes) => {
      for (const texts of batches) {
        finder.start(texts.length);
        const dictionary = new BatchTexts();
        const codes = texts.map((text) =>
          finder.intern(dictionary, text, text.charCodeAt(0) % (hashes + 1)),
        );
        assert.deepEqual(
          codes.map((code) => dictionary.text(code)),
          texts,
        );
        const distinct = [...new Set(texts)];
        assert.equal(dictionary.size, distinct.length);
        for (const text of distinct) assert.equal(dictionary.text(dictionary.codeOf(text)), text);
        assert.equal(dictionary.codeOf('g'), -1);
      }
    }),
  );
});
