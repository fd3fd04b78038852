/** Columns without lines: cells aligned, and the ones that may be cut fitted to the width. */

import { type Align, displayWidth, fit, fitMiddle, pad } from './text.ts';

export interface GridColumn {
  readonly align?: Align;
  /** Where a cell may be cut if the line is too wide; by default nowhere. */
  readonly cut?: 'end' | 'middle';
  /** Paints a cell when it has its width. */
  readonly paint?: (text: string, row: number) => string;
}

const GAP = 2;
/** A cell that is cut keeps at least this. */
const CUT_MIN = 8;

/** One line a row, none wider than the width unless its uncut cells alone are. */
export function grid(
  rows: readonly (readonly string[])[],
  columns: readonly GridColumn[],
  width: number,
): string[] {
  const widths = columns.map((_, index) =>
    Math.max(0, ...rows.map((row) => displayWidth(row[index] ?? ''))),
  );
  const used = columns.filter((_, index) => widths[index]! > 0).length;
  let excess = widths.reduce((sum, cell) => sum + cell, 0) + GAP * Math.max(0, used - 1) - width;
  while (excess > 0) {
    const widest = widestCut(columns, widths);
    if (widest === -1) break;
    widths[widest]!--;
    excess--;
  }
  return rows.map((row, rowIndex) => {
    const cells = columns.flatMap(({ align, cut, paint }, index) => {
      const cellWidth = widths[index]!;
      if (cellWidth === 0) return [];
      const text = row[index] ?? '';
      const fitted = cut === 'middle' ? fitMiddle(text, cellWidth) : fit(text, cellWidth);
      const padded = pad(fitted, cellWidth, align);
      return [paint === undefined ? padded : paint(padded, rowIndex)];
    });
    return cells.join(' '.repeat(GAP)).trimEnd();
  });
}

function widestCut(columns: readonly GridColumn[], widths: readonly number[]): number {
  let widest = -1;
  for (const [index, { cut }] of columns.entries()) {
    if (cut === undefined || widths[index]! <= CUT_MIN) continue;
    if (widest === -1 || widths[index]! > widths[widest]!) widest = index;
  }
  return widest;
}
