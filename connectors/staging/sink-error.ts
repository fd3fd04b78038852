/** Failures of the file system as a sink reports them: which sink, which path, what went wrong. */

import { getSystemErrorMap } from 'node:util';
import { EngineError } from '../../engine/contract/error.ts';

const FULL: ReadonlySet<string> = new Set(['ENOSPC', 'EDQUOT']);

/**
 * An error of the file system as an EngineError: `sink/disk-full` where space has run out, and
 * `sink/unwritable` otherwise.
 * @param attempt What was tried, with its path: `write out/bars/part.parquet.inprogress`.
 */
export function sinkError(sink: string, attempt: string, cause: unknown): EngineError {
  if (cause instanceof EngineError) return cause;
  const { code, errno, message } = cause as NodeJS.ErrnoException;
  const words = errno === undefined ? undefined : getSystemErrorMap().get(errno)?.[1];
  const reason = words === undefined ? (message ?? String(cause)) : `${words} (${code})`;
  return new EngineError(
    FULL.has(code ?? '') ? 'sink/disk-full' : 'sink/unwritable',
    `sink "${sink}": cannot ${attempt}: ${reason}`,
    { cause },
  );
}

export function isMissing(error: unknown): boolean {
  const { code } = error as NodeJS.ErrnoException;
  return code === 'ENOENT';
}
