/**
 * Rows that are not worth a file yet, as bytes in a checkpoint.
 *
 * They are MessagePack around the columns as the buffers have them: codes, numbers and times in
 * the byte order of this machine, texts once each.
 */

import { endianness } from 'node:os';
import { EngineError } from '../../engine/contract/error.ts';
import { pack, unpack } from '../../engine/contract/message-pack.ts';
import type { ColumnSchema } from '../../engine/contract/schema.ts';
import type { BufferedColumn } from './row-buffer.ts';

const VERSION = 1;

/** Rows of one hive folder. */
export interface CarriedFolder {
  readonly folder: string;
  /** When the oldest of the rows came, on the clock of the machine. */
  readonly sinceMs: number;
  readonly rowCount: number;
  readonly columns: readonly BufferedColumn[];
}

export interface CarriedRows {
  /** Of the parts that this run writes. */
  readonly generation: number;
  readonly folders: readonly CarriedFolder[];
}

interface Form extends CarriedRows {
  readonly version: number;
  readonly byteOrder: string;
  readonly columns: readonly ColumnSchema[];
}

export function packRows(columns: readonly ColumnSchema[], carried: CarriedRows): Uint8Array {
  const form: Form = { version: VERSION, byteOrder: endianness(), columns, ...carried };
  return pack(form);
}

/** @throws {EngineError} Where the rows have other columns, or are of another kind of machine. */
export function unpackRows(
  sink: string,
  columns: readonly ColumnSchema[],
  bytes: Uint8Array,
): CarriedRows {
  const form = unpack(bytes) as Form;
  const found = `version ${form.version}, ${form.byteOrder}, ${described(form.columns)}`;
  const expected = `version ${VERSION}, ${endianness()}, ${described(columns)}`;
  if (found !== expected) {
    throw new EngineError(
      'checkpoint/incompatible',
      `sink "${sink}": the checkpoint carries rows of another form (${found}), expected ` +
        `${expected}; start anew with --ignore-state`,
    );
  }
  return form;
}

function described(columns: readonly ColumnSchema[]): string {
  return columns.map(({ name, type }) => `${name} ${type}`).join(', ');
}

/** The generation alone. */
export function generationOf(carried: Uint8Array): number {
  return (unpack(carried) as Form).generation;
}
