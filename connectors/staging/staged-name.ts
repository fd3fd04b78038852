/**
 * Which run a staged file is of. Its name holds a mark:
 *
 *   rows.csv.<process>-<place>-<start>-<serial>.inprogress
 *
 * so that two runs that write to one output at the same time never write to one staged file, and
 * that what a dead run has left can be told from what a live one is writing. Of a process at the
 * same place the system tells whether it lives; one at another place, such as another container,
 * is alive as long as it touches its files, which it does every few seconds.
 */

import { randomBytes } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { EngineError } from '../../engine/contract/error.ts';
import { PLACE } from '../../engine/contract/process-place.ts';
import { isFresh } from './fresh-files.ts';
import { removeStaged } from './staged-file.ts';

/** Threads, and containers whose processes all have one number, may start in the same moment. */
const START = Date.now().toString(36) + randomBytes(4).toString('hex');
/** Without a place where an earlier version wrote it. */
const MARK = /^(\d+)-(?:([0-9a-f]{8})-)?[0-9a-z]+-\d+$/;

let serial = 0;

/** The mark of a staged file of this run: another one each time. */
export function stagedMark(): string {
  return `${process.pid}-${PLACE}-${START}-${++serial}`;
}

export function isStagedMark(text: string): boolean {
  return MARK.test(text);
}

/**
 * Removes what a run that has come to its end has left behind.
 * @throws {EngineError} sink/busy where another process is still there.
 */
export function removeStale(sink: string, output: string, path: string, mark: string): void {
  if (isWriting(mark, path)) {
    const [, writer, place] = MARK.exec(mark)!;
    const where = place === undefined || place === PLACE ? '' : ' of another container or machine';
    throw new EngineError(
      'sink/busy',
      `sink "${sink}": cannot write ${output}: process ${writer}${where} is writing there as ` +
        `well, expected no other run at the same time (if it is none, remove ${path})`,
    );
  }
  removeStaged(path);
}

/** Whether another process than this may still be at work on the file, which has this mark. */
export function isWriting(mark: string, path: string): boolean {
  const [, pid, place = PLACE] = MARK.exec(mark) ?? [];
  if (pid === undefined) return false;
  const number = Number(pid);
  if (place !== PLACE) return isFresh(path);
  if (number === process.pid) return false;
  try {
    process.kill(number, 0);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code !== 'EPERM') return false;
  }
  try {
    return startMs(number) <= statSync(path).mtimeMs + CLOCK_MS;
  } catch {
    return true;
  }
}

const CLOCK_MS = 2000;
const TICK_MS = 10;

/**
 * When the process was started: numbers of processes are used again, after a restart of the
 * machine or container above all. Where Linux does not tell, it throws.
 */
function startMs(number: number): number {
  const boot = /^btime (\d+)$/m.exec(readFileSync('/proc/stat', 'utf8'))![1];
  // The name of the program, in brackets, may hold anything; field 22 is the 20th behind it.
  const fields = readFileSync(`/proc/${number}/stat`, 'utf8')
    .replace(/^[^]*\) /, '')
    .split(' ');
  return Number(boot) * 1000 + Number(fields[19]) * TICK_MS;
}
