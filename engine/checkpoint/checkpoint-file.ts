/**
 * The bytes of a checkpoint.
 *
 *   0   "TIDECHKP"             8 bytes
 *   8   format version         u32, little endian as all numbers here
 *   12  length of the header   u32
 *   16  header                 MessagePack: the checkpoint, its tables replaced by their lengths
 *   …   tables                 raw bytes of state and of what sinks let it carry, in header order
 *   end CRC-32 of all before   u32
 *
 * Every later format keeps the first 12 bytes and the CRC at the end, so that an older version of
 * Tidemark can tell one that is newer from one that is damaged.
 *
 * The tables stay what the operators gave: they are neither copied nor encoded on the way.
 */

import { crc32 } from 'node:zlib';
import { pack, unpack } from '../contract/message-pack.ts';
import { EngineError } from '../contract/error.ts';
import type { Checkpoint, SinkSnapshot, TaskSnapshot } from './checkpoint.ts';

export const FORMAT_VERSION = 1;

const MAGIC = 'TIDECHKP';
const PRELUDE_BYTES = 16;
const CRC_BYTES = 4;

interface StoredTask extends Omit<TaskSnapshot, 'operators'> {
  /** Operator, table and bytes of it. */
  readonly tables: readonly (readonly [operator: string, table: string, bytes: number])[];
}

interface StoredSink extends Omit<SinkSnapshot, 'carried'> {
  readonly carriedBytes: number | null;
}

interface Header extends Omit<Checkpoint, 'tasks' | 'sinks'> {
  readonly tasks: readonly StoredTask[];
  readonly sinks: readonly StoredSink[];
}

/** The bytes in pieces, to be written one after the other; tables are those of the checkpoint. */
export function encodeCheckpoint(checkpoint: Checkpoint): Uint8Array[] {
  const tables: Uint8Array[] = [];
  const tasks = checkpoint.tasks.map(({ operators, ...task }): StoredTask => {
    const stored: [string, string, number][] = [];
    for (const [operator, state] of Object.entries(operators)) {
      for (const [name, table] of Object.entries(state)) {
        stored.push([operator, name, table.byteLength]);
        tables.push(table);
      }
    }
    return { ...task, tables: stored };
  });
  const sinks = checkpoint.sinks.map(({ carried, ...sink }): StoredSink => {
    if (carried !== undefined) tables.push(carried);
    return { ...sink, carriedBytes: carried?.byteLength ?? null };
  });
  const header = pack({ ...checkpoint, tasks, sinks } satisfies Header);
  const prelude = new Uint8Array(PRELUDE_BYTES);
  const numbers = new DataView(prelude.buffer);
  prelude.set(new TextEncoder().encode(MAGIC));
  numbers.setUint32(8, FORMAT_VERSION, true);
  numbers.setUint32(12, header.byteLength, true);
  // Without the empty ones: of no bytes at no address, zlib's CRC is 0 whatever came before.
  const pieces = [prelude, header, ...tables].filter(({ byteLength }) => byteLength > 0);
  let crc = 0;
  for (const piece of pieces) crc = crc32(piece, crc);
  const end = new Uint8Array(CRC_BYTES);
  new DataView(end.buffer).setUint32(0, crc, true);
  return [...pieces, end];
}

/**
 * Reads a checkpoint back. Its tables are copies.
 * @param name What to call it in an error.
 * @throws {EngineError} `checkpoint/damaged`, or `checkpoint/newer-format`.
 */
export function decodeCheckpoint(bytes: Uint8Array, name: string): Checkpoint {
  const damaged = (found: string): EngineError =>
    new EngineError('checkpoint/damaged', `cannot read ${name}: ${found}`);
  if (bytes.byteLength < PRELUDE_BYTES + CRC_BYTES) {
    throw damaged(`it ends after ${bytes.byteLength} bytes`);
  }
  if (new TextDecoder('latin1').decode(bytes.subarray(0, MAGIC.length)) !== MAGIC) {
    throw damaged('it is not a checkpoint');
  }
  const numbers = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  // First of all: a flipped bit of the version is damage, and not a newer version.
  const end = bytes.byteLength - CRC_BYTES;
  if (crc32(bytes.subarray(0, end)) !== numbers.getUint32(end, true)) {
    throw damaged('its checksum does not match');
  }
  const version = numbers.getUint32(8, true);
  if (version > FORMAT_VERSION) {
    throw new EngineError(
      'checkpoint/newer-format',
      `cannot read ${name}: it has format ${version}, this version of Tidemark reads up to ` +
        `${FORMAT_VERSION}; run the newer version, or start anew with --ignore-state`,
    );
  }
  const headerEnd = PRELUDE_BYTES + numbers.getUint32(12, true);
  const header = unpack(bytes.subarray(PRELUDE_BYTES, headerEnd)) as Header;
  let at = headerEnd;
  const take = (length: number): Uint8Array => {
    at += length;
    if (at > end) throw damaged('a table lies beyond its end');
    // A copy, so that it starts where numbers of any width may start, and can go to a thread alone.
    return Uint8Array.from(bytes.subarray(at - length, at));
  };
  const tasks = header.tasks.map(({ tables, ...task }): TaskSnapshot => {
    const operators: Record<string, Record<string, Uint8Array>> = {};
    for (const [operator, table, length] of tables) {
      operators[operator] ??= {};
      operators[operator][table] = take(length);
    }
    return { ...task, operators };
  });
  const sinks = header.sinks.map(
    ({ carriedBytes, ...sink }): SinkSnapshot => ({
      ...sink,
      carried: carriedBytes === null ? undefined : take(carriedBytes),
    }),
  );
  return { ...header, tasks, sinks };
}
