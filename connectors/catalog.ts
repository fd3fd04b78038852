/** Every connector that ships with the engine, in alphabetical order. */

import type { SinkDefinition, SourceDefinition } from '../engine/contract/connector.ts';
import { blackhole } from './blackhole/blackhole-sink.ts';
import { file } from './file/file-source.ts';
import { generator } from './generator/generator-source.ts';
import { natsSink } from './nats/nats-sink.ts';
import { nats } from './nats/nats-source.ts';
import { parquet } from './parquet/parquet-sink.ts';
import { csv, ndjson } from './text/text-sinks.ts';

export const sources: readonly SourceDefinition[] = [file, generator, nats];

export const sinks: readonly SinkDefinition[] = [blackhole, csv, natsSink, ndjson, parquet];
