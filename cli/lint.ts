/** `tidemark lint`: everything that is wrong with pipeline files. */

import { type Command, Option } from 'commander';
import type { Lint } from '../config/lint.ts';
import { action, note, print, toJson, withExamples, withPipelineOptions } from './command.ts';
import type { PipelineFlags } from './command.ts';
import { ExitCode } from './exit-code.ts';

const FORMATS = ['text', 'json', 'github'] as const;

interface LintFlags extends PipelineFlags {
  readonly format: (typeof FORMATS)[number];
}

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('lint')
      .summary('find everything that is wrong with pipeline files')
      .description(
        'Finds everything that is wrong with pipeline files, without running them: each problem ' +
          'with its line, a caret and a way out. In folders it looks at pipelines, tests beside ' +
          'them, and the pipelines in yaml fences of Markdown pages.',
      )
      .argument('<path...>', 'files, folders and globs'),
  ).addOption(
    new Option('--format <format>', 'how problems are told').choices(FORMATS).default('text'),
  );
  withExamples(command, [
    ['tidemark lint pipeline.yaml', 'one file'],
    ['tidemark lint config docs', 'all pipelines of two folders'],
    ["tidemark lint 'config/**/*.yaml' --format github", 'annotations in a workflow'],
    ['tidemark lint pipeline.yaml -s operators.bars.size=1s', 'with another value'],
  ]).action(
    action(async (paths: readonly string[], flags: LintFlags) => {
      const { pipelineFiles } = await import('./pipeline-files.ts');
      const files = await pipelineFiles(paths);
      if (files.length === 0) {
        command.error(`error: there are no pipelines in ${paths.join(', ')}`);
      }
      const lints = await lintAll(files, flags);
      return tell(lints, files.length, flags);
    }),
  );
}

async function lintAll(files: readonly string[], flags: PipelineFlags): Promise<readonly Lint[]> {
  const [{ catalog }, { lintFile, lintMarkdown }, { lintTests }] = await Promise.all([
    import('../catalog.ts'),
    import('../config/lint.ts'),
    import('../config/test-file.ts'),
  ]);
  const options = { catalog, overrides: flags.set ?? [], envFiles: flags.envFile ?? [] };
  const lints: Lint[] = [];
  for (const file of files) {
    if (file.endsWith('.md')) {
      lints.push(...(await lintMarkdown(file, options)).flatMap((result) => result.lints));
    } else {
      const result = /\.test\.ya?ml$/.test(file)
        ? await lintTests(file, options)
        : await lintFile(file, options);
      lints.push(...result.lints);
    }
  }
  return lints;
}

async function tell(lints: readonly Lint[], files: number, flags: LintFlags): Promise<number> {
  const [{ countLints, renderGithub, renderLints }, { plural }, { paletteFor }] = await Promise.all(
    [
      import('../config/render-lints.ts'),
      import('./terminal/numbers.ts'),
      import('./terminal/palette.ts'),
    ],
  );
  const { errors, warnings } = countLints(lints);
  if (flags.json === true || flags.format === 'json') {
    print(toJson({ files, errors, warnings, lints }));
  } else if (lints.length > 0) {
    const isGithub = flags.format === 'github';
    print(isGithub ? renderGithub(lints) : renderLints(lints, paletteFor(process.stdout)));
  }
  const found =
    lints.length === 0
      ? 'no problems'
      : `${plural(errors, 'error')}, ${plural(warnings, 'warning')}`;
  note(`${plural(files, 'file')}: ${found}`);
  return errors > 0 ? ExitCode.failed : ExitCode.done;
}
