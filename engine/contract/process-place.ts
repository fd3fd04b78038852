/**
 * Where the number of a process means something. Every container has a process 1, so files that
 * several engines may see name, beside the number of their writer, its place: host, boot of its
 * kernel, and space of process numbers. At one's own place the system tells whether a process
 * lives; of another place nothing is known but what its processes write.
 */

import { createHash } from 'node:crypto';
import { readFileSync, readlinkSync } from 'node:fs';
import { hostname } from 'node:os';

/** For messages; a container is called by its id, if by nothing else. */
export const HOST: string = hostname();

/** Eight hexadecimal digits. */
export const PLACE: string = createHash('sha256')
  .update([HOST, told(bootOf), told(numbersOf)].join('\n'))
  .digest('hex')
  .slice(0, 8);

function bootOf(): string {
  return readFileSync('/proc/sys/kernel/random/boot_id', 'utf8').trim();
}

function numbersOf(): string {
  return readlinkSync('/proc/self/ns/pid');
}

/** Nothing where the system has no /proc: hosts must have names of their own there. */
function told(by: () => string): string {
  try {
    return by();
  } catch {
    return '';
  }
}
