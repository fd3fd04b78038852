/**
 * Tidiness as a test: what the project's pages promise about its own shape. Every rule says what it
 * found, where, and what to do instead; and that it has seen files at all, because a rule over
 * nothing always holds.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  BANNED_WORDS,
  COLUMNS_MAX,
  FILE_BYTES_MAX,
  FLOORS,
  type Floor,
  FUNCTION_LINES_MAX,
  LONG_FILES,
  LONG_FUNCTIONS,
  MACHINE_PATHS,
  PACKAGE_HOMES,
  SOURCE_LINES_MAX,
  WIDE_LINES,
} from './tidy/rules.ts';
import {
  filePaths,
  functionsOf,
  type Import,
  importsOf,
  readSource,
  sizeBytes,
} from './tidy/source-tree.ts';

const paths = filePaths();
/** Not shipped. `engine/testing` is: strangers test their operators with it. */
const isTest = (path: string): boolean =>
  /\.(?:test|oracle|arbitrary)\.ts$/.test(path) ||
  path.startsWith('test/') ||
  /^(?!engine\/).*\/testing\//.test(path);
const isBench = (path: string): boolean => path.startsWith('bench/');

const sources = paths
  .filter((path) => path.endsWith('.ts') && !path.startsWith('wasm/assembly/'))
  .map(readSource);
const kernels = paths.filter((path) => /^wasm\/assembly\/.*\.ts$/.test(path)).map(readSource);
const scripts = paths.filter((path) => path.endsWith('.mjs')).map(readSource);
const code = [...sources, ...kernels, ...scripts];
const documents = paths.filter((path) => path.endsWith('.md')).map(readSource);
const pipelines = paths.filter((path) => /\.ya?ml$/.test(path)).map(readSource);
/** Quotes imports that do not exist. */
const SAMPLES = 'test/tidy/source-tree.test.ts';
const imports = sources.filter(({ path }) => path !== SAMPLES).flatMap(importsOf);

function assertNone(problems: readonly string[], rule: string): void {
  assert.equal(problems.length, 0, `${rule}\n  ${problems.join('\n  ')}`);
}

test('the rules see the project', () => {
  assert(sources.length > 100, `${sources.length} sources`);
  assert(kernels.length > 5, `${kernels.length} kernels`);
  assert(documents.length > 10, `${documents.length} documents`);
  assert(imports.filter(({ isOwn }) => isOwn).length > 300, 'imports of our own files');
  assert(imports.filter(({ to }) => to in PACKAGE_HOMES).length > 20, 'imports of packages');
  assert(code.flatMap(functionsOf).length > 1000, 'functions');
  for (const { to, from, line, isOwn } of imports) {
    if (isOwn && !to.endsWith('.d.ts')) {
      assert(
        paths.includes(to) || to.endsWith('.mjs'),
        `${from}:${line} imports ${to}: no such file`,
      );
    }
  }
});

test('imports point down', () => {
  const isIn = (path: string, folder: string): boolean =>
    path === folder || path.startsWith(`${folder}/`);
  const floorOf = (path: string): Floor | undefined =>
    FLOORS.filter(({ folder }) => isIn(path, folder)).toSorted(
      (a, b) => b.folder.length - a.folder.length,
    )[0];
  const mayImport = ({ from, to, isTypeOnly }: Import): boolean => {
    if (isTest(from) && !from.startsWith('test/')) return !isIn(to, 'cli') || isIn(from, 'cli');
    const floor = floorOf(from)!;
    return [floor.folder, ...floor.may, ...(isTypeOnly ? (floor.types ?? []) : [])].some((folder) =>
      isIn(to, folder),
    );
  };
  const homeless = sources.filter(({ path }) => floorOf(path) === undefined);
  assertNone(
    homeless.map(({ path }) => path),
    'every folder has a floor: see test/tidy/rules.ts',
  );
  assertNone(
    imports
      .filter((each) => each.isOwn && !mayImport(each))
      .map(({ from, line, to }) => `${from}:${line} imports ${to}`),
    'a folder imports only what stands below it: see test/tidy/rules.ts',
  );
});

test('a package is imported from one folder', () => {
  const packages = imports.filter(({ isOwn, to }) => !isOwn && !to.startsWith('node:'));
  const isHome = ({ from, to }: Import): boolean => {
    const home = PACKAGE_HOMES[to];
    if (home === undefined) return false;
    return from === home || from.startsWith(`${home}/`) || isTest(from) || isBench(from);
  };
  assertNone(
    packages
      .filter((each) => !isHome(each))
      .map(
        ({ from, line, to }) =>
          `${from}:${line} imports ${to}, whose home is ${PACKAGE_HOMES[to] ?? 'not in the list'}`,
      ),
    'a package has one home: see test/tidy/rules.ts',
  );
});

test('lines are at most 100 columns wide', () => {
  const isWide = (line: string): boolean =>
    line.length > COLUMNS_MAX && !/https?:\/\/\S+$|^import \{ \w+ \} from '.*';$/.test(line);
  assertNone(
    code
      .filter(({ path, lines }) => lines.filter(isWide).length > (WIDE_LINES[path] ?? 0))
      .flatMap(({ path, lines }) =>
        lines.flatMap((line, index) =>
          isWide(line) ? [`${path}:${index + 1}: ${line.length} columns`] : [],
        ),
      ),
    `at most ${COLUMNS_MAX} columns but for a link or a lone import, or what WIDE_LINES allows`,
  );
});

test('functions fit on a screen', () => {
  const long = code.flatMap((source) =>
    functionsOf(source)
      .filter(({ length }) => length > FUNCTION_LINES_MAX)
      .map((found) => ({ key: `${source.path} ${found.name}`, ...found, path: source.path })),
  );
  assertNone(
    long
      .filter(({ key, length }) => length > (LONG_FUNCTIONS[key] ?? 0))
      .map(({ path, line, length, name }) => `${path}:${line}: ${length} lines: ${name}`),
    `at most ${FUNCTION_LINES_MAX} lines, or what LONG_FUNCTIONS still allows`,
  );
  const stale = Object.keys(LONG_FUNCTIONS).filter((key) => !long.some((each) => each.key === key));
  assertNone(stale, 'these are short enough now: take them out of LONG_FUNCTIONS');
});

test('files hold one idea each', () => {
  const long = code.filter(({ lines }) => lines.length > SOURCE_LINES_MAX);
  assertNone(
    long
      .filter(({ path, lines }) => lines.length > (LONG_FILES[path] ?? 0))
      .map(({ path, lines }) => `${path}: ${lines.length} lines`),
    `at most ${SOURCE_LINES_MAX} lines, or what LONG_FILES still allows`,
  );
  const stale = Object.keys(LONG_FILES).filter((path) => !long.some((each) => each.path === path));
  assertNone(stale, 'these are short enough now: take them out of LONG_FILES');
  assertNone(
    paths
      .filter((path) => sizeBytes(path) > FILE_BYTES_MAX)
      .map((path) => `${path}: ${sizeBytes(path)} bytes`),
    `a file has at most ${FILE_BYTES_MAX} bytes`,
  );
  assertNone(
    paths.filter((path) => /[A-Z ]/.test(path.replace(/.*\//, '')) && /\.(?:ts|mjs)$/.test(path)),
    'sources are named in kebab-case',
  );
});

test('words mean what the glossary says', () => {
  const isAboutWords = (path: string): boolean =>
    path.startsWith('test/tidy') || path === 'docs/GLOSSARY.md';
  const texts = [...code, ...documents, ...pipelines, readSource('package.json')];
  const locks = [readSource('package-lock.json')];
  const banned = [
    ...texts.flatMap((source) => [
      ...(isAboutWords(source.path) ? [] : matches(source, BANNED_WORDS)),
      ...(source.path.startsWith('test/tidy/') ? [] : matches(source, MACHINE_PATHS)),
    ]),
    ...locks.flatMap((source) => matches(source, MACHINE_PATHS)),
  ];
  assertNone(banned, 'say it in the words of docs/GLOSSARY.md');
});

function matches(
  { path, lines }: { path: string; lines: readonly string[] },
  words: typeof BANNED_WORDS,
): string[] {
  return lines.flatMap((line, index) =>
    words.flatMap(({ pattern, instead }) => {
      const found = pattern.exec(line)?.[0].trim();
      return found === undefined ? [] : [`${path}:${index + 1}: "${found}": use ${instead}`];
    }),
  );
}
