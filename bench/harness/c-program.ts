/**
 * A loop in C beside ours: compiled with gcc, given its input as a file, and then asked for one run
 * after the other, so that its memory is warm like ours. Every program of bench/*.c speaks thus:
 *
 *     PROGRAM FILE NUMBERS…      maps the file, says nothing
 *     stdin   one letter         runs once; which letter may choose between questions
 *     stdout  one line           elapsed ns, processor ns, then its results
 */

import { type ChildProcess, execFileSync, spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import type { Readable, Writable } from 'node:stream';
import { benchFolder } from './bench-folder.ts';
import type { Contender } from './benchmark.ts';
import { projectFolder } from './machine.ts';

export interface CRun {
  readonly seconds: number;
  readonly cpuSeconds: number;
  readonly results: readonly number[];
}

type Child = ChildProcess & { readonly stdin: Writable; readonly stdout: Readable };

export class CProgram {
  readonly #child: Child;
  readonly #lines: AsyncIterator<string>;
  readonly #folder: string;
  readonly #name: string;

  /**
   * @param source Name of a file of bench/.
   * @param input Goes into FILE, one after the other.
   * @returns undefined where there is no gcc.
   */
  static start(
    source: string,
    input: readonly Uint8Array[],
    numbers: readonly number[],
  ): CProgram | undefined {
    const folder = mkdtempSync(join(benchFolder(), 'c-'));
    try {
      const program = join(folder, 'program');
      const path = join(projectFolder(), 'bench', source);
      execFileSync('gcc', ['-O3', '-o', program, path, '-lm'], { stdio: 'pipe' });
      const file = join(folder, 'input.bin');
      for (const bytes of input) writeFileSync(file, bytes, { flag: 'a' });
      return new CProgram(source, folder, program, [file, ...numbers.map(String)]);
    } catch (error) {
      rmSync(folder, { recursive: true });
      if ((error as NodeJS.ErrnoException).code === 'ENOENT') return undefined;
      throw error;
    }
  }

  private constructor(name: string, folder: string, program: string, values: readonly string[]) {
    this.#name = name;
    this.#folder = folder;
    this.#child = spawn(program, values, { stdio: ['pipe', 'pipe', 'inherit'] }) as Child;
    this.#lines = createInterface(this.#child.stdout)[Symbol.asyncIterator]();
  }

  /** @throws {Error} Where the program has ended. */
  async run(letter = 'x'): Promise<CRun> {
    this.#child.stdin.write(letter);
    const { value, done } = await this.#lines.next();
    if (done === true) {
      throw new Error(`${this.#name} ended with ${this.#child.exitCode ?? this.#child.signalCode}`);
    }
    const [elapsed, cpu, ...results] = String(value).split(' ').map(Number);
    return { seconds: elapsed! / 1e9, cpuSeconds: cpu! / 1e9, results };
  }

  /** A contender whose time is that of the loop, as the program measured it. */
  contender(
    name: string,
    check: (results: readonly number[]) => void,
    letter?: string,
  ): Contender<CRun> {
    return {
      name,
      run: () => this.run(letter),
      usage: ({ seconds, cpuSeconds }) => ({ seconds, cpuSeconds }),
      check: ({ results }) => check(results),
    };
  }

  [Symbol.dispose](): void {
    this.#child.stdin.end();
    rmSync(this.#folder, { recursive: true });
  }
}
