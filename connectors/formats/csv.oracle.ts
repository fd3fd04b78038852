/** Delimited text, row by row and character by character, from its definition. */

import type { ColumnType } from '../../engine/contract/schema.ts';
import {
  booleanOfText,
  floatOfText,
  integerOfText,
  OUT_OF_RANGE,
  timeOfText,
} from './cell-text.ts';

export interface OracleColumn {
  readonly type: ColumnType;
  readonly cell: number;
  readonly isRequired: boolean;
}

export interface OracleResult {
  readonly rows: readonly (readonly unknown[])[];
  readonly rejects: readonly { line: number; reason: string; detail: number; row: string }[];
  /** Where a quote that is never closed begins its row, or the end. */
  readonly end: number;
}

interface Cell {
  readonly text: string;
  readonly isQuoted: boolean;
  readonly hasRest: boolean;
}

/** The row at `start`, or undefined where a quote in it is never closed. */
function readRow(
  text: string,
  start: number,
  delimiter: string,
): { cells: Cell[]; raw: string; end: number } | undefined {
  const cells: Cell[] = [];
  let at = start;
  for (;;) {
    let content = '';
    const isQuoted = text[at] === '"';
    if (isQuoted) {
      for (at++; ; at++) {
        if (at >= text.length) return undefined;
        if (text[at] !== '"') content += text[at];
        else if (text[at + 1] === '"') content += text[at++];
        else break;
      }
      at++;
    }
    let rest = '';
    while (at < text.length && text[at] !== delimiter && text[at] !== '\n') rest += text[at++];
    const isLast = at >= text.length || text[at] === '\n';
    if (isLast && rest.endsWith('\r') && at < text.length) rest = rest.slice(0, -1);
    cells.push({ text: isQuoted ? content : rest, isQuoted, hasRest: isQuoted && rest !== '' });
    at++;
    if (isLast) return { cells, raw: text.slice(start, at - 1).replace(/\r$/, ''), end: at };
  }
}

function valueOf(type: ColumnType, { text, isQuoted }: Cell): unknown {
  if (type === 'string') return text === '' && !isQuoted ? null : text;
  // eslint-disable-next-line no-control-regex
  const trimmed = text.replace(/^[\0- ]+|[\0- ]+$/g, '');
  if (trimmed === '') return null;
  if (type === 'float64') return floatOfText(trimmed);
  if (type === 'int64') return integerOfText(trimmed);
  if (type === 'boolean') return booleanOfText(trimmed);
  return timeOfText(trimmed, 0n);
}

type Verdict = { reason: string; detail: number } | undefined;

function judge(
  cells: readonly Cell[],
  columns: readonly OracleColumn[],
  values: unknown[],
): Verdict {
  let verdict: Verdict;
  for (const [index, cell] of cells.entries()) {
    if (cell.hasRest) verdict ??= { reason: 'quote', detail: -1 };
    for (const [number, column] of columns.entries()) {
      if (column.cell !== index || verdict !== undefined) continue;
      const value = valueOf(column.type, cell);
      values[number] = value;
      if (value === undefined) verdict = { reason: 'value', detail: number };
      else if (value === OUT_OF_RANGE) verdict = { reason: 'range', detail: number };
      else if (value === null && column.isRequired) verdict = { reason: 'empty', detail: number };
    }
  }
  return verdict;
}

/** @param cellCount Cells that a row must have. */
export function readCsvOracle(
  text: string,
  delimiter: string,
  cellCount: number,
  columns: readonly OracleColumn[],
): OracleResult {
  const rows: unknown[][] = [];
  const rejects: { line: number; reason: string; detail: number; row: string }[] = [];
  let line = 1;
  let at = 0;
  while (at < text.length) {
    const row = readRow(text, at, delimiter);
    if (row === undefined) return { rows, rejects, end: at };
    const { cells, raw } = row;
    const isBlank = cells.length === 1 && cells[0]!.text === '' && !cells[0]!.isQuoted;
    const values: unknown[] = columns.map(() => undefined);
    let verdict = judge(cells, columns, values);
    if (verdict?.reason !== 'quote' && cells.length !== cellCount) {
      verdict = { reason: 'cells', detail: cells.length };
    }
    // The word `nan` is a null too, though no empty cell.
    const taken = values.map((value) => (Number.isNaN(value) ? null : value));
    if (!isBlank && verdict === undefined) rows.push(taken);
    else if (!isBlank) rejects.push({ line, ...verdict!, row: raw });
    line += text.slice(at, row.end).split('\n').length - 1;
    at = row.end;
  }
  return { rows, rejects, end: text.length };
}
