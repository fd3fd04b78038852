/** The stream of a sink: found or made, and good enough for exactly-once. */

import { randomUUID } from 'node:crypto';
import { type JetStreamManager, type StreamConfig } from '@nats-io/jetstream';
import type { SinkContext } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { byteCount } from '../../engine/contract/fields.ts';
import { durationNs } from '../../engine/contract/time.ts';
import type { NatsSinkConfig } from './sink-fields.ts';
import { factsOf, readFacts, type StreamFacts } from './stream-facts.ts';
import { findOrAddStream } from './stream-setup.ts';
import { subjectFilter } from './subject-template.ts';
import { subjectsOverlap } from './subjects.ts';

/** Clocks, restarts and elections, beside what is known. */
const MARGIN_MS = 30_000;
const NS_OF_MS = 1_000_000n;

export interface SinkStream {
  readonly facts: StreamFacts;
  readonly duplicateWindowMs: number;
}

/** Looks at the stream, and makes it where the sink may; refuses one that does not fit. */
export async function sinkStream(
  manager: JetStreamManager,
  config: NatsSinkConfig,
  context: SinkContext,
): Promise<SinkStream> {
  const who = `sink "${context.sink}"`;
  const subject = subjectFilter(config.subject);
  if (config.create) {
    const { facts, config: granted } = await findOrAddStream(
      manager,
      {
        name: config.stream,
        subjects: [subject],
        description: `tidemark sink sid=${randomUUID()}`,
        maxAgeNs: durationNs(config.max_age),
        maxBytes: byteCount(config.max_bytes),
        duplicateWindowNs: durationNs(config.duplicate_window),
        replicas: config.replicas,
      },
      who,
    );
    return checked(facts, granted, config, context);
  }
  await readFacts(manager, config.stream, who);
  const info = await manager.streams.info(config.stream);
  return checked(factsOf(info), info.config, config, context);
}

function checked(
  facts: StreamFacts,
  { duplicate_window: windowNs }: Pick<StreamConfig, 'duplicate_window'>,
  config: NatsSinkConfig,
  context: SinkContext,
): SinkStream {
  const who = `sink "${context.sink}"`;
  const subject = subjectFilter(config.subject);
  if (!facts.subjects.some((each) => subjectsOverlap(each, subject))) {
    throw new EngineError(
      'nats/no-subject',
      `${who}: stream ${facts.name} does not take ${subject}: it takes ` +
        facts.subjects.join(', '),
    );
  }
  const duplicateWindowMs = windowNs / Number(NS_OF_MS);
  const problem = windowProblem(duplicateWindowMs, {
    intervalMs: context.checkpointMs,
    connectMs: Number(durationNs(config.connect_timeout) / NS_OF_MS),
  });
  if (problem === undefined) return { facts, duplicateWindowMs };
  const message = `${who}: stream ${facts.name} ${problem}`;
  if (context.checkpointMs !== undefined) throw new EngineError('nats/duplicate-window', message);
  process.stderr.write(`${message}\n`);
  return { facts, duplicateWindowMs };
}

/** Why the window is too short for what may be sent again; undefined where it is not. Pure. */
export function windowProblem(
  windowMs: number,
  {
    intervalMs = 0,
    connectMs,
  }: { readonly intervalMs?: number | undefined; readonly connectMs: number },
): string | undefined {
  const neededMs = intervalMs + connectMs + MARGIN_MS;
  if (windowMs >= neededMs) return undefined;
  return (
    `knows the ids of messages for ${windowMs / 1000}s (duplicate_window), but they may be sent ` +
    `again for ${neededMs / 1000}s: checkpoint interval ${intervalMs / 1000}s, connect_timeout ` +
    `${connectMs / 1000}s and ${MARGIN_MS / 1000}s for restarts; rows could be stored twice`
  );
}
