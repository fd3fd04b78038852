/**
 * Writes rows into the Parquet files of one sink.
 *
 * Rows wait in a buffer for each hive folder until there are enough for a row group; only then is a
 * file opened for them, which grows until it is large enough or there is a checkpoint. At a
 * checkpoint open files are finished and handed out; rows that still wait are carried in it, so
 * that frequent checkpoints do not make small files, unless they have waited for long.
 *
 * Memory has two limits, whatever the number of folders and rows: the bytes of all buffers, and the
 * open files, each of which holds at most one unfinished (encoded) row group. Beyond them the
 * folder that was left alone longest gives way. So has what a checkpoint carries.
 */

import { join } from 'node:path';
import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type { PreparedCommit, SinkContext, SinkWriter } from '../../engine/contract/connector.ts';
import type { ColumnSchema } from '../../engine/contract/schema.ts';
import { type CarriedFolder, packRows, unpackRows } from './carried-rows.ts';
import type { PartCommittable, ReplaceCommittable } from '../staging/part-commit.ts';
import type { PartNames } from '../staging/part-files.ts';
import { removeEmptyFolders, removeStaged, StagedFile } from '../staging/staged-file.ts';
import { ArrowStreamWriter } from './arrow-stream.ts';
import { ParquetFile } from './parquet-file.ts';
import { type PartitionColumn, splitByFolder } from './partition-folders.ts';
import { RowBuffer } from './row-buffer.ts';
import { type CompressionName, StorageChooser, writerProperties } from './storage.ts';

export interface ParquetLimits {
  /** Rows that wait for a row group; one of fewer rows is encoded at once. */
  readonly bufferRows: number;
  /** Rows that are encoded at once. 16,384: larger ones are no faster (bench/parquet-writers). */
  readonly chunkRows: number;
  /** Bytes of the buffers of all folders together, but for the one in use. */
  readonly bufferBytesMax: number;
  /** Files open for writing. */
  readonly openFilesMax: number;
  /** Bytes of rows that a checkpoint carries. */
  readonly carriedBytesMax: number;
}

export const PARQUET_LIMITS: ParquetLimits = {
  bufferRows: 122_880,
  chunkRows: 16_384,
  bufferBytesMax: 64 * 2 ** 20,
  openFilesMax: 8,
  carriedBytesMax: 32 * 2 ** 20,
};

export interface ParquetOptions {
  /** Without a slash at its end. */
  readonly path: string;
  readonly partitionBy: readonly PartitionColumn[];
  readonly compression: CompressionName;
  readonly rowGroupRows: number;
  /** A file that has grown beyond is finished, and another one begun. */
  readonly rollRows: number;
  readonly rollBytes: number;
  /** Rows that have waited for so long are written at the next checkpoint. */
  readonly rollAgeMs: number;
  /** Of the parts of this run. */
  readonly generation: number;
  /** Whether parts of this generation are visible. */
  readonly hasParts: boolean;
  /** Whether the first commit removes what earlier runs wrote. */
  readonly replaces: boolean;
}

/** A file that is written or finished, and the encoder that its columns need. */
interface OpenFile {
  readonly file: ParquetFile;
  readonly encoder: ArrowStreamWriter;
}

interface FinishedFile {
  readonly folder: string;
  readonly staged: string;
  readonly bytes: number;
  readonly rows: number;
}

/** What is under way for one folder. Maps keep them in order of use, oldest first. */
interface FolderState {
  readonly folder: string;
  readonly buffer: RowBuffer;
  open: OpenFile | undefined;
  /** When the oldest row of the buffer came. */
  sinceMs: number;
}

export class ParquetSinkWriter implements SinkWriter {
  readonly #options: ParquetOptions;
  readonly #context: SinkContext;
  readonly #names: PartNames;
  readonly #limits: ParquetLimits;
  readonly #nowMs: () => number;
  /** Columns that stand in the files, and their positions in a batch. */
  readonly #columns: readonly ColumnSchema[];
  readonly #positions: readonly number[];
  readonly #storage: StorageChooser;
  readonly #folders = new Map<string, FolderState>();
  #finished: FinishedFile[] = [];
  #bufferBytes = 0;
  #openFiles = 0;
  #replaces: boolean;
  #hasParts: boolean;

  /** @param nowMs The clock, by which rows grow old. */
  constructor(
    options: ParquetOptions,
    context: SinkContext,
    names: PartNames,
    limits: ParquetLimits = PARQUET_LIMITS,
    nowMs: () => number = Date.now,
  ) {
    this.#options = options;
    this.#context = context;
    this.#names = names;
    this.#limits = limits;
    this.#nowMs = nowMs;
    this.#hasParts = options.hasParts;
    this.#replaces = options.replaces && context.resume === undefined;
    const inFolders = new Set(options.partitionBy.map(({ name }) => name));
    const { columns } = context.schema;
    this.#columns = columns.filter(({ name }) => !inFolders.has(name));
    this.#positions = this.#columns.map((column) => columns.indexOf(column));
    this.#storage = new StorageChooser(this.#columns, context.schema.key, options.compression);
    if (context.resume?.carried !== undefined) this.#takeBack(context.resume.carried);
  }

  async write(batch: ColumnBatch): Promise<void> {
    if (batch.rowCount === 0) return;
    for (const { folder, rows } of splitByFolder(batch, this.#options.partitionBy)) {
      const state = this.#stateOf(folder);
      const length = rows?.length ?? batch.rowCount;
      for (let from = 0; from < length; ) {
        const taken = Math.min(state.buffer.room, length - from);
        this.#append(state, batch, rows, from, taken);
        from += taken;
        if (state.buffer.room === 0) await this.#encode(state);
      }
      await this.#makeRoom(state);
    }
  }

  async prepareCommit(epoch: number, isFinal: boolean): Promise<PreparedCommit> {
    const nowMs = this.#nowMs();
    const oldMs = nowMs - this.#options.rollAgeMs;
    const states = [...this.#folders.values()];
    // Rows of the future came before somebody set the clock back: nobody knows their age.
    const isDue = ({ sinceMs }: FolderState): boolean =>
      isFinal || sinceMs <= oldMs || sinceMs > nowMs;
    // Open files first: opening one more might finish another whose folder still has rows.
    for (const state of states) {
      if (state.open === undefined) continue;
      if (isDue(state)) await this.#encode(state);
      await this.#finishFile(state);
    }
    let carriedBytes = 0;
    for (const { buffer } of states) carriedBytes += buffer.rowBytes;
    for (const state of states) {
      const { rowBytes } = state.buffer;
      if (!isDue(state) && carriedBytes <= this.#limits.carriedBytesMax) continue;
      carriedBytes -= rowBytes;
      await this.#encode(state);
      await this.#finishFile(state);
    }
    for (const state of states) if (state.buffer.rowCount === 0) this.#forget(state);
    const committables: (PartCommittable | ReplaceCommittable)[] = this.#takeFinished(epoch);
    const { path, generation } = this.#options;
    if (this.#replaces) committables.push({ kind: 'replace', folder: path, generation });
    this.#replaces = false;
    return { committables, carried: this.#carried() };
  }

  async close(): Promise<void> {
    for (const { folder, open } of this.#folders.values()) {
      await open?.file.discard();
      this.#removeIfEmpty(folder);
    }
    for (const { folder, staged } of this.#finished) {
      removeStaged(staged);
      this.#removeIfEmpty(folder);
    }
    this.#folders.clear();
    this.#finished = [];
    this.#openFiles = 0;
    this.#bufferBytes = 0;
  }

  #removeIfEmpty(folder: string): void {
    removeEmptyFolders(join(this.#options.path, folder), this.#options.path);
  }

  #takeFinished(epoch: number): PartCommittable[] {
    const { path, generation } = this.#options;
    const numbers = new Map<string, number>();
    // Sorted, so that the order of commit does not depend on which folder came first.
    const finished = this.#finished.sort((a, b) => compareTexts(a.folder, b.folder));
    this.#finished = [];
    this.#hasParts ||= finished.length > 0;
    return finished.map(({ folder, staged, bytes, rows }) => {
      const number = (numbers.get(folder) ?? 0) + 1;
      numbers.set(folder, number);
      const target = join(path, folder, this.#names.part({ generation, epoch, number }));
      return { kind: 'part', staged, target, bytes, rows };
    });
  }

  /**
   * The rows that wait; undefined where none does. Without rows the generation is carried where it
   * cannot be told from the parts: where older ones stay and there are none of this run yet.
   */
  #carried(): Uint8Array | undefined {
    const folders = [...this.#folders.values()].map(
      ({ folder, sinceMs, buffer }): CarriedFolder => {
        return { folder, sinceMs, rowCount: buffer.rowCount, columns: buffer.takeRows() };
      },
    );
    const isKnown = this.#hasParts || this.#options.replaces;
    if (folders.length === 0 && isKnown) return undefined;
    return packRows(this.#columns, { generation: this.#options.generation, folders });
  }

  #takeBack(carried: Uint8Array): void {
    const { folders } = unpackRows(this.#context.sink, this.#columns, carried);
    for (const { folder, sinceMs, rowCount, columns } of folders) {
      const { buffer } = Object.assign(this.#stateOf(folder), { sinceMs });
      buffer.putRows(rowCount, columns);
      this.#bufferBytes += buffer.bytes;
    }
  }

  /** Buffer and file of a folder, which is now the last one used. */
  #stateOf(folder: string): FolderState {
    let state = this.#folders.get(folder);
    if (state === undefined) {
      const rows = Math.min(this.#limits.bufferRows, this.#options.rowGroupRows);
      const buffer = new RowBuffer(this.#columns, rows);
      state = { folder, buffer, open: undefined, sinceMs: 0 };
    } else {
      this.#folders.delete(folder);
    }
    this.#folders.set(folder, state);
    return state;
  }

  #append(
    state: FolderState,
    batch: ColumnBatch,
    rows: Uint32Array | undefined,
    from: number,
    length: number,
  ): void {
    const { buffer } = state;
    if (buffer.rowCount === 0) state.sinceMs = this.#nowMs();
    this.#bufferBytes -= buffer.bytes;
    buffer.append(batch, this.#positions, rows, from, length);
    this.#bufferBytes += buffer.bytes;
  }

  /** Empties and gives up the buffers of the folders that were left alone longest. */
  async #makeRoom(current: FolderState): Promise<void> {
    const { bufferBytesMax } = this.#limits;
    for (const state of this.#folders.values()) {
      if (this.#bufferBytes <= bufferBytesMax) return;
      if (state === current && state.buffer.bytes <= bufferBytesMax) continue;
      await this.#encode(state);
      this.#bufferBytes -= state.buffer.bytes;
      state.buffer.release();
      if (state.open === undefined) this.#folders.delete(state.folder);
    }
  }

  /** Moves the buffered rows of a folder into its file. */
  async #encode(state: FolderState): Promise<void> {
    const { buffer } = state;
    if (buffer.rowCount === 0) return;
    state.open ??= await this.#openFile(state);
    const { file, encoder } = state.open;
    for (const { bytes, rowCount } of encoder.write(buffer, this.#limits.chunkRows)) {
      await file.append(bytes, rowCount);
    }
    this.#bufferBytes -= buffer.bytes;
    buffer.clear();
    this.#bufferBytes += buffer.bytes;
    const { rollRows, rollBytes } = this.#options;
    if (file.rowCount >= rollRows || file.bytes >= rollBytes) await this.#finishFile(state);
  }

  async #openFile({ folder, buffer }: FolderState): Promise<OpenFile> {
    while (this.#openFiles >= this.#limits.openFilesMax) {
      for (const state of this.#folders.values()) {
        if (state.open === undefined) continue;
        await this.#finishFile(state);
        break;
      }
    }
    const { path, compression, rowGroupRows } = this.#options;
    const { sink } = this.#context;
    const storage = this.#storage.choose(buffer);
    const staged = StagedFile.create(sink, join(path, folder, this.#names.staged()));
    const properties = writerProperties(this.#columns, storage, compression, rowGroupRows);
    const file = new ParquetFile(staged, properties);
    this.#openFiles++;
    const hasDictionary = storage.map(
      ({ encoding }, index) => encoding === 'dictionary' && this.#columns[index]!.type === 'string',
    );
    return { file, encoder: new ArrowStreamWriter(this.#columns, hasDictionary) };
  }

  #forget(state: FolderState): void {
    this.#bufferBytes -= state.buffer.bytes;
    this.#folders.delete(state.folder);
  }

  async #finishFile(state: FolderState): Promise<void> {
    if (state.open === undefined) return;
    const { file } = state.open;
    await file.finish();
    state.open = undefined;
    this.#openFiles--;
    const { bytes, rowCount, staged } = file;
    this.#finished.push({ folder: state.folder, staged: staged.path, bytes, rows: rowCount });
  }
}

function compareTexts(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
