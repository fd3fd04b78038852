/**
 * The partition of a key: `fnv1a32(key) mod N`, the hash of NATS's `{{partition(N, ...)}}`, so that
 * a stream partitioned by the server and one partitioned here agree.
 */

const encoder = new TextEncoder();

/** FNV-1a, 32 bit, over the UTF-8 bytes of the text. */
export function fnv1a32(text: string): number {
  let hash = 0x811c9dc5;
  for (const byte of encoder.encode(text)) hash = Math.imul(hash ^ byte, 0x01000193);
  return hash >>> 0;
}

export function partitionOf(key: string, partitions: number): number {
  return fnv1a32(key) % partitions;
}
