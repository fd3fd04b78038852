/** `tidemark schema`: the JSON Schema of a pipeline file, for editors. */

import type { Command } from 'commander';
import { action, print, toJson, withExamples, withJson } from './command.ts';
import { ExitCode } from './exit-code.ts';

export function register(program: Command): void {
  const command = withJson(
    program
      .command('schema')
      .summary('print the JSON Schema of a pipeline file')
      .description(
        'Prints the JSON Schema of a pipeline file, with which an editor completes and ' +
          'checks it.\n\n' +
          'Name it in the first line of the file: # yaml-language-server: $schema=FILE',
      ),
  );
  withExamples(command, [
    ['tidemark schema > pipeline.schema.json', 'keep it beside the pipelines'],
  ]).action(
    action(async () => {
      const [{ pipelineJsonSchema }, { catalog }] = await Promise.all([
        import('../config/json-schema.ts'),
        import('../catalog.ts'),
      ]);
      print(toJson(pipelineJsonSchema(catalog)));
      return ExitCode.done;
    }),
  );
}
