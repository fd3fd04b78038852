/** The rows to publish: a source of a pipeline file, or a data file with a few options. */

import { createHash } from 'node:crypto';
import { basename, resolve } from 'node:path';
import { file as fileSource } from '../../connectors/file/file-source.ts';
import type { PublishRequest } from '../../connectors/nats/publish-source.ts';
import { z } from '../../engine/contract/fields.ts';
import type { Problem } from '../../engine/contract/problem.ts';
import type { SourcePlan } from '../../engine/plan/pipeline-plan.ts';
import { note } from '../command.ts';
import { ExitCode } from '../exit-code.ts';
import type { PublishFlags } from './publish-file.ts';

export interface FoundRows {
  readonly source: PublishRequest['source'];
  /** Names the rows in the ids of messages. */
  readonly publisher: string;
}

export type NoRows = { readonly exitCode: ExitCode };

const BATCH_ROWS = 16_384;

export async function findRows(path: string, flags: PublishFlags): Promise<FoundRows | NoRows> {
  return /\.ya?ml$/i.test(path) ? ofPipeline(path, flags) : ofDataFile(path, flags);
}

async function ofPipeline(path: string, flags: PublishFlags): Promise<FoundRows | NoRows> {
  if (flags.columns !== undefined) return wrongUsage('--columns is for data files');
  const { readPlan } = await import('../read-plan.ts');
  const read = await readPlan(path, flags);
  if (read === undefined) return { exitCode: ExitCode.invalidConfig };
  const { sources } = read.plan;
  const names = sources.map(({ name }) => name).join(', ');
  const chosen = sources.filter(({ name }) => flags.source === undefined || name === flags.source);
  const [plan, ...others] = chosen;
  if (plan === undefined)
    return wrongUsage(`${path} has no source ${flags.source}; it has ${names}`);
  if (others.length > 0)
    return wrongUsage(`${path} has several sources: name one with --source: ${names}`);
  if (plan.type === 'nats') {
    return wrongUsage(`source ${plan.name} of ${path} reads a stream, which cannot be replayed`);
  }
  const { catalog } = await import('../../catalog.ts');
  const definition = catalog.sources.find(({ name }) => name === plan.type)!;
  const { config, schema, name, batchRows } = plan;
  const publisher = publisherOf(name, identityOf(plan));
  return { source: { definition, config, schema, name, batchRows }, publisher };
}

async function ofDataFile(path: string, flags: PublishFlags): Promise<FoundRows | NoRows> {
  if (flags.columns === undefined) {
    return wrongUsage(
      'a data file needs --columns, such as --columns symbol,event_time=ts,price,size',
    );
  }
  const columns = Object.fromEntries(
    flags.columns.map((each) => {
      const [name, ...from] = each.split('=');
      return [name!, from.length === 0 ? name! : from.join('=')];
    }),
  );
  const name = flags.source ?? basename(path);
  const config = z.object(fileSource.fields).parse({ path, columns });
  const problems: Problem[] = [];
  const schema = fileSource.plan(config, flags.key, (problem) => problems.push(problem));
  if (problems.length > 0) {
    for (const { message, help } of problems) {
      note(`cannot read ${path}: ${message}${help === undefined ? '' : ` (${help})`}`);
    }
    return { exitCode: ExitCode.usage };
  }
  const definition = fileSource;
  const publisher =
    flags.source === undefined ? publisherOf(name, resolve(path)) : idOf(flags.source);
  return { source: { definition, config, schema, name, batchRows: BATCH_ROWS }, publisher };
}

/** What chooses the rows of a source: others of the same name are counted apart from them. */
function identityOf({ type, config }: SourcePlan): string {
  if (type === 'file') return resolve(String(config['path']));
  // Neither of these changes what rows there are.
  const { speed: _speed, labels: _labels, ...chosen } = config;
  return JSON.stringify([type, chosen]);
}

/** A name and, since many sources are called `trades`, what tells it from others of that name. */
function publisherOf(name: string, identity: string): string {
  return `${idOf(name)}-${createHash('sha256').update(identity).digest('hex').slice(0, 8)}`;
}

/** A name as a part of ids, which have their own punctuation. */
function idOf(name: string): string {
  return name.replace(/[\s:]/g, '_');
}

function wrongUsage(message: string): NoRows {
  note(`error: ${message}`, '(tidemark publish --help tells more)');
  return { exitCode: ExitCode.usage };
}
