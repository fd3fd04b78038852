/** The program: its commands, its help, and how wrong usage is told. */

import { readFileSync } from 'node:fs';
import { Command } from 'commander';
import { examplesText } from './command.ts';
import { register as registerBacktest } from './backtest.ts';
import { register as registerCheck } from './check.ts';
import { register as registerCheckpoints } from './checkpoints.ts';
import { register as registerCompact } from './compact.ts';
import { register as registerCreate } from './create.ts';
import { register as registerDemo } from './demo.ts';
import { register as registerDoctor } from './doctor.ts';
import { EXIT_CODE_MEANINGS } from './exit-code.ts';
import { register as registerExplain } from './explain.ts';
import { register as registerExplainWindow } from './explain-window.ts';
import { register as registerLint } from './lint.ts';
import { register as registerList } from './list.ts';
import { register as registerPublish } from './publish.ts';
import { register as registerQuery } from './query.ts';
import { register as registerRun } from './run.ts';
import { register as registerSchema } from './schema.ts';
import { paletteFor } from './terminal/palette.ts';
import { register as registerTest } from './test.ts';
import { register as registerTrain } from './train.ts';

const GROUPS = {
  run: 'Run:',
  write: 'Write pipelines:',
  results: 'Look at results:',
  other: 'Other:',
};

const COMMANDS = [
  [GROUPS.run, registerRun],
  [GROUPS.run, registerTrain],
  [GROUPS.run, registerDemo],
  [GROUPS.run, registerPublish],
  [GROUPS.write, registerLint],
  [GROUPS.write, registerExplain],
  [GROUPS.write, registerTest],
  [GROUPS.write, registerCreate],
  [GROUPS.write, registerList],
  [GROUPS.write, registerSchema],
  [GROUPS.results, registerCheck],
  [GROUPS.results, registerQuery],
  [GROUPS.results, registerBacktest],
  [GROUPS.results, registerExplainWindow],
  [GROUPS.other, registerCheckpoints],
  [GROUPS.other, registerCompact],
  [GROUPS.other, registerDoctor],
] as const;

/** @returns The program with all its commands; errors of usage are thrown, not exited on. */
export function makeProgram(): Command {
  const { bold } = paletteFor(process.stdout);
  const program = new Command('tidemark')
    .description(
      'Stream processing for market data: ticks in, bars and anomalies out, from one YAML file.',
    )
    .version(version(), '-V, --version', 'print the version')
    .helpOption('-h, --help', 'show help')
    .commandsGroup(GROUPS.other)
    .helpCommand('help [command]', 'show help for a command')
    .showHelpAfterError('(tidemark --help lists the commands)')
    .configureHelp({ styleTitle: bold })
    .exitOverride()
    .addHelpText('after', () => `\n${exitCodesText()}\n\n${examplesText(EXAMPLES)}\n\n${NPX}`);
  for (const [group, register] of COMMANDS) {
    register(program);
    const command = program.commands[program.commands.length - 1]!;
    command.helpGroup(group).showHelpAfterError(`(tidemark ${command.name()} --help tells more)`);
    command.exitOverride().configureHelp({ styleTitle: bold });
    // Where its lines end is for the terminal to say, not for the source.
    command.description(command.description().replace(/(?<!\n)\n(?!\n)/g, ' '));
  }
  return program;
}

const EXAMPLES = [
  ['tidemark demo', 'a generated market, from ticks to a quality report'],
  ['tidemark create file/tumbling_window/parquet > bars.yaml', 'a pipeline to start from'],
  ['tidemark lint bars.yaml', 'everything that is wrong with it, at once'],
  ['tidemark run bars.yaml', 'run it'],
] as const;

const NPX = 'Installed by npm in a folder, it is called there as `npx tidemark`.';

function exitCodesText(): string {
  const { bold } = paletteFor(process.stdout);
  const lines = EXIT_CODE_MEANINGS.map(
    ([code, meaning]) => `  ${String(code).padEnd(4)} ${meaning}`,
  );
  return `${bold('Exit codes:')}\n${lines.join('\n')}`;
}

function version(): string {
  const text = readFileSync(new URL('../../package.json', import.meta.url), 'utf8');
  return (JSON.parse(text) as { version: string }).version;
}
