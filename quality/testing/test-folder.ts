/** A folder of its own for a test, and files in it written by DuckDB. */

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { DuckDBInstance } from '@duckdb/node-api';

export class TestFolder implements Disposable {
  readonly path: string = mkdtempSync(join(tmpdir(), 'tidemark-quality-'));

  file(name: string): string {
    const path = join(this.path, name);
    mkdirSync(dirname(path), { recursive: true });
    return path;
  }

  /** Writes the rows of a query to a Parquet file, with columns other than those of the folders. */
  async parquet(name: string, select: string, options = ''): Promise<string> {
    const path = this.file(name);
    const instance = await DuckDBInstance.create(':memory:', { threads: '1' });
    const connection = await instance.connect();
    await connection.run(`COPY (${select}) TO '${path}' (FORMAT parquet${options})`);
    connection.closeSync();
    instance.closeSync();
    return path;
  }

  [Symbol.dispose](): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
