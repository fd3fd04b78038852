/**
 * What the commands share. A command is one file that exports `register(program)`: options and help
 * at once, everything else imported when it runs, so that `--help` does not wait for the engine.
 */

import { type Command, InvalidArgumentError } from 'commander';
import { paletteFor } from './terminal/palette.ts';

/** Options of every command that reads a pipeline file. */
export interface PipelineFlags {
  readonly set?: readonly string[];
  readonly envFile?: readonly string[];
  readonly json?: boolean;
}

function collect(value: string, previous: readonly string[] = []): readonly string[] {
  return [...previous, value];
}

function collectSetting(value: string, previous?: readonly string[]): readonly string[] {
  const equals = value.indexOf('=');
  if (equals <= 0) throw new InvalidArgumentError('Expected path=value.');
  const path = value.slice(0, equals).trim();
  if (path.split('.').includes('')) {
    throw new InvalidArgumentError(`Expected names between the dots, got ${path}.`);
  }
  return collect(value, previous);
}

/** Adds -s, -e and --json. */
export function withPipelineOptions(command: Command): Command {
  return withJson(
    command
      .option('-s, --set <path=value>', 'set a value of the file, as in -s a.b.c=3', collectSetting)
      .option('-e, --env-file <file>', 'read variables from a file of KEY=VALUE', collect),
  );
}

export function withSlots(command: Command): Command {
  return command.option(
    '--slots <n>',
    'worker threads for the operators; by default one a core',
    wholeNumber(1),
  );
}

export function withJson(command: Command): Command {
  return command.option('--json', 'print JSON on stdout');
}

export type Example = readonly [command: string, comment: string];

/** Adds examples to the help of a command. */
export function withExamples(command: Command, examples: readonly Example[]): Command {
  return command.addHelpText('after', () => `\n${examplesText(examples)}`);
}

export function examplesText(examples: readonly Example[]): string {
  const { bold, dim } = paletteFor(process.stdout);
  const lines = examples.map(([line, comment]) => `  ${dim(`# ${comment}`)}\n  ${line}`);
  return `${bold('Examples:')}\n${lines.join('\n')}`;
}

/** Reads a whole number of at least `minimum` from an option. */
export function wholeNumber(minimum: number): (value: string) => number {
  return (value) => {
    const number = Number(value);
    if (/^\d+$/.test(value) && Number.isSafeInteger(number) && number >= minimum) return number;
    throw new InvalidArgumentError(`Expected a whole number of at least ${minimum}.`);
  };
}

/** The action of a command: what it returns becomes the exit code of the process. */
export function action<A extends unknown[]>(
  perform: (...values: A) => Promise<number>,
): (...values: A) => Promise<void> {
  return async (...values) => {
    process.exitCode = await perform(...values);
  };
}

/** Writes lines of data to stdout. */
export function print(...lines: readonly string[]): void {
  process.stdout.write(lines.map((line) => `${line}\n`).join(''));
}

/** Writes lines of everything else to stderr. */
export function note(...lines: readonly string[]): void {
  process.stderr.write(lines.map((line) => `${line}\n`).join(''));
}

/** JSON in which 64-bit integers are texts, because numbers of JSON lose their last digits. */
export function toJson(value: unknown): string {
  return JSON.stringify(
    value,
    (_key, item: unknown) => (typeof item === 'bigint' ? item.toString() : item),
    2,
  );
}
