/** `tidemark check`: the quality checks of a pipeline over what it has written. */

import type { Command } from 'commander';
import type { QualityReport } from '../quality/run-checks.ts';
import {
  action,
  note,
  type PipelineFlags,
  print,
  toJson,
  withExamples,
  withPipelineOptions,
} from './command.ts';
import { ExitCode } from './exit-code.ts';
import { paletteFor, terminalWidth } from './terminal/palette.ts';

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('check')
      .summary('run the quality checks over the outputs')
      .description(
        'Runs the checks of a pipeline over the files that its sinks have written. A check is a\n' +
          'query that returns the rows one does not want. Ends with 3 where a check of severity\n' +
          'error fails, or cannot be run.',
      )
      .argument('<file>', 'pipeline file'),
  );
  withExamples(command, [
    ['tidemark check bars.yaml', 'all checks'],
    ['tidemark check bars.yaml -s sinks.bars.path=other/bars', 'over files that lie elsewhere'],
    ['tidemark check bars.yaml --json', 'with the SQL and a few of the failing rows'],
  ]).action(
    action(async (file: string, flags: PipelineFlags) => {
      const { readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const { noteUnwritten, openDatasets } = await import('./datasets.ts');
      const { runChecks } = await import('../quality/run-checks.ts');
      const datasets = await openDatasets(read.plan);
      try {
        noteUnwritten(datasets, file);
        const report = await runChecks(datasets, read.plan.quality, { nowMs: Date.now() });
        await show(file, report, flags.json === true);
        return report.status === 'error' ? ExitCode.checkFailed : ExitCode.done;
      } finally {
        await datasets.close();
      }
    }),
  );
}

async function show(file: string, report: QualityReport, isJson: boolean): Promise<void> {
  if (isJson) {
    print(toJson(report));
    return;
  }
  if (report.checks.length === 0) {
    note(`${file} has no checks: add some under quality`);
    return;
  }
  const { checkCounts, renderChecks } = await import('./terminal/render-checks.ts');
  const { formatElapsed } = await import('./terminal/numbers.ts');
  const palette = paletteFor(process.stdout);
  const width = terminalWidth(process.stdout);
  const elapsed = palette.dim(`in ${formatElapsed(report.durationMs)}`);
  print(
    ...renderChecks(report, { width, palette, isDetailed: true }),
    '',
    `${checkCounts(report, palette)} ${elapsed}`,
  );
}
