/** `tidemark doctor`: is this machine fit to run pipelines, and if not, what is to be done? */

import type { Command } from 'commander';
import { action, print, toJson, withExamples, withJson } from './command.ts';
import { ExitCode } from './exit-code.ts';
import { paletteFor, terminalWidth } from './terminal/palette.ts';

export function register(program: Command): void {
  const command = withJson(
    program
      .command('doctor')
      .summary('check versions, memory, disks and permissions')
      .description(
        'Looks at everything a pipeline needs of the machine it runs on, and says what to do\n' +
          'about what is missing. Ends with 1 where something that pipelines need does not work.',
      )
      .option('--nats <url>', 'a NATS server that has to answer; by default NATS_URL, if set'),
  );
  withExamples(command, [
    ['tidemark doctor', 'what works here, and what does not'],
    ['tidemark doctor --nats nats://n1:4222', 'does this server answer, and with JetStream?'],
    ['tidemark doctor --json', 'the same, to go into a report of a fault'],
  ]).action(
    action(async (flags: { readonly json?: boolean; readonly nats?: string }) => {
      const { examine } = await import('./doctor/examine.ts');
      const report = await examine({
        environment: process.env,
        folder: process.cwd(),
        nats: flags.nats,
      });
      if (flags.json === true) {
        print(toJson(report));
      } else {
        const { renderReport } = await import('./doctor/report.ts');
        const width = terminalWidth(process.stdout);
        print(...renderReport(report, { width, palette: paletteFor(process.stdout) }));
      }
      return report.status === 'fail' ? ExitCode.failed : ExitCode.done;
    }),
  );
}
