/** Reads the files of the Numenta Anomaly Benchmark: series, and the windows that are labelled. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { parseIsoTime } from '../../engine/contract/time.ts';
import type { LabelledWindow } from './nab-score.ts';

export interface NabSeries {
  /** Folder and file: `realTweets/Twitter_volume_IBM.csv`. */
  readonly name: string;
  /** Nanoseconds; some series state an hour twice. */
  readonly times: readonly bigint[];
  readonly values: readonly number[];
  readonly windows: readonly LabelledWindow[];
}

/**
 * Every labelled series whose file is there, in the order of the labels.
 *
 * @param folder Has `data/FOLDER/FILE.csv` and `labels/combined_windows.json`.
 */
export function readNabCorpus(folder: string): readonly NabSeries[] {
  const text = readFileSync(join(folder, 'labels', 'combined_windows.json'), 'utf8');
  const labels = JSON.parse(text) as Record<string, readonly (readonly [string, string])[]>;
  return Object.entries(labels)
    .map(([name, windows]) => ({ name, windows, path: join(folder, 'data', name) }))
    .filter(({ path }) => existsSync(path))
    .map(({ name, windows, path }) => readSeries(name, readFileSync(path, 'utf8'), windows));
}

function readSeries(
  name: string,
  csv: string,
  labels: readonly (readonly [start: string, end: string])[],
): NabSeries {
  const lines = csv.trim().split('\n').slice(1);
  const times = lines.map((line) => timeOf(line.slice(0, line.indexOf(','))));
  const values = lines.map((line) => Number(line.slice(line.indexOf(',') + 1)));
  const windows = labels.map(([start, end]): LabelledWindow => {
    const [from, to] = [timeOf(start), timeOf(end)];
    return [times.findIndex((time) => time >= from), times.findLastIndex((time) => time <= to)];
  });
  return { name, times, values, windows };
}

/** Such as `2014-04-11 00:00:00` or `2014-04-11 00:00:00.000000`, UTC. */
function timeOf(text: string): bigint {
  const time = parseIsoTime(`${text.replace(' ', 'T')}Z`);
  if (time === undefined) throw new TypeError(`expected a time, got ${text}`);
  return time;
}
