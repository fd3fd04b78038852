/**
 * Loads the kernel modules. Each file of `wasm/assembly` is a module of its own; all modules of a
 * thread share one linear memory. The typed wrappers beside this file say what a module exports.
 */

import { readFileSync } from 'node:fs';
import { LinearMemory } from './linear-memory.ts';

/** A module's functions take and return numbers and, for i64, BigInts. */
export type KernelFunction = (...values: never[]) => unknown;

const compiled = new Map<string, WebAssembly.Module>();

function compile(name: string): WebAssembly.Module {
  let module = compiled.get(name);
  if (module === undefined) {
    module = new WebAssembly.Module(
      readFileSync(new URL(`../kernels/${name}.wasm`, import.meta.url)),
    );
    compiled.set(name, module);
  }
  return module;
}

export class Kernels {
  readonly memory: LinearMemory;
  readonly #instances = new Map<string, unknown>();

  constructor(memory: LinearMemory = new LinearMemory()) {
    this.memory = memory;
  }

  /**
   * The exports of `wasm/assembly/<name>.ts`, instantiated on first use. `T` is declared beside
   * this file.
   */
  module<T>(name: string): T {
    let instance = this.#instances.get(name);
    if (instance === undefined) {
      instance = new WebAssembly.Instance(compile(name), {
        env: {
          memory: this.memory.memory,
          abort: (): never => {
            throw new WebAssembly.RuntimeError(`kernel ${name} aborted`);
          },
        },
      }).exports;
      this.#instances.set(name, instance);
    }
    return instance as T;
  }
}
