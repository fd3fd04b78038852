/** Which files a path or glob names, and how much there is to read. */

import { stat } from 'node:fs/promises';
import { isAbsolute, resolve } from 'node:path';
import type { SourceSplit } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { unreadable } from '../formats/decoder.ts';
import type { FileConfig } from './file-fields.ts';
import { formatOf } from './file-fields.ts';

export interface SourceFile {
  readonly path: string;
  readonly bytes: number;
  /** Can only be read once. */
  readonly isPipe: boolean;
}

/**
 * Bytes of Parquet that are worth a reader of their own: starting one takes a tenth of a second.
 */
const LANE_BYTES = 16 << 20;

const GLOB_CHARACTERS = /[*?[\]{}()!]/;

/** The folder in which the search for a glob starts, and what is searched for in it. */
function searchOf(pattern: string): { readonly folder: string; readonly name: string } {
  const parts = pattern.split('/');
  const glob = parts.findIndex((part) => GLOB_CHARACTERS.test(part));
  const first = glob < 0 ? parts.length - 1 : glob;
  const folder = parts.slice(0, first).join('/') || (pattern.startsWith('/') ? '/' : '.');
  return { folder: resolve(folder), name: parts.slice(first).join('/') };
}

async function isThere(path: string): Promise<'file' | 'folder' | 'nothing'> {
  try {
    return (await stat(path)).isDirectory() ? 'folder' : 'file';
  } catch (error) {
    const { code } = error as NodeJS.ErrnoException;
    if (code === 'ENOENT' || code === 'ENOTDIR') return 'nothing';
    throw unreadable(path, error);
  }
}

async function matches(pattern: string): Promise<string[]> {
  // Loaded on demand: threads that only read files do without.
  const { glob } = await import('tinyglobby');
  return glob(pattern, {
    expandDirectories: false,
    onlyFiles: true,
    absolute: isAbsolute(pattern),
  });
}

/** Paths in the order of their names. What is the name of a file is no glob. */
export async function findPaths(pattern: string): Promise<string[]> {
  const found = await isThere(pattern);
  if (found === 'file') return [pattern];
  if (found === 'folder') {
    throw new EngineError(
      'source/unreadable',
      `cannot read ${pattern}: it is a folder, expected a file or a glob such as ${pattern}/*`,
    );
  }
  const paths = GLOB_CHARACTERS.test(pattern) ? await matches(pattern) : [];
  if (paths.length > 0) return paths.sort();
  const { folder, name } = searchOf(pattern);
  const isFolder = (await isThere(folder)) === 'folder';
  const where = isFolder ? ` in ${folder}` : `: there is no folder ${folder}`;
  throw new EngineError('source/not-found', `no file matches ${name}${where}`);
}

/** All files as one split. */
export async function findSplits(config: FileConfig): Promise<readonly SourceSplit[]> {
  const files: SourceFile[] = [];
  for (const path of await findPaths(config.path)) {
    try {
      const stats = await stat(path);
      files.push({ path, bytes: stats.size, isPipe: !stats.isFile() });
    } catch (error) {
      throw unreadable(path, error);
    }
  }
  const totalBytes = files.reduce((sum, file) => sum + file.bytes, 0);
  const lanesMax = formatOf(config) === 'parquet' ? 1 + Math.floor(totalBytes / LANE_BYTES) : 1;
  const paths = files.map(({ path }) => path);
  const size = files.some(({ isPipe }) => isPipe) ? {} : { totalBytes };
  return [{ id: config.path, lanesMax, ...size, files: paths, details: { files } }];
}
