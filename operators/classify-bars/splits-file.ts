/**
 * A file of splits: lines of symbol, date and factor under a header with these names, in any order.
 * A factor is the number of new shares for an old one: 2 for two for one, 0.05 for one for twenty.
 */

import { readFileSync } from 'node:fs';
import { EngineError } from '../../engine/contract/error.ts';

export interface Split {
  /** Days since 1970, UTC. */
  readonly day: number;
  readonly factor: number;
}

const DAY_MS = 86_400_000;
const COLUMNS = ['symbol', 'date', 'factor'] as const;

/**
 * Splits by symbol, in order of their dates.
 * @throws {EngineError} config/invalid
 */
export function readSplits(path: string, step: string): ReadonlyMap<string, readonly Split[]> {
  const failed = `step "${step}": cannot use the splits of ${path}`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'there is no such file' : message;
    throw new EngineError('config/invalid', `${failed}: ${found}`, { cause });
  }
  return parseSplits(text, failed);
}

/** @param failed How a message begins. */
export function parseSplits(text: string, failed: string): ReadonlyMap<string, readonly Split[]> {
  const [header = '', ...lines] = text.replace(/^\uFEFF/, '').split(/\r?\n/);
  const names = header.split(',').map((name) => name.trim().toLowerCase());
  const [symbolAt, dateAt, factorAt] = COLUMNS.map((name) => names.indexOf(name));
  if ([symbolAt, dateAt, factorAt].some((at) => at! < 0)) {
    const expected = 'expected the columns symbol, date and factor';
    throw new EngineError('config/invalid', `${failed}: line 1: "${header}", ${expected}`);
  }
  const splits = new Map<string, Split[]>();
  for (const [index, line] of lines.entries()) {
    if (line.trim() === '') continue;
    const cells = line.split(',').map((cell) => cell.trim());
    const symbol = cells[symbolAt!] ?? '';
    const date = cells[dateAt!] ?? '';
    const factor = Number(cells[factorAt!] || Number.NaN);
    const day = /^\d{4}-\d\d-\d\d$/.test(date) ? Date.parse(`${date}T00:00:00Z`) / DAY_MS : NaN;
    if (symbol === '' || Number.isNaN(day) || !(factor > 0 && factor < Number.POSITIVE_INFINITY)) {
      const expected = 'expected a symbol, a date such as 2020-08-31 and a factor above 0';
      throw new EngineError(
        'config/invalid',
        `${failed}: line ${index + 2}: "${line}", ${expected}`,
      );
    }
    const known = splits.get(symbol) ?? [];
    splits.set(symbol, known);
    known.push({ day, factor });
  }
  for (const known of splits.values()) known.sort((a, b) => a.day - b.day);
  return splits;
}
