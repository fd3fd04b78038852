/**
 * How often windows have been stated that were stated again. Windows share panes, so that no record
 * is theirs alone; and few are ever stated again.
 */

const ENTRY_BYTES = 16;

export class Revisions {
  /** End of windows to key to the next revision. */
  readonly #next = new Map<bigint, Map<number, number>>();

  /** The revision of a window that is stated; `hadRows` where it was stated before. */
  take(key: number, end: bigint, hadRows: boolean): number {
    let keys = this.#next.get(end);
    if (keys === undefined) {
      keys = new Map();
      this.#next.set(end, keys);
    }
    const revision = keys.get(key) ?? (hadRows ? 1 : 0);
    keys.set(key, revision + 1);
    return revision;
  }

  /** Forgets the windows that end at or before this. */
  forget(end: bigint): void {
    for (const each of this.#next.keys()) if (each <= end) this.#next.delete(each);
  }

  /** Entries of i64 end, u32 key, u32 next revision. */
  save(): Uint8Array {
    const entries = [...this.#next].flatMap(([end, keys]) =>
      [...keys].map(([key, next]) => ({ end, key, next })),
    );
    const bytes = new Uint8Array(entries.length * ENTRY_BYTES);
    const view = new DataView(bytes.buffer);
    for (const [i, { end, key, next }] of entries.entries()) {
      view.setBigInt64(i * ENTRY_BYTES, end, true);
      view.setUint32(i * ENTRY_BYTES + 8, key, true);
      view.setUint32(i * ENTRY_BYTES + 12, next, true);
    }
    return bytes;
  }

  load(bytes: Uint8Array): void {
    const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.length);
    for (let at = 0; at < bytes.length; at += ENTRY_BYTES) {
      const end = view.getBigInt64(at, true);
      const keys = this.#next.get(end) ?? new Map<number, number>();
      keys.set(view.getUint32(at + 8, true), view.getUint32(at + 12, true));
      this.#next.set(end, keys);
    }
  }
}
