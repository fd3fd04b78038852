/**
 * A table in a box, fitted to the width of the terminal as DuckDB's shell does it:
 *
 *   ┌─────────┬───┬─────────┐
 *   │ symbol  │ … │  close  │      numbers stand right; a null is dim
 *   │ varchar │   │ double  │      types below the names
 *   ├─────────┼───┼─────────┤
 *   │ AAPL    │ … │   182.5 │      long texts are cut; if that is not enough, the columns in the
 *   └─────────┴───┴─────────┘      middle give way to one ellipsis; numbers and times are not cut
 *   1,200 rows (40 shown) · 12 columns (2 shown)
 *
 * No line is wider than the width, and every row has exactly one line.
 */

import { plural } from './numbers.ts';
import { type Palette, PLAIN } from './palette.ts';
import { type Align, displayWidth, fit, pad, printable } from './text.ts';

export interface BoxColumn {
  readonly name: string;
  /** Shown below the name. */
  readonly type?: string;
  /** Numbers are aligned right. */
  readonly isNumeric?: boolean;
}

export interface BoxTable {
  readonly columns: readonly BoxColumn[];
  /** One text a column, null for a null. */
  readonly rows: readonly (readonly (string | null)[])[];
  /** Rows that were left out, after so many of those given; marked by a line of dots. */
  readonly omitted?: { readonly after: number; readonly count: number };
  /** Lines below the box; by default the numbers of rows and columns. */
  readonly footer?: readonly string[];
}

export interface BoxOptions {
  /** Cells of a line, at least 5. */
  readonly width: number;
  readonly palette?: Palette;
}

/** Cells around a value: `│ value `, and one more at the end of the line. */
const FRAME = 3;
/** Texts are cut to this before columns are dropped. */
const TEXT_MIN = 16;
const ELLIPSIS = -1;

interface Layout {
  /** Index of the column, or ELLIPSIS. */
  readonly column: number;
  readonly width: number;
}

export function renderBox(table: BoxTable, options: BoxOptions): string[] {
  const palette = options.palette ?? PLAIN;
  const width = Math.max(5, options.width);
  if (table.columns.length === 0) return footer(table, 0).map((line) => palette.dim(line));
  const cells = table.rows.map((row) =>
    row.map((cell) => (cell === null ? null : printable(cell))),
  );
  const layout = layOut(table.columns, cells, width);
  const shown = layout.filter(({ column }) => column !== ELLIPSIS).length;
  const line = (texts: readonly string[]): string =>
    `${palette.dim('│')} ${texts.join(` ${palette.dim('│')} `)} ${palette.dim('│')}`;
  const rule = (left: string, middle: string, right: string): string =>
    palette.dim(left + layout.map(({ width }) => '─'.repeat(width + 2)).join(middle) + right);

  const body = cells.map((row) => line(layout.map((at) => bodyCell(at, row, table, palette))));
  if (table.omitted !== undefined) {
    const dots = layout.map((at) => palette.dim(pad('·', at.width, alignOf(at, table))));
    body.splice(table.omitted.after, 0, line(dots));
  }
  return [
    rule('┌', '┬', '┐'),
    line(layout.map((at) => palette.bold(headCell(at, (column) => printable(column.name), table)))),
    ...(table.columns.some(({ type }) => type !== undefined)
      ? [line(layout.map((at) => palette.dim(typeCell(at, table))))]
      : []),
    rule('├', '┼', '┤'),
    ...body,
    rule('└', '┴', '┘'),
    ...footer(table, shown).map((text) => palette.dim(fit(text, width))),
  ];
}

function headCell(at: Layout, text: (column: BoxColumn) => string, { columns }: BoxTable): string {
  if (at.column === ELLIPSIS) return '…';
  const column = columns[at.column]!;
  return pad(fit(text(column), at.width), at.width, 'center');
}

function typeCell(at: Layout, table: BoxTable): string {
  if (at.column === ELLIPSIS) return ' ';
  return headCell(at, (column) => typeName(column.type ?? ''), table);
}

function bodyCell(
  at: Layout,
  row: readonly (string | null)[],
  table: BoxTable,
  palette: Palette,
): string {
  if (at.column === ELLIPSIS) return palette.dim('…');
  const cell = row[at.column] ?? null;
  const text = pad(fit(cell ?? 'NULL', at.width), at.width, alignOf(at, table));
  return cell === null ? palette.dim(text) : text;
}

function alignOf({ column }: Layout, { columns }: BoxTable): Align {
  return columns[column]?.isNumeric === true ? 'right' : 'left';
}

function footer({ rows, omitted, columns, footer }: BoxTable, shown: number): readonly string[] {
  if (footer !== undefined) return footer;
  const all = rows.length + (omitted?.count ?? 0);
  const rowText = plural(all, 'row') + (omitted === undefined ? '' : ` (${rows.length} shown)`);
  const columnText =
    plural(columns.length, 'column') + (shown === columns.length ? '' : ` (${shown} shown)`);
  return [`${rowText} · ${columnText}`];
}

/** Which columns there is room for, and how wide each is. */
function layOut(
  columns: readonly BoxColumn[],
  rows: readonly (readonly (string | null)[])[],
  width: number,
): readonly Layout[] {
  const natural = columns.map((column, index) => naturalWidth(column, index, rows));
  const least = columns.map((column, index) =>
    isWhole(column) ? natural[index]! : Math.min(natural[index]!, TEXT_MIN),
  );
  const kept = keptColumns(least, width - 1);
  const isCut = kept.length < columns.length;
  const room = width - 1 - FRAME * kept.length - (isCut ? FRAME + 1 : 0);
  const widths = shareOut(
    kept.map((column) => least[column]!),
    kept.map((column) => natural[column]!),
    room,
  );
  const layout: Layout[] = kept.map((column, index) => ({ column, width: widths[index]! }));
  const gap = kept.findIndex((column, index) => column !== index);
  const at = gap === -1 ? kept.length : gap;
  // One column that is wider than the terminal leaves no room even for the ellipsis of the others.
  if (isCut && (kept.length > 1 || room >= 1)) layout.splice(at, 0, { column: ELLIPSIS, width: 1 });
  return layout;
}

/** Half a number or half a time says something wrong; half a text only says less. */
function isWhole({ isNumeric, type = '' }: BoxColumn): boolean {
  return isNumeric === true || /^(?:DATE|TIME|INTERVAL|UUID)/.test(type);
}

function naturalWidth(
  column: BoxColumn,
  index: number,
  rows: readonly (readonly (string | null)[])[],
): number {
  let widest = Math.max(1, displayWidth(printable(column.name)));
  // The type of a nested column can be long and is no reason for a wide one.
  widest = Math.max(widest, Math.min(TEXT_MIN, displayWidth(typeName(column.type ?? ''))));
  for (const row of rows) widest = Math.max(widest, displayWidth(row[index] ?? 'NULL'));
  return widest;
}

/** As many columns as fit, from both ends inwards; at least the first. */
function keptColumns(least: readonly number[], room: number): readonly number[] {
  const all = least.map((_, index) => index);
  if (least.reduce((sum, width) => sum + width + FRAME, 0) <= room) return all;
  let left = 0;
  let right = least.length;
  let used = FRAME + 1;
  while (left < right) {
    // The start of a row says what it is, so on a draw the left side goes first.
    const ends = left <= least.length - right ? [left, right - 1] : [right - 1, left];
    const next = ends.find((index) => used + least[index]! + FRAME <= room);
    if (next === undefined) break;
    used += least[next]! + FRAME;
    if (next === left) left++;
    else right--;
  }
  const kept = all.filter((index) => index < left || index >= right);
  return kept.length === 0 ? [0] : kept;
}

/** Widens the columns from least to natural, the narrowest first, within the room. */
function shareOut(
  least: readonly number[],
  natural: readonly number[],
  room: number,
): readonly number[] {
  const widths = [...least];
  let rest = room - widths.reduce((sum, width) => sum + width, 0);
  if (rest < 0) return widths.map((width) => Math.max(1, Math.min(width, room)));
  while (rest > 0) {
    const growing = widths.flatMap((width, index) => (width < natural[index]! ? [index] : []));
    if (growing.length === 0) break;
    const narrowest = Math.min(...growing.map((index) => widths[index]!));
    const index = growing.find((candidate) => widths[candidate] === narrowest)!;
    widths[index]!++;
    rest--;
  }
  return widths;
}

const SHORT_TYPES: Readonly<Record<string, string>> = {
  TINYINT: 'int8',
  SMALLINT: 'int16',
  INTEGER: 'int32',
  BIGINT: 'int64',
  HUGEINT: 'int128',
  UTINYINT: 'uint8',
  USMALLINT: 'uint16',
  UINTEGER: 'uint32',
  UBIGINT: 'uint64',
  UHUGEINT: 'uint128',
  'TIMESTAMP WITH TIME ZONE': 'timestamptz',
  'TIME WITH TIME ZONE': 'timetz',
};

function typeName(type: string): string {
  if (type.startsWith('ENUM(')) return 'enum';
  return printable(SHORT_TYPES[type] ?? type.toLowerCase());
}
