/**
 * What is known of a stream, and what its description says about how it was laid out:
 *
 *     tidemark partitions=16 hash=fnv1a32 sid=0b0c…
 *
 * The `sid` names the stream for its whole life, which its time of creation does not do: some
 * servers change that when the settings of the stream change.
 */

import { JetStreamApiError, type JetStreamManager, type StreamInfo } from '@nats-io/jetstream';
import { EngineError } from '../../engine/contract/error.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { isDenied } from './connection.ts';

export interface StreamLayout {
  readonly partitions: number;
  readonly sid: string;
}

const LAYOUT = /\btidemark partitions=(\d+) hash=(\S+) sid=(\S+)/;
export const LAYOUT_HASH = 'fnv1a32';

export function describeLayout({ partitions, sid }: StreamLayout): string {
  return `tidemark partitions=${partitions} hash=${LAYOUT_HASH} sid=${sid}`;
}

/** The layout that a description states; undefined where it states none. */
export function layoutOf(description: string | undefined): StreamLayout | undefined {
  const match = LAYOUT.exec(description ?? '');
  if (match === null || match[2] !== LAYOUT_HASH) return undefined;
  return { partitions: Number(match[1]), sid: match[3]! };
}

export interface StreamFacts {
  readonly name: string;
  /** `sid:…`, or `created:…` where the description names none. */
  readonly id: string;
  readonly layout: StreamLayout | undefined;
  readonly subjects: readonly string[];
  readonly firstSequence: number;
  readonly lastSequence: number;
  readonly bytes: number;
  /** Broker time of the last message, ns since 1970; empty where there is none. */
  readonly lastTime: string;
}

export function factsOf({ config, created, state }: StreamInfo): StreamFacts {
  const layout = layoutOf(config.description);
  return {
    name: config.name,
    id: layout === undefined ? `created:${created}` : `sid:${layout.sid}`,
    layout,
    subjects: config.subjects ?? [],
    firstSequence: state.first_seq,
    lastSequence: state.last_seq,
    bytes: state.bytes,
    lastTime: state.messages === 0 ? '' : (parseIsoTime(state.last_ts)?.toString() ?? ''),
  };
}

const STREAM_NOT_FOUND = 10_059;
const NO_MESSAGE = 10_037;
const NOT_ENABLED: ReadonlySet<number> = new Set([10_039, 10_076]);

/** Asks for the stream; where there is none, tells which there are. */
export async function readFacts(
  manager: JetStreamManager,
  stream: string,
  who: string,
): Promise<StreamFacts> {
  try {
    return factsOf(await manager.streams.info(stream));
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) {
      throw apiFailure(error, who, `look at stream ${stream}`);
    }
    const found = await streamNames(manager);
    throw new EngineError(
      'nats/no-stream',
      `${who}: there is no stream ${stream}; ` +
        (found.length === 0 ? 'the server has none' : `the server has ${found.join(', ')}`),
    );
  }
}

const NAMES_SHOWN = 20;

async function streamNames(manager: JetStreamManager): Promise<readonly string[]> {
  const names: string[] = [];
  try {
    for await (const name of manager.streams.names()) {
      if (names.push(name) === NAMES_SHOWN) break;
    }
  } catch {
    // Who may look at one stream may still not be allowed to list them.
  }
  return names;
}

/** Broker time of a stored message, ns since 1970 as a text; undefined where it is not there. */
export async function storedTime(
  manager: JetStreamManager,
  stream: string,
  sequence: number,
  who: string,
): Promise<string | undefined> {
  try {
    const message = await manager.streams.getMessage(stream, { seq: sequence });
    return message === null ? undefined : parseIsoTime(message.timestamp)?.toString();
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === NO_MESSAGE) return undefined;
    throw apiFailure(error, who, `read message ${sequence} of stream ${stream}`);
  }
}

/** Is the failure one that passes: a lost connection, an election? */
export function isPassing(error: unknown): boolean {
  if (error instanceof EngineError) return error.code === 'nats/unreachable';
  if (isDenied(error)) return false;
  return !(error instanceof JetStreamApiError) || error.status === 503;
}

/** A failure of the JetStream API in our words. */
export function apiFailure(error: unknown, who: string, attempt: string): EngineError {
  if (error instanceof EngineError) return error;
  const message = error instanceof Error ? error.message : String(error);
  const cause = { cause: error };
  if (isDenied(error)) {
    return new EngineError('nats/denied', `${who}: may not ${attempt}: ${message}`, cause);
  }
  if (error instanceof JetStreamApiError) {
    if (NOT_ENABLED.has(error.code)) {
      const words = 'JetStream is not enabled for this account; start the server with -js';
      return new EngineError('nats/no-jetstream', `${who}: cannot ${attempt}: ${words}`, cause);
    }
    const code = error.code === STREAM_NOT_FOUND ? 'nats/no-stream' : 'nats/refused';
    return new EngineError(code, `${who}: cannot ${attempt}: ${message} (${error.code})`, cause);
  }
  if (error instanceof Error && error.name === 'JetStreamNotEnabled') {
    const words = 'JetStream does not answer; is it enabled (nats-server -js)?';
    return new EngineError('nats/no-jetstream', `${who}: cannot ${attempt}: ${words}`, cause);
  }
  return new EngineError('nats/unreachable', `${who}: cannot ${attempt}: ${message}`, cause);
}
