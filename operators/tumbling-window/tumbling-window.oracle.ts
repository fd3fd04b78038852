/** The definition of tumbling windows, row by row. */

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
import type { TumblingWindowConfig } from './tumbling-window-operator.ts';

interface Window {
  readonly key: string;
  readonly start: bigint;
  readonly rows: Row[];
  statedRows: number;
  revision: bigint;
}

export function tumblingWindowOracle(
  config: TumblingWindowConfig,
  rows: readonly Row[],
  schema: Schema,
  { maxOutOfOrdernessNs = 0n, finish = true }: RunOptions,
): WindowsOracle {
  const size = durationNs(config.size);
  const lateness = durationNs(config.allowed_lateness);
  const windows = new Map<string, Window>();
  const main: Row[] = [];
  const late: Row[] = [];
  const state = (window: Window): void => {
    if (window.statedRows === window.rows.length) return;
    window.statedRows = window.rows.length;
    main.push({
      [schema.key]: window.key,
      window_start: window.start,
      window_end: window.start + size,
      ...(config.emit === 'early' ? { revision: window.revision++ } : {}),
      ...aggregateOracle(config.aggregates, window.rows, schema),
    });
  };
  const { marked, watermark: reached } = markRows(rows, schema, maxOutOfOrdernessNs);
  for (const { row, time, watermark } of marked) {
    const start = floorOracle(time, size);
    const end = start + size;
    if (end + lateness <= watermark) {
      late.push(lateOracle(row, watermark, end + lateness));
      continue;
    }
    const key = row[schema.key] as string;
    const id = `${key} ${start}`;
    let window = windows.get(id);
    if (window === undefined) {
      window = { key, start, rows: [], statedRows: 0, revision: 0n };
      windows.set(id, window);
    }
    const isEnded = config.emit === 'early' && end <= watermark;
    if (isEnded) state(window);
    window.rows.push(row);
    if (isEnded) state(window);
  }
  const delay = config.emit === 'early' ? 0n : lateness;
  for (const window of windows.values()) {
    if (finish || window.start + size + delay <= reached) state(window);
  }
  return { main, late };
}
