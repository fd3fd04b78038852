/** What a backtest found: as lines for a terminal, and as JSON. */

import { formatTime } from '../../engine/contract/time.ts';
import { renderBox } from '../terminal/box-table.ts';
import type { Palette } from '../terminal/palette.ts';
import type { MatchResult, Scores } from './match.ts';

export interface SweepRow {
  readonly value: number;
  readonly overall: Scores;
  readonly types: Readonly<Record<string, Scores>>;
}

export interface BacktestReport {
  readonly file: string;
  readonly labelsFile: string;
  readonly tolerance: string;
  readonly symbols: number;
  /** Pairs of a symbol and a day, UTC, with rows. */
  readonly symbolDays: number;
  readonly rows: number;
  readonly match: MatchResult;
  readonly alertsByDay: readonly (readonly [day: string, alerts: number])[];
  readonly sweep?: { readonly path: string; readonly rows: readonly SweepRow[] } | undefined;
}

export const COLUMNS = [
  'type',
  'labels',
  'found',
  'alerts',
  'right',
  'precision',
  'recall',
  'F1',
  'delay',
  'longest',
  'a day',
] as const;

/** Cells of a row of scores, in the order of COLUMNS. */
export function scoreCells(name: string, scores: Scores, symbolDays: number): string[] {
  const share = (value: number | null): string => (value === null ? '-' : value.toFixed(3));
  return [
    name,
    String(scores.labels),
    String(scores.found),
    String(scores.alerts),
    String(scores.correct),
    share(scores.precision),
    share(scores.recall),
    share(scores.f1),
    delayText(scores.delayMedian),
    delayText(scores.delayMax),
    symbolDays === 0 ? '-' : (scores.alerts / symbolDays).toFixed(2),
  ];
}

function delayText(seconds: number | null): string {
  if (seconds === null) return '-';
  if (Math.abs(seconds) < 120) return `${Number(seconds.toFixed(3))} s`;
  if (Math.abs(seconds) < 7200) return `${Number((seconds / 60).toFixed(1))} min`;
  return `${Number((seconds / 3600).toFixed(1))} h`;
}

/** Rows of the table by type, all of them together at the end. */
export function tableRows({ match, symbolDays }: BacktestReport): readonly string[][] {
  return [
    ...Object.entries(match.types).map(([type, scores]) => scoreCells(type, scores, symbolDays)),
    scoreCells('all', match.overall, symbolDays),
  ];
}

export function reportLines(report: BacktestReport, width: number, palette: Palette): string[] {
  const box = (names: readonly string[], rows: readonly (readonly string[])[]): string[] => {
    const columns = names.map((name, i) => ({ name, isNumeric: i > 0 }));
    return renderBox({ columns, rows, footer: [] }, { width, palette });
  };
  const lines = box(COLUMNS, tableRows(report));
  if (report.sweep !== undefined) {
    const { path, rows } = report.sweep;
    const cells = rows.map(({ value, overall }) => [
      String(value),
      ...scoreCells('', overall, report.symbolDays).slice(1),
    ]);
    lines.push('', ...box([path, ...COLUMNS.slice(1)], cells));
  }
  return lines;
}

/** Anomalies and labels that are named one by one. */
export const NAMED_MAX = 1000;

export function reportJson(report: BacktestReport): object {
  const { match, sweep, alertsByDay, symbolDays, ...facts } = report;
  const withRate = (scores: Scores): object => ({
    ...scores,
    alertsPerSymbolDay: symbolDays === 0 ? null : scores.alerts / symbolDays,
  });
  const ratesOf = (types: Readonly<Record<string, Scores>>): object =>
    Object.fromEntries(Object.entries(types).map(([type, scores]) => [type, withRate(scores)]));
  return {
    ...facts,
    symbolDays,
    overall: withRate(match.overall),
    types: ratesOf(match.types),
    missed: match.missed.slice(0, NAMED_MAX).map(({ key, start, end, type }) => ({
      ...{ key, start: formatTime(start), end: formatTime(end), type: type ?? null },
    })),
    falseAlarms: match.falseAlarms.slice(0, NAMED_MAX).map(({ key, time, type, score }) => ({
      ...{ key, event_time: formatTime(time), type, score },
    })),
    alertsByDay: Object.fromEntries(alertsByDay),
    ...(sweep && {
      sweep: {
        path: sweep.path,
        values: sweep.rows.map(({ value, overall, types }) => ({
          ...{ value, overall: withRate(overall), types: ratesOf(types) },
        })),
      },
    }),
  };
}
