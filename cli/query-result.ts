/**
 * The result of a query as text: a box for people, JSON or CSV for programs. JSON is one array of
 * objects, one a line; CSV follows RFC 4180 with a head, and a null is an empty field where an
 * empty text is `""`. Both are written as rows come and hold no more than a chunk of them.
 */

import type { QueryChunk, QueryResult } from '../quality/query.ts';
import { renderBox } from './terminal/box-table.ts';
import type { RenderOptions } from './terminal/render-checks.ts';

/** Takes text and resolves when more may come. */
export type Write = (text: string) => Promise<void>;

/** Rows of a box without a limit. */
const BOX_ROWS = 40;

/**
 * @param limit Rows to show: the first and the last, as many of each; 0 for all. The rows between
 *   are counted.
 */
export async function writeBox(
  result: QueryResult,
  write: Write,
  options: RenderOptions,
  limit: number = BOX_ROWS,
): Promise<void> {
  if (result.columns.length === 0) {
    await drain(result);
    return;
  }
  const headRows = limit === 0 ? Number.POSITIVE_INFINITY : Math.ceil(limit / 2);
  const tailRows = limit === 0 ? 0 : Math.floor(limit / 2);
  const head: (string | null)[][] = [];
  let tail: (string | null)[][] = [];
  let count = 0;
  for await (const chunk of result.chunks) {
    let row = 0;
    for (; row < chunk.rowCount && head.length < headRows; row++) head.push(chunk.display(row));
    // Only the last rows of a chunk can be among the last of all.
    row = Math.max(row, chunk.rowCount - tailRows);
    for (; row < chunk.rowCount; row++) tail.push(chunk.display(row));
    tail = tailRows === 0 ? [] : tail.slice(-tailRows);
    count += chunk.rowCount;
  }
  const rows = [...head, ...tail];
  const omitted =
    count > rows.length ? { omitted: { after: head.length, count: count - rows.length } } : {};
  const lines = renderBox({ columns: result.columns, rows, ...omitted }, options);
  await write(`${lines.join('\n')}\n`);
}

export async function writeJson(
  { columns, chunks }: QueryResult,
  write: Write,
  limit: number = 0,
): Promise<void> {
  const keys = columns.map(({ name }) => JSON.stringify(name));
  let written = 0;
  await write('[');
  for await (const [chunk, rowCount] of limited(chunks, limit)) {
    const lines: string[] = [];
    for (let row = 0; row < rowCount; row++) {
      const members = chunk.json(row).map((value, index) => `${keys[index]!}:${value}`);
      lines.push(`${written + row === 0 ? '\n' : ',\n'}{${members.join(',')}}`);
    }
    written += rowCount;
    await write(lines.join(''));
  }
  await write(written === 0 ? ']\n' : '\n]\n');
}

export async function writeCsv(
  { columns, chunks }: QueryResult,
  write: Write,
  limit: number = 0,
): Promise<void> {
  if (columns.length > 0) await write(`${columns.map(({ name }) => csvField(name)).join(',')}\n`);
  for await (const [chunk, rowCount] of limited(chunks, limit)) {
    const lines: string[] = [];
    for (let row = 0; row < rowCount; row++) {
      const fields = chunk.csv(row).map((text) => (text === null ? '' : csvField(text)));
      // A line without anything in it would be no row at all.
      const line = fields.join(',');
      lines.push(line === '' ? '""\n' : `${line}\n`);
    }
    await write(lines.join(''));
  }
}

function csvField(text: string): string {
  return text === '' || /[",\r\n]|^\s|\s$/.test(text) ? `"${text.replaceAll('"', '""')}"` : text;
}

/** Chunks and the rows to take of each; reading stops when there are enough. 0 is no limit. */
async function* limited(
  chunks: AsyncIterable<QueryChunk>,
  limit: number,
): AsyncIterable<readonly [QueryChunk, number]> {
  let left = limit === 0 ? Number.POSITIVE_INFINITY : limit;
  for await (const chunk of chunks) {
    const rowCount = Math.min(left, chunk.rowCount);
    yield [chunk, rowCount];
    left -= rowCount;
    if (left <= 0) return;
  }
}

async function drain({ chunks }: QueryResult): Promise<void> {
  for await (const chunk of chunks) void chunk;
}
