/**
 * Asks V8 to be slower to optimise. Its defaults suit one thread and a server's hours; here five
 * threads would each have the same functions optimised within the first seconds, at the cost of the
 * rows. Ten million trades from Parquet to Parquet take a seventh less processor time so, and what
 * is hot for longer is optimised all the same.
 */

import { setFlagsFromString } from 'node:v8';

const FLAGS = [
  // Bytes of JavaScript bytecode that run before a function is looked at; 67,584 by default.
  '--interrupt-budget=400000',
  // The same for WebAssembly; 1,800,000 by default.
  '--wasm-tiering-budget=10000000',
];

/** For the whole process, so only a program may do it; before its threads are started. */
export function tuneCompiler(): void {
  // Measured with Node 20. Other versions count otherwise, and complain where they lack a flag.
  if (!process.versions.v8.startsWith('11.')) return;
  for (const flag of FLAGS) setFlagsFromString(flag);
}
