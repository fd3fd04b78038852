/** Where the report comes from and goes to. */

import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { projectFolder } from '../harness/machine.ts';

export const RESULTS = join(projectFolder(), 'bench', 'results', 'report.json');
export const PAGE = join(projectFolder(), 'docs', 'benchmarks.md');

/** What a person has written, without its title. */
export function readWhereWeLose(): string {
  const path = join(projectFolder(), 'bench', 'report', 'where-we-lose.md');
  return readFileSync(path, 'utf8').replace(/^# .*\n/, '');
}
