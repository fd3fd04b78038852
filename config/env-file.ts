/** Env files: `KEY=VALUE` lines, comments after #, values in quotes where they need them. */

import type { Mistake } from './yaml-document.ts';
import type { SourceText } from './source-text.ts';

const LINE = /^\s*(?:export\s+)?([A-Za-z_][A-Za-z0-9_]*)\s*=\s*(.*?)\s*$/;
const DOUBLE_QUOTED = /^"((?:[^"\\]|\\.)*)"\s*(?:#.*)?$/;
const SINGLE_QUOTED = /^'([^']*)'\s*(?:#.*)?$/;
const ESCAPES: Readonly<Record<string, string>> = { n: '\n', r: '\r', t: '\t' };

export interface EnvFile {
  readonly values: Readonly<Record<string, string>>;
  readonly mistakes: readonly Mistake[];
}

export function readEnvFile(source: SourceText): EnvFile {
  const values: Record<string, string> = {};
  const mistakes: Mistake[] = [];
  let start = 0;
  for (const line of source.text.split('\n')) {
    const given = line.replace(/\r$/, '');
    if (!/^\s*(?:#|$)/.test(given)) {
      const read = readLine(given);
      if (typeof read === 'string') {
        const indent = given.length - given.trimStart().length;
        const range = { start: start + indent, end: start + given.length };
        mistakes.push({ source, range, code: 'config/env-file', message: read });
      } else {
        values[read.name] = read.value;
      }
    }
    start += line.length + 1;
  }
  return { values, mistakes };
}

/** The variable, or what is wrong. */
function readLine(line: string): { readonly name: string; readonly value: string } | string {
  const match = LINE.exec(line);
  if (match === null) {
    return line.includes('=')
      ? 'expected a name of letters, digits and _ before the ='
      : 'expected KEY=VALUE';
  }
  const [, name, given] = match as unknown as [string, string, string];
  const double = DOUBLE_QUOTED.exec(given);
  if (double !== null) {
    return { name, value: double[1]!.replace(/\\(.)/gs, (_all, c: string) => ESCAPES[c] ?? c) };
  }
  const single = SINGLE_QUOTED.exec(given);
  if (single !== null) return { name, value: single[1]! };
  if (/^["']/.test(given)) {
    const isClosed = given.indexOf(given[0]!, 1) > 0;
    return `${name}: expected ${isClosed ? 'nothing after the' : 'a'} closing quote`;
  }
  return { name, value: given.replace(/(?:^|\s+)#.*$/, '') };
}
