/** Sinks of lines: newline-delimited JSON and comma-separated values, to a file or a stream. */

import { defineSink, type SinkDefinition } from '../../engine/contract/connector.ts';
import { choice, type Fields, path } from '../../engine/contract/fields.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { escapeGlob } from '../staging/part-files.ts';
import { csvFormat } from './csv-format.ts';
import { ndjsonFormat } from './ndjson-format.ts';
import { commitText, discardText, openTarget, STDOUT } from './target-file.ts';
import { type LineFormat, TextSinkWriter } from './text-sink-writer.ts';

function fieldsOf(examplePath: string) {
  return {
    path: path({
      doc: 'The file, or `-` for stdout. It is created when there is a first row.',
      examples: [examplePath, '-'],
    }),
    if_exists: choice(['replace', 'append', 'fail'], {
      doc:
        'What happens to a file of that name: replaced at the first commit (removed where there ' +
        'are no rows), continued (where it has the same header), or an error at the start.',
    }).default('replace'),
  } satisfies Fields;
}

interface TextKind {
  readonly name: 'ndjson' | 'csv';
  readonly summary: string;
  readonly format: (schema: Schema) => LineFormat;
  readonly examplePath: string;
}

function textSink({ name, summary, format, examplePath }: TextKind): SinkDefinition {
  return defineSink({
    name,
    since: '0.1.0',
    stability: 'beta',
    summary,
    guarantees: {
      order: 'Rows keep the order in which they reached the sink.',
      delivery:
        'Exactly once to a file, which grows at each commit. At least once to stdout, a device ' +
        'or a pipe: rows are out as soon as they are written, and those behind the last ' +
        'checkpoint come again after a crash.',
      backPressure: 'A batch is taken when the one before it is written.',
    },
    fields: fieldsOf(examplePath),
    constraints: [],
    examples: [
      { title: 'To a file', config: { path: examplePath } },
      { title: 'To another program', config: { path: STDOUT } },
    ],
    plan: () => undefined,
    takesBack: true,
    open: async (config, { sink, schema, resume }) => {
      const lines = format(schema);
      const target = openTarget(sink, config.path, {
        ifExists: config.if_exists,
        isResumed: resume !== undefined,
        header: lines.header,
      });
      return new TextSinkWriter(target, lines);
    },
    commit: async (_config, committables, { sink }) => commitText(sink, committables),
    discard: async (_config, committables) => discardText(committables),
    dataset: ({ path: file }, { schema: { columns } }) =>
      file === STDOUT
        ? undefined
        : { format: name, glob: escapeGlob(file), file, columns, partitions: [] },
  });
}

export const csv = textSink({
  name: 'csv',
  summary: 'Writes rows as comma-separated values with a header.',
  format: csvFormat,
  examplePath: 'out/anomalies.csv',
});

export const ndjson = textSink({
  name: 'ndjson',
  summary: 'Writes each row as a JSON object on a line of its own.',
  format: ndjsonFormat,
  examplePath: 'out/anomalies.ndjson',
});
