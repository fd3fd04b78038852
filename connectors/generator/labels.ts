/** The labels of a generated market as a CSV file: symbol, type, start, end, note. */

import { mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { EngineError } from '../../engine/contract/error.ts';
import { formatTime } from '../../engine/contract/time.ts';
import { removeStaged } from '../staging/staged-file.ts';
import type { PlantedAnomaly } from './planting.ts';

/** No text in it needs quotes: names are letters, notes have no comma. */
export function labelsCsv(planted: readonly PlantedAnomaly[]): string {
  const lines = planted.map(({ symbol, type, start, end, note }) =>
    [symbol, type, formatTime(start), formatTime(end), note].join(','),
  );
  return ['symbol,type,start,end,note', ...lines, ''].join('\n');
}

/** Whole or not at all: it is renamed into place. */
export function writeLabels(
  source: string,
  path: string,
  planted: readonly PlantedAnomaly[],
): void {
  const staged = `${path}.inprogress`;
  try {
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(staged, labelsCsv(planted));
    renameSync(staged, path);
  } catch (cause) {
    removeStaged(staged);
    const { message } = cause as Error;
    throw new EngineError(
      'sink/unwritable',
      `source "${source}": cannot write labels to ${path}: ${message}`,
      { cause },
    );
  }
}
