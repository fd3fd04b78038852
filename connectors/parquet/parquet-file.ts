/**
 * One Parquet file in the making: chunks go in, encoded row groups come out and are written to a
 * staged file as they fill.
 *
 * parquet-wasm pulls record batches from one web stream and pushes bytes into another, from a task
 * of its own. `append` hands it one batch and waits until it asks for the next, so that never more
 * than one is under way. It cannot cope with a byte stream that breaks: after a failed write the
 * rest of the bytes is read and dropped, and the failure is thrown by the next call.
 */

import {
  type RecordBatch,
  Table,
  transformParquetStream,
  type WriterProperties,
} from '../formats/parquet-module.ts';
import type { StagedFile } from '../staging/staged-file.ts';

export class ParquetFile {
  readonly staged: StagedFile;
  #rows = 0;
  #input: ReadableStreamDefaultController<RecordBatch> | undefined;
  /** Resolves when the encoder wants a batch. */
  #wanted: Promise<void>;
  #want: () => void = () => undefined;
  /** Resolves at the end of the bytes, whether or not they could be written. */
  readonly #drained: Promise<void>;
  #failure: { readonly error: unknown } | undefined;

  constructor(staged: StagedFile, properties: WriterProperties) {
    this.staged = staged;
    this.#wanted = this.#nextWant();
    const input = new ReadableStream<RecordBatch>(
      {
        start: (controller) => {
          this.#input = controller;
        },
        pull: () => {
          this.#want();
        },
      },
      { highWaterMark: 0 },
    );
    this.#drained = this.#drain(transformParquetStream(input, properties));
  }

  get rowCount(): number {
    return this.#rows;
  }

  /** Bytes written so far: row groups that are full. */
  get bytes(): number {
    return this.staged.bytes;
  }

  /** @param ipc An Arrow IPC stream of one record batch of `rowCount` rows, at least one. */
  async append(ipc: Uint8Array, rowCount: number): Promise<void> {
    await this.#encoderReady();
    const table = Table.fromIPCStream(ipc);
    const batch = table.recordBatch(0)!;
    table.free();
    this.#wanted = this.#nextWant();
    this.#input!.enqueue(batch);
    this.#rows += rowCount;
    await this.#encoderReady();
  }

  /** Writes the footer and makes the file durable, though not visible. */
  async finish(): Promise<void> {
    await this.#encoderReady();
    this.#input!.close();
    await this.#drained;
    this.#throwFailure();
    this.staged.finish();
  }

  /** Gives the file up. Never throws. */
  async discard(): Promise<void> {
    try {
      this.#input!.close();
      await this.#drained;
    } catch {
      // Closed before, or its encoder has failed: there is nothing left to stop.
    }
    this.staged.discard();
  }

  #nextWant(): Promise<void> {
    return new Promise((resolve) => {
      this.#want = resolve;
    });
  }

  async #encoderReady(): Promise<void> {
    await Promise.race([this.#wanted, this.#drained]);
    this.#throwFailure();
  }

  async #drain(output: Promise<ReadableStream<Uint8Array>>): Promise<void> {
    try {
      for await (const bytes of await output) this.#write(bytes);
    } catch (error) {
      this.#failure ??= { error };
    }
  }

  #write(bytes: Uint8Array): void {
    if (this.#failure !== undefined) return;
    try {
      this.staged.write(bytes);
    } catch (error) {
      this.#failure = { error };
    }
  }

  #throwFailure(): void {
    if (this.#failure !== undefined) throw this.#failure.error;
  }
}
