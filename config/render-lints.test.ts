import assert from 'node:assert/strict';
import test from 'node:test';
import type { Lint } from './lint.ts';
import { pipelinesInMarkdown } from './markdown.ts';
import { renderGithub, renderLint, renderLints } from './render-lints.ts';
import { SourceText } from './source-text.ts';

const LINT: Lint = {
  file: 'p.yaml',
  line: 4,
  column: 3,
  length: 4,
  code: 'config/unknown-field',
  severity: 'error',
  message: 'window has no option sise',
  help: 'did you mean size?',
  sourceLine: '  sise: 5m',
};

/** The line, and the blanks before the caret. */
function excerpt(lint: Partial<Lint>): [line: string, caret: string] {
  const [, line, caret] = renderLint({ ...LINT, ...lint }).split('\n');
  return [line!.slice(8), caret!.slice(8)];
}

test('the caret stands below the column, also behind tabs and wide characters', () => {
  assert.deepEqual(excerpt({}), ['  sise: 5m', '  ^']);
  assert.deepEqual(excerpt({ sourceLine: '\ta: b', column: 5 }), ['\ta: b', '\t   ^']);
  assert.deepEqual(excerpt({ sourceLine: '名前: b', column: 5 }), ['名前: b', '      ^']);
  assert.deepEqual(excerpt({ sourceLine: '', column: 1 }), ['', '^']);
  assert.deepEqual(excerpt({ sourceLine: 'a: \u001b[31mb', column: 4 }), [
    'a: \ufffd[31mb',
    '   ^',
  ]);
});

test('a long line is cut around the caret', () => {
  const words = Array.from({ length: 100 }, (_, i) => `word${i}`).join(' ');
  const column = words.indexOf('word50') + 1;
  const [line, caret] = excerpt({ sourceLine: words, column });
  assert.ok(line.length <= 121);
  assert.ok(line.startsWith('…') && line.endsWith('…'));
  assert.equal(line.slice(caret.length - 1).split(' ')[0], 'word50');
  const [first, firstCaret] = excerpt({ sourceLine: words, column: 1 });
  assert.ok(first.startsWith('word0') && firstCaret === '^');
  const [last, lastCaret] = excerpt({ sourceLine: words, column: words.length - 5 });
  assert.equal(last.slice(lastCaret.length - 1), 'word99');
});

test('colours are those of the palette', () => {
  const tag = (name: string) => (text: string) => `<${name}>${text}</${name}>`;
  const palette = {
    bold: tag('bold'),
    dim: tag('dim'),
    red: tag('red'),
    yellow: tag('yellow'),
    cyan: tag('cyan'),
  };
  assert.match(renderLint(LINT, palette), /^<bold>p\.yaml:4:3<\/bold>: <red>error\[config/);
  assert.match(renderLint({ ...LINT, severity: 'warning' }, palette), /<yellow>warning\[config/);
});

test('of very many lints the first hundred are shown, and how many more there are', () => {
  const text = renderLints(
    Array.from({ length: 1234 }, (_, line) => ({ ...LINT, line: line + 1 })),
  );
  assert.equal(text.match(/: error\[/g)?.length, 100);
  assert.match(text, /\n… and 1134 more problems$/);
});

test('annotations of GitHub are one line each', () => {
  const lints = [LINT, { ...LINT, file: '-s a=1', line: 0, message: '100%\nof, it: all' }];
  assert.deepEqual(renderGithub(lints).split('\n'), [
    '::error file=p.yaml,line=4,col=3,title=config/unknown-field::' +
      'window has no option sise%0Adid you mean size?',
    '::error title=config/unknown-field::100%25%0Aof, it: all%0Adid you mean size?',
  ]);
});

test('pipelines in Markdown keep the lines of the page', () => {
  const page = [
    '# Page',
    '```yaml',
    'name: a',
    'sources: {}',
    '```',
    '```ts',
    'sources: no',
    '```',
    '```yaml',
    'type: derive',
    '```',
    '   ```yml',
    '   sources:',
    '   ```',
  ].join('\n');
  assert.deepEqual(
    pipelinesInMarkdown(new SourceText('p.md', page)).map(({ text }) => text),
    ['\n\nname: a\nsources: {}', `${'\n'.repeat(12)}   sources:`],
  );
});
