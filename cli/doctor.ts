/** `tidemark doctor`: is this machine fit to run pipelines, and if not, what is to be done? */

import type { Command } from 'commander';
import type { DoctorReport } from './doctor/report.ts';

export interface DoctorOptions {
  readonly json?: boolean;
}

export function register(program: Command): void {
  program
    .command('doctor')
    .summary('check versions, memory, disks and permissions of this machine')
    .description(
      'Looks at everything a pipeline needs of the machine it runs on, and says what to do about\n' +
        'what is missing. Exit code 1 where something that a pipeline needs does not work.',
    )
    .option('--json', 'print the report as JSON')
    .addHelpText(
      'after',
      `
Examples:
  $ tidemark doctor            what works here, and what does not
  $ tidemark doctor --json     the same, to go into a bug report
`,
    )
    .action(async (options: DoctorOptions) => {
      const { examine } = await import('./doctor/examine.ts');
      const { renderReport } = await import('./doctor/report.ts');
      const { paletteFor, terminalWidth } = await import('./terminal/palette.ts');
      const report: DoctorReport = await examine();
      const lines =
        options.json === true
          ? [JSON.stringify(report, null, 2)]
          : renderReport(report, {
              width: terminalWidth(process.stdout),
              palette: paletteFor(process.stdout),
            });
      process.stdout.write(`${lines.join('\n')}\n`);
      if (report.status === 'fail') process.exitCode = 1;
    });
}
