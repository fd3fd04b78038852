/** Where benchmarks keep what they make: data that is worth keeping between runs, and outputs. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export function benchFolder(): string {
  const folder = join(tmpdir(), 'tidemark-bench');
  mkdirSync(folder, { recursive: true });
  return folder;
}

/** A folder that is removed afterwards. */
export async function withFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = mkdtempSync(join(benchFolder(), 'run-'));
  try {
    return await use(folder);
  } finally {
    rmSync(folder, { recursive: true });
  }
}
