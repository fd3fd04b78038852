/**
 * The lock of a folder of checkpoints: one engine at a time.
 *
 * It is a file that appears by a link, with its holder in it. A holder that dies leaves it behind,
 * so whoever finds it asks whether the holder lives. Where both have the same process numbers (see
 * `process-place.ts`), the system knows. Where they do not, as in containers that share a volume
 * or on machines that share a disk, the holder's heartbeat tells: it touches the file every two
 * seconds, and whoever wants the folder watches it for `LEASE_MS`. Only changes are looked at, not
 * times, so clocks may differ. A holder that stood still for that long (a machine asleep) may find
 * that it has lost the folder: it looks before each checkpoint, and ends.
 *
 * Of those that find a dead holder, one may remove its lock: who has taken a second lock that is
 * named after that holder, and still finds it in the first one. So nobody removes the lock of the
 * living.
 */

import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { type FileHandle, link, open, readFile, stat, unlink } from 'node:fs/promises';
import { join } from 'node:path';
import { EngineError } from '../contract/error.ts';
import { HOST, PLACE } from '../contract/process-place.ts';

const LOCK = 'engine.lock';
const HEARTBEAT_MS = 2_000;
/** Without a heartbeat for so long, the holder at another place is taken for dead. */
export const LEASE_MS = 15_000;
const LOOK_MS = 250;
const ATTEMPTS_MAX = 3;

/** Who has a folder. */
export interface LockHolder {
  readonly pid: number;
  /** Tells the process from a later one of the same number. */
  readonly started: string;
  /** Undefined in a lock of an earlier version, which knew no other place than its own. */
  readonly place?: string | undefined;
  readonly host?: string | undefined;
  /** Another one for each lock. */
  readonly mark?: string | undefined;
}

export class FolderLock {
  readonly #path: string;
  readonly #text: string;
  readonly #file: FileHandle;
  readonly #heart: NodeJS.Timeout;

  private constructor(path: string, text: string, file: FileHandle) {
    this.#path = path;
    this.#text = text;
    this.#file = file;
    this.#heart = setInterval(() => void touch(file), HEARTBEAT_MS);
    this.#heart.unref();
  }

  /**
   * Takes the lock, also from a holder that is dead.
   * @param onWait Told where it takes some time to find out whether its holder is.
   * @param leaseMs Other than usual, for tests.
   * @throws {EngineError} checkpoint/busy
   */
  static async take(
    folder: string,
    onWait: (holder: LockHolder, seconds: number) => void = () => undefined,
    leaseMs = LEASE_MS,
  ): Promise<FolderLock> {
    const own: LockHolder = {
      pid: process.pid,
      started: startOf(process.pid) ?? '',
      place: PLACE,
      host: HOST,
      mark: randomUUID(),
    };
    const text = JSON.stringify(own);
    const path = join(folder, LOCK);
    const temporary = `${path}.${own.mark}.tmp`;
    const file = await open(temporary, 'wx');
    try {
      await file.writeFile(text);
      await takeLock({ folder, own: temporary, onWait, leaseMs }, path);
      return new FolderLock(path, text, file);
    } catch (error) {
      await file.close();
      throw error;
    } finally {
      await unlink(temporary).catch(() => undefined);
    }
  }

  /** Whether it is still ours: somebody may have removed the folder, or taken us for dead. */
  async isOurs(): Promise<boolean> {
    return (await readFile(this.#path, 'utf8').catch(() => undefined)) === this.#text;
  }

  async release(): Promise<void> {
    clearInterval(this.#heart);
    if (await this.isOurs()) await unlink(this.#path).catch(() => undefined);
    await this.#file.close().catch(() => undefined);
  }
}

/** Not the content: a full disk has room for a time. */
async function touch(file: FileHandle): Promise<void> {
  const now = new Date();
  await file.utimes(now, now).catch(() => undefined);
}

interface Taking {
  readonly folder: string;
  /** File that becomes the lock. */
  readonly own: string;
  readonly onWait: (holder: LockHolder, seconds: number) => void;
  readonly leaseMs: number;
}

async function takeLock(taking: Taking, path: string): Promise<void> {
  const { folder, own } = taking;
  for (let attempt = 0; attempt < ATTEMPTS_MAX; attempt++) {
    try {
      await link(own, path);
      return;
    } catch (error) {
      if (codeOf(error) !== 'EEXIST') throw error;
    }
    const found = await contentOf(path);
    if (found === undefined) continue;
    const holder = holderIn(found);
    if (holder !== undefined && (await isAtWork(taking, path, found, holder))) {
      throw new EngineError(
        'checkpoint/busy',
        `cannot use ${folder}: another run has it, ${describeHolder(holder)}`,
      );
    }
    const claim = `${path}.${holder === undefined ? 'unknown' : markOf(holder)}`;
    await takeLock(taking, claim);
    try {
      if ((await contentOf(path)) === found) await unlink(path);
    } catch (error) {
      if (codeOf(error) !== 'ENOENT') throw error;
    } finally {
      await unlink(claim).catch(() => undefined);
    }
  }
  throw new EngineError('checkpoint/busy', `cannot use ${folder}: other runs fight for it`);
}

async function isAtWork(
  { onWait, leaseMs }: Taking,
  path: string,
  found: string,
  holder: LockHolder,
): Promise<boolean> {
  if (isNear(holder)) return startOf(holder.pid) === holder.started;
  onWait(holder, leaseMs / 1000);
  const before = await timeOf(path);
  for (let passedMs = 0; passedMs < leaseMs; passedMs += LOOK_MS) {
    await new Promise((resolve) => setTimeout(resolve, LOOK_MS));
    if ((await contentOf(path)) !== found) return false;
    if ((await timeOf(path)) !== before) return true;
  }
  return false;
}

function markOf({ mark, pid, started }: LockHolder): string {
  return mark ?? `${pid}-${started}`;
}

function isNear({ place }: LockHolder): boolean {
  return place === undefined || place === PLACE;
}

/** Who has a folder of checkpoints, where somebody is at work; looks only once. */
export async function runningEngine(folder: string): Promise<LockHolder | undefined> {
  const path = join(folder, LOCK);
  const holder = holderIn((await contentOf(path)) ?? '');
  if (holder === undefined) return undefined;
  if (isNear(holder)) return startOf(holder.pid) === holder.started ? holder : undefined;
  const sinceMs = Date.now() - ((await timeOf(path)) ?? 0);
  return sinceMs < LEASE_MS ? holder : undefined;
}

/** `process 17`, and where it is. */
export function describeHolder(holder: LockHolder): string {
  const { pid, host } = holder;
  return isNear(holder) ? `process ${pid}` : `process ${pid} on ${host ?? 'another host'}`;
}

async function contentOf(path: string): Promise<string | undefined> {
  try {
    return await readFile(path, 'utf8');
  } catch (error) {
    if (codeOf(error) === 'ENOENT') return undefined;
    throw error;
  }
}

async function timeOf(path: string): Promise<number | undefined> {
  return (await stat(path).catch(() => undefined))?.mtimeMs;
}

/** Undefined where it is not the text of a lock. */
function holderIn(text: string): LockHolder | undefined {
  try {
    const holder = JSON.parse(text) as Partial<LockHolder>;
    const { pid, started } = holder;
    if (typeof pid !== 'number' || typeof started !== 'string') return undefined;
    return { ...holder, pid, started };
  } catch {
    return undefined;
  }
}

/** Something that stays while the process lives, and differs for the next of its number. */
function startOf(pid: number): string | undefined {
  try {
    const line = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = line.slice(line.lastIndexOf(')') + 2).split(' ');
    // Field 3 is the state (Z: dead, not yet waited for), field 22 when it started.
    return fields[0] === 'Z' ? undefined : fields[19];
  } catch {
    return isAlive(pid) ? '' : undefined;
  }
}

/** Where there is no /proc. */
function isAlive(pid: number): boolean {
  try {
    process.kill(pid, 0);
    return true;
  } catch (error) {
    return codeOf(error) === 'EPERM';
  }
}

function codeOf(error: unknown): string | undefined {
  return (error as NodeJS.ErrnoException).code;
}
