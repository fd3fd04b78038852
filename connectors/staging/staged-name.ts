/**
 * Which run a staged file is of. Its name holds a mark:
 *
 *   rows.csv.<process>-<start>-<serial>.inprogress
 *
 * so that two runs that write to one output at the same time never write to one staged file, and
 * that what a dead run has left can be told from what a live one is writing.
 */

import { EngineError } from '../../engine/contract/error.ts';
import { removeStaged } from './staged-file.ts';

const START = Date.now().toString(36);
const MARK = /^(\d+)-[0-9a-z]+-\d+$/;

/** The mark of a staged file of this run. Serials are unique among those of one writer. */
export function stagedMark(serial: number): string {
  return `${process.pid}-${START}-${serial}`;
}

export function isStagedMark(text: string): boolean {
  return MARK.test(text);
}

/**
 * Removes what a run that has come to its end has left behind.
 * @throws {EngineError} sink/busy where another process is still there.
 */
export function removeStale(sink: string, output: string, path: string, mark: string): void {
  const writer = Number(MARK.exec(mark)?.[1]);
  if (isRunning(writer)) {
    throw new EngineError(
      'sink/busy',
      `sink "${sink}": cannot write ${output}: process ${writer} is writing there as well, ` +
        `expected no other run at the same time (if it is none, remove ${path})`,
    );
  }
  removeStaged(path);
}

/** Whether there is another process of this number. */
function isRunning(number: number): boolean {
  if (number === process.pid) return false;
  try {
    process.kill(number, 0);
    return true;
  } catch (error) {
    return (error as NodeJS.ErrnoException).code === 'EPERM';
  }
}
