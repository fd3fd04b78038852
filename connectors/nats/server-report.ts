/** What a NATS server is and can do, for `tidemark doctor`. */

import { jetstreamManager } from '@nats-io/jetstream';
import { closeConnection, openConnection } from './connection.ts';
import type { ConnectionConfig } from './connection-fields.ts';
import { apiFailure } from './stream-facts.ts';

export interface ServerReport {
  readonly version: string;
  readonly payloadBytesMax: number;
  readonly roundTripMs: number;
  /** Undefined where JetStream cannot be used; `problem` says why. */
  readonly storage?: {
    readonly bytes: number;
    /** -1 for no limit of the account. */
    readonly bytesMax: number;
    readonly streams: number;
  };
  readonly problem?: string;
  /** What newer servers have: whether this one does. */
  readonly features: readonly { readonly name: string; readonly isThere: boolean }[];
}

/** First versions, by the release notes. Nothing rests on them: what is used is read back. */
const FEATURES: readonly (readonly [name: string, since: readonly [number, number]])[] = [
  ['disk before confirmation (sync_interval: always)', [2, 10]],
  ['several filters of a consumer', [2, 10]],
  ['leaders that are up to date', [2, 11]],
  ['batches that are stored as one', [2, 12]],
];

export async function askServer(config: ConnectionConfig): Promise<ServerReport> {
  const who = 'doctor';
  const connection = await openConnection(config, { who });
  try {
    const roundTripMs = await connection.rtt();
    const { version = '', max_payload: payloadBytesMax = 0 } = connection.info ?? {};
    const report = { version, payloadBytesMax, roundTripMs, features: featuresOf(version) };
    try {
      const manager = await jetstreamManager(connection, { checkAPI: false });
      const { storage, streams, limits } = await manager.getAccountInfo();
      return { ...report, storage: { bytes: storage, bytesMax: limits.max_storage, streams } };
    } catch (error) {
      return { ...report, problem: apiFailure(error, who, 'use JetStream').message };
    }
  } finally {
    await closeConnection(connection);
  }
}

export function featuresOf(version: string): ServerReport['features'] {
  const [major = 0, minor = 0] = version.split('.').map(Number);
  return FEATURES.map(([name, [needsMajor, needsMinor]]) => ({
    name,
    isThere: major > needsMajor || (major === needsMajor && minor >= needsMinor),
  }));
}
