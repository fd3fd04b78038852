#!/usr/bin/env node
/** `tidemark`: runs a command and turns what went wrong into a message and an exit code. */

import { CommanderError } from 'commander';
import { encodeError, ERROR_CODES, type ErrorData } from '../engine/contract/error.ts';
import { note, print, toJson } from './command.ts';
import { ExitCode } from './exit-code.ts';
import { makeProgram } from './program.ts';
import { paletteFor } from './terminal/palette.ts';
import { renderError } from './terminal/render-error.ts';

// Whoever reads our output may have seen enough, as `head` has: that is no failure.
process.stdout.on('error', (error: NodeJS.ErrnoException) => {
  if (error.code === 'EPIPE') process.exit(ExitCode.done);
  throw error;
});

try {
  const program = makeProgram();
  if (process.argv.length <= 2) {
    program.outputHelp({ error: true });
    process.exitCode = ExitCode.usage;
  } else {
    await program.parseAsync();
  }
} catch (error) {
  process.exitCode =
    error instanceof CommanderError
      ? // Help and version end a command as well; everything else was wrong usage.
        error.exitCode === 0
        ? ExitCode.done
        : ExitCode.usage
      : tell(error);
}

function tell(error: unknown): number {
  const data = encodeError(error);
  note(...renderError(data, paletteFor(process.stderr)));
  if (ERROR_CODES[data.code].fault === 'internal') {
    note('This is a fault of tidemark. Please report it with the lines below.', data.stack ?? '');
  }
  if (process.argv.includes('--json')) print(toJson({ error: withoutStack(data) }));
  return data.code === 'config/invalid' ? ExitCode.invalidConfig : ExitCode.failed;
}

function withoutStack({ code, message }: ErrorData): Pick<ErrorData, 'code' | 'message'> {
  return { code, message };
}
