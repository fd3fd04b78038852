/**
 * Arrow IPC files and streams, read in order, so that they may be compressed as a whole.
 *
 * The messages are cut apart here and decoded by arrow-rs (in parquet-wasm), which knows every type
 * and both compressions of bodies. It decodes whole streams only: each record batch is given to it
 * as a stream of its own, behind the schema and the dictionaries in force. Small record batches are
 * put together to some 64 KiB, so that many of them cost little. Memory is one record batch and the
 * dictionaries, a few times.
 */

import { Table } from './parquet-module.ts';
import type { SplitPosition } from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import { type ArrowRecords, recordsOf } from './arrow-array.ts';
import { openBytes } from './byte-stream.ts';
import { asError, type Decoder, unreadable } from './decoder.ts';
import { schemaOfFooter } from './ipc-footer.ts';
import { type IpcMessage, IpcMessages } from './ipc-messages.ts';
import type { ByteStream } from './piece-stream.ts';
import { type RecordSource, type RecordStore, RecordsDecoder } from './records-decoder.ts';
import { decoderReason } from './wasm-traps.ts';

const GROUP_BYTES = 1 << 16;
const END = Buffer.of(0xff, 0xff, 0xff, 0xff, 0, 0, 0, 0);

/** Opens the file, or the rest of it behind a position that a decoder of it has given. */
export async function openIpc(
  path: string,
  records: RecordStore,
  resumeAt?: SplitPosition,
): Promise<Decoder> {
  const stream = await openBytes(path);
  return new RecordsDecoder(path, new IpcSource(path, stream), records, resumeAt);
}

class IpcSource implements RecordSource {
  readonly firstRow = 0;
  readonly #path: string;
  readonly #stream: ByteStream;
  readonly #messages: IpcMessages;
  #schema: Buffer | undefined;
  /** Of each dictionary the message that states it and those that add to it. */
  readonly #dictionaries = new Map<bigint, IpcMessage[]>();
  /** Read ahead: it did not belong to the group before. */
  #pending: IpcMessage | undefined;
  #decoded: ArrowRecords[] = [];
  #damage: Error | undefined;
  #hasEnded = false;
  /** A record batch could not be decoded; those behind it are not looked at. */
  #isFaulty = false;

  constructor(path: string, stream: ByteStream) {
    this.#path = path;
    this.#stream = stream;
    this.#messages = new IpcMessages(path, stream);
  }

  get bytesRead(): number {
    return this.#stream.bytesRead;
  }

  async next(): Promise<ArrowRecords | undefined> {
    for (;;) {
      const records = this.#decoded.shift();
      if (records !== undefined) return records;
      if (this.#damage !== undefined) throw this.#damage;
      if (this.#hasEnded) return undefined;
      // Damage behind the group is thrown once the group has been given.
      this.#decode(await this.#readGroup());
    }
  }

  /** Record batches between which no dictionary changes. */
  async #readGroup(): Promise<IpcMessage[]> {
    const group: IpcMessage[] = [];
    for (let bytes = 0; bytes < GROUP_BYTES; ) {
      const message = this.#pending ?? (await this.#nextMessage());
      this.#pending = undefined;
      if (message === undefined) break;
      if (message.kind === 'records') {
        if (this.#schema === undefined && !(await this.#findSchema())) break;
        group.push(message);
        bytes += message.bytes.length;
      } else if (group.length > 0) {
        this.#pending = message;
        break;
      } else this.#note(message);
    }
    return group;
  }

  /** Looks for the schema at the end of the file; false where it is not there. */
  async #findSchema(): Promise<boolean> {
    try {
      this.#schema = await schemaOfFooter(this.#path);
      return true;
    } catch (error) {
      this.#damage = error instanceof EngineError ? error : unreadable(this.#path, error);
      return false;
    }
  }

  /** The next message; undefined at the end and before damage. */
  async #nextMessage(): Promise<IpcMessage | undefined> {
    try {
      const message = await this.#messages.next();
      if (message === undefined) {
        this.#hasEnded = true;
        // Without a schema it is no Arrow, however few its rows.
        if (this.#schema === undefined) await this.#findSchema();
      }
      return message;
    } catch (damage) {
      this.#damage = asError(damage);
      return undefined;
    }
  }

  #note(message: IpcMessage): void {
    if (message.kind === 'schema') {
      this.#schema = message.bytes;
      return;
    }
    const known = this.#dictionaries.get(message.dictionary);
    if (message.isDelta && known !== undefined) known.push(message);
    else this.#dictionaries.set(message.dictionary, [message]);
  }

  /** Decodes a group; where that fails, one by one up to the record batch at fault. */
  #decode(group: readonly IpcMessage[]): void {
    if (group.length === 0) return;
    try {
      this.#decoded = this.#decodeTogether(group);
    } catch (error) {
      this.#decoded = [];
      if (group.length === 1) this.#damage = this.#corrupt(group[0]!, error);
      else for (const message of group) this.#decodeAlone(message);
    }
  }

  #decodeAlone(message: IpcMessage): void {
    if (this.#isFaulty) return;
    try {
      this.#decoded.push(...this.#decodeTogether([message]));
    } catch (error) {
      this.#isFaulty = true;
      this.#damage = this.#corrupt(message, error);
    }
  }

  #decodeTogether(group: readonly IpcMessage[]): ArrowRecords[] {
    const messages = [...[...this.#dictionaries.values()].flat(), ...group];
    const stream = [this.#schema!, ...messages.map(({ bytes }) => bytes), END];
    const table = Table.fromIPCStream(Buffer.concat(stream));
    try {
      return table.recordBatches().map(recordsOf);
    } finally {
      table.free();
    }
  }

  #corrupt(message: IpcMessage, cause: unknown): EngineError {
    const reason = decoderReason(cause);
    return new EngineError(
      'source/corrupt',
      `cannot read on in ${this.#path}: the record batch at byte ${message.offset} cannot be ` +
        `decoded (${reason})`,
      { cause },
    );
  }

  async close(): Promise<void> {
    for (const records of this.#decoded.splice(0)) records.close();
    await this.#stream.close();
  }
}
