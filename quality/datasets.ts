/**
 * The outputs of a pipeline as views of an in-memory DuckDB: one view per dataset, by its name.
 *
 * A dataset whose files do not exist yet is an empty view with the columns it will have. One whose
 * files cannot be read (another program's, half a file) has a `problem` instead of a view, so that
 * the other datasets stay of use.
 *
 * The database holds no rows: views read the files when they are queried. Memory is bounded, what
 * does not fit spills to the temporary folder of the system, and nothing is ever downloaded.
 */

import { rm, stat } from 'node:fs/promises';
import { availableParallelism, tmpdir, totalmem } from 'node:os';
import { join } from 'node:path';
import { DuckDBInstance, type DuckDBConnection } from '@duckdb/node-api';
import {
  type DatasetSpec,
  emptyRelation,
  fileRelation,
  missingColumns,
  withColumns,
} from './relation.ts';
import { identifier, literal, QueryError } from './sql.ts';

export interface DatasetOptions {
  /** Default: a quarter of the memory there is, at least 256 MiB and at most 1 GiB. */
  readonly memoryBytes?: number;
  /** Default: the cores of the machine. */
  readonly threads?: number;
}

/** A column of a view, with DuckDB's name for its type. */
export interface ViewColumn {
  readonly name: string;
  readonly type: string;
}

/** What lies on disk. */
export interface DatasetInventory {
  readonly name: string;
  readonly files: number;
  readonly bytes: number;
  readonly rows: number;
}

export class Datasets implements AsyncDisposable {
  /** For this folder only: everything else asks `query.ts`. */
  readonly connection: DuckDBConnection;
  readonly specs: readonly DatasetSpec[];
  readonly #instance: DuckDBInstance;
  readonly #spill: string;
  readonly #columns = new Map<string, readonly ViewColumn[]>();
  readonly #problems = new Map<string, string>();
  readonly #written = new Set<string>();
  #closed = false;

  private constructor(
    instance: DuckDBInstance,
    connection: DuckDBConnection,
    specs: readonly DatasetSpec[],
    spill: string,
  ) {
    this.#instance = instance;
    this.connection = connection;
    this.specs = specs;
    this.#spill = spill;
  }

  static async open(
    specs: readonly DatasetSpec[],
    options: DatasetOptions = {},
  ): Promise<Datasets> {
    const spill = join(tmpdir(), `tidemark-duckdb-${process.pid}-${++opened}`);
    const instance = await DuckDBInstance.create(':memory:', {
      memory_limit: `${Math.round((options.memoryBytes ?? defaultMemory()) / 2 ** 20)}MiB`,
      threads: String(options.threads ?? availableParallelism()),
      temp_directory: spill,
      autoinstall_known_extensions: 'false',
      autoload_known_extensions: 'false',
      allow_community_extensions: 'false',
    });
    const connection = await instance.connect();
    await connection.run(`SET TimeZone = 'UTC'`);
    await connection.run('SET lock_configuration = true');
    const datasets = new Datasets(instance, connection, specs, spill);
    for (const spec of specs) await datasets.#createView(spec);
    return datasets;
  }

  /** Columns of the view; empty where the dataset has a problem. */
  columns(name: string): readonly ViewColumn[] {
    return this.#columns.get(name) ?? [];
  }

  has(name: string): boolean {
    return this.#columns.has(name);
  }

  /** Whether there was any file of any dataset when they were opened. */
  get areWritten(): boolean {
    return this.#written.size > 0;
  }

  /** The event-time column of the dataset, or undefined. */
  timeColumn(name: string): string | undefined {
    return this.specs.find((spec) => spec.name === name)?.time;
  }

  /** Why the dataset cannot be read, or undefined. */
  problem(name: string): string | undefined {
    return this.#problems.get(name);
  }

  /** Files, bytes and rows of the dataset as they are now. */
  async inventory(name: string): Promise<DatasetInventory> {
    const spec = this.specs.find((candidate) => candidate.name === name);
    const files = spec === undefined ? [] : await this.#files(spec);
    let bytes = 0;
    for (const file of files) bytes += (await stat(file)).size;
    let rows = 0;
    if (this.has(name)) {
      const reader = await this.#read(`SELECT count(*) FROM ${identifier(name)}`);
      rows = Number(reader[0]![0]);
    }
    return { name, files: files.length, bytes, rows };
  }

  /** Twice is harmless. */
  async close(): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.connection.closeSync();
    this.#instance.closeSync();
    await rm(this.#spill, { recursive: true, force: true });
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.close();
  }

  async #createView(spec: DatasetSpec): Promise<void> {
    try {
      const files = await this.#files(spec);
      if (files.length > 0) this.#written.add(spec.name);
      const relation = files.length === 0 ? emptyRelation(spec) : fileRelation(spec, files);
      await this.#view(spec.name, relation);
      const found = this.columns(spec.name).map((column) => column.name);
      const missing = missingColumns(spec, found);
      if (missing.length > 0) await this.#view(spec.name, withColumns(relation, missing));
    } catch (error) {
      this.#columns.delete(spec.name);
      this.#problems.set(spec.name, firstParagraph(QueryError.from(error).message));
    }
  }

  async #view(name: string, sql: string): Promise<void> {
    await this.connection.run(`CREATE OR REPLACE VIEW ${identifier(name)} AS ${sql}`);
    const described = await this.#read(`DESCRIBE ${identifier(name)}`);
    this.#columns.set(
      name,
      described.map(([column, type]) => ({ name: String(column), type: String(type) })),
    );
  }

  async #files({ glob, files }: DatasetSpec): Promise<readonly string[]> {
    if (files !== undefined) return files();
    const rows = await this.#read(`SELECT file FROM glob(${literal(glob)}) ORDER BY file`);
    return rows.map(([file]) => String(file));
  }

  async #read(sql: string): Promise<unknown[][]> {
    return (await this.connection.runAndReadAll(sql)).getRows();
  }
}

let opened = 0;

function defaultMemory(): number {
  // Where a container limits memory, that limit counts and not the machine's.
  const constrained = process.constrainedMemory() ?? 0;
  const limit = constrained > 0 && constrained < totalmem() ? constrained : totalmem();
  return Math.min(2 ** 30, Math.max(256 * 2 ** 20, limit / 4));
}

function firstParagraph(message: string): string {
  return message.split('\n')[0]!;
}
