/**
 * The messages of an Arrow IPC stream, cut apart without decoding them.
 *
 *     [0xffffffff] | i32 metadata length | metadata, a flatbuffer | body
 *
 * A length of 0 is the end of the stream. Streams older than Arrow 0.15 lack the first four bytes.
 * A file is `ARROW1`, two zeros, such a stream, and an index of it that reading in order does not
 * need. So the place of damage is known to the message.
 */

import { EngineError } from '../../engine/contract/error.ts';
import { fieldAt } from './flatbuffer.ts';
import type { ByteStream } from './piece-stream.ts';

export type MessageKind = 'schema' | 'dictionary' | 'records';

export interface IpcMessage {
  readonly kind: MessageKind;
  /** The whole message. */
  readonly bytes: Buffer;
  /** Where it starts in the decompressed file. */
  readonly offset: number;
  /** Of a dictionary: which one, and whether it adds to what was there. */
  readonly dictionary: bigint;
  readonly isDelta: boolean;
}

const CONTINUATION = 0xffff_ffff;
const FILE_MAGIC = 'ARROW1';
const FILE_MAGIC_BYTES = 8;
/** A message must fit into memory several times over. */
const MESSAGE_BYTES_MAX = 2 ** 30;

const KINDS: Readonly<Record<number, MessageKind>> = { 1: 'schema', 2: 'dictionary', 3: 'records' };

/** Fields of the flatbuffer tables, in the order of their declaration. */
const MESSAGE = { headerType: 1, header: 2, bodyLength: 3 } as const;
const DICTIONARY = { id: 0, isDelta: 2 } as const;

interface Metadata {
  readonly kind: MessageKind | undefined;
  readonly bodyLength: number;
  readonly dictionary: bigint;
  readonly isDelta: boolean;
}

function readMetadata(bytes: Buffer): Metadata {
  const table = bytes.readUInt32LE(0);
  const type = fieldAt(bytes, table, MESSAGE.headerType);
  const length = fieldAt(bytes, table, MESSAGE.bodyLength);
  const kind = type === 0 ? undefined : KINDS[bytes.readUInt8(type)];
  const bodyLength = length === 0 ? 0 : Number(bytes.readBigInt64LE(length));
  if (kind !== 'dictionary') return { kind, bodyLength, dictionary: 0n, isDelta: false };
  const place = fieldAt(bytes, table, MESSAGE.header);
  const header = place + bytes.readUInt32LE(place);
  const id = fieldAt(bytes, header, DICTIONARY.id);
  const isDelta = fieldAt(bytes, header, DICTIONARY.isDelta);
  return {
    kind,
    bodyLength,
    dictionary: id === 0 ? 0n : bytes.readBigInt64LE(id),
    isDelta: isDelta !== 0 && bytes.readUInt8(isDelta) !== 0,
  };
}

export class IpcMessages {
  readonly #path: string;
  readonly #stream: ByteStream;
  #pieces: Uint8Array[] = [];
  #held = 0;
  /** Offset in the decompressed file of the next byte. */
  #offset = 0;
  #hasStarted = false;
  #isFile = false;

  constructor(path: string, stream: ByteStream) {
    this.#path = path;
    this.#stream = stream;
  }

  /** The next message; undefined at the end. */
  async next(): Promise<IpcMessage | undefined> {
    if (!this.#hasStarted && !(await this.#start())) return undefined;
    const offset = this.#offset;
    const first = await this.#take(4);
    if (first.length === 0 && !this.#isFile) return undefined;
    if (first.length < 4) throw this.#truncated();
    const isContinued = first.readUInt32LE() === CONTINUATION;
    const lengthBytes = isContinued ? await this.#need(4) : first;
    const metadataLength = lengthBytes.readInt32LE();
    if (metadataLength === 0) return undefined;
    if (metadataLength < 0 || metadataLength > MESSAGE_BYTES_MAX) {
      throw this.#corrupt(offset, `metadata of ${metadataLength} bytes`);
    }
    const metadata = await this.#need(metadataLength);
    const { kind, bodyLength, dictionary, isDelta } = this.#read(metadata, offset);
    const body = await this.#need(bodyLength);
    const prefix = isContinued ? [first, lengthBytes] : [first];
    const bytes = Buffer.concat([...prefix, metadata, body]);
    return { kind, bytes, offset, dictionary, isDelta };
  }

  /** Looks at the start of the file; false where there is nothing. */
  async #start(): Promise<boolean> {
    this.#hasStarted = true;
    const magic = await this.#take(FILE_MAGIC_BYTES);
    if (magic.length === 0) return false;
    const text = magic.toString('latin1', 0, FILE_MAGIC.length);
    this.#isFile = text === FILE_MAGIC;
    if (this.#isFile) {
      if (magic.length < FILE_MAGIC_BYTES) throw this.#truncated();
      return true;
    }
    if (FILE_MAGIC.startsWith(text)) throw this.#truncated();
    // A stream starts with the length of its schema, which is not text.
    const isStream = magic.length < 4 || magic.readUInt32LE() === CONTINUATION || magic[3] === 0;
    if (!isStream) {
      throw new EngineError(
        'source/format',
        `cannot read ${this.#path}: it begins with ${JSON.stringify(text)}, expected Arrow IPC`,
      );
    }
    this.#pieces.unshift(magic);
    this.#held += magic.length;
    this.#offset -= magic.length;
    return true;
  }

  #read(metadata: Buffer, offset: number): Metadata & { kind: MessageKind } {
    let read: Metadata;
    try {
      read = readMetadata(metadata);
    } catch {
      throw this.#corrupt(offset, 'metadata that cannot be read');
    }
    const { kind, bodyLength } = read;
    if (kind === undefined) throw this.#corrupt(offset, 'a message of no known kind');
    if (bodyLength < 0 || bodyLength > MESSAGE_BYTES_MAX) {
      throw this.#corrupt(offset, `a message of ${bodyLength} bytes`);
    }
    return { ...read, kind };
  }

  /** The next `count` bytes; fewer where the file ends. */
  async #take(count: number): Promise<Buffer> {
    while (this.#held < count) {
      const piece = await this.#stream.next();
      if (piece === undefined) break;
      this.#pieces.push(piece);
      this.#held += piece.length;
    }
    const length = Math.min(count, this.#held);
    const taken = Buffer.allocUnsafe(length);
    for (let at = 0; at < length; ) {
      const piece = this.#pieces[0]!;
      const part = piece.subarray(0, length - at);
      taken.set(part, at);
      at += part.length;
      if (part.length === piece.length) this.#pieces.shift();
      else this.#pieces[0] = piece.subarray(part.length);
    }
    this.#held -= length;
    this.#offset += length;
    return taken;
  }

  async #need(count: number): Promise<Buffer> {
    const bytes = await this.#take(count);
    if (bytes.length < count) throw this.#truncated();
    return bytes;
  }

  #truncated(): EngineError {
    return new EngineError(
      'source/truncated',
      `cannot read on in ${this.#path}: the Arrow data ends too early, at byte ${this.#offset}`,
    );
  }

  #corrupt(offset: number, what: string): EngineError {
    return new EngineError(
      'source/corrupt',
      `cannot read on in ${this.#path}: the Arrow data is damaged at byte ${offset} (${what})`,
    );
  }
}
