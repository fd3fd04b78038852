/**
 * Writes rows into the Parquet files of one sink: one file a hive folder and commit, or several
 * where a file has become large.
 *
 * Rows wait in a buffer for each folder until there are enough for a chunk; only then is a file
 * opened for them. So rows of many folders mixed up make as few small files as memory allows, which
 * has two limits, whatever the number of folders and rows: the bytes of all buffers, and the open
 * files, each of which holds one unfinished (encoded) row group. Beyond them the folder that was
 * left alone longest gives way.
 */

import { existsSync } from 'node:fs';
import { join } from 'node:path';
import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type { PreparedCommit, SinkContext, SinkWriter } from '../../engine/contract/connector.ts';
import type { ColumnSchema } from '../../engine/contract/schema.ts';
import type { PartCommittable, PartNames, ReplaceCommittable } from '../staging/part-files.ts';
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
}

export const PARQUET_LIMITS: ParquetLimits = {
  bufferRows: 122_880,
  chunkRows: 16_384,
  bufferBytesMax: 64 * 2 ** 20,
  openFilesMax: 8,
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
}

export class ParquetSinkWriter implements SinkWriter {
  readonly #options: ParquetOptions;
  readonly #context: SinkContext;
  readonly #names: PartNames;
  readonly #limits: ParquetLimits;
  /** Columns that stand in the files, and their positions in a batch. */
  readonly #columns: readonly ColumnSchema[];
  readonly #positions: readonly number[];
  readonly #storage: StorageChooser;
  readonly #folders = new Map<string, FolderState>();
  #finished: FinishedFile[] = [];
  #bufferBytes = 0;
  #openFiles = 0;
  #serial = 0;
  #isFirstCommit = true;

  constructor(
    options: ParquetOptions,
    context: SinkContext,
    names: PartNames,
    limits: ParquetLimits = PARQUET_LIMITS,
  ) {
    this.#options = options;
    this.#context = context;
    this.#names = names;
    this.#limits = limits;
    const inFolders = new Set(options.partitionBy.map(({ name }) => name));
    const { columns } = context.schema;
    this.#columns = columns.filter(({ name }) => !inFolders.has(name));
    this.#positions = this.#columns.map((column) => columns.indexOf(column));
    this.#storage = new StorageChooser(this.#columns, context.schema.key, options.compression);
  }

  async write(batch: ColumnBatch): Promise<void> {
    if (batch.rowCount === 0) return;
    for (const { folder, rows } of splitByFolder(batch, this.#options.partitionBy)) {
      const state = this.#stateOf(folder);
      const { buffer } = state;
      const length = rows?.length ?? batch.rowCount;
      for (let from = 0; from < length; ) {
        const taken = Math.min(buffer.room, length - from);
        this.#bufferBytes -= buffer.bytes;
        buffer.append(batch, this.#positions, rows, from, taken);
        this.#bufferBytes += buffer.bytes;
        from += taken;
        if (buffer.room === 0) await this.#encode(state);
      }
      await this.#makeRoom(state);
    }
  }

  async prepareCommit(epoch: number, _isFinal: boolean): Promise<PreparedCommit> {
    // Open files first: opening one more might finish another whose folder still has rows.
    const states = [...this.#folders.values()];
    for (const state of states) if (state.open !== undefined) await this.#finish(state);
    for (const state of states) if (state.open === undefined) await this.#finish(state);
    const committables: (PartCommittable | ReplaceCommittable)[] = [];
    const numbers = new Map<string, number>();
    // Sorted, so that the order of commit does not depend on which folder came first.
    const finished = this.#finished.sort((a, b) => compareTexts(a.folder, b.folder));
    for (const file of finished) {
      const number = this.#freeNumber(file.folder, epoch, (numbers.get(file.folder) ?? 0) + 1);
      numbers.set(file.folder, number);
      const { staged, bytes, rows } = file;
      const target = this.#target(file.folder, epoch, number);
      committables.push({ kind: 'part', staged, target, bytes, rows });
    }
    if (this.#isFirstCommit && this.#options.replaces) {
      committables.push({ kind: 'replace', folder: this.#options.path });
    }
    this.#finished = [];
    this.#isFirstCommit = false;
    return { committables };
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

  #target(folder: string, epoch: number, number: number): string {
    return join(this.#options.path, folder, this.#names.part(epoch, number));
  }

  /** Where earlier files stay, theirs are not taken. */
  #freeNumber(folder: string, epoch: number, from: number): number {
    let number = from;
    if (this.#options.replaces) return number;
    while (existsSync(this.#target(folder, epoch, number))) number++;
    return number;
  }

  /** Buffer and file of a folder, which is now the last one used. */
  #stateOf(folder: string): FolderState {
    let state = this.#folders.get(folder);
    if (state === undefined) {
      const rows = Math.min(this.#limits.bufferRows, this.#options.rowGroupRows);
      state = { folder, buffer: new RowBuffer(this.#columns, rows), open: undefined };
    } else {
      this.#folders.delete(folder);
    }
    this.#folders.set(folder, state);
    return state;
  }

  /** Empties and gives up the buffers of the folders that were left alone longest. */
  async #makeRoom(current: FolderState): Promise<void> {
    for (const state of this.#folders.values()) {
      if (this.#bufferBytes <= this.#limits.bufferBytesMax) return;
      if (state === current) continue;
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
    buffer.clear();
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
    const staged = StagedFile.create(sink, join(path, folder, this.#names.staged(++this.#serial)));
    const properties = writerProperties(this.#columns, storage, compression, rowGroupRows);
    const file = new ParquetFile(staged, properties);
    this.#openFiles++;
    const hasDictionary = storage.map(
      ({ encoding }, index) => encoding === 'dictionary' && this.#columns[index]!.type === 'string',
    );
    return { file, encoder: new ArrowStreamWriter(this.#columns, hasDictionary) };
  }

  /** Encodes what is left of a folder, finishes its file, and forgets its buffer. */
  async #finish(state: FolderState): Promise<void> {
    await this.#encode(state);
    await this.#finishFile(state);
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
