import assert from 'node:assert/strict';
import { mkdtemp, writeFile } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { stringify } from 'yaml';
import { type LoadOptions, type LoadedDocument, loadFile, loadText } from './load.ts';
import { SourceText } from './source-text.ts';
import { writtenOffset } from './yaml-document.ts';

function load(
  yaml: string,
  options: LoadOptions = {},
  env: readonly string[] = [],
): LoadedDocument {
  const envFiles = env.map((text, index) => new SourceText(`${index}.env`, text));
  return loadText(new SourceText('p.yaml', yaml), { environment: {}, ...options }, envFiles);
}

/** `file:line:column code message`. */
function found(loaded: LoadedDocument): string[] {
  return loaded
    .lints()
    .map(({ file, line, column, code, message }) => `${file}:${line}:${column} ${code} ${message}`);
}

const environment = { PATH_: 'data/*.csv', N: '7', YES: 'true', EMPTY: '', TEXT: 'a: [b' };

const interpolated: readonly [yaml: string, want: unknown][] = [
  ['a: ${PATH_}', { a: 'data/*.csv' }],
  ['a: ${NONE:data/*.csv.gz}', { a: 'data/*.csv.gz' }],
  ['a: x-${N}-${N}y', { a: 'x-7-7y' }],
  ['a: ${N}', { a: 7 }],
  ['a: ${NONE:1e3}', { a: 1000 }],
  ['a: ${NONE:-.5}', { a: -0.5 }],
  ['a: ${NONE:08}', { a: 8 }],
  ['a: ${NONE:1.2.3}', { a: '1.2.3' }],
  ['a: ${NONE:5m}', { a: '5m' }],
  ['a: ${YES}', { a: true }],
  ['a: ${NONE:False}', { a: false }],
  ['a: "${N}"', { a: '7' }],
  ["a: '${N}'", { a: '7' }],
  ['a: ${EMPTY}', { a: '' }],
  ['a: ${NONE:}', { a: '' }],
  ['a: ${NONE:null}', { a: 'null' }],
  ['a: ${{N}}', { a: '${N}' }],
  ['a: x${{N:3}}${N}', { a: 'x${N:3}7' }],
  ['a: ${TEXT}', { a: 'a: [b' }],
  ['- ${N}\n- {a: "${N}x"}', [7, { a: '7x' }]],
  ['a: |\n  x ${N}\n  y\n', { a: 'x 7\ny\n' }],
  ['a: $N', { a: '$N' }],
  ['${N}: 3', { '${N}': 3 }],
];

for (const [yaml, want] of interpolated) {
  test(`interpolation: ${JSON.stringify(yaml)}`, () => {
    const loaded = load(yaml, { environment });
    assert.deepEqual([found(loaded), loaded.document], [[], want]);
  });
}

const undefinedVariables: readonly [yaml: string, want: readonly string[]][] = [
  ['a: ${X}', ['1:4']],
  ['a: "x ${X}"', ['1:7']],
  ["a: 'it''s ${X}'", ['1:11']],
  ['a: "tab\\t ${X}"', ['1:11']],
  ['a: "\\u00e4\\x41 ${X}"', ['1:16']],
  ['a: x ${X} y ${Y:3} z ${Z}', ['1:6', '1:22']],
  ['a: >-\n   one\n   two ${X}\n', ['3:8']],
  ['a: |\n  one\n  two ${X}\n', ['3:7']],
  ['a: one\n  two ${X}', ['2:7']],
  ['a: ${1X}', ['1:4']],
  ['a: ${}', ['1:4']],
];

for (const [yaml, want] of undefinedVariables) {
  test(`undefined variable: ${JSON.stringify(yaml)}`, () => {
    const lints = load(yaml).lints();
    assert.deepEqual(
      lints.map(({ line, column }) => `${line}:${column}`),
      want,
    );
    for (const { code } of lints) assert.equal(code, 'config/undefined-variable');
  });
}

test('an option that replaces a value with an undefined variable makes it no mistake', () => {
  const loaded = load('a: { b: "${X}", c: 3 }', { overrides: ['a.b=4'] });
  assert.deepEqual([found(loaded), loaded.document], [[], { a: { b: 4, c: 3 } }]);
});

const overridden: readonly [yaml: string, options: readonly string[], want: unknown][] = [
  ['a: 1', ['a=2'], { a: 2 }],
  ['a: 1', ['a=x', 'a=y'], { a: 'y' }],
  ['a: 1', ['b.c.d=[1, {e: f}]'], { a: 1, b: { c: { d: [1, { e: 'f' }] } } }],
  ['a: {b: 1}', ['a.b=../data/*.csv'], { a: { b: '../data/*.csv' } }],
  ['a: 1', ['a=*.csv'], { a: '*.csv' }],
  ['a: 1', ['a=x # y'], { a: 'x # y' }],
  ['a: 1', ['a=b: c'], { a: 'b: c' }],
  ['a: 1', ['a=b=c'], { a: 'b=c' }],
  ['a: 1', ['a="7"'], { a: '7' }],
  ['a: 1', ['a=true'], { a: true }],
  ['a: 1', ['a=5m'], { a: '5m' }],
  ['a: 1', ['a='], { a: null }],
  ['a: [1, {b: 2}]', ['a.1.b=3', 'a.2=4'], { a: [1, { b: 3 }, 4] }],
  ['a:', ['a.b=3'], { a: { b: 3 } }],
  ['', ['a.b=3'], { a: { b: 3 } }],
  ['x: &x {b: 1}\na: *x', ['a.b=2'], { x: { b: 1 }, a: { b: 2 } }],
  ['a: 1', ['a=${N}'], { a: '${N}' }],
];

for (const [yaml, options, want] of overridden) {
  test(`override: ${options.join(' ')} of ${JSON.stringify(yaml)}`, () => {
    const loaded = load(yaml, { environment, overrides: options });
    assert.deepEqual([found(loaded), loaded.document], [[], want]);
  });
}

test('a path of an option that leads nowhere is named with the option', () => {
  const options = [
    'a.b=1',
    'list.x=1',
    'list.3=1',
    'nothing',
    '=3',
    'a..b=3',
    'a=[1',
    '__proto__.x=1',
  ];
  const loaded = load('a: 1\nlist: [1]', { overrides: options });
  assert.deepEqual(found(loaded), [
    '-s a.b=1:0:4 config/override a is one value and has no option b',
    '-s list.x=1:0:4 config/override list is a list: expected a number from 0 to 1, got x',
    '-s list.3=1:0:4 config/override list is a list: expected a number from 0 to 1, got 3',
    '-s nothing:0:4 config/override expected key.path=value, got "nothing"',
    '-s =3:0:4 config/override expected key.path=value, got "=3"',
    '-s a..b=3:0:4 config/override expected names between the dots, got a..b',
    '-s a=[1:0:8 config/syntax flow sequence must end with a ]',
  ]);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('a problem in a value that an option gave stands in the option', () => {
  const loaded = load('a: { b: 1 }', { overrides: ['a.b=x + y', 'c.d={ e: [f, g] }'] });
  const at = (path: (string | number)[], offset?: number): string => {
    const problem = { path, code: 'config/invalid-value' as const, message: '' };
    const lint = loaded.lintOf(offset === undefined ? problem : { ...problem, offset });
    return `${lint.file}:${lint.line}:${lint.column}`;
  };
  assert.equal(at(['a', 'b']), '-s a.b=x + y:0:8');
  assert.equal(at(['a', 'b'], 4), '-s a.b=x + y:0:12');
  assert.equal(at(['c']), '-s c.d={ e: [f, g] }:0:4');
  assert.equal(at(['c', 'd', 'e', 1]), '-s c.d={ e: [f, g] }:0:17');
  assert.equal(at(['a']), 'p.yaml:1:4');
});

test('an offset into a text is found past quotes, escapes, folds and variables', () => {
  const yaml = [
    'plain: abs(x) > y',
    'double: "say \\"x\\" > y"',
    "single: 'it''s > y'",
    'folded: >-',
    '  abs(x)',
    '  > y',
    'variable: abs(${LONG}) > ${N} > y',
  ].join('\n');
  const loaded = load(yaml, { environment: { LONG: 'a_long_name', N: '1' } });
  const document = loaded.document as Record<string, string>;
  const want = { plain: '1:17', double: '2:22', single: '3:18', folded: '6:5', variable: '7:33' };
  for (const [name, place] of Object.entries(want)) {
    const offset = document[name]!.lastIndexOf('y');
    const { line, column } = loaded.lintOf({
      path: [name],
      offset,
      code: 'config/expression-syntax',
      message: '',
    });
    assert.equal(`${line}:${column}`, place, name);
  }
});

test('writtenOffset finds every word of any text, in every style of scalar', () => {
  const word = fc.constantFrom(
    'abs',
    '"',
    "'",
    'ä',
    '\t',
    '(x)',
    '\\',
    ':',
    '#',
    '  ',
    '\u{1f600}',
    '\n',
  );
  const style = fc.constantFrom(
    'PLAIN',
    'QUOTE_SINGLE',
    'QUOTE_DOUBLE',
    'BLOCK_FOLDED',
    'BLOCK_LITERAL',
  );
  fc.assert(
    fc.property(fc.array(word, { maxLength: 8 }), style, (words, defaultStringType) => {
      const text = `${words.join(' ')} needle`;
      const yaml = stringify({ a: text }, { defaultStringType: defaultStringType as 'PLAIN' });
      const loaded = load(yaml);
      const { a } = loaded.document as { a: string };
      const place = loaded.place.children.get('a')!;
      const at = place.offsetOf!(a.indexOf('needle'));
      assert.equal(yaml.slice(at, at + 'needle'.length), 'needle', yaml);
    }),
    { numRuns: 500 },
  );
  assert.equal(writtenOffset('', '""', 0), 1);
});

test('env files: comments, quotes, export, and the mistakes by line', () => {
  const text = [
    '# comment',
    'A=1 # one',
    'export B = "x # y\\n"   # two',
    "C='it is $A'",
    '',
    'D=',
    '  E=a#b',
    'no assignment',
    '1F=3',
    'G="x" y',
    'A=2',
  ].join('\r\n');
  const yaml = 'a: ${A}\nb: ${B}\nc: ${C}\nd: ${D:x}\ne: ${E}';
  const loaded = load(yaml, {}, [text]);
  assert.deepEqual(loaded.document, { a: 2, b: 'x # y\n', c: 'it is $A', d: '', e: 'a#b' });
  assert.deepEqual(found(loaded), [
    '0.env:8:1 config/env-file expected KEY=VALUE',
    '0.env:9:1 config/env-file expected a name of letters, digits and _ before the =',
    '0.env:10:1 config/env-file G: expected nothing after the closing quote',
  ]);
});

test('an env file wins over the environment, a later one over an earlier', () => {
  const { document } = load(
    'a: ${A}\nb: ${B}\nc: ${C}',
    { environment: { A: 'x', B: 'x', C: 'x' } },
    ['A=1\nB=1', 'B=2'],
  );
  assert.deepEqual(document, { a: 1, b: 2, c: 'x' });
});

const mistakes: readonly [yaml: string, want: readonly string[]][] = [
  ['a: 1\nb: 2\na: 3', ['p.yaml:3:1 config/duplicate-key a is given twice']],
  ['a: {b: 1, b: 2}', ['p.yaml:1:11 config/duplicate-key b is given twice']],
  ['a: *x', ['p.yaml:1:4 config/syntax there is no anchor &x']],
  ['a: &x [*x]', ['p.yaml:1:8 config/syntax *x contains itself']],
  ['[a]: 1', ['p.yaml:1:1 config/syntax expected a name before the colon']],
  [
    'a: 1\n---\nb: 1',
    ['p.yaml:2:1 config/syntax expected one document, got a second one after ---'],
  ],
  ['a: b: c\nd: [1\n', ['p.yaml:1:4 config/syntax unexpected mapping within a value']],
  ['a: {b: f(1, 2)}', ['p.yaml:1:13 config/syntax expected a colon and a value after "2)"']],
  ['a: !tag 1', ['p.yaml:1:4 config/syntax unresolved tag: !tag']],
];

for (const [yaml, want] of mistakes) {
  test(`yaml: ${JSON.stringify(yaml)}`, () => {
    assert.deepEqual(found(load(yaml)).slice(0, want.length), want);
  });
}

test('aliases and merge keys are expanded, and what they add is limited', () => {
  const yaml = 'x: &x {a: 1, b: 2}\ny: {<<: *x, b: 3}\nz: [*x, *x]';
  assert.deepEqual(load(yaml).document, {
    x: { a: 1, b: 2 },
    y: { b: 3, a: 1 },
    z: [
      { a: 1, b: 2 },
      { a: 1, b: 2 },
    ],
  });
  const bomb = ['a0: &a0 [x, x, x, x, x, x, x, x, x, x]'];
  for (let i = 1; i < 10; i++) {
    bomb.push(
      `a${i}: &a${i} [${Array(10)
        .fill(`*a${i - 1}`)
        .join(', ')}]`,
    );
  }
  const loaded = load(bomb.join('\n'));
  assert.match(found(loaded)[0]!, /config\/syntax aliases add more than 10000 values/);
  assert.ok(loaded.isBroken);
});

test('a place in an alias is where the anchor is', () => {
  const loaded = load('x: &x {a: 1}\ny: *x\nz: {<<: *x}');
  for (const name of ['y', 'z']) {
    const { line, column } = loaded.lintOf({
      path: [name, 'a'],
      code: 'config/unused',
      message: '',
    });
    assert.equal(`${line}:${column}`, '1:11', name);
  }
});

test('a text nested too deeply is a mistake, not a crash', () => {
  for (const yaml of ['['.repeat(100_000), `${'{a: '.repeat(50_000)}`]) {
    assert.match(found(load(yaml))[0]!, /config\/syntax/);
  }
});

test('keys such as __proto__ are keys like others', () => {
  const loaded = load('__proto__: {x: 1}\nconstructor: 2');
  assert.deepEqual(Object.keys(loaded.document as object), ['__proto__', 'constructor']);
  assert.equal(({} as Record<string, unknown>)['x'], undefined);
});

test('any text loads, with any options, and every lint stands in its text', () => {
  const piece = fc.constantFrom(
    'a',
    ':',
    ' ',
    '\n',
    '- ',
    '[',
    '{',
    '}',
    ']',
    '${X}',
    '${',
    '"',
    '&x ',
    '*x',
    '<<: ',
    '#',
    '\t',
    '|',
    '---',
    ',',
    '1',
    '!',
    'é',
  );
  const text = fc.array(piece, { maxLength: 30 }).map((pieces) => pieces.join(''));
  const option = fc.array(fc.constantFrom('a', '.', '=', '0', '[', '*', '1'), { maxLength: 8 });
  fc.assert(
    fc.property(text, fc.array(option, { maxLength: 2 }), (yaml, options) => {
      const loaded = load(yaml, { overrides: options.map((parts) => parts.join('')) });
      const lineCount = yaml.split('\n').length;
      for (const { line, column, message, length } of loaded.lints()) {
        assert.ok(line >= 0 && line <= lineCount && column >= 1 && length >= 1);
        assert.notEqual(message, '');
      }
    }),
    { numRuns: 2000 },
  );
});

test('a file that cannot be read is an error with its path', async () => {
  const folder = await mkdtemp(join(tmpdir(), 'tidemark-load-'));
  const missing = join(folder, 'none.yaml');
  await assert.rejects(loadFile(missing), {
    code: 'config/unreadable',
    message: `cannot read ${missing}: there is no such file`,
  });
  await assert.rejects(loadFile(folder), { code: 'config/unreadable' });
  const binary = join(folder, 'p.yaml.gz');
  await writeFile(binary, new Uint8Array([0x1f, 0x8b, 8, 0, 0, 10, 0xff]));
  await assert.rejects(loadFile(binary), { code: 'config/unreadable', message: /not a text file/ });
  const file = join(folder, 'p.yaml');
  await writeFile(file, '\uFEFFa: ${A}\n');
  await writeFile(join(folder, 'e.env'), 'A=3\n');
  const { document } = await loadFile(file, { envFiles: [join(folder, 'e.env')] });
  assert.deepEqual(document, { a: 3 });
});
