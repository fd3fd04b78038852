/** `tidemark test`: given rows, expected rows, declared beside the pipeline. */

import type { Command } from 'commander';
import { action, note, print, toJson, withExamples, withPipelineOptions } from './command.ts';
import type { PipelineFlags } from './command.ts';
import { ExitCode } from './exit-code.ts';
import type { CaseResult, FileResult } from './run-tests.ts';
import { plural } from './terminal/numbers.ts';
import { paletteFor } from './terminal/palette.ts';

interface TestFlags extends PipelineFlags {
  readonly filter?: string;
}

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('test')
      .summary('run the test cases of pipelines')
      .description(
        'Runs the test cases of pipelines: given rows of the sources, expected rows of the ' +
          'steps. They stand under `tests:` of the pipeline file, or beside it in NAME.test.yaml.',
      )
      .argument('<path...>', 'pipelines, test files, folders and globs'),
  ).option('--filter <text>', 'run only the cases whose name has this in it');
  withExamples(command, [
    ['tidemark test config/pipelines', 'all cases of a folder'],
    ['tidemark test bars.yaml --filter late', 'some cases of one pipeline'],
  ]).action(
    action(async (paths: readonly string[], flags: TestFlags) => {
      const [{ pipelineFiles, withTestFiles }, { runTestFile }] = await Promise.all([
        import('./pipeline-files.ts'),
        import('./run-tests.ts'),
      ]);
      const files = await withTestFiles(await pipelineFiles(paths));
      const options = { overrides: flags.set ?? [], envFiles: flags.envFile ?? [] };
      const results: FileResult[] = [];
      for (const file of files) {
        const result = await runTestFile(file, options, flags.filter);
        if (flags.json !== true) await tell(result);
        results.push(result);
      }
      return summarize(results, flags);
    }),
  );
}

/** Tells the cases of a file as soon as they have run; a file without cases is not worth a line. */
async function tell({ file, lints, cases }: FileResult): Promise<void> {
  const errors = lints.filter(({ severity }) => severity === 'error');
  if (errors.length === 0 && cases.length === 0) return;
  const { bold } = paletteFor(process.stdout);
  print(bold(file));
  if (errors.length > 0) {
    const { renderLints } = await import('../config/render-lints.ts');
    print(renderLints(errors, paletteFor(process.stdout)));
  }
  for (const result of cases) print(...caseLines(result));
}

function caseLines({ name, status, elapsedMs, differences, error }: CaseResult): string[] {
  const { dim, green, red } = paletteFor(process.stdout);
  const mark = status === 'passed' ? green('ok  ') : red('FAIL');
  const lines = [`  ${mark} ${name} ${dim(`(${elapsedMs.toFixed(1)} ms)`)}`];
  if (error !== undefined) lines.push(`       ${error}`);
  for (const { output, difference } of differences) {
    lines.push(...`${output}: ${difference}`.split('\n').map((line) => `       ${line}`));
  }
  return lines;
}

function summarize(results: readonly FileResult[], flags: TestFlags): number {
  const cases = results.flatMap((result) => result.cases);
  const lints = results.flatMap((result) => result.lints);
  const failed = cases.filter(({ status }) => status === 'failed').length;
  const errors = lints.filter(({ severity }) => severity === 'error').length;
  const passed = cases.length - failed;
  if (flags.json === true) print(toJson({ passed, failed, cases, lints }));
  const problems = errors === 0 ? '' : `, ${plural(errors, 'problem')} in files`;
  if (cases.length + errors === 0) {
    note(noCases(flags));
    return ExitCode.failed;
  }
  note(`${passed} passed, ${failed} failed${problems}`);
  return failed + errors === 0 ? ExitCode.done : ExitCode.failed;
}

/** Nothing was tested, and that must not look like a pass. */
function noCases({ filter }: TestFlags): string {
  return filter === undefined
    ? 'there are no test cases: write some under tests: of the pipeline, or in NAME.test.yaml'
    : `there is no test case with ${JSON.stringify(filter)} in its name`;
}
