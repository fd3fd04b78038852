/** `tidemark query`: any SQL over what a pipeline has written. */

import { type Command, Option } from 'commander';
import { EngineError } from '../engine/contract/error.ts';
import type { Datasets } from '../quality/datasets.ts';
import type { QueryResult } from '../quality/query.ts';
import { literal, sqlName } from '../quality/sql.ts';
import {
  action,
  note,
  type PipelineFlags,
  wholeNumber,
  withExamples,
  withPipelineOptions,
} from './command.ts';
import { ExitCode } from './exit-code.ts';
import { paletteFor, terminalWidth } from './terminal/palette.ts';

interface QueryFlags extends PipelineFlags {
  readonly csv?: boolean;
  readonly limit?: number;
}

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('query')
      .summary('ask anything of the outputs, in SQL')
      .description(
        'Runs SQL (of DuckDB) over the files that the sinks of a pipeline have written. Each\n' +
          'sink is a view by its name, and so are the rejected rows of a source, such as\n' +
          'trades_rejected. Without SQL it tells what there is to ask. Times are UTC. In JSON a\n' +
          'whole number beyond 2^53 is a text, so that no reader loses its last digits.',
      )
      .argument('<file>', 'pipeline file')
      .argument('[sql]', 'SQL, or - to read it from stdin'),
  )
    .addOption(new Option('--csv', 'print CSV on stdout').conflicts('json'))
    .option(
      '--limit <rows>',
      'rows to show, 0 for all; by default all, and 40 in a table',
      wholeNumber(0),
    );
  withExamples(command, [
    ['tidemark query bars.yaml', 'the views and their columns'],
    ['tidemark query bars.yaml "select symbol, count(*) from bars group by all"', 'a table'],
    ['tidemark query bars.yaml "from anomalies" --csv > anomalies.csv', 'for a spreadsheet'],
    ['tidemark query bars.yaml - < report.sql', 'SQL from a file'],
  ]).action(
    action(async (file: string, sql: string | undefined, flags: QueryFlags) => {
      const { readPlan } = await import('./read-plan.ts');
      const read = await readPlan(file, flags);
      if (read === undefined) return ExitCode.invalidConfig;
      const { noteUnwritten, openDatasets } = await import('./datasets.ts');
      const text = sql === '-' ? await readStdin() : sql;
      const datasets = await openDatasets(read.plan);
      try {
        noteUnwritten(datasets, file);
        await answer(datasets, text, flags);
        return ExitCode.done;
      } catch (error) {
        throw asEngineError(error, datasets);
      } finally {
        await datasets.close();
      }
    }),
  );
}

async function answer(
  datasets: Datasets,
  sql: string | undefined,
  flags: QueryFlags,
): Promise<void> {
  const { runQuery } = await import('../quality/query.ts');
  for (const { name } of datasets.specs) {
    const problem = datasets.problem(name);
    if (problem !== undefined) note(`warning: ${name} cannot be read: ${problem}`);
  }
  await writeResult(await runQuery(datasets, sql ?? (await overviewSql(datasets))), flags);
}

async function writeResult(result: QueryResult, flags: QueryFlags): Promise<void> {
  const { writeBox, writeCsv, writeJson } = await import('./query-result.ts');
  // Resolves at the pace of the reader, so that a large result does not pile up here.
  const write = (text: string): Promise<void> =>
    new Promise((resolve) => void process.stdout.write(text, () => resolve()));
  if (flags.json === true) return writeJson(result, write, flags.limit);
  if (flags.csv === true) return writeCsv(result, write, flags.limit);
  const width = terminalWidth(process.stdout);
  return writeBox(result, write, { width, palette: paletteFor(process.stdout) }, flags.limit);
}

/** A query that answers with what there is to ask. */
async function overviewSql(datasets: Datasets): Promise<string> {
  const rows: string[] = [];
  for (const { name, format } of datasets.specs) {
    if (!datasets.has(name)) continue;
    const { files, bytes, rows: count } = await datasets.inventory(name);
    const columns = datasets.columns(name).map((column) => sqlName(column.name));
    const view = `${literal(sqlName(name))}, ${literal(format)}`;
    rows.push(
      `(${view}, ${files}, ${bytes}::BIGINT, ${count}::BIGINT, ${literal(columns.join(', '))})`,
    );
  }
  const head = `"view", format, files, bytes, "rows", columns`;
  return rows.length === 0
    ? `SELECT 'none' AS "view" WHERE false`
    : `SELECT * FROM (VALUES ${rows.join(', ')}) AS views(${head})`;
}

async function readStdin(): Promise<string> {
  const chunks: Buffer[] = [];
  for await (const chunk of process.stdin) chunks.push(chunk as Buffer);
  return Buffer.concat(chunks).toString('utf8');
}

function asEngineError(error: unknown, datasets: Datasets): unknown {
  if (!(error instanceof Error) || !('code' in error) || error.code !== 'quality/query-failed') {
    return error;
  }
  const views = datasets.specs.map(({ name }) => name).filter((name) => datasets.has(name));
  const isUnknown = error.message.startsWith('Catalog Error: Table with name');
  const help =
    isUnknown && views.length > 0 ? `\nthe views are ${views.map(sqlName).join(', ')}` : '';
  return new EngineError('quality/query-failed', `${error.message}${help}`, { cause: error });
}
