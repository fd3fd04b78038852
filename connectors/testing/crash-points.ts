/**
 * For tests of sinks: a process that dies at any step that changes the file system.
 *
 * The functions of `node:fs` are replaced while a run is under way. At the chosen step nothing is
 * done any more (a write is done by half), then or later, as if the process had been killed; what
 * was done before is there for the next run.
 */

import fs from 'node:fs';
import { syncBuiltinESMExports } from 'node:module';

const STEPS = [
  'openSync',
  'writeSync',
  'fsyncSync',
  'renameSync',
  'linkSync',
  'writeFileSync',
  'unlinkSync',
  'mkdirSync',
  'rmdirSync',
  'ftruncateSync',
] as const;

type Step = (...values: unknown[]) => unknown;

/** Thrown for the process that has died; a sink may wrap it. */
export class Crash extends Error {}

export class CrashPoint {
  #left: number;
  #taken = 0;

  /** @param step The one, from 1, that is not taken; `Infinity` for none. */
  constructor(step: number) {
    this.#left = step;
  }

  get hasCrashed(): boolean {
    return this.#left <= 0;
  }

  /** Steps that were taken. */
  get taken(): number {
    return this.#taken;
  }

  /** A step of the test itself, such as storing a checkpoint. */
  step(): void {
    if (this.#left > 0) this.#left--;
    if (this.#left <= 0) throw new Crash('the process has died');
    this.#taken++;
  }

  /** Runs with the file system in the hands of this crash point; false where it has died. */
  async survives(run: () => Promise<void>): Promise<boolean> {
    const names = fs as unknown as Record<string, Step>;
    const originals = STEPS.map((name) => names[name]!);
    for (const [index, name] of STEPS.entries()) {
      names[name] = (...values) => {
        try {
          this.step();
        } catch (error) {
          if (name === 'writeSync' && !this.#isDead) halfWrite(originals[index]!, values);
          this.#isDead = true;
          throw error;
        }
        return originals[index]!(...values);
      };
    }
    syncBuiltinESMExports();
    try {
      await run();
      return !this.hasCrashed;
    } catch (error) {
      if (!this.hasCrashed) throw error;
      return false;
    } finally {
      for (const [index, name] of STEPS.entries()) names[name] = originals[index]!;
      syncBuiltinESMExports();
    }
  }

  #isDead = false;
}

function halfWrite(write: Step, [file, bytes, offset, length, position]: unknown[]): void {
  const from = (offset as number | undefined) ?? 0;
  const all = (length as number | undefined) ?? (bytes as Uint8Array).length - from;
  write(file, bytes, from, all >> 1, position);
}
