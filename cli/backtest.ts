/** `tidemark backtest`: how well a pipeline finds what is known to have happened. */

import type { Command } from 'commander';
import {
  action,
  type PipelineFlags,
  withExamples,
  withPipelineOptions,
  withSlots,
} from './command.ts';
import { ExitCode } from './exit-code.ts';

/** Options of `backtest`. */
export interface BacktestFlags extends PipelineFlags {
  readonly labels: string;
  readonly labelColumns?: string;
  readonly labelTypes?: string;
  readonly tolerance: string;
  readonly sweep?: string;
  readonly html?: string;
  readonly slots?: number;
}

export function register(program: Command): void {
  const command = withSlots(
    withPipelineOptions(
      program
        .command('backtest')
        .summary('compare anomalies with labels')
        .description(
          'Runs the pipeline over its sources, with nothing written, and compares the\n' +
            'anomalies that its sinks would get with labels: precision, recall, F1 and how late\n' +
            'they come, by type, and alerts per symbol and day.\n\n' +
            'Labels are CSV: the key of the pipeline (or symbol), event_time or window_start\n' +
            'and window_end, and, where it matters, type. An anomaly is right where it overlaps\n' +
            'a label of its key, and of its type if the label has one.',
        )
        .argument('<file>', 'pipeline file'),
    ),
  )
    .requiredOption('--labels <csv>', 'what is known to have happened')
    .option('--label-columns <name=theirs,...>', 'what the file calls the columns of labels')
    .option('--label-types <theirs=type,...>', 'which type of anomaly a type of the file is')
    .option('--tolerance <duration>', 'by how much labels are made longer at both ends', '0s')
    .option('--sweep <path=from:to:step>', 'run once with each value, and compare them')
    .option('--html <path>', 'write a report with charts');
  withExamples(command, [
    ['tidemark backtest bars.yaml --labels labels.csv', 'scores by type'],
    [
      'tidemark backtest bars.yaml --labels labels.csv --tolerance 5m --html report.html',
      'with a report to look at',
    ],
    [
      'tidemark backtest bars.yaml --labels labels.csv --sweep threshold=2.5:5:0.5',
      'which threshold is best: of all steps that have one',
    ],
    [
      'tidemark backtest bars.yaml --labels labels.csv --sweep operators.spikes.threshold=3:6:1',
      'of one step',
    ],
    [
      'tidemark backtest bars.yaml --labels splits.csv --label-columns event_time=day,type=kind ' +
        '--label-types split=corporate_action',
      'labels that someone else has written',
    ],
  ]).action(
    action(async (file: string, flags: BacktestFlags) => {
      const { readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const { backtest, backtestRequest } = await import('./backtest/run-backtest.ts');
      const request = backtestRequest(file, read.plan, flags);
      if (typeof request === 'string') return command.error(`error: ${request}`);
      return backtest(request, flags);
    }),
  );
}
