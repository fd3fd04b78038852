/** Bytes in pieces, asked for one by one. */

export interface ByteStream {
  /** The next bytes, at least one; undefined at the end. The caller's to keep. */
  next(): Promise<Uint8Array | undefined>;
  /** Bytes of the file itself, compressed or not, read so far. */
  readonly bytesRead: number;
  close(): Promise<void>;
}

/** Bytes that are read from a file at once. */
export const PIECE_BYTES = 1 << 18;

/** A stream of pieces that some generator makes; `explain` says what its errors mean. */
export function streamOf(
  pieces: AsyncGenerator<Uint8Array, void>,
  bytesRead: () => number,
  explain: (error: unknown) => unknown = (error) => error,
): ByteStream {
  return {
    next: async () => {
      for (;;) {
        const { value, done } = await pieces.next().catch((error: unknown) => {
          throw explain(error);
        });
        if (done === true) return undefined;
        if (value.length > 0) return value;
      }
    },
    get bytesRead() {
      return bytesRead();
    },
    close: async () => {
      await pieces.return();
    },
  };
}
