/** The policy of package.json: exact versions, nothing runs on installing, doors exist. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { PACKAGE_HOMES } from './rules.ts';
import { filePaths, readSource } from './source-tree.ts';

interface Manifest {
  readonly type: string;
  readonly license: string;
  readonly engines: { readonly node: string };
  readonly bin: Readonly<Record<string, string>>;
  readonly exports: Readonly<Record<string, string | Readonly<Record<string, string>>>>;
  readonly files: readonly string[];
  readonly scripts: Readonly<Record<string, string>>;
  readonly dependencies: Readonly<Record<string, string>>;
  readonly devDependencies: Readonly<Record<string, string>>;
  readonly overrides?: unknown;
}

interface Lock {
  readonly packages: Readonly<
    Record<string, { version?: string; hasInstallScript?: boolean; license?: string }>
  >;
}

const manifest = JSON.parse(readSource('package.json').text) as Manifest;
const lock = JSON.parse(readSource('package-lock.json').text) as Lock;
const all = { ...manifest.dependencies, ...manifest.devDependencies };
/** Tools that are run and never imported. */
const TOOLS = ['@biomejs/biome', '@types/node', 'knip', 'oxlint', 'oxlint-tsgolint', 'typescript'];

test('versions are exact and those of the lock', () => {
  assert(Object.keys(all).length > 15);
  for (const [name, version] of Object.entries(all)) {
    assert.match(version, /^\d+\.\d+\.\d+(?:-[\w.]+)?$/, `${name} ${version}`);
    assert.equal(lock.packages[`node_modules/${name}`]?.version, version, `${name} in the lock`);
  }
});

test('every dependency has a home, and the other way round', () => {
  const expected = [...Object.keys(PACKAGE_HOMES), ...TOOLS].sort();
  assert.deepEqual(Object.keys(all).sort(), expected);
  for (const name of Object.keys(manifest.dependencies)) {
    assert.doesNotMatch(PACKAGE_HOMES[name] ?? '', /^(?:bench|scripts|test|engine\/testing)/, name);
  }
});

test('installing runs nothing', () => {
  for (const name of ['preinstall', 'install', 'postinstall', 'prepare', 'prepublish']) {
    assert(!(name in manifest.scripts), `scripts.${name}`);
  }
  const scripted = Object.entries(lock.packages).filter(([, each]) => each.hasInstallScript);
  // An optional accelerator of msgpackr, which works as well without it.
  assert.deepEqual(
    scripted.map(([path]) => path),
    ['node_modules/msgpackr-extract'],
  );
});

test('it is an ES module for Node 20 whose doors exist', () => {
  assert.equal(manifest.type, 'module');
  assert.equal(manifest.license, 'Apache-2.0');
  assert.match(manifest.engines.node, /^>=20\.\d+/);
  const sources = filePaths();
  const doors = [
    ...Object.values(manifest.bin),
    ...Object.values(manifest.exports).flatMap((door) =>
      typeof door === 'string' ? [door] : Object.values(door),
    ),
  ];
  assert(doors.length >= 5);
  for (const door of doors) {
    const source = door.replace('./dist/', './').replace(/\.d\.ts$|\.js$/, '.ts');
    assert(sources.includes(source.slice(2)), `${door}: no ${source}`);
  }
  for (const [name, door] of Object.entries(manifest.exports)) {
    if (typeof door !== 'string')
      assert.equal(Object.keys(door)[0], 'types', `${name}: types first`);
  }
  assert(manifest.files.includes('dist'));
});

test('the second command of the README is the one that CI runs', () => {
  const commands = readSource('.ci/run')
    .lines.map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
  assert.deepEqual(commands, [
    'set -euo pipefail',
    'cd "$(dirname "$0")/.."',
    'npm install && npm test',
  ]);
  const readme = readSource('README.md').text;
  assert.match(readme, /^npm install && npm run demo$/m);
  assert.match(readme, /^npm install && npm test$/m);
});
