/**
 * Rows of a test case of which some cannot be read: where the case expects the rejected rows of its
 * source, they are rejected as a source would, and are no mistake of the case. They stand at the
 * number of the row within the case.
 */

import type { TestRows } from '../config/test-file.ts';
import { badValue, quoted, rawText } from '../connectors/formats/decoder.ts';
import type { RejectedRow } from '../engine/contract/batch.ts';
import type { Path, Report } from '../engine/contract/problem.ts';
import type { ColumnSchema, Schema } from '../engine/contract/schema.ts';
import { parseTable, type Row } from '../engine/testing/table.ts';
import { readInputRows, toValue } from './test-rows.ts';

export interface SortedRows {
  readonly rows: readonly Row[];
  readonly rejected: readonly RejectedRow[];
}

/** What is wrong with the case itself, such as a column that the source lacks, is reported. */
export function sortInputRows(
  given: TestRows,
  source: { readonly name: string; readonly schema: Schema },
  path: Path,
  report: Report,
): SortedRows {
  const all = typeof given === 'string' ? tableRows(given) : mappingRows(given);
  const rejected: RejectedRow[] = [];
  const kept = all.filter(({ raw, reasonIn }, index) => {
    const reason = reasonIn(source.schema);
    if (reason !== undefined) {
      const cut = rawText(Buffer.from(raw));
      rejected.push({ origin: 'test', line: index + 1, reason, raw: cut });
    }
    return reason === undefined;
  });
  const rest = typeof given === 'string' ? tableOf(given, kept) : kept.map(({ row }) => row!);
  return { rows: readInputRows(rest, source, path, report), rejected };
}

interface GivenRow {
  readonly raw: string;
  /** Set where the rows are mappings. */
  readonly row?: Readonly<Record<string, unknown>>;
  /** Why it is rejected, in the words of a source. */
  readonly reasonIn: (schema: Schema) => string | undefined;
}

function mappingRows(rows: Exclude<TestRows, string>): readonly GivenRow[] {
  return rows.map((row): GivenRow => {
    const reasonIn = (schema: Schema): string | undefined => {
      for (const column of schema.columns) {
        const value = row[column.name] ?? null;
        const isBad = value !== null && toValue(value, column) === undefined;
        if (isBad)
          return badCell(column, typeof value === 'string' ? value : JSON.stringify(value));
        if (value === null && isNeeded(schema, column)) return emptyCell(column);
      }
      return undefined;
    };
    return { raw: JSON.stringify(row), row, reasonIn };
  });
}

function tableRows(table: string): readonly GivenRow[] {
  const [header = '', ...lines] = table.split('\n').filter((line) => line.trim() !== '');
  const heads = header.split('|').map((cell) => cell.trim());
  return lines.map((line): GivenRow => {
    const cells = line.split('|').map((cell) => cell.trim());
    const reasonIn = (schema: Schema): string | undefined => {
      if (cells.length !== heads.length) return `${cells.length} cells, expected ${heads.length}`;
      for (const [index, head] of heads.entries()) {
        const [name] = head.split(':');
        const column = schema.columns.find((candidate) => candidate.name === name!.trim());
        if (column !== undefined && !isReadable(head, cells[index]!, schema)) {
          return badCell(column, cells[index]!);
        }
      }
      const needed = schema.columns.find(
        (column) => isNeeded(schema, column) && !cells[heads.indexOf(column.name)],
      );
      return needed && emptyCell(needed);
    };
    return { raw: line.trim(), reasonIn };
  });
}

function isReadable(head: string, cell: string, schema: Schema): boolean {
  try {
    parseTable(`${head}\n${cell}`, schema);
    return true;
  } catch {
    return false;
  }
}

function tableOf(table: string, rows: readonly GivenRow[]): string {
  const header = table.split('\n').find((line) => line.trim() !== '') ?? '';
  return [header, ...rows.map(({ raw }) => raw)].join('\n');
}

function isNeeded({ time, key }: Schema, { name }: ColumnSchema): boolean {
  return name === time || name === key;
}

function badCell(column: ColumnSchema, found: string): string {
  return badValue({ ...column, from: column.name, isRequired: false }, quoted(found));
}

function emptyCell(column: ColumnSchema): string {
  return badValue({ ...column, from: column.name, isRequired: true }, 'empty');
}
