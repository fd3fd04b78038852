import assert from 'node:assert/strict';
import test from 'node:test';
import { planCatalog } from '../engine/testing/plan-catalog.ts';
import { type LintOptions, type LintResult, lintText } from './lint.ts';
import { renderLint, renderLints } from './render-lints.ts';
import { SourceText } from './source-text.ts';

function lint(yaml: string, options: Partial<LintOptions> = {}): LintResult {
  const source = new SourceText('pipeline.yaml', yaml);
  return lintText(source, { catalog: planCatalog, environment: {}, ...options });
}

/** `line:column code`, or the option and the code. */
function places({ lints }: LintResult): string[] {
  return lints.map(({ file, line, column, code }) =>
    line === 0 ? `${file} ${column} ${code}` : `${line}:${column} ${code}`,
  );
}

function messages({ lints }: LintResult): string[] {
  return lints.map(({ message, help }) => (help === undefined ? message : `${message}; ${help}`));
}

const VALID = `name: bars
sources:
  trades:
    type: ticks
    path: data/*.csv
operators:
  bars:
    type: window
    input: trades
    size: 5m
    aggregates: { high: max(price) }
sinks:
  bars: { type: files, input: bars, path: out/bars }
  late: { type: files, input: bars.late, path: out/late }
  bad: { type: files, input: trades.rejected, path: out/bad }
quality:
  - { dataset: bars, not_null: [high] }
`;

/** The valid file with some lines replaced; numbers count from 1. */
function changed(lines: Readonly<Record<number, string>>): string {
  const all = VALID.split('\n');
  return all.map((line, index) => lines[index + 1] ?? line).join('\n');
}

const cases: readonly [name: string, yaml: string, want: readonly string[]][] = [
  ['valid', VALID, []],
  ['a comment and blank lines', `# bars\n\n${VALID}`, []],
  ['typo in an option', changed({ 10: '    sise: 5m' }), ['10:5 config/unknown-field']],
  ['duration', changed({ 10: '    size: 1 minute' }), ['10:11 config/invalid-value']],
  ['number for a duration', changed({ 10: '    size: 300' }), ['10:11 config/invalid-value']],
  ['nothing for a duration', changed({ 10: '    size:' }), ['10:5 config/invalid-value']],
  ['missing option', changed({ 10: '' }), ['7:3 config/missing-field']],
  [
    'constraint',
    changed({ 10: '    size: 5m\n    allowed_lateness: 10m' }),
    ['11:23 config/constraint'],
  ],
  ['unknown type', changed({ 8: '    type: windw' }), ['8:11 config/unknown-type']],
  ['no type', changed({ 8: '' }), ['7:3 config/missing-field']],
  ['unknown input', changed({ 9: '    input: trade' }), ['9:12 config/unknown-input']],
  [
    'unknown output',
    changed({ 14: '  late: { type: files, input: bars.lat, path: out/late }' }),
    ['14:31 config/unknown-input'],
  ],
  [
    'unknown column in an expression',
    changed({ 11: '    aggregates: { high: max(prise) }' }),
    ['11:29 config/unknown-column'],
  ],
  [
    'unknown column in a check',
    changed({ 17: '  - { dataset: bars, not_null: [hihg] }' }),
    ['17:33 config/unknown-column'],
  ],
  [
    'unknown dataset',
    changed({ 17: '  - { dataset: brs, not_null: [high] }' }),
    ['17:16 config/unknown-dataset'],
  ],
  [
    'unknown kind of check',
    changed({ 17: '  - { dataset: bars, notnull: [high] }' }),
    ['17:22 config/unknown-field'],
  ],
  ['bad name', changed({ 1: 'name: My Bars' }), ['1:7 config/invalid-value']],
  ['no name', changed({ 1: '# no name' }), ['2:1 config/missing-field']],
  ['unknown section', changed({ 12: 'sink:' }), ['12:1 config/unknown-field']],
  ['duplicate key', changed({ 10: '    size: 5m\n    size: 6m' }), ['11:5 config/duplicate-key']],
  ['not a mapping', '- a\n- b\n', ['1:1 config/invalid-value']],
  ['nothing', '', ['1:1 config/invalid-value']],
  ['no yaml', 'name: "bars\nsources: 3\n', ['3:1 config/syntax']],
  ['tab', changed({ 10: '\tsize: 5m' }), ['10:1 config/syntax']],
  ['checkpoint', `${VALID}checkpoint: { interval: 10s }\n`, []],
  [
    'ring',
    changed({
      6:
        'operators:\n  a: { type: pick, input: b, columns: [price] }\n' +
        '  b: { type: pick, input: a, columns: [price] }',
    }),
    ['7:27 config/cycle'],
  ],
  [
    'nobody reads it',
    changed({ 6: 'operators:\n  a: { type: pick, input: trades, columns: [price] }' }),
    ['7:3 config/unused'],
  ],
  [
    'name of a source and a step',
    changed({ 3: '  bars:', 9: '    input: bars', 15: '' }),
    ['7:3 config/duplicate-name'],
  ],
  [
    'number for an expression',
    changed({ 11: '    aggregates: { high: 7 }' }),
    ['11:25 config/expression-syntax'],
  ],
  [
    'list for an expression',
    changed({ 11: '    aggregates: { high: [7] }' }),
    ['11:25 config/invalid-value'],
  ],
  [
    'text with a comma in a flow mapping',
    changed({ 11: '    aggregates: { high: max(price, 2) }' }),
    ['11:36 config/syntax'],
  ],
];

for (const [name, yaml, want] of cases) {
  test(`lint: ${name}`, () => assert.deepEqual(places(lint(yaml)), want));
}

test('many mistakes are found at once, each once, in the order of their lines', () => {
  const yaml = `name: Bars
colour: blue
sources:
  trades: { type: ticks, path: 3, formt: csv, password: 12, batch_rows: 0 }
  quotes: { type: tikcs }
partitions: 2000
operators:
  bars:
    type: window
    input: trads
    size: soon
    emit: never
    aggregates: { "my high": max(price), low: [4] }
  rules: { type: rules, input: bars, rules: [{ typ: spike, when: x, limit: { rows: many } }, 7] }
  worse: { type: faulty, input: quotes }
sinks:
  bars: { type: files, input: bars, rows_max: 1.5, overwrite: "yes" }
  Late: [files]
quality:
  - { dataset: bars, not_null: [], unique: [a] }
  - { dataset: bars, severity: fatal, warn_if: some }
  - not_null
`;
  assert.deepEqual(places(lint(yaml)), [
    '1:7 config/invalid-value',
    '2:1 config/unknown-field',
    '4:32 config/invalid-value',
    '4:35 config/unknown-field',
    '4:57 config/invalid-value',
    '4:73 config/invalid-value',
    '5:3 config/missing-field',
    '5:19 config/unknown-type',
    '6:13 config/invalid-value',
    '10:12 config/unknown-input',
    '11:11 config/invalid-value',
    '12:11 config/invalid-value',
    '13:19 config/invalid-value',
    '13:47 config/invalid-value',
    '14:3 config/unused',
    '14:48 config/unknown-field',
    '14:84 config/invalid-value',
    '14:94 config/invalid-value',
    '15:3 config/unused',
    '17:3 config/missing-field',
    '17:47 config/invalid-value',
    '17:63 config/invalid-value',
    '18:3 config/invalid-value',
    '18:9 config/invalid-value',
    '20:32 config/invalid-value',
    '20:36 config/constraint',
    '21:5 config/missing-field',
    '21:32 config/invalid-value',
    '21:48 config/invalid-value',
    '22:5 config/invalid-value',
  ]);
});

test('a lint reads as a person would write it', () => {
  const { lints } = lint(changed({ 10: '    sise: 5m' }));
  assert.equal(
    renderLint(lints[0]!),
    [
      'pipeline.yaml:10:5: error[config/unknown-field]: window has no option sise',
      '   10 |     sise: 5m',
      '      |     ^',
      '  help: did you mean size?',
    ].join('\n'),
  );
  const { lints: values } = lint(changed({ 10: '    size: 1 minute' }));
  assert.equal(
    renderLint(values[0]!),
    [
      'pipeline.yaml:10:11: error[config/invalid-value]: size: ' +
        'expected a duration such as 250ms, 10s or 1h, got "1 minute"',
      '   10 |     size: 1 minute',
      '      |           ^',
    ].join('\n'),
  );
});

const worded: readonly [changes: Readonly<Record<number, string>>, want: string][] = [
  [{ 9: '    input: trade' }, 'no source or step is called "trade"; did you mean trades?'],
  [{ 9: '    input: orders' }, 'no source or step is called "orders"; there is trades or bars'],
  [
    { 9: '    input: trades.rejected' },
    'a step cannot read trades.rejected: rejected rows have no key and no time; let a sink read it',
  ],
  [
    { 14: '  late: { type: files, input: bars.lat, path: out/late }' },
    'bars has no output "lat"; did you mean bars.late?',
  ],
  [
    { 14: '  late: { type: files, input: trades.late, path: out/late }' },
    'trades has no output "late"; its further outputs are trades.rejected',
  ],
  [
    { 10: '    size: 5m\n    allowed_lateness: 10m' },
    'allowed_lateness: must not exceed size, got "10m"',
  ],
  [{ 8: '    type: window5' }, 'there is no operator type "window5"; did you mean window?'],
  [
    { 8: '    type: map' },
    'there is no operator type "map"; the types of operators are faulty, pick, rules, window',
  ],
  [{ 10: '' }, 'window needs an option size; for example size: 1m'],
  [
    { 7: '  Bars 5m:' },
    'expected a name of lower-case letters, digits and _, got "Bars 5m"; for example bars_5m',
  ],
  [
    { 8: '    type: faulty\n  w:\n    type: window' },
    'step bars needs an option input; input names the source or step whose rows it reads',
  ],
  [
    { 17: '  - { dataset: bars, accepted_range: { column: symbol, min: 0 } }' },
    'accepted_range: expected a column of type float64 or int64, got symbol of type string',
  ],
  [
    { 17: '  - { dataset: bars, accepted_range: { column: high } }' },
    'accepted_range: needs min, max or both',
  ],
  [
    { 17: '  - { dataset: none, unique: [high] }', 15: '  none: { type: nowhere, input: bars }' },
    'none cannot be checked: this nowhere sink leaves no files to query',
  ],
  [
    { 17: '  - { dataset: bars, freshness: { max_age: 1d, now: today } }' },
    'freshness.now: expected a time such as 2013-10-08T00:00:00Z, got "today"',
  ],
  [
    { 4: '    type: ticks\n    watermark: { idle: 3s }' },
    'watermark has no option idle; its options are max_out_of_orderness, idle_timeout',
  ],
];

for (const [changes, want] of worded) {
  test(`wording: ${want}`, () => {
    const found = messages(lint(changed(changes)));
    assert.ok(found.includes(want), found.join('\n'));
  });
}

test('a stateful step behind a window that states its rows again is an error', () => {
  const yaml = changed({
    10: '    size: 5m\n    emit: early',
    12: '  more: { type: window, input: bars, size: 1h, aggregates: { top: max(high) } }\nsinks:',
    15: '  bad: { type: files, input: more, path: out/more }',
  });
  assert.deepEqual(messages(lint(yaml)), [
    'more would count windows of bars twice, because bars states them again; ' +
      'set emit: final on the window',
  ]);
});

test('a plan has defaults, the order of the flow, and the schemas of every output', () => {
  const { plan } = lint(
    changed({
      6: 'operators:\n  top: { type: pick, input: bars, columns: [high] }',
      15: '  bad: { type: files, input: top, path: out/top }',
    }),
  );
  assert.ok(plan !== undefined);
  assert.deepEqual(
    plan.operators.map(({ name, inputs }) => [name, inputs]),
    [
      ['bars', [{ step: 'trades', output: 'main' }]],
      ['top', [{ step: 'bars', output: 'main' }]],
    ],
  );
  const { watermark, batchRows, config } = plan.sources[0]!;
  assert.deepEqual(
    [watermark, batchRows, config['format']],
    [{ maxOutOfOrdernessNs: 0n, idleTimeoutMs: 30_000 }, 65_536, 'csv'],
  );
  assert.deepEqual(
    [plan.key, plan.partitions, plan.deadLetter.path],
    ['symbol', 16, 'out/dead-letter'],
  );
  assert.deepEqual(Object.keys(plan.operators[0]!.outputs), ['main', 'late']);
  assert.deepEqual(plan.quality, [
    {
      name: 'bars_not_null_high',
      dataset: 'bars',
      check: { not_null: ['high'] },
      severity: 'error',
      warnIf: '!= 0',
      errorIf: '!= 0',
    },
  ]);
});

test('a folder key of a sink is a column of its dataset', () => {
  const yaml = changed({
    13: '  bars: { type: files, input: bars, path: out/bars, partition_by: [date] }',
    17: '  - { dataset: bars, unique: [date, high] }',
  });
  assert.deepEqual(places(lint(yaml)), []);
});

const tests: readonly [given: string, want: readonly string[]][] = [
  ['{ name: a, input: { trades: "price" }, expect: { bars: [], bars.late: [] } }', []],
  ['{ name: a, input: { trade: "price" }, expect: { bars: [] } }', ['18:29 config/unknown-input']],
  ['{ name: a, input: { bars: "price" }, expect: { bars: [] } }', ['18:29 config/unknown-input']],
  ['{ name: a, input: { trades: 3 }, expect: { bars: [] } }', ['18:37 config/invalid-value']],
  ['{ name: a, input: { trades: [] } }', ['18:9 config/missing-field']],
  [
    '{ name: a, input: { trades: [] }, expect: { bras: [], bars.lte: [], trades.rejected: [] } }',
    ['18:53 config/unknown-input', '18:63 config/unknown-input'],
  ],
];

for (const [given, want] of tests) {
  test(`test case: ${given}`, () => {
    assert.deepEqual(places(lint(`${VALID}tests: [${given}]\n`)), want);
  });
}

test('mistakes are found all along a chain, and their echoes are not told', () => {
  const yaml = `name: chain
sources:
  trades: { type: ticks, path: 3, watermark: { idle_timeout: never } }
operators:
  first: { type: pick, input: tradse, columns: [prise, price] }
  bars: { type: window, input: first, sise: 5m, aggregates: { high: max(hihg), low: "min price" } }
  wide: { type: window, input: bars, size: a, aggregates: { top: max(high), x: max(n) } }
  last: { type: pick, input: wide, columns: [top, x, y, window_start] }
sinks:
  last: { type: files, input: last, path: out, rows_max: many }
quality:
  - { dataset: last, not_null: [top, z] }
  - { dataset: last, accepted_range: { column: window_start, min: 3 } }
`;
  assert.deepEqual(places(lint(yaml)), [
    '3:32 config/invalid-value',
    '3:62 config/invalid-value',
    '5:31 config/unknown-input',
    '5:49 config/unknown-column',
    '6:39 config/unknown-field',
    '6:73 config/unknown-column',
    '6:85 config/expression-syntax',
    '7:44 config/invalid-value',
    '7:84 config/unknown-column',
    '8:54 config/unknown-column',
    '10:58 config/invalid-value',
    '12:38 config/unknown-column',
    '13:48 config/column-type',
  ]);
});

test('what a faulty step was about to make is not missed behind it', () => {
  const yaml = changed({
    11: '    aggregates: { "hi gh": max(price), low: [4], mid: max(price) }',
    12: '  more: { type: pick, input: bars, columns: [low, mid, high, volume] }\nsinks:',
    15: '  bad: { type: files, input: more, path: out/more }',
    17: '',
  });
  // The name `hi gh` may have meant high, but not volume.
  assert.deepEqual(places(lint(yaml)), [
    '11:19 config/invalid-value',
    '11:45 config/invalid-value',
    '12:62 config/unknown-column',
  ]);
  const guessed = changed({
    9: '    input: trade',
    12: '  more: { type: pick, input: bars, columns: [high, volume] }\nsinks:',
    15: '  bad: { type: files, input: more, path: out/more }',
  });
  assert.deepEqual(places(lint(guessed)), [
    '9:12 config/unknown-input',
    '12:52 config/unknown-column',
  ]);
});

test('behind a misspelt option its value is looked at where it stands', () => {
  const yaml = changed({ 11: '    agregates: { high: max(prise), low: min(price) }' });
  assert.deepEqual(places(lint(yaml)), [
    '11:5 config/unknown-field',
    '11:28 config/unknown-column',
  ]);
});

test('a secret is never shown', () => {
  const yaml = changed({
    5: '    path: 3\n    password: hunter2\n    colour: { password: hunter2 }',
  });
  const shown = JSON.stringify(lint(yaml).lints);
  assert.match(shown, /colour/);
  assert.doesNotMatch(shown, /hunter2/);
  const broken = changed({ 5: '    path: data\n    password: "hunter2' });
  assert.doesNotMatch(JSON.stringify(lint(broken).lints), /hunter2/);
  const option = lint(changed({ 5: '' }), { overrides: ['sources.trades.password=[hunter2]'] });
  assert.match(JSON.stringify(option.lints), /password=\*+/);
  assert.doesNotMatch(JSON.stringify(option.lints), /hunter2/);
});

test('thousands of problems are found, and so many are no burden', () => {
  const steps = Array.from(
    { length: 3000 },
    (_, i) => `  s${i}: { type: pick, input: x${i}q, columns: [] }`,
  );
  const { lints } = lint(changed({ 6: `operators:\n${steps.join('\n')}` }));
  assert.equal(lints.filter(({ code }) => code === 'config/unknown-input').length, 3000);
  assert.match(renderLints(lints), /\n… and \d+ more problems$/);
});
