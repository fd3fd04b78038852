/** Real data that benchmarks cannot make: where they lie, if they are here at all. */

import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import type { BenchOptions } from './benchmark.ts';

/**
 * The folder in which all of the names are: a part of the folder of real data, or that itself.
 * Notes what is missing and returns undefined where there is none.
 *
 * @param part Folder within the folder of real data, such as `us-equities`.
 * @param needs What has to be there, as names or patterns of names.
 */
export function realDataFolder(
  { data, report }: BenchOptions,
  part: string,
  needs: readonly RegExp[],
): string | undefined {
  if (data === undefined) {
    report.note(`left out: needs real data, given as --data DIR, with ${part}/ or its files in it`);
    return undefined;
  }
  for (const folder of [join(data, part), data]) {
    const names = namesIn(folder);
    if (needs.every((need) => names.some((name) => need.test(name)))) return folder;
  }
  report.note(`left out: neither ${data} nor ${part}/ in it has ${needs.join(', ')}`);
  return undefined;
}

function namesIn(folder: string): readonly string[] {
  try {
    return readdirSync(folder);
  } catch {
    return [];
  }
}
