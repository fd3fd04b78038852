/** Every folder of operators and connectors holds a declaration that is listed, and tests. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalog } from '../../catalog.ts';
import { filePaths, importsOf, readSource } from './source-tree.ts';

const paths = filePaths();

const isSupport = (path: string): boolean => /\.test\.ts$|\/testing\//.test(path);
const kebabCase = (name: string): string => name.replaceAll('_', '-');

test('every operator has its folder, declaration and test', () => {
  const declared = paths
    .filter((path) => /^operators\/[^/]+\/[^.]+\.ts$/.test(path))
    .filter((path) => / = define(?:Operator|Detector|KeyedDetector)\(/.test(readSource(path).text));
  assert.deepEqual(
    declared.sort(),
    catalog.operators
      .map(({ name }) => kebabCase(name))
      .map((name) => `operators/${name}/${name}.ts`)
      .sort(),
  );
  assert(declared.length > 3, `${declared.length} operators`);
  for (const path of declared) {
    const folder = path.slice(0, path.lastIndexOf('/') + 1);
    assert(
      paths.some((each) => each.startsWith(folder) && each.endsWith('.test.ts')),
      `${folder} has a test`,
    );
  }
});

test('every connector is listed, and has a test beside it', () => {
  const declaring = paths
    .filter((path) => path.startsWith('connectors/') && !isSupport(path))
    .filter((path) => /\bdefine(?:Source|Sink)\(/.test(readSource(path).text));
  const listed = importsOf(readSource('connectors/catalog.ts'))
    .filter(({ isTypeOnly }) => !isTypeOnly)
    .map(({ to }) => to);
  assert.deepEqual(declaring.sort(), listed.sort());
  assert(declaring.length > 3, `${declaring.length} connectors`);
  for (const path of declaring) {
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
