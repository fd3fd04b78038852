import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import test from 'node:test';
import { fileURLToPath } from 'node:url';
import { catalog } from '../catalog.ts';
import { makeProgram } from '../cli/program.ts';
import { ERROR_CODES } from '../engine/contract/error.ts';
import { PROBLEM_CODES } from '../engine/contract/problem.ts';
import { referencePages } from '../scripts/reference-pages.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));
const pages = referencePages(catalog, makeProgram());

test('the pages and the schema are those of the declarations', () => {
  for (const [path, text] of pages) {
    assert.equal(readFileSync(root + path, 'utf8'), text, `${path} is stale: npm run reference`);
  }
  const written = readdirSync(`${root}docs/reference`).map((name) => `docs/reference/${name}`);
  assert.deepEqual(
    written.sort(),
    [...pages.keys()].filter((path) => path.startsWith('docs/')).sort(),
  );
});

test('errors.md has every code, and no other', () => {
  const text = readFileSync(`${root}docs/reference/errors.md`, 'utf8');
  const listed = [...text.matchAll(/^\| `([^`]+)` \|/gm)].map(([, code]) => code!);
  const declared = [...Object.keys(PROBLEM_CODES), ...Object.keys(ERROR_CODES)];
  assert.deepEqual(listed.sort(), declared.sort());
});

test('every code is raised somewhere, and every code raised is declared', () => {
  const folders = [
    'cli',
    'config',
    'connectors',
    'engine',
    'operators',
    'quality',
    'threads',
    'wasm',
  ];
  const files = folders.flatMap((folder) =>
    readdirSync(root + folder, { recursive: true, encoding: 'utf8' })
      .filter((name) => name.endsWith('.ts') && !name.endsWith('.test.ts'))
      .map((name) => `${folder}/${name}`),
  );
  assert.ok(files.length > 50);
  const declaring = ['engine/contract/error.ts', 'engine/contract/problem.ts'];
  const raised = new Set<string>();
  const areas =
    'backtest|config|source|sink|checkpoint|' + 'quality|model|memory|kernel|nats|engine';
  const raising = new RegExp(`'((?:${areas})/[a-z-]+)'`, 'g');
  for (const file of files) {
    if (declaring.includes(file) || file.startsWith('engine/testing/')) continue;
    const text = readFileSync(root + file, 'utf8');
    for (const [, code] of text.matchAll(raising)) {
      raised.add(code!);
    }
  }
  // These two are given to whatever arrives without a code, where errors are encoded.
  for (const code of ['engine/internal', 'kernel/trap']) raised.add(code);
  const declared = [...Object.keys(PROBLEM_CODES), ...Object.keys(ERROR_CODES)];
  assert.deepEqual([...raised].sort(), [...new Set(declared)].sort());
});

test('every option of every declaration is in its page', () => {
  for (const [path, definitions] of [
    ['docs/reference/operators.md', catalog.operators],
    ['docs/reference/sources.md', catalog.sources],
    ['docs/reference/sinks.md', catalog.sinks],
  ] as const) {
    const text = pages.get(path)!;
    for (const { name, fields } of definitions) {
      const section = text.split(`\n## ${name}\n`)[1]!.split('\n## ')[0]!;
      for (const option of Object.keys(fields)) {
        assert.ok(section.includes(`| \`${option}\` |`), `${name}.${option}`);
      }
    }
  }
});
