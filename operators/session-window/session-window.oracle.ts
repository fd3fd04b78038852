/** The definition of session windows, row by row. */

import assert from 'node:assert/strict';
import type { Schema } from '../../engine/contract/schema.ts';
import { durationNs } from '../../engine/contract/time.ts';
import type { RunOptions } from '../../engine/testing/harness.ts';
import type { Row } from '../../engine/testing/table.ts';
import {
  aggregateOracle,
  lateOracle,
  type MarkedRow,
  markRows,
  type WindowsOracle,
} from '../aggregates/aggregates.oracle.ts';
import type { SessionWindowConfig } from './session-window-operator.ts';

interface Session {
  readonly key: string;
  start: bigint;
  last: bigint;
  /** In the order of arrival. */
  rows: MarkedRow[];
  statedRows: number;
  /** Of the next statement. */
  revision: bigint;
}

export function sessionWindowOracle(
  config: SessionWindowConfig,
  rows: readonly Row[],
  schema: Schema,
  { maxOutOfOrdernessNs = 0n, finish = true }: RunOptions,
): WindowsOracle {
  const gap = durationNs(config.gap);
  const lateness = durationNs(config.allowed_lateness);
  const isEarly = config.emit === 'early';
  let sessions: Session[] = [];
  const main: Row[] = [];
  const late: Row[] = [];
  const put = (session: Session, end: bigint, members: readonly MarkedRow[]): void => {
    main.push({
      [schema.key]: session.key,
      window_start: session.start,
      window_end: end,
      ...(isEarly ? { revision: session.revision++ } : {}),
      ...aggregateOracle(
        config.aggregates,
        members.map(({ row }) => row),
        schema,
      ),
    });
  };
  const endOf = ({ last }: Session): bigint => last + gap;
  const state = (session: Session): void => {
    if (session.statedRows === session.rows.length) return;
    session.statedRows = session.rows.length;
    put(session, endOf(session), session.rows);
  };
  const { marked, watermark: reached } = markRows(rows, schema, maxOutOfOrdernessNs);
  for (const each of marked) {
    const { row, time, watermark } = each;
    if (time + gap + lateness <= watermark) {
      late.push(lateOracle(row, watermark, time + gap + lateness));
      continue;
    }
    const key = row[schema.key] as string;
    const joined = sessions
      .filter((session) => session.key === key && endOf(session) + lateness > watermark)
      .filter(({ start, last }) => time < last + gap && start < time + gap)
      .sort((a, b) => (a.start < b.start ? -1 : 1));
    assert(joined.length <= 2, 'a row bridges two sessions at most');
    if (isEarly) {
      for (const session of joined) if (endOf(session) <= watermark) state(session);
      for (const session of joined) {
        if (session.start > time && session.revision > 0n) put(session, session.start, []);
      }
    }
    const first = joined[0];
    const isKept = first !== undefined && first.start <= time;
    const members = [...joined.flatMap((session) => session.rows), each];
    const session: Session = {
      key,
      start: isKept ? first.start : time,
      last: joined.reduce((last, other) => (other.last > last ? other.last : last), time),
      rows: members.sort((a, b) => marked.indexOf(a) - marked.indexOf(b)),
      statedRows: isKept ? first.statedRows : 0,
      revision: isKept ? first.revision : 0n,
    };
    sessions = [...sessions.filter((other) => !joined.includes(other)), session];
    if (isEarly && endOf(session) <= watermark) state(session);
  }
  const delay = isEarly ? 0n : lateness;
  for (const session of sessions) {
    if (finish || endOf(session) + delay <= reached) state(session);
  }
  return { main, late };
}
