/**
 * Rows as comma-separated values after RFC 4180: a header, quotes where a text needs them. A null
 * is an empty field, an empty text is `""`.
 */

import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { cellTexts, type TextStyle } from './cell-texts.ts';
import type { LineFormat } from './text-sink-writer.ts';

// Blanks at the ends are quoted too, because some readers trim them.
const NEEDS_QUOTES = /[",\r\n]|^\s|\s$|^$/;

function quote(text: string): string {
  return NEEDS_QUOTES.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

const STYLE: TextStyle = { quote, timeQuote: '', infinityQuote: '' };

export function csvFormat({ columns }: Schema): LineFormat {
  return {
    header: columns.map(({ name }) => quote(name)).join(','),
    lines: (batch: ColumnBatch) => {
      const cells = batch.columns.map((column) => cellTexts(column, STYLE));
      return (row) => {
        let line = cells[0]!(row) ?? '';
        for (let i = 1; i < cells.length; i++) line += `,${cells[i]!(row) ?? ''}`;
        return line;
      };
    },
  };
}
