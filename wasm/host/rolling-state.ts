/** What all kernels of rolling steps have in common: the state of one series for each key. */

export interface WindowSpec {
  /** Rows of a window of rows; undefined for a window of time. */
  readonly rows?: number | undefined;
  /** Nanoseconds of a window of time, less than 2^63; undefined for a window of rows. */
  readonly durationNs?: bigint | undefined;
  /** Values below which every result but a count is null. */
  readonly minRows: number;
  readonly excludeCurrent: boolean;
}

/** Buffers of a batch, in linear memory. */
export interface RollingRows {
  readonly rowCount: number;
  /** u32[rowCount], less than the number of keys given to `resize`. */
  readonly keys: number;
  /** f64[rowCount] for each input of the series, or what else its kernel takes. */
  readonly values: readonly number[];
  /** i64[rowCount]. */
  readonly times: number;
  /** i64[rowCount], or 0 where no row is below its own watermark. */
  readonly rowWatermarks: number;
}

/** A result that is wanted of a series. */
export interface RollingOutput {
  readonly name: string;
  /** Numbers that go with it, such as the share of a quantile. */
  readonly arguments: readonly number[];
  /** f64 or i64[rowCount], overwritten. */
  readonly pointer: number;
}

export interface RollingState {
  /** Makes room for this many keys; call it before `run`. May grow the memory. */
  resize(keyCount: number): void;
  /** Takes the rows in and writes the results of each. */
  run(rows: RollingRows, outputs: readonly RollingOutput[]): void;
  /** The watermark has moved on: frees what no row will see any more. */
  advance(watermark: bigint): void;
  /** A copy of the state of all keys; it says nothing of addresses. */
  snapshot(): Uint8Array;
  /** Takes on the state of a snapshot; call it once, before any row. */
  restore(snapshot: Uint8Array, keyCount: number): void;
  /** Gives all memory back. Twice is harmless. */
  dispose(): void;
}
