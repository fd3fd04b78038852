/** Where checkpoints are kept. */

export interface StoredCheckpoint {
  readonly epoch: number;
  readonly bytes: number;
  readonly writtenMs: number;
  /** Whether its outputs are known to be in sight; false where that is unknown. */
  readonly isCommitted: boolean;
}

export interface CheckpointStore {
  /** For messages: where an epoch is, or would be. */
  nameOf(epoch: number): string;
  /** Complete checkpoints, the newest first. */
  list(): Promise<readonly StoredCheckpoint[]>;
  /** The bytes of one, whole. */
  read(epoch: number): Promise<Uint8Array>;
  /**
   * Writes one; when this resolves it survives a crash, and until then none of it is to be seen.
   * @throws {EngineError} Also where the epoch exists.
   */
  write(epoch: number, pieces: readonly Uint8Array[]): Promise<void>;
  /** Notes that the outputs of one are in sight. Never fails: what is not noted is unknown. */
  noteCommitted(epoch: number): Promise<void>;
  /** Removes one. A missing one is fine. */
  remove(epoch: number): Promise<void>;
  /** Lets another engine have the place. */
  close(): Promise<void>;
}
