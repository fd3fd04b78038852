/** The pipeline files that paths of the command line mean: files, folders and globs. */

import { readdir, readFile, stat } from 'node:fs/promises';
import { join, relative } from 'node:path';
import { unreadable } from '../config/load.ts';
import { EngineError } from '../engine/contract/error.ts';

const SKIPPED = new Set(['node_modules', 'dist']);
const FILES_MAX = 10_000;

/**
 * A file is taken whatever it is called; of a folder or glob those that hold a pipeline or tests,
 * or a Markdown page with a pipeline in it. In the order of the paths, each file once.
 * @throws {EngineError} config/unreadable where a path that is no glob does not exist.
 */
export async function pipelineFiles(paths: readonly string[]): Promise<readonly string[]> {
  const found = new Set<string>();
  for (const path of paths) {
    const kind = await stat(path).catch(() => undefined);
    if (kind?.isDirectory() === true) {
      for (const file of await walk(path)) if (await isPipeline(file)) found.add(file);
    } else if (kind !== undefined) {
      found.add(path);
    } else if (/[*?{[]/.test(path)) {
      for (const file of await expand(path)) if (await isPipeline(file)) found.add(file);
    } else {
      throw unreadable(path, { code: 'ENOENT' });
    }
  }
  return [...found];
}

async function walk(folder: string): Promise<string[]> {
  const files: string[] = [];
  const entries = await readdir(folder, { withFileTypes: true }).catch((cause: unknown) => {
    throw unreadable(folder, cause);
  });
  for (const entry of entries.sort((a, b) => (a.name < b.name ? -1 : 1))) {
    if (entry.name.startsWith('.') || SKIPPED.has(entry.name)) continue;
    const path = join(folder, entry.name);
    if (entry.isDirectory()) files.push(...(await walk(path)));
    else if (entry.isFile()) files.push(path);
    if (files.length > FILES_MAX) {
      throw new EngineError('config/unreadable', `${folder} holds more than ${FILES_MAX} files`);
    }
  }
  return files;
}

async function expand(glob: string): Promise<string[]> {
  const parts = glob.split('/');
  const first = parts.findIndex((part) => /[*?{[]/.test(part));
  const root = parts.slice(0, first).join('/') || (glob.startsWith('/') ? '/' : '.');
  const matches = globPattern(parts.slice(first).join('/'));
  const files = await walk(root).catch(() => []);
  return files.filter((file) => matches.test(relative(root, file)));
}

/** `*`, `**`, `?`, `[a-z]` and `{a,b}`; a name that begins with a dot is never looked at. */
export function globPattern(glob: string): RegExp {
  const source = glob.replace(
    /\*\*\/|\*\*|\*|\?|\[[^\]]+\]|\{[^}]+\}|[.+^$()|\\{}[\]]/g,
    (part) => {
      if (part === '**/') return '(?:.*/)?';
      if (part === '**') return '.*';
      if (part === '*') return '[^/]*';
      if (part === '?') return '[^/]';
      if (part.startsWith('[') && part.length > 1) return part.replace('[!', '[^');
      if (part.startsWith('{') && part.length > 1) {
        const choices = part.slice(1, -1).split(',');
        return `(?:${choices.map((choice) => globPattern(choice).source.slice(1, -1)).join('|')})`;
      }
      return `\\${part}`;
    },
  );
  try {
    return new RegExp(`^${source}$`);
  } catch {
    // Such as `[z-a]`, which matches nothing.
    return /(?!)/;
  }
}

/** Whether a YAML file or Markdown page has something of a pipeline in it. */
async function isPipeline(file: string): Promise<boolean> {
  if (/\.test\.ya?ml$/.test(file)) return true;
  if (!/\.(?:ya?ml|md)$/.test(file)) return false;
  const text = await readFile(file, 'utf8').catch((cause: unknown) => {
    throw unreadable(file, cause);
  });
  if (file.endsWith('.md'))
    return /^[ \t]*```[ \t]*ya?ml\b/m.test(text) && /^\s*sources:/m.test(text);
  return /^["']?(?:sources|sinks)["']?\s*:/m.test(text);
}

/** The files, and after each pipeline the test file beside it. */
export async function withTestFiles(files: readonly string[]): Promise<readonly string[]> {
  const all = new Set<string>();
  for (const file of files) {
    if (/\.ya?ml$/.test(file)) all.add(file);
    for (const ending of ['.test.yaml', '.test.yml']) {
      const beside = file.replace(/(?<!\.test)\.ya?ml$/, ending);
      if (beside !== file && (await stat(beside).catch(() => undefined))?.isFile() === true) {
        all.add(beside);
      }
    }
  }
  return [...all];
}
