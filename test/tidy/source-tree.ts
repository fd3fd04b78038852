/**
 * The files of the project and what they import, read as text: the formatter makes the text regular
 * enough for lines and indentation to be exact, so no parser is needed.
 */

import { readdirSync, readFileSync, statSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Tests run in dist/test/tidy; the sources lie three folders up. */
export const root = fileURLToPath(new URL('../../../', import.meta.url));

const SKIPPED_FOLDERS = new Set(['.git', 'node_modules', 'dist', 'out', 'coverage', 'state']);

export interface SourceFile {
  /** From the root of the project, with slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
}

export interface Import {
  readonly from: string;
  /** 1-based. */
  readonly line: number;
  /** A path from the root for our own files, a package name (without subpath), or `node:…`. */
  readonly to: string;
  readonly isOwn: boolean;
  readonly isTypeOnly: boolean;
}

/** Every file below the folder, except what is built, installed or written by a run. */
export function filePaths(folder = ''): string[] {
  return readdirSync(root + folder, { withFileTypes: true }).flatMap((entry) => {
    const path = folder + entry.name;
    if (entry.isDirectory()) {
      return SKIPPED_FOLDERS.has(entry.name) ? [] : filePaths(`${path}/`);
    }
    return entry.isFile() ? [path] : [];
  });
}

export function sizeBytes(path: string): number {
  return statSync(root + path).size;
}

export function readSource(path: string): SourceFile {
  const text = readFileSync(root + path, 'utf8');
  return { path, text, lines: text.split('\n') };
}

const STATEMENT = /^(?:import|export)\s+(type\s)?(?:[^;'"]*?\sfrom\s+)?'([^']+)'/gm;
const CALL = /\bimport\('(\.[^']+|[\w@][^']*)'\)(\.\w+)?/g;

export function importsOf({ path, text }: SourceFile): Import[] {
  const found: Import[] = [];
  const add = (index: number, specifier: string, isTypeOnly: boolean): void => {
    found.push({
      from: path,
      line: text.slice(0, index).split('\n').length,
      ...resolve(path, specifier),
      isTypeOnly,
    });
  };
  for (const match of text.matchAll(STATEMENT)) {
    add(match.index, match[2]!, match[1] !== undefined);
  }
  // With a name behind it, and without await, it stands for a type.
  for (const match of text.matchAll(CALL)) {
    add(match.index, match[1]!, match[2] !== undefined && match[2] !== '.then');
  }
  return found;
}

function resolve(path: string, specifier: string): { to: string; isOwn: boolean } {
  if (specifier.startsWith('.')) {
    return { to: new URL(specifier, `file:///${path}`).pathname.slice(1), isOwn: true };
  }
  if (specifier.startsWith('node:')) return { to: specifier, isOwn: false };
  const parts = specifier.split('/');
  return { to: parts.slice(0, specifier.startsWith('@') ? 2 : 1).join('/'), isOwn: false };
}

export interface FunctionLines {
  readonly name: string;
  /** 1-based. */
  readonly line: number;
  readonly length: number;
}

const CONTROL =
  /^(?:\}?\s*(?:if|else|for|while|switch|do|try|catch|finally|return)|describe|suite)\b/;
/** Ends a line whose block is the body of a function, method or arrow function. */
const BODY_BEGINS = /(?:=>|\)(?:: [^=]+)?) \{$/;

/** Functions with a body of several lines, from head to closing brace. */
export function functionsOf({ lines }: SourceFile): FunctionLines[] {
  return lines.flatMap((line, index) => {
    if (!BODY_BEGINS.test(line)) return [];
    const indent = indentOf(line);
    // Parameters on lines of their own: the head began where the indentation was last the same.
    let start = index;
    if (line.startsWith(`${indent})`) || line.startsWith(`${indent}}`)) {
      start--;
      while (start > 0 && indentOf(lines[start]!) !== indent) start--;
    }
    const head = lines[start]!.trim();
    if (CONTROL.test(head)) return [];
    let end = index + 1;
    while (end < lines.length && !lines[end]!.startsWith(`${indent}}`)) end++;
    return [{ name: head, line: start + 1, length: end - start + 1 }];
  });
}

function indentOf(line: string): string {
  return /^\s*/.exec(line)![0];
}
