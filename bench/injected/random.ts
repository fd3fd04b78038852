/** Random numbers that are the same for the same seed, and what is drawn from them. */

export interface Random {
  /** From `low` up to but not including `high`. */
  uniform(low: number, high: number): number;
  /** Of which every octave is as likely as every other. */
  logUniform(low: number, high: number): number;
  /** A whole number from `low` to `high`, both included. */
  integer(low: number, high: number): number;
  sign(): 1 | -1;
  shuffle<T>(values: readonly T[]): T[];
}

/** A counter through the finalizer of MurmurHash3: 32 bits, more than enough to place anomalies. */
export function randomFrom(seed: number): Random {
  let state = seed >>> 0;
  const next = (): number => {
    state = (state + 0x9e3779b9) >>> 0;
    let bits = state;
    bits = Math.imul(bits ^ (bits >>> 16), 0x85ebca6b);
    bits = Math.imul(bits ^ (bits >>> 13), 0xc2b2ae35);
    return ((bits ^ (bits >>> 16)) >>> 0) / 2 ** 32;
  };
  const uniform = (low: number, high: number): number => low + (high - low) * next();
  const integer = (low: number, high: number): number => Math.floor(uniform(low, high + 1));
  return {
    uniform,
    integer,
    logUniform: (low, high) => Math.exp(uniform(Math.log(low), Math.log(high))),
    sign: () => (next() < 0.5 ? 1 : -1),
    shuffle: (values) => {
      const shuffled = [...values];
      for (let i = shuffled.length - 1; i > 0; i--) {
        const j = integer(0, i);
        [shuffled[i], shuffled[j]] = [shuffled[j]!, shuffled[i]!];
      }
      return shuffled;
    },
  };
}
