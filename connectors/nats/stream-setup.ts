/**
 * Makes a stream where there is none, and looks whether one that is there will do. A server takes
 * options that it does not know without a word, so what it has granted is read back.
 */

import {
  DiscardPolicy,
  JetStreamApiError,
  type JetStreamManager,
  RetentionPolicy,
  StorageType,
  type StreamConfig,
  type StreamInfo,
} from '@nats-io/jetstream';
import { EngineError } from '../../engine/contract/error.ts';
import { apiFailure, factsOf, type StreamFacts } from './stream-facts.ts';

export interface StreamWish {
  readonly name: string;
  readonly subjects: readonly string[];
  readonly description: string;
  /** Nanoseconds; 0 keeps messages for ever. */
  readonly maxAgeNs: bigint;
  /** -1 for no limit. */
  readonly maxBytes: number;
  readonly duplicateWindowNs: bigint;
  readonly replicas: number;
}

const STREAM_NOT_FOUND = 10_059;
const NO_STORAGE = 10_047;

export interface FoundStream {
  readonly facts: StreamFacts;
  readonly config: StreamConfig;
  readonly isNew: boolean;
}

/** The stream of the name; made with the wish where there is none. */
export async function findOrAddStream(
  manager: JetStreamManager,
  wish: StreamWish,
  who: string,
): Promise<FoundStream> {
  let info: StreamInfo;
  try {
    info = await manager.streams.info(wish.name);
    return { facts: factsOf(info), config: info.config, isNew: false };
  } catch (error) {
    if (!(error instanceof JetStreamApiError) || error.code !== STREAM_NOT_FOUND) {
      throw apiFailure(error, who, `look at stream ${wish.name}`);
    }
  }
  try {
    info = await manager.streams.add(configOf(wish));
  } catch (error) {
    if (error instanceof JetStreamApiError && error.code === NO_STORAGE) {
      throw new EngineError(
        'nats/stream-full',
        `${who}: the server has no room for stream ${wish.name} of ${wish.maxBytes} bytes; ` +
          'ask for fewer, or raise max_file_store of the server',
        { cause: error },
      );
    }
    throw apiFailure(error, who, `create stream ${wish.name}`);
  }
  checkGranted(wish, info.config, who);
  return { facts: factsOf(info), config: info.config, isNew: true };
}

function configOf(wish: StreamWish): Partial<StreamConfig> & { name: string } {
  return {
    name: wish.name,
    subjects: [...wish.subjects],
    description: wish.description,
    retention: RetentionPolicy.Limits,
    storage: StorageType.File,
    // The oldest messages go when a limit is reached; publishers never stand still.
    discard: DiscardPolicy.Old,
    max_age: Number(wish.maxAgeNs),
    max_bytes: wish.maxBytes,
    duplicate_window: Number(wish.duplicateWindowNs),
    num_replicas: wish.replicas,
    allow_direct: true,
  };
}

function checkGranted(wish: StreamWish, granted: StreamConfig, who: string): void {
  const wanted = configOf(wish) as Record<string, unknown>;
  const found = granted as unknown as Record<string, unknown>;
  const others = ['description', 'max_age', 'max_bytes', 'duplicate_window', 'num_replicas'].filter(
    (name) => found[name] !== wanted[name] && !(isNothing(found[name]) && isNothing(wanted[name])),
  );
  if (others.length === 0) return;
  const words = others.map(
    (name) => `${name} ${String(found[name])}, wanted ${String(wanted[name])}`,
  );
  throw new EngineError(
    'nats/stream-mismatch',
    `${who}: the server has made stream ${wish.name} with other settings: ${words.join('; ')}`,
  );
}

function isNothing(value: unknown): boolean {
  return value === undefined || value === 0 || value === -1;
}
