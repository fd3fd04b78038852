/**
 * The schema in the footer of an Arrow IPC file. The format wants it at the start as well, but
 * arrow-js leaves it out there.
 *
 *     … | footer, a flatbuffer | i32 footer length | ARROW1
 *
 * The schema is made a message of its own by pointing a new message table at it, in front of the
 * footer's bytes.
 */

import { open } from 'node:fs/promises';
import { EngineError } from '../../engine/contract/error.ts';
import { fieldAt } from './flatbuffer.ts';

const MAGIC = 'ARROW1';
const TAIL_BYTES = 4 + MAGIC.length;
const FOOTER_BYTES_MAX = 2 ** 28;
const FOOTER_SCHEMA = 1;

/** Positions in the message that is put in front: the root, its vtable, its table. */
const VTABLE = 8;
const TABLE = 24;
const FOOTER = 48;
const SCHEMA_TYPE = 1;
const VERSION_5 = 4;

/** The whole schema message, as it would stand at the start of a stream. */
export async function schemaOfFooter(path: string): Promise<Buffer> {
  const file = await open(path, 'r');
  try {
    const { size } = await file.stat();
    if (size === 0) {
      throw new EngineError('source/truncated', `cannot read ${path}: it is empty, expected Arrow`);
    }
    const tail = Buffer.alloc(TAIL_BYTES);
    await file.read(tail, 0, TAIL_BYTES, Math.max(0, size - TAIL_BYTES));
    const length = tail.readInt32LE();
    const hasMagic = tail.toString('latin1', 4) === MAGIC;
    const isWhole = hasMagic && length > 0 && length < FOOTER_BYTES_MAX;
    if (!isWhole || length > size) {
      throw new EngineError(
        'source/truncated',
        `cannot read ${path}: the Arrow file ends at byte ${size} without its footer, which ` +
          'holds its schema, so that none of its rows can be decoded',
      );
    }
    const footer = Buffer.alloc(length);
    await file.read(footer, 0, length, size - TAIL_BYTES - length);
    return schemaMessage(footer);
  } finally {
    await file.close();
  }
}

function schemaMessage(footer: Buffer): Buffer {
  const place = fieldAt(footer, footer.readUInt32LE(0), FOOTER_SCHEMA);
  const schema = place + footer.readUInt32LE(place);
  const metadata = Buffer.alloc(FOOTER + ((footer.length + 7) & ~7));
  footer.copy(metadata, FOOTER);
  metadata.writeUInt32LE(TABLE, 0);
  // Lengths of the vtable and the table, then where each field stands in the table.
  for (const [index, value] of [12, 24, 4, 6, 8, 16].entries()) {
    metadata.writeUInt16LE(value, VTABLE + index * 2);
  }
  metadata.writeInt32LE(TABLE - VTABLE, TABLE);
  metadata.writeInt16LE(VERSION_5, TABLE + 4);
  metadata.writeUInt8(SCHEMA_TYPE, TABLE + 6);
  metadata.writeUInt32LE(FOOTER + schema - (TABLE + 8), TABLE + 8);
  const prefix = Buffer.alloc(8, 0xff);
  prefix.writeInt32LE(metadata.length, 4);
  return Buffer.concat([prefix, metadata]);
}
