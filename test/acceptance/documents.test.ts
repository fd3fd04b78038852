/** Documents that a hostile or a tired user writes: each mistake is named where it stands. */

import assert from 'node:assert/strict';
import test from 'node:test';
import { lintText } from '../../config/lint.ts';
import { SourceText } from '../../config/source-text.ts';
import { catalog } from '../../index.ts';

function lint(text: string): string[] {
  const { lints } = lintText(new SourceText('p.yaml', text), { catalog, environment: {} });
  return lints.map(({ line, column, code, message, help }) => {
    const more = help === undefined ? '' : ` (${help.split(';')[0]})`;
    return `${line}:${column} ${code} ${message}${more}`;
  });
}

const PIPELINE = `name: p
sources:
  trades: { type: generator }
operators:
  bars: { type: tumbling_window, input: trades, size: 5m, aggregates: { high: max(price) } }
sinks:
  bars: { type: parquet, input: bars, path: out/bars }
`;

const cases: readonly [name: string, from: string, to: string, want: readonly string[]][] = [
  ['valid', '', '', []],
  [
    'a key twice is named whole',
    'size: 5m,',
    'size: 5m, size : 1m,',
    ['5:59 config/duplicate-key size is given twice (remove one of them)'],
  ],
  [
    'a key in quotes twice',
    'size: 5m,',
    'size: 5m, "size": 1m,',
    ['5:59 config/duplicate-key "size" is given twice (remove one of them)'],
  ],
  [
    'a misspelt aggregate is a function that does not exist',
    'max(price)',
    '1 + mxa(price)',
    ['5:83 config/unknown-function there is no function mxa (did you mean max?)'],
  ],
  [
    'a start from which nanoseconds of 64 bits do not reach to the end',
    'generator',
    'generator, start: 2262-04-01T00:00:00Z',
    ['3:37 config/constraint start: must lie from 1678 to 2261, got "2262-04-01T00:00:00Z"'],
  ],
  [
    'a start before time',
    'generator',
    'generator, start: 1500-01-01T00:00:00Z',
    ['3:37 config/constraint start: must lie from 1678 to 2261, got "1500-01-01T00:00:00Z"'],
  ],
  [
    'time that stands still',
    'generator',
    'generator, speed: 0.0x',
    ['3:37 config/invalid-value speed: expected max or a multiple such as 10x, got "0.0x"'],
  ],
];

for (const [name, from, to, want] of cases) {
  test(name, () => assert.deepEqual(lint(PIPELINE.replace(from, to)), want));
}

test('brackets in brackets in brackets', () => {
  const [problem, ...others] = lint(`${PIPELINE}quality: ${'['.repeat(20_000)}`);
  assert.match(problem!, /config\/syntax (?:cannot be parsed: )?it is nested too deeply$/);
  assert.deepEqual(others, []);
});

test('an env file with a quote that is never closed', () => {
  const source = new SourceText('p.yaml', PIPELINE);
  const env = new SourceText('p.env', 'A="b\nC="d" e\n');
  const { lints } = lintText(source, { catalog, environment: {} }, [env]);
  assert.deepEqual(
    lints.map(({ file, line, message }) => `${file}:${line} ${message}`),
    ['p.env:1 A: expected a closing quote', 'p.env:2 C: expected nothing after the closing quote'],
  );
});
