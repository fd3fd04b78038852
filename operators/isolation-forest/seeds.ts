/** Seeds of 64 bits for what must be random and yet the same whatever ran before it. */

const PRIME = 0x100000001b3n;

/** FNV-1a over the text, begun from the seed and ended with the number. */
export function streamSeed(seed: number, text: string, number: number): bigint {
  let hash = 0xcbf29ce484222325n;
  const mix = (byte: number): void => {
    hash = BigInt.asUintN(64, (hash ^ BigInt(byte)) * PRIME);
  };
  for (const byte of new TextEncoder().encode(`${seed}/${text}/${number}`)) mix(byte);
  return hash;
}
