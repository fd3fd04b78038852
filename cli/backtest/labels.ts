/**
 * Labels: what is known to have happened, as CSV with a header.
 *
 *     symbol,event_time,type                     a moment; type may be left out, or empty
 *     symbol,window_start,window_end,type        a stretch, both ends within it
 *
 * The first column may have the name of the pipeline's key instead. `class` stands for `type` where
 * there is none. Other columns are passed over.
 */

import { readFileSync } from 'node:fs';
import { EngineError } from '../../engine/contract/error.ts';
import { type EventTime, parseIsoTime } from '../../engine/contract/time.ts';

export interface Label {
  readonly key: string;
  /** Both within it. */
  readonly start: EventTime;
  readonly end: EventTime;
  /** Undefined where any type of anomaly is right. */
  readonly type: string | undefined;
}

/** @throws {EngineError} backtest/labels */
export function readLabels(path: string, key: string): readonly Label[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `cannot read the labels ${path}: ${(cause as Error).message}`;
    throw new EngineError('backtest/labels', message, { cause });
  }
  return parseLabels(text, key, path);
}

export function parseLabels(text: string, key: string, name: string): readonly Label[] {
  const [header, ...lines] = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const columns = cellsOf(header ?? '');
  const place = (...names: string[]): number =>
    names.map((each) => columns.indexOf(each)).find((index) => index >= 0) ?? -1;
  const at = {
    key: place(key, 'symbol'),
    start: place('window_start', 'event_time'),
    end: place('window_end', 'window_start', 'event_time'),
    type: place('type', 'class'),
  };
  if (at.key < 0 || at.start < 0) {
    const expected = `${key} and event_time, or ${key}, window_start and window_end`;
    throw new EngineError(
      'backtest/labels',
      `${name}: expected columns ${expected}, got ${columns.join(', ')}`,
    );
  }
  return lines.flatMap((line, index): Label[] => {
    if (line.trim() === '') return [];
    const cells = cellsOf(line);
    const timeAt = (column: number): EventTime => {
      const cell = cells[column] ?? '';
      const time = /^\d{17,19}$/.test(cell) ? BigInt(cell) : parseIsoTime(cell);
      if (time !== undefined) return time;
      const message = `expected a time such as 2024-01-02T09:30:00Z, got ${JSON.stringify(cell)}`;
      throw new EngineError('backtest/labels', `${name}:${index + 2}: ${message}`);
    };
    const [start, end] = [timeAt(at.start), timeAt(at.end)];
    if (end < start) {
      const message = 'expected window_end not before window_start';
      throw new EngineError('backtest/labels', `${name}:${index + 2}: ${message}`);
    }
    return [{ key: cells[at.key] ?? '', start, end, type: cells[at.type] || undefined }];
  });
}

/** Cells of a line; one in double quotes may have commas in it, and doubled quotes. */
function cellsOf(line: string): string[] {
  return [...line.matchAll(/(?:^|,)(?:\s*"((?:[^"]|"")*)"\s*|([^,]*))/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!.trim(),
  );
}
