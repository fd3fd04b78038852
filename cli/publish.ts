/** `tidemark publish`: the rows of a source into a partitioned stream. */

import { type Command, InvalidArgumentError, Option } from 'commander';
import { byteCount } from '../engine/contract/fields.ts';
import { parseDuration } from '../engine/contract/time.ts';
import { action, wholeNumber, withExamples, withPipelineOptions } from './command.ts';
import type { PublishFlags } from './publish/publish-file.ts';

export function register(program: Command): void {
  const command = withPipelineOptions(
    program
      .command('publish')
      .summary('replay files or a generated market into a NATS stream')
      .description(
        'Reads a source of a pipeline (files, or a generated market), or a data file, and\n' +
          'publishes its rows to a JetStream stream, which is made where there is none. Rows\n' +
          'are dealt out over the partitions of the stream by their key, on subjects\n' +
          '<prefix>.<partition>.<symbol>. Publishing the same again stores nothing twice: what\n' +
          'the stream holds of these rows already is passed over.',
      )
      .argument('<file>', 'pipeline file, or data file (csv, ndjson, parquet, arrow)')
      .requiredOption('--stream <name>', 'the stream')
      .option('--to <url>', 'server; by default NATS_URL, if set, or else nats://localhost:4222'),
  );
  addStreamOptions(addRowOptions(command));
  addAccessOptions(command);
  withExamples(command, [
    [
      'tidemark publish config/pipelines/demo.yaml --stream TRADES --speed 60x',
      'a generated day of trades, at sixty times real time',
    ],
    ['tidemark publish us-equities.yaml --stream TRADES', 'the source of a pipeline, flat out'],
    [
      'tidemark publish ticks.csv.gz --columns symbol,event_time=ts,price,size --stream TRADES',
      'a data file',
    ],
    ['tidemark publish bars.yaml --source trades --format json --stream TICKS', 'a row a message'],
  ]).action(
    action(async (file: string, flags: PublishFlags) => {
      const { publishFile } = await import('./publish/publish-file.ts');
      return publishFile(file, flags);
    }),
  );
}

function addRowOptions(command: Command): Command {
  return command
    .option(
      '--source <name>',
      'source of the pipeline to replay; for a data file the name of its rows in the ids of ' +
        'messages, by default its own name',
    )
    .option('--columns <list>', 'columns of a data file, as in symbol,event_time=ts,price', list)
    .option('--key <column>', 'key column of a data file', 'symbol')
    .option('--speed <speed>', 'max, or a multiple of real time such as 10x', speed)
    .addOption(
      new Option('--format <format>', 'format of the messages')
        .choices(['arrow', 'json', 'msgpack'])
        .default('arrow'),
    )
    .option(
      '--rows-per-message <n>',
      'rows of a partition in one message; by default 4096 (arrow) or 1 (json, msgpack)',
      wholeNumber(1),
    );
}

function addStreamOptions(command: Command): Command {
  return command
    .option('--subject-prefix <prefix>', 'first tokens of subjects; by default the stream in small')
    .option('--partitions <n>', 'partitions of a new stream; by default 16', wholeNumber(1))
    .option('--max-age <duration>', 'how long a new stream keeps messages', duration, '7d')
    .option('--max-bytes <size>', 'how much a new stream keeps', size, '4GiB')
    .option(
      '--duplicate-window <duration>',
      'how long the server of a new stream knows the ids of messages',
      duration,
      '10m',
    )
    .option('--replicas <n>', 'servers that keep a new stream', wholeNumber(1))
    .option('--timeout <duration>', 'how long to try before giving up', duration, '60s')
    .option('-q, --quiet', 'no live progress');
}

function addAccessOptions(command: Command): Command {
  return command
    .option('--user <name>', 'user; the password is read from the variable NATS_PASSWORD')
    .option('--nkey <file>', 'file with the seed of an NKey')
    .option('--credentials <file>', 'credentials file')
    .option('--tls-ca <file>', 'certificates to trust; speaks TLS only')
    .option('--tls-cert <file>', 'certificate of this client')
    .option('--tls-key <file>', 'its key');
}

function list(value: string): readonly string[] {
  const names = value.split(',').map((name) => name.trim());
  if (names.every((name) => /^[A-Za-z_]\w*(?:=.+)?$/.test(name))) return names;
  throw new InvalidArgumentError('Expected columns such as symbol,event_time=ts,price.');
}

function speed(value: string): string {
  if (/^(?:max|(?!0+(?:\.0+)?x)\d+(?:\.\d+)?x)$/.test(value)) return value;
  throw new InvalidArgumentError('Expected max or a multiple such as 10x.');
}

function duration(value: string): string {
  if (parseDuration(value) !== undefined) return value;
  throw new InvalidArgumentError('Expected a duration such as 10m or 7d.');
}

function size(value: string): string {
  try {
    byteCount(value);
    return value;
  } catch {
    throw new InvalidArgumentError('Expected a size such as 512MiB or 4GiB.');
  }
}
