/**
 * Signs of life between processes that cannot see each other, as in two containers: whoever writes
 * a file touches it every few seconds.
 */

import { statSync, utimes } from 'node:fs';

const TOUCH_MS = 2_000;
/** A file of another place that nobody has touched for so long is left over. */
const FRESH_MS = 12_000;

export function isFresh(path: string): boolean {
  const time = statSync(path, { throwIfNoEntry: false })?.mtimeMs;
  return time !== undefined && Date.now() - time < FRESH_MS;
}

const touched = new Set<string>();
let toucher: NodeJS.Timeout | undefined;

/** Touches a file as long as this process lives and the file has this name. */
export function keepFresh(path: string): void {
  touched.add(path);
  toucher ??= setInterval(() => {
    const now = new Date();
    for (const each of touched) utimes(each, now, now, (error) => error && touched.delete(each));
  }, TOUCH_MS).unref();
}
