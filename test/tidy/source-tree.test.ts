import assert from 'node:assert/strict';
import { test } from 'node:test';
import { functionsOf, importsOf, type SourceFile } from './source-tree.ts';

function source(text: string): SourceFile {
  return { path: 'engine/plan/sample.ts', text, lines: text.split('\n') };
}

test('imports of every spelling are seen', () => {
  const found = importsOf(
    source(`
/** import { nothing } from './comment.ts' */
import assert from 'node:assert/strict';
import type { A } from '../contract/a.ts';
import { type B, c } from "./double-quotes-are-not-ours.ts";
import {
  d,
  e,
} from '@scope/package/sub/path';
import './side-effect.ts';
export * from 'package';
export type { F } from './f.ts';
const lazy = await import('../runtime/lazy.ts');
type G = import('../contract/g.ts').G;
const text = "from './a-string.ts'";
`),
  );
  assert.deepEqual(
    found.map(({ line, to, isTypeOnly }) => `${line} ${to}${isTypeOnly ? ' type' : ''}`),
    [
      '3 node:assert/strict',
      '4 engine/contract/a.ts type',
      '6 @scope/package',
      '10 engine/plan/side-effect.ts',
      '11 package',
      '12 engine/plan/f.ts type',
      '13 engine/runtime/lazy.ts',
      '14 engine/contract/g.ts type',
    ],
  );
});

test('functions of every spelling are measured', () => {
  const found = functionsOf(
    source(`
function plain(a: number): number {
  if (a > 0) {
    return a;
  } else {
    return -a;
  }
}
export const arrow = async (): Promise<void> => {
  for (const each of []) {
    void each;
  }
};
class Sample {
  method(
    first: string,
    second: string,
  ): string {
    return first + second;
  }
  static #own<T>(value: T): T {
    return value;
  }
}
test('a name', () => {
  assert(true);
});
describe('a suite', () => {
  plain(1);
});
`),
  );
  assert.deepEqual(
    found.map(({ name, line, length }) => `${line} ${length} ${name}`),
    [
      '2 7 function plain(a: number): number {',
      '9 5 export const arrow = async (): Promise<void> => {',
      '15 6 method(',
      '21 3 static #own<T>(value: T): T {',
      "25 3 test('a name', () => {",
    ],
  );
});
