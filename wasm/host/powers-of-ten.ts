/**
 * The table by which decimals are rounded correctly (see wasm/assembly/_decimal.ts): for each
 * power of ten from -64 to 64 its 128 most significant bits, rounded down, as u64[2], low half
 * first. Computed once a thread; below 1 ms.
 */

import type { Kernels } from './kernels.ts';

const POWER_MIN = -64;
const POWER_MAX = 64;
const BITS = 128;

const tables = new WeakMap<Kernels, number>();

/** Pointer to the table in the memory of these kernels. */
export function powersOfTen(kernels: Kernels): number {
  let table = tables.get(kernels);
  if (table === undefined) {
    const count = POWER_MAX - POWER_MIN + 1;
    table = kernels.memory.allocate(count * 16);
    const words = new BigUint64Array(kernels.memory.memory.buffer, table, count * 2);
    for (let power = POWER_MIN; power <= POWER_MAX; power++) {
      const significand = significandOf(power);
      words[(power - POWER_MIN) * 2] = BigInt.asUintN(64, significand);
      words[(power - POWER_MIN) * 2 + 1] = significand >> 64n;
    }
    tables.set(kernels, table);
  }
  return table;
}

/** The first 128 bits of 10^power. */
function significandOf(power: number): bigint {
  const ten = 10n ** BigInt(Math.abs(power));
  const length = ten.toString(2).length;
  if (power >= 0)
    return length > BITS ? ten >> BigInt(length - BITS) : ten << BigInt(BITS - length);
  // 2^(length + BITS - 1) / ten lies in [2^(BITS - 1), 2^BITS): ten is no power of two.
  return (1n << BigInt(length + BITS - 1)) / ten;
}
