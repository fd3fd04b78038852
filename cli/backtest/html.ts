/** A report as one HTML file, with charts as SVG in it and nothing loaded from anywhere. */

import { formatTime } from '../../engine/contract/time.ts';
import type { Scores } from './match.ts';
import { type BacktestReport, COLUMNS, scoreCells, tableRows } from './report.ts';

const LISTED_MAX = 200;
const [WIDTH, HEIGHT, MARGIN] = [640, 220, 40];
const SERIES = [
  ['precision', '#2563eb', ({ precision }: Scores) => precision],
  ['recall', '#d97706', ({ recall }: Scores) => recall],
  ['F1', '#059669', ({ f1 }: Scores) => f1],
] as const;

const STYLE = [
  'body{font:15px/1.5 system-ui,sans-serif;margin:2rem auto;max-width:70rem;padding:0 1rem}',
  'table{border-collapse:collapse;margin:1rem 0}',
  'td,th{padding:.2rem .7rem;border-bottom:1px solid #ddd;text-align:right}',
  'td:first-child,th:first-child{text-align:left}',
  'svg{max-width:100%;font:11px system-ui}',
].join('');

function escape(text: string): string {
  const entities: Record<string, string> = {
    '&': '&amp;',
    '<': '&lt;',
    '>': '&gt;',
    '"': '&quot;',
  };
  return text.replace(/[&<>"]/g, (character) => entities[character]!);
}

export function reportHtml(report: BacktestReport): string {
  const { match, sweep, symbolDays } = report;
  const title = `Backtest of ${escape(report.file)}`;
  const parts = [
    `<h1>${title}</h1>`,
    `<p>${report.rows} rows of ${report.symbols} symbols, against ${escape(report.labelsFile)}` +
      ` with a tolerance of ${escape(report.tolerance)}.</p>`,
    table(COLUMNS, tableRows(report)),
    '<h2>By type</h2>',
    bars(Object.entries(match.types)),
    '<h2>Alerts by day</h2>',
    columns(report.alertsByDay),
  ];
  if (sweep !== undefined) {
    const cells = sweep.rows.map(({ value, overall }) => [
      String(value),
      ...scoreCells('', overall, symbolDays).slice(1),
    ]);
    parts.push(`<h2>By ${escape(sweep.path)}</h2>`, lines(sweep.rows));
    parts.push(table([sweep.path, ...COLUMNS.slice(1)], cells));
  }
  const missed = match.missed.map((label) => [
    label.key,
    formatTime(label.start),
    label.type ?? '',
  ]);
  const wrong = match.falseAlarms.map(({ key, time, type, score }) => [
    ...[key, formatTime(time), type, score === null ? '' : score.toPrecision(4)],
  ]);
  parts.push(list('Missed labels', ['key', 'from', 'type'], missed));
  parts.push(list('Alerts without a label', ['key', 'event_time', 'type', 'score'], wrong));
  return (
    `<!doctype html><html lang="en"><head><meta charset="utf-8"><title>${title}</title>` +
    `<style>${STYLE}</style></head><body>${parts.join('\n')}</body></html>\n`
  );
}

function table(names: readonly string[], rows: readonly (readonly string[])[]): string {
  const row = (tag: string, cells: readonly string[]): string =>
    `<tr>${cells.map((cell) => `<${tag}>${escape(cell)}</${tag}>`).join('')}</tr>`;
  return `<table>${row('th', names)}${rows.map((cells) => row('td', cells)).join('')}</table>`;
}

function list(
  title: string,
  names: readonly string[],
  rows: readonly (readonly string[])[],
): string {
  const more = rows.length > LISTED_MAX ? `, of which the first ${LISTED_MAX}` : '';
  const heading = `<h2>${title}: ${rows.length}${more}</h2>`;
  return rows.length === 0 ? heading : heading + table(names, rows.slice(0, LISTED_MAX));
}

const text = (x: number, y: number, words: string, anchor = 'middle'): string =>
  `<text x="${x.toFixed(1)}" y="${y.toFixed(1)}" text-anchor="${anchor}">${escape(words)}</text>`;

const yOf = (share: number): number => HEIGHT - MARGIN - share * (HEIGHT - 2 * MARGIN);

function chart(
  body: string,
  highest: string,
  legend: readonly (readonly [string, string])[],
): string {
  const [left, right] = [MARGIN, WIDTH - MARGIN];
  const names = legend.map(
    ([name, colour], i) =>
      `<rect x="${left + i * 90}" y="8" width="10" height="10" fill="${colour}"/>` +
      text(left + 14 + i * 90, 17, name, 'start'),
  );
  const axes = [0, 1].map(
    (y) => `<line x1="${left}" x2="${right}" y1="${yOf(y)}" y2="${yOf(y)}" stroke="#ccc"/>`,
  );
  const marks = text(left - 6, yOf(0) + 4, '0', 'end') + text(left - 6, yOf(1) + 4, highest, 'end');
  const content = [...names, ...axes, marks, body].join('');
  return `<svg viewBox="0 0 ${WIDTH} ${HEIGHT}" width="${WIDTH}" role="img">${content}</svg>`;
}

const LEGEND = SERIES.map(([name, colour]) => [name, colour] as const);

/** Precision, recall and F1 of each type, side by side. */
function bars(types: readonly (readonly [string, Scores])[]): string {
  const slot = (WIDTH - 2 * MARGIN) / Math.max(1, types.length);
  const width = Math.min(30, (slot * 0.8) / SERIES.length);
  const drawn = types.map(([type, scores], i) => {
    const middle = MARGIN + (i + 0.5) * slot;
    const rects = SERIES.map(([name, colour, of], j) => {
      const [value, x] = [of(scores) ?? 0, middle + (j - SERIES.length / 2) * width];
      return (
        `<rect x="${x.toFixed(1)}" y="${yOf(value).toFixed(1)}" width="${width.toFixed(1)}" ` +
        `height="${(yOf(0) - yOf(value)).toFixed(1)}" fill="${colour}">` +
        `<title>${escape(type)}: ${name} ${value.toFixed(3)}</title></rect>`
      );
    });
    return rects.join('') + text(middle, HEIGHT - MARGIN + 16, type);
  });
  return chart(drawn.join(''), '1', LEGEND);
}

function columns(days: BacktestReport['alertsByDay']): string {
  const highest = Math.max(1, ...days.map(([, alerts]) => alerts));
  const width = (WIDTH - 2 * MARGIN) / Math.max(1, days.length);
  const drawn = days.map(([day, alerts], i) => {
    const y = yOf(alerts / highest);
    return (
      `<rect x="${(MARGIN + i * width).toFixed(1)}" y="${y.toFixed(1)}" ` +
      `width="${(width * 0.9).toFixed(2)}" height="${(yOf(0) - y).toFixed(1)}" fill="#64748b">` +
      `<title>${day}: ${alerts}</title></rect>`
    );
  });
  const [first, last] = [days[0]?.[0] ?? '', days[days.length - 1]?.[0] ?? ''];
  const below = HEIGHT - MARGIN + 16;
  const ends = text(MARGIN, below, first, 'start') + text(WIDTH - MARGIN, below, last, 'end');
  return chart(drawn.join('') + ends, String(highest), []);
}

/** Precision, recall and F1 by the value that was varied. */
function lines(rows: readonly { readonly value: number; readonly overall: Scores }[]): string {
  const [low, high] = [rows[0]!.value, rows[rows.length - 1]!.value];
  const xOf = (value: number): number =>
    MARGIN + ((value - low) / (high - low || 1)) * (WIDTH - 2 * MARGIN);
  const drawn = SERIES.map(([, colour, of]) => {
    const points = rows.flatMap(({ value, overall }) => {
      const share = of(overall);
      return share === null ? [] : [`${xOf(value).toFixed(1)},${yOf(share).toFixed(1)}`];
    });
    const stroke = `fill="none" stroke="${colour}" stroke-width="2"`;
    return `<polyline points="${points.join(' ')}" ${stroke}/>`;
  });
  const below = HEIGHT - MARGIN + 16;
  const ends = text(MARGIN, below, String(low)) + text(WIDTH - MARGIN, below, String(high));
  return chart(drawn.join('') + ends, '1', LEGEND);
}
