/** Which benchmarks there are: the files `bench/*.bench.ts`, compiled. */

import { readdirSync } from 'node:fs';
import type { Benchmark } from './benchmark.ts';

const folder = new URL('../', import.meta.url);
const SUFFIX = '.bench.js';

export function benchmarkNames(): string[] {
  return readdirSync(folder)
    .filter((file) => file.endsWith(SUFFIX))
    .map((file) => file.slice(0, -SUFFIX.length))
    .sort();
}

export async function loadBenchmark(name: string): Promise<Benchmark> {
  const module = (await import(new URL(`${name}${SUFFIX}`, folder).href)) as {
    benchmark: Benchmark;
  };
  return module.benchmark;
}
