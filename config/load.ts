/**
 * A pipeline file to a document and the places of its values: YAML, then variables, then `-s`
 * options. What is wrong on the way is collected, never thrown; only a file that cannot be read is.
 */

import { readFile, stat } from 'node:fs/promises';
import { EngineError } from '../engine/contract/error.ts';
import type { Path, Problem } from '../engine/contract/problem.ts';
import { readEnvFile } from './env-file.ts';
import type { Environment } from './interpolate.ts';
import { type Lint, lintAt, lintOf } from './lint-of.ts';
import { applyOverrides } from './overrides.ts';
import { SourceText } from './source-text.ts';
import { type Mistake, type Place, readYaml } from './yaml-document.ts';

const FILE_BYTES_MAX = 16 << 20;

export interface LoadOptions {
  /** Default: the environment of the process. */
  readonly environment?: Environment;
  /** Files of KEY=VALUE lines; they win over the environment, later ones over earlier. */
  readonly envFiles?: readonly string[];
  /** `key.path=value`, applied in this order. */
  readonly overrides?: readonly string[];
}

export interface LoadedDocument {
  /** Plain data, after variables and options. */
  readonly document: unknown;
  readonly place: Place;
  /** What is wrong with the YAML, variables and options. */
  readonly lints: () => readonly Lint[];
  /** The document means nothing: only `lints` are worth telling. */
  readonly isBroken: boolean;
  /** Values with a variable that is not set: what else is wrong with them does not matter. */
  readonly unresolved: readonly Path[];
  /** Places a problem that was found in the document. */
  readonly lintOf: (problem: Problem) => Lint;
}

/** @throws {EngineError} config/unreadable */
export async function loadFile(path: string, options: LoadOptions = {}): Promise<LoadedDocument> {
  const envFiles = await Promise.all((options.envFiles ?? []).map(readText));
  return loadText(await readText(path), options, envFiles);
}

/** @param envFiles The env files of the options, read. */
export function loadText(
  source: SourceText,
  { environment = process.env, overrides = [] }: LoadOptions = {},
  envFiles: readonly SourceText[] = [],
): LoadedDocument {
  const mistakes: Mistake[] = [];
  let variables = environment;
  for (const file of envFiles) {
    const read = readEnvFile(file);
    mistakes.push(...read.mistakes);
    variables = { ...variables, ...read.values };
  }
  const yaml = readYaml(source, variables);
  const overridden = applyOverrides(yaml, yaml.isBroken ? [] : overrides);
  const isReplaced = ({ path }: Mistake): boolean =>
    path !== undefined && overridden.paths.some((other) => startsWith(path, other));
  mistakes.push(...yaml.mistakes.filter((each) => !isReplaced(each)), ...overridden.mistakes);
  const { value, place } = overridden;
  return {
    document: value,
    place,
    lints: () => mistakes.map(lintAt),
    isBroken: yaml.isBroken,
    unresolved: mistakes.flatMap(({ path }) => (path === undefined ? [] : [path])),
    lintOf: (problem) => lintOf(problem, place),
  };
}

export function startsWith(path: Path, prefix: Path): boolean {
  return prefix.every((segment, index) => String(path[index]) === String(segment));
}

/** @throws {EngineError} config/unreadable */
export async function readText(path: string): Promise<SourceText> {
  try {
    const { size } = await stat(path);
    if (size > FILE_BYTES_MAX) {
      throw new RangeError(`it has ${size} bytes, expected at most ${FILE_BYTES_MAX}`);
    }
    const text = await readFile(path, 'utf8');
    if (text.includes('\0')) throw new TypeError('it is not a text file, but holds bytes of zero');
    return new SourceText(path, text.replace(/^\uFEFF/, ''));
  } catch (cause) {
    throw unreadable(path, cause);
  }
}

/** What the file system says of a file or folder, as an error that names it. */
export function unreadable(path: string, cause: unknown): EngineError {
  const named = path === '' ? 'a file without a name' : path;
  return new EngineError('config/unreadable', `cannot read ${named}: ${reasonOf(cause)}`, {
    cause,
  });
}

function reasonOf(cause: unknown): string {
  const { code, message } = cause as NodeJS.ErrnoException;
  if (code === 'ENOENT') return 'there is no such file';
  if (code === 'EISDIR') return 'it is a folder';
  if (code === 'EACCES') return 'permission denied';
  return message;
}
