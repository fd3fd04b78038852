/** Every folder of operators and connectors holds a declaration that is listed, and tests. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalog } from '../../catalog.ts';
import { filePaths, readSource } from './source-tree.ts';

const paths = filePaths();

const kebabCase = (name: string): string => name.replaceAll('_', '-');

test('every operator has its folder, declaration and test', () => {
  const folders = foldersOf('operators');
  assert.deepEqual(folders, catalog.operators.map(({ name }) => kebabCase(name)).sort());
  assert(folders.length > 3, `${folders.length} operators`);
  for (const folder of folders) {
    const own = paths.filter((path) => path.startsWith(`operators/${folder}/`));
    assert(
      own.some((path) => /\bdefineOperator\(/.test(readSource(path).text)),
      `operators/${folder} declares an operator`,
    );
    assert(
      own.some((path) => path.endsWith('.test.ts') || path.endsWith('.oracle.ts')),
      `operators/${folder} has a test beside it`,
    );
  }
});

test('every connector is declared below connectors, in the list, and has a test beside it', () => {
  const names = [...catalog.sources, ...catalog.sinks].map(({ name }) => name);
  const declarations = paths
    .filter((path) => path.startsWith('connectors/') && !path.endsWith('.test.ts'))
    .filter((path) => /\bdefine(?:Source|Sink)\(/.test(readSource(path).text));
  const declared = declarations.flatMap((path) =>
    [...readSource(path).text.matchAll(/\bdefine(?:Source|Sink)\(\{\s*name: '(\w+)'/g)].map(
      (match) => match[1]!,
    ),
  );
  assert.deepEqual(declared.sort(), names.toSorted());
  assert(declared.length > 4, `${declared.length} connectors`);
  for (const path of declarations) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    assert(
      paths.some((each) => each.startsWith(folder) && each.endsWith('.test.ts')),
      `${folder} has a test`,
    );
  }
});

test('the lists are in alphabetical order', () => {
  for (const list of [catalog.operators, catalog.sources, catalog.sinks]) {
    const names = list.map(({ name }) => name);
    assert.deepEqual(names, names.toSorted());
  }
});

function foldersOf(parent: string): string[] {
  const below = paths.flatMap((path) => {
    const parts = path.split('/');
    return parts[0] === parent && parts.length > 2 ? [parts[1]!] : [];
  });
  return [...new Set(below)].sort();
}
