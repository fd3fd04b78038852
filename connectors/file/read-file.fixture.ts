/** Reads files through the source, for tests: rows as values, and everything else it gives. */

import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import type { ColumnVector, RejectedRow } from '../../engine/contract/batch.ts';
import type { SourceBatch, SplitPosition, SplitStatus } from '../../engine/contract/connector.ts';
import type { EngineError } from '../../engine/contract/error.ts';
import { z } from '../../engine/contract/fields.ts';
import type { Problem } from '../../engine/contract/problem.ts';
import { INT64_NULL, type Schema, STRING_NULL } from '../../engine/contract/schema.ts';
import { type FileConfig, fields } from './file-fields.ts';
import { file } from './file-source.ts';

export type Options = z.input<z.ZodObject<typeof fields>>;

export interface ReadOptions {
  readonly batchRows?: number;
  readonly lane?: number;
  readonly lanes?: number;
  readonly resumeAt?: SplitPosition;
  readonly key?: string;
  /** Stops after so many batches. */
  readonly batchesMax?: number;
}

export interface ReadResult {
  readonly rows: unknown[][];
  readonly rejected: RejectedRow[];
  readonly units: number[];
  readonly batchSizes: number[];
  readonly positions: SplitPosition[];
  readonly bytesRead: number;
  readonly totalBytes: number;
  readonly lanesMax: number;
  readonly error: EngineError | undefined;
  readonly status: SplitStatus | undefined;
}

/** A folder that is gone after the tests of the file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-file-'));
  after(() => {
    rmSync(folder, { recursive: true, force: true });
  });
  return folder;
}

export function parseOptions(options: Options): FileConfig {
  return z.strictObject(fields).parse(options);
}

/** The schema and the lints, as `path code: message`. */
export function plan(options: Options, key = 'symbol'): { schema: Schema; problems: string[] } {
  const problems: string[] = [];
  const report = ({ path, code, message }: Problem): void => {
    problems.push(`${path.join('.')} ${code}: ${message}`);
  };
  return { schema: file.plan(parseOptions(options), key, report), problems };
}

export function valueAt(vector: ColumnVector, row: number): unknown {
  if (vector.type === 'string') {
    const code = vector.codes[row]!;
    return code === STRING_NULL ? null : vector.dictionary[code];
  }
  const value = vector.values[row]!;
  if (vector.type === 'boolean') return value === 2 ? null : value === 1;
  return value === INT64_NULL || Number.isNaN(value) ? null : value;
}

export function rowsOf({ columns, rowCount }: SourceBatch): unknown[][] {
  return Array.from({ length: rowCount }, (_, row) =>
    columns.map((vector) => valueAt(vector, row)),
  );
}

/** Reads to the end, or to the error, which is part of the result. */
export async function read(options: Options, how: ReadOptions = {}): Promise<ReadResult> {
  const config = parseOptions(options);
  const { schema, problems } = plan(options, how.key);
  if (problems.length > 0) throw new Error(problems.join('\n'));
  const [split] = await file.splits(config, { source: 'trades' });
  const reader = await file.open(config, {
    source: 'trades',
    schema,
    split: split!,
    lane: how.lane ?? 0,
    lanes: how.lanes ?? 1,
    batchRows: how.batchRows ?? 4096,
    resumeAt: how.resumeAt,
  });
  const result = {
    rows: [] as unknown[][],
    rejected: [] as RejectedRow[],
    units: [] as number[],
    batchSizes: [] as number[],
    positions: [] as SplitPosition[],
    bytesRead: 0,
    totalBytes: split!.totalBytes!,
    lanesMax: split!.lanesMax,
    error: undefined as EngineError | undefined,
    status: undefined as SplitStatus | undefined,
  };
  try {
    while (result.batchSizes.length < (how.batchesMax ?? Number.POSITIVE_INFINITY)) {
      const batch = await reader.poll();
      if (batch === 'end' || batch === 'idle') break;
      for (const row of rowsOf(batch)) result.rows.push(row);
      result.rejected.push(...batch.rejected);
      result.units.push(batch.unit);
      result.batchSizes.push(batch.rowCount);
      result.positions.push(reader.position());
      result.bytesRead = batch.bytesRead;
    }
  } catch (error) {
    result.error = error as EngineError;
  } finally {
    result.status = reader.status?.();
    await reader.close();
  }
  return result;
}
