/** The definition of hopping windows, row by row: every row enters all of its open windows. */

import type { Schema } from '../../engine/contract/schema.ts';
import { durationNs } from '../../engine/contract/time.ts';
import type { RunOptions } from '../../engine/testing/harness.ts';
import type { Row } from '../../engine/testing/table.ts';
import {
  aggregateOracle,
  floorOracle,
  lateOracle,
  markRows,
  type WindowsOracle,
} from '../aggregates/aggregates.oracle.ts';
import type { HoppingWindowConfig } from './hopping-window-operator.ts';

interface Window {
  readonly key: string;
  readonly end: bigint;
  readonly rows: Row[];
  statedRows: number;
  revision: bigint;
}

export function hoppingWindowOracle(
  config: HoppingWindowConfig,
  rows: readonly Row[],
  schema: Schema,
  { maxOutOfOrdernessNs = 0n, finish = true }: RunOptions,
): WindowsOracle {
  const size = durationNs(config.size);
  const slide = durationNs(config.slide);
  const lateness = durationNs(config.allowed_lateness);
  const windows = new Map<string, Window>();
  const main: Row[] = [];
  const late: Row[] = [];
  const state = (window: Window): void => {
    if (window.statedRows === window.rows.length) return;
    window.statedRows = window.rows.length;
    main.push({
      [schema.key]: window.key,
      window_start: window.end - size,
      window_end: window.end,
      ...(config.emit === 'early' ? { revision: window.revision++ } : {}),
      ...aggregateOracle(config.aggregates, window.rows, schema),
    });
  };
  const { marked, watermark: reached } = markRows(rows, schema, maxOutOfOrdernessNs);
  for (const { row, time, watermark } of marked) {
    const key = row[schema.key] as string;
    const last = floorOracle(time, slide) + size;
    if (last + lateness <= watermark) late.push(lateOracle(row, watermark, last + lateness));
    for (let end = floorOracle(time, slide) + slide; end <= last; end += slide) {
      if (end + lateness <= watermark) continue;
      const id = `${key} ${end}`;
      let window = windows.get(id);
      if (window === undefined) {
        window = { key, end, rows: [], statedRows: 0, revision: 0n };
        windows.set(id, window);
      }
      const isEnded = config.emit === 'early' && end <= watermark;
      if (isEnded) state(window);
      window.rows.push(row);
      if (isEnded) state(window);
    }
  }
  const delay = config.emit === 'early' ? 0n : lateness;
  for (const window of windows.values()) {
    if (finish || window.end + delay <= reached) state(window);
  }
  return { main, late };
}
