/**
 * Real trades from csv.gz files (three days, four symbols) to Parquet: bars of five minutes, their
 * z-scores, anomalies. Each contender is a process of its own; a gzip file can be read by one
 * thread only, so that all read the files side by side.
 */

import { readdirSync, rmSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { type Benchmark, type BenchOptions, type Contender, measure } from './harness/benchmark.ts';
import { withFolder } from './harness/bench-folder.ts';
import { realDataFolder } from './harness/real-data.ts';
import { type ProcessRun, runProcess } from './harness/run-process.ts';
import {
  EQUITY_BARS,
  EQUITY_FILES,
  EQUITY_SETTINGS,
  equitiesRelation,
} from './workloads/equities.ts';
import { assertWritten, duckdbProcess } from './workloads/w1-contenders.ts';
import { anomaliesSql, queryRows, scoresSql, withDuckDB } from './workloads/w1-duckdb.ts';
import { W1_PIPELINE } from './workloads/w1-engine.ts';

const CLI = new URL('../cli/main.js', import.meta.url);

export const benchmark: Benchmark = {
  name: 'equities',
  question: 'How fast do real trades go from csv.gz to bars and anomalies in Parquet?',
  async run(options) {
    const folder = realDataFolder(options, 'us-equities', [EQUITY_FILES]);
    if (folder === undefined) return;
    const files = readdirSync(folder).filter((name) => EQUITY_FILES.test(name));
    const used = options.quick ? files.slice(0, 1) : files;
    const glob = options.quick ? join(folder, used[0]!) : join(folder, 'trades-*.csv.gz');
    const bytes = used.reduce((sum, name) => sum + statSync(join(folder, name)).size, 0);
    options.report.note(`${used.length} files, ${(bytes / 1e6).toFixed(1)} MB`);
    await withFolder((output) => compare(options, glob, output));
  },
};

async function compare(options: BenchOptions, glob: string, folder: string): Promise<void> {
  const { report, repetitions } = options;
  await withDuckDB(2, async (connection) => {
    const trades = equitiesRelation(glob);
    const scores = scoresSql('tuned', trades, EQUITY_BARS);
    await connection.run(`create table scores as ${scores}`);
    await connection.run(`create table anomalies as ${anomaliesSql('scores')}`);
    const [row] = await queryRows(connection, `select count(*) as rows from ${trades}`);
    const duckdb = (form: 'idiomatic' | 'tuned'): Contender<ProcessRun> => ({
      ...duckdbProcess(`duckdb ${form}, 2 threads`, form, { input: glob, folder, alone: false }),
      check: () =>
        assertWritten(options, connection, `duckdb ${form}`, folder, [
          'scores.parquet',
          'anomalies.parquet',
        ]),
    });
    const contenders = [
      tidemark(glob, folder, () =>
        assertWritten(options, connection, 'tidemark run', folder, [
          'own/scores/**/*.parquet',
          'own/anomalies/**/*.parquet',
        ]),
      ),
      duckdb('idiomatic'),
      duckdb('tuned'),
    ];
    const amount = Number(row!['rows']);
    const measured = await measure(report, contenders, { repetitions, amount, unit: 'trades' });
    const [own, idiomatic, tuned] = measured;
    report.against('csv.gz, tidemark run to DuckDB idiomatic', own!, idiomatic!);
    report.against('csv.gz, tidemark run to DuckDB tuned', own!, tuned!);
  });
}

function tidemark(glob: string, folder: string, check: () => Promise<void>): Contender<ProcessRun> {
  const output = join(folder, 'own');
  const settings = EQUITY_SETTINGS.flatMap((each) => ['-s', each]);
  return {
    name: 'tidemark run',
    prepare: () => rmSync(output, { recursive: true, force: true }),
    run: () =>
      runProcess(CLI, ['run', W1_PIPELINE, ...settings], {
        environment: { TRADES: glob, OUTPUT: output },
        directory: folder,
      }),
    usage: ({ seconds, cpuSeconds, peakBytes }) => ({ seconds, cpuSeconds, peakBytes }),
    check,
  };
}
