/** `tidemark create`: a pipeline to start from. */

import type { Command } from 'commander';
import { action, note, print, toJson, withExamples, withJson } from './command.ts';
import { ExitCode } from './exit-code.ts';
import { paletteFor } from './terminal/palette.ts';

export function register(program: Command): void {
  const command = withJson(
    program
      .command('create')
      .summary('print a small pipeline to start from')
      .description(
        'Prints the smallest pipeline of a source, some operators and a sink, made of the ' +
          'examples of their declarations. Without an argument it tells what there is to ' +
          'choose from.',
      )
      .argument('[chain]', 'SOURCE/OPERATOR/.../SINK'),
  );
  withExamples(command, [
    [
      'tidemark create generator/tumbling_window/ndjson',
      'from a generated market to bars as JSON lines',
    ],
    [
      'tidemark create file/tumbling_window/rolling/threshold/parquet > p.yaml',
      'anomalies of files',
    ],
  ]).action(
    action(async (chain: string | undefined, { json = false }: { readonly json?: boolean }) => {
      const [{ createPipeline, pipelineYaml, UnknownTypesError }, { catalog }] = await Promise.all([
        import('../config/create-pipeline.ts'),
        import('../catalog.ts'),
      ]);
      if (chain === undefined) {
        const choices = {
          sources: catalog.sources.map(({ name }) => name),
          operators: catalog.operators.map(({ name }) => name),
          sinks: catalog.sinks.map(({ name }) => name),
        };
        if (json) print(toJson(choices));
        else print(...choiceLines(choices));
        return ExitCode.done;
      }
      try {
        const { document, problems } = createPipeline(chain.split('/'), catalog);
        print(json ? toJson(document) : pipelineYaml(document).trimEnd());
        for (const { path, message } of problems) note(`${path.join('.')}: ${message}`);
        return ExitCode.done;
      } catch (error) {
        if (!(error instanceof UnknownTypesError)) throw error;
        return command.error(`error: ${error.message}`);
      }
    }),
  );
}

function choiceLines(choices: Readonly<Record<string, readonly string[]>>): readonly string[] {
  const { bold } = paletteFor(process.stdout);
  const lines = Object.entries(choices).map(([kind, names]) => {
    return `${bold(kind.padEnd(10))} ${names.join(', ')}`;
  });
  return [...lines, '', 'tidemark create SOURCE/OPERATOR/.../SINK prints a pipeline of them'];
}
