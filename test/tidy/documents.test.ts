/** What the pages promise: one title, links that lead somewhere, decisions in order. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { filePaths, readSource, type SourceFile } from './source-tree.ts';

const paths = filePaths();
const documents = paths.filter((path) => path.endsWith('.md')).map(readSource);
const DECISION = /^docs\/decisions\/(\d{4})-[a-z0-9-]+\.md$/;
const DECISION_PARTS = ['Context', 'Decision', 'Alternatives', 'Consequences'];

/** Lines outside of fenced blocks. */
function proseOf({ lines }: SourceFile): string[] {
  let isFenced = false;
  return lines.map((line) => {
    if (!line.startsWith('```')) return isFenced ? '' : line;
    isFenced = !isFenced;
    return '';
  });
}

function headingsOf(document: SourceFile, level: number): string[] {
  const mark = `${'#'.repeat(level)} `;
  return proseOf(document).flatMap((line) =>
    line.startsWith(mark) ? [line.slice(mark.length)] : [],
  );
}

test('a document begins with its one title', () => {
  assert(documents.length > 10, `${documents.length} documents`);
  for (const document of documents) {
    assert.equal(headingsOf(document, 1).length, 1, `${document.path} has one line # Title`);
    const first = document.lines.find((line) => line !== '' && !line.startsWith('<!--'));
    assert.match(first ?? '', /^# /, `${document.path} begins with it`);
  }
});

test('links lead somewhere', () => {
  let seen = 0;
  for (const document of documents) {
    for (const [index, line] of proseOf(document).entries()) {
      for (const [, target] of line.replace(/`[^`]*`/g, '').matchAll(/\]\(([^)\s]+)\)/g)) {
        if (/^[a-z]+:/.test(target!)) continue;
        const [file, anchor] = target!.split('#');
        const path =
          file === ''
            ? document.path
            : new URL(file!, `file:///${document.path}`).pathname.slice(1);
        const where = `${document.path}:${index + 1} links to ${target}`;
        seen++;
        assert(
          paths.includes(path) || paths.some((each) => each.startsWith(path.replace(/\/?$/, '/'))),
          where,
        );
        if (anchor !== undefined && path.endsWith('.md')) {
          assert(anchorsOf(readSource(path)).includes(anchor), `${where}: no such heading`);
        }
      }
    }
  }
  assert(seen > 10, `${seen} links`);
});

function anchorsOf(document: SourceFile): string[] {
  return [1, 2, 3, 4]
    .flatMap((level) => headingsOf(document, level))
    .map((heading) =>
      heading
        .toLowerCase()
        .replace(/[^\p{L}\p{N}\s_-]/gu, '')
        .replace(/\s/g, '-'),
    );
}

test('decisions are numbered, indexed and complete', () => {
  const decisions = documents.filter(({ path }) => DECISION.test(path));
  assert.deepEqual(
    decisions.map(({ path }) => Number(DECISION.exec(path)![1])).sort((a, b) => a - b),
    decisions.map((_, index) => index + 1),
    'numbers rise by one',
  );
  const rows = decisions
    .map((decision) => {
      const file = decision.path.replace('docs/decisions/', '');
      return `| [${file.slice(0, 4)}](${file}) | ${headingsOf(decision, 1)[0]} |`;
    })
    .sort();
  const index = readSource('docs/decisions/README.md').lines;
  assert.deepEqual(
    index.filter((line) => line.startsWith('| [')),
    rows,
    'docs/decisions/README.md lists each with its title',
  );
  for (const decision of decisions) {
    assert.deepEqual(headingsOf(decision, 2), DECISION_PARTS, decision.path);
    assert.match(decision.text, /\n\nStatus: (?:proposed|accepted|superseded)\b/, decision.path);
  }
});

test('what a how-to page quotes is code that is tested', () => {
  const samples = paths.filter((path) => path.startsWith('test/how-to/')).map(readSource);
  const pages = documents.filter(({ path }) => path.startsWith('docs/how-to/'));
  assert(pages.length > 0 && samples.length > 0);
  for (const { path, text } of pages) {
    for (const [, excerpt] of text.matchAll(/^```ts\n(.*?)^```$/gms)) {
      assert(
        samples.some((sample) => sample.text.includes(excerpt!)),
        `${path} quotes what is not in test/how-to:\n${excerpt}`,
      );
    }
  }
});
