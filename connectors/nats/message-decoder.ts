/** What the decoders of messages have in common: a message is opened, then converted in parts. */

import type { ColumnVector } from '../../engine/contract/batch.ts';
import type { FileColumn } from '../formats/decoder.ts';

/** A column to read from a message: from its payload, or from a token of its subject. */
export interface MessageColumn extends FileColumn {
  /** 1-based token of the subject; 0 where it is read from the payload. */
  readonly token: number;
}

/** Takes a row that cannot be read: why, and its text. */
export type RejectRow = (reason: string, raw: string) => void;

/** A message of which nothing can be read. */
export class UndecodableMessage extends Error {}

export interface ScannedMessage {
  readonly payload: Uint8Array;
  readonly subject: string;
}

/** Reads many messages of one row each at once. */
export interface MessageScanner {
  /** Takes messages, in place of the ones before. */
  load(messages: readonly ScannedMessage[]): void;
  /**
   * Puts the messages from number `from` on into the batch behind its first `at` rows, a row each,
   * up to one that must be opened, or as many as the batch has room for.
   * @returns The number of the first message that was not read.
   */
  scan(from: number, at: number): number;
}

export interface MessageDecoder {
  /** Where there is one, messages go through it first. */
  readonly scanner?: MessageScanner;
  /**
   * Takes a message, in place of the one before.
   * @returns The number of its rows.
   * @throws {UndecodableMessage} Where nothing of it can be read.
   */
  open(payload: Uint8Array, subject: string): number;
  /**
   * Puts `count` rows of the message, from `from` on, into the batch behind its first `at` rows.
   * @returns How many of them were not rejected.
   */
  convert(from: number, count: number, at: number, reject: RejectRow): number;
  /** The first rows of the batch, as arrays of their own. */
  take(rowCount: number): ColumnVector[];
}

const SHOWN_BYTES = 24;

/** What a payload looks like, for messages: `it looks like JSON ({"s":"AAPL"…)`. */
export function looksLike(payload: Uint8Array): string {
  if (payload.length === 0) return 'it is empty';
  const bytes = Buffer.from(payload.buffer, payload.byteOffset, payload.length);
  const first = bytes[0]!;
  const shown = bytes.toString('latin1', 0, SHOWN_BYTES).replace(/[^ -~]+/g, '…');
  if (/^\s*[[{]/.test(bytes.toString('latin1', 0, SHOWN_BYTES))) return `it is like JSON: ${shown}`;
  if (bytes.length >= 8 && bytes.readUInt32LE(0) === 0xffff_ffff) return 'it is like Arrow IPC';
  const isMap = (first >= 0x80 && first <= 0x9f) || (first >= 0xdc && first <= 0xdf);
  return isMap ? `it is like MessagePack: ${shown}` : `it begins with ${JSON.stringify(shown)}`;
}

/** The token of a subject, counted from 1. */
export function tokenOf(subject: string, token: number): string | undefined {
  let start = 0;
  for (let number = 1; number < token; number++) {
    start = subject.indexOf('.', start) + 1;
    if (start === 0) return undefined;
  }
  const end = subject.indexOf('.', start);
  return end < 0 ? subject.slice(start) : subject.slice(start, end);
}
