/**
 * `npm run bench:report [-- NAME…] [--draw] [--repetitions N] [--data DIR]`
 *
 * Runs all benchmarks, or the named ones, into bench/results/report.json, where those that are not
 * named keep their figures, and writes docs/benchmarks.md with its charts from it; with `--draw` it
 * writes the page only.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import { projectFolder } from './harness/machine.ts';
import { readResults } from './harness/results.ts';
import { drawPage } from './report/page.ts';
import { PAGE, readWhereWeLose, RESULTS } from './report/paths.ts';

const RUN = fileURLToPath(new URL('./run.js', import.meta.url));

/** Nothing was run: the page stays as it is. */
const WRONG_USAGE = 2;

function main(): number {
  const { values, positionals } = parseArgs({
    allowPositionals: true,
    options: {
      draw: { type: 'boolean', default: false },
      repetitions: { type: 'string' },
      data: { type: 'string' },
    },
  });
  let code = 0;
  if (!values.draw) {
    mkdirSync(join(RESULTS, '..'), { recursive: true });
    const flags = (['repetitions', 'data'] as const).flatMap((name) =>
      values[name] === undefined ? [] : [`--${name}`, values[name]],
    );
    const run = [RUN, ...positionals, '--json', RESULTS, ...flags];
    code = spawnSync(process.execPath, run, { stdio: 'inherit' }).status ?? 1;
    if (code === WRONG_USAGE) return code;
  }
  if (!existsSync(RESULTS)) {
    process.stderr.write(`there are no results in ${RESULTS} yet: run it without --draw\n`);
    return 1;
  }
  const { markdown, charts } = drawPage(readResults(RESULTS), readWhereWeLose());
  const folder = join(projectFolder(), 'docs', 'benchmarks');
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(folder)) if (name.endsWith('.svg')) rmSync(join(folder, name));
  for (const { file, svg } of charts) writeFileSync(join(folder, file), svg);
  writeFileSync(PAGE, markdown);
  process.stdout.write(`\n${PAGE} and ${charts.length} charts\n`);
  // What failed is not on the page, or with the figures of an earlier run.
  return code;
}

process.exitCode = main();
