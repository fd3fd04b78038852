/**
 * Labels: what is known to have happened, as CSV with a header.
 *
 *     symbol,event_time,type                     a moment; type may be left out, or empty
 *     symbol,window_start,window_end,type        a stretch, both ends within it
 *
 * The first column may have the name of the pipeline's key instead. `class` stands for `type` where
 * there is none. Other columns are passed over. Labels of others have other names for the same:
 * `LabelNames` says which.
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

/** What the file calls columns and types, where it is not what they are called here. */
export interface LabelNames {
  /** Of the file, by the name here: event_time → bar_start. */
  readonly columns: ReadonlyMap<string, string>;
  /** Here, by the name of the file: split → corporate_action. */
  readonly types: ReadonlyMap<string, string>;
}

const OWN_NAMES: LabelNames = { columns: new Map(), types: new Map() };
const RENAMED = ['event_time', 'window_start', 'window_end', 'type'];

/**
 * What `--label-columns event_time=bar_start,type=kind` and `--label-types split=corporate_action`
 * say, or what is wrong with them.
 */
export function labelNames(
  columns: string | undefined,
  types: string | undefined,
  key: string,
): LabelNames | string {
  const ofColumns = pairsOf(columns);
  if (ofColumns === undefined) {
    return `--label-columns ${columns}: expected pairs such as event_time=bar_start,type=kind`;
  }
  const known = [key, 'symbol', ...RENAMED];
  const unknown = [...ofColumns.keys()].find((name) => !known.includes(name));
  if (unknown !== undefined) {
    return `--label-columns ${unknown}=: expected one of ${[...new Set(known)].join(', ')}`;
  }
  const ofTypes = pairsOf(types);
  if (ofTypes === undefined) {
    return `--label-types ${types}: expected pairs such as split=corporate_action`;
  }
  return { columns: ofColumns, types: ofTypes };
}

/** Of `a=b,c=d`; undefined where it is not that, or says something of the same name twice. */
function pairsOf(text: string | undefined): Map<string, string> | undefined {
  if (text === undefined) return new Map();
  const pairs = text.split(',').map((pair) => /^\s*([^=]+?)\s*=\s*([^=]+?)\s*$/.exec(pair));
  if (pairs.includes(null)) return undefined;
  const map = new Map(pairs.map((pair) => [pair![1]!, pair![2]!]));
  return map.size === pairs.length ? map : undefined;
}

/** @throws {EngineError} backtest/labels */
export function readLabels(path: string, key: string, names?: LabelNames): readonly Label[] {
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const message = `cannot read the labels ${path}: ${(cause as Error).message}`;
    throw new EngineError('backtest/labels', message, { cause });
  }
  return parseLabels(text, key, path, names);
}

export function parseLabels(
  text: string,
  key: string,
  name: string,
  { columns: renamed, types }: LabelNames = OWN_NAMES,
): readonly Label[] {
  const [header, ...lines] = text.replace(/^\ufeff/, '').split(/\r?\n/);
  const columns = cellsOf(header ?? '');
  for (const of of renamed.values()) {
    if (columns.includes(of)) continue;
    const message = `${name}: there is no column ${of}, only ${columns.join(', ')}`;
    throw new EngineError('backtest/labels', message);
  }
  const place = (...names: string[]): number =>
    names.map((each) => columns.indexOf(renamed.get(each) ?? each)).find((at) => at >= 0) ?? -1;
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
      `${name}: expected columns ${expected}, got ${columns.join(', ')}; ` +
        'say which is which with --label-columns, as in --label-columns event_time=time,type=kind',
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
    const type = cells[at.type] || undefined;
    const known = type === undefined ? undefined : (types.get(type) ?? type);
    return [{ key: cells[at.key] ?? '', start, end, type: known }];
  });
}

/** Cells of a line; one in double quotes may have commas in it, and doubled quotes. */
function cellsOf(line: string): string[] {
  // Looks behind, as a match that took the comma would pass over the one behind an empty cell.
  return [...line.matchAll(/(?<=^|,)(?:\s*"((?:[^"]|"")*)"\s*|([^,]*))(?=,|$)/g)].map(
    ([, quoted, plain]) => quoted?.replaceAll('""', '"') ?? plain!.trim(),
  );
}
