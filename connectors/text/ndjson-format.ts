/** A row as a JSON object a line: `{"symbol":"AAPL","close":487.5,"volume":null}`. */

import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { cellTexts, type TextStyle } from './cell-texts.ts';
import type { LineFormat } from './text-sink-writer.ts';

// JSON has no word for infinity; as a text every reader of doubles understands it.
const STYLE: TextStyle = { quote: JSON.stringify, timeQuote: '"', infinityQuote: '"' };

export function ndjsonFormat({ columns }: Schema): LineFormat {
  const prefixes = columns.map(
    ({ name }, index) => `${index === 0 ? '{' : ','}${JSON.stringify(name)}:`,
  );
  return {
    header: undefined,
    lines: (batch: ColumnBatch) => {
      const cells = batch.columns.map((column) => cellTexts(column, STYLE));
      return (row) => {
        let line = '';
        for (let i = 0; i < cells.length; i++) line += prefixes[i]! + (cells[i]!(row) ?? 'null');
        return `${line}}`;
      };
    },
  };
}
