/** One row of delimited text, cell by cell: for headers. Rows of data are the scanner's. */

const NEWLINE = 10;
const RETURN = 13;
const QUOTE = 34;

export interface CsvRow {
  readonly cells: readonly string[];
  /** Offset behind the line end, and the lines that the row takes. */
  readonly end: number;
  readonly lines: number;
}

/**
 * The row that starts at `start`; undefined where its end is not in the bytes. Quotes enclose a
 * cell that begins with one; a quote within them is doubled.
 */
export function readCsvRow(bytes: Buffer, start: number, delimiter: number): CsvRow | undefined {
  const cells: string[] = [];
  let lines = 1;
  for (let at = start; ; at++) {
    const cellStart = at;
    let text: string | undefined;
    if (bytes[at] === QUOTE) {
      const close = closingQuote(bytes, at);
      if (close < 0) return undefined;
      const inside = bytes.toString('utf8', at + 1, close);
      lines += inside.split('\n').length - 1;
      text = inside.replaceAll('""', '"');
      at = close + 1;
    }
    while (at < bytes.length && bytes[at] !== delimiter && bytes[at] !== NEWLINE) at++;
    if (at >= bytes.length) return undefined;
    const isLast = bytes[at] === NEWLINE;
    const end = isLast && at > cellStart && bytes[at - 1] === RETURN ? at - 1 : at;
    cells.push(text ?? bytes.toString('utf8', cellStart, end));
    if (isLast) return { cells, end: at + 1, lines };
  }
}

/** Offset of the quote that closes the one at `open`, or -1. */
function closingQuote(bytes: Buffer, open: number): number {
  for (let at = open + 1; ; at += 2) {
    at = bytes.indexOf(QUOTE, at);
    if (at < 0 || at + 1 >= bytes.length) return -1;
    if (bytes[at + 1] !== QUOTE) return at;
  }
}
