/**
 * Charts as SVG files without anything else: bars that lie, and lines over a logarithmic axis. The
 * same figures give the same bytes, so that a page that is drawn again shows what has changed.
 */

const WIDTH = 760;
const FONT = 'font-family="system-ui, sans-serif" font-size="12"';
const [INK, FAINT] = ['#1f2937', '#d1d5db'];
const OTHER = '#94a3b8';
export const COLOURS = [
  '#2563eb',
  '#d97706',
  '#059669',
  '#dc2626',
  '#7c3aed',
  '#0891b2',
  '#475569',
];

export interface Bar {
  readonly label: string;
  readonly value: number;
  /** Fastest and slowest repetition. */
  readonly low: number;
  readonly high: number;
  readonly text: string;
  readonly isOwn: boolean;
}

export interface LinePoint {
  readonly x: number;
  readonly y: number;
  readonly low?: number;
  readonly high?: number;
}

export interface Line {
  readonly name: string;
  readonly points: readonly LinePoint[];
  /** Lines of one colour belong together. */
  readonly colour: string;
  readonly isDashed?: boolean;
}

export interface LineChart {
  readonly title: string;
  readonly xTitle: string;
  readonly yTitle: string;
  readonly lines: readonly Line[];
  readonly hasLogarithmicY: boolean;
  readonly format: (value: number) => string;
}

function escape(text: string): string {
  return text
    .replaceAll('&', '&amp;')
    .replaceAll('<', '&lt;')
    .replaceAll('>', '&gt;')
    .replaceAll('"', '&quot;');
}

const at = (value: number): string => String(Number(value.toFixed(1)));

function text(x: number, y: number, words: string, anchor = 'start', more = ''): string {
  const place = `x="${at(x)}" y="${at(y)}" text-anchor="${anchor}"`;
  return `<text ${place} fill="${INK}"${more}>${escape(words)}</text>`;
}

function rule(x1: number, y1: number, x2: number, y2: number, style: string): string {
  return `<line x1="${at(x1)}" y1="${at(y1)}" x2="${at(x2)}" y2="${at(y2)}" ${style}/>`;
}

function document(title: string, height: number, body: readonly string[]): string {
  const size = `width="${WIDTH}" height="${height}" viewBox="0 0 ${WIDTH} ${height}"`;
  const head = `<svg xmlns="http://www.w3.org/2000/svg" ${size} role="img" ${FONT}>`;
  // Pages may be dark, and a picture does not know of it.
  const ground = `<rect width="${WIDTH}" height="${height}" fill="#ffffff"/>`;
  const name = text(12, 22, title, 'start', ' font-weight="600" font-size="14"');
  const all = [head, `<title>${escape(title)}</title>`, ground, name, ...body, '</svg>'];
  return `${all.join('\n')}\n`;
}

/** Longer is better; the whisker is the spread. Ours are blue. */
export function barChart(title: string, bars: readonly Bar[]): string {
  const [top, step, thickness] = [38, 24, 15];
  // About as wide as a letter is: nothing here can measure text.
  const left = 24 + 6.4 * Math.max(...bars.map(({ label }) => label.length));
  const right = WIDTH - 110;
  const largest = Math.max(...bars.map(({ high }) => high));
  const scale = (right - left) / largest;
  const body = bars.flatMap(({ label, value, low, high, text: words, isOwn }, index) => {
    const y = top + index * step;
    const middle = y + thickness / 2;
    const size = `width="${at(Math.max(1, value * scale))}" height="${thickness}"`;
    return [
      text(left - 8, middle + 4, label, 'end'),
      `<rect x="${at(left)}" y="${y}" ${size} fill="${isOwn ? COLOURS[0] : OTHER}"/>`,
      rule(left + low * scale, middle, left + high * scale, middle, `stroke="${INK}"`),
      text(left + Math.max(value, high) * scale + 6, middle + 4, words),
    ];
  });
  return document(title, top + bars.length * step + 8, body);
}

/** Where the values of a logarithmic axis are marked: 1, 10, 100 … or, over less, 1, 2, 5, 10 … */
function logarithmicMarks(low: number, high: number): number[] {
  const decades = Math.log10(high / low);
  const steps = decades > 2.5 ? [1] : [1, 2, 5];
  const marks: number[] = [];
  for (let power = Math.floor(Math.log10(low)); power <= Math.ceil(Math.log10(high)); power++) {
    for (const step of steps) {
      const mark = Number((step * 10 ** power).toPrecision(3));
      if (mark >= low * 0.999 && mark <= high * 1.001) marks.push(mark);
    }
  }
  return marks;
}

function linearMarks(high: number): number[] {
  const rough = high / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((each) => each * power).find((each) => each >= rough)!;
  return Array.from({ length: Math.floor(high / step) + 1 }, (_, index) => index * step);
}

interface Axis {
  readonly marks: readonly number[];
  readonly share: (value: number) => number;
}

function logarithmic(low: number, high: number): Axis {
  const [from, to] = [Math.log(low), Math.log(high)];
  const share = (value: number): number =>
    to === from ? 0.5 : (Math.log(value) - from) / (to - from);
  return { marks: logarithmicMarks(low, high), share };
}

const [LEFT, RIGHT, TOP, HEIGHT, BELOW] = [80, WIDTH - 24, 56, 260, 44];

/** Lines over a logarithmic axis, with the spread of each point. */
export function lineChart(chart: LineChart): string {
  const points = chart.lines.flatMap(({ points: own }) => own);
  const xs = [...new Set(points.map(({ x }) => x))].sort((a, b) => a - b);
  const ys = points.flatMap(({ y, low = y, high = y }) => [y, low, high]);
  const highest = Math.max(...ys) * 1.05;
  const x = logarithmic(xs[0]!, xs.at(-1)!);
  const y: Axis = chart.hasLogarithmicY
    ? logarithmic(Math.min(...ys) * 0.9, highest)
    : { marks: linearMarks(highest), share: (value) => value / highest };
  const xOf = (value: number): number => LEFT + 20 + x.share(value) * (RIGHT - LEFT - 40);
  const yOf = (value: number): number => TOP + (1 - y.share(value)) * HEIGHT;
  // What was measured is marked; where that would be too dense, round numbers are.
  const xMarks = xs.length <= 8 ? xs : x.marks;
  const legend = legendOf(chart.lines);
  const body = [
    ...legend.parts,
    ...y.marks.flatMap((mark) => [
      rule(LEFT, yOf(mark), RIGHT, yOf(mark), `stroke="${FAINT}"`),
      text(LEFT - 8, yOf(mark) + 4, chart.format(mark), 'end'),
    ]),
    ...xMarks.map((mark) => text(xOf(mark), TOP + HEIGHT + 18, count(mark), 'middle')),
    text((LEFT + RIGHT) / 2, TOP + HEIGHT + 38, chart.xTitle, 'middle'),
    text(12, TOP - 12, chart.yTitle),
    ...chart.lines.flatMap((line) => drawLine(line, xOf, yOf)),
  ];
  return document(chart.title, TOP + HEIGHT + BELOW + legend.height, body);
}

function drawLine(
  { points, colour, isDashed = false }: Line,
  xOf: (value: number) => number,
  yOf: (value: number) => number,
): string[] {
  const sorted = points.toSorted((a, b) => a.x - b.x);
  const path = sorted.map(({ x, y }) => `${at(xOf(x))},${at(yOf(y))}`).join(' ');
  const dash = isDashed ? ' stroke-dasharray="5 4"' : '';
  return [
    `<polyline points="${path}" fill="none" stroke="${colour}" stroke-width="2"${dash}/>`,
    ...sorted.flatMap(({ x, y, low = y, high = y }) => [
      rule(xOf(x), yOf(low), xOf(x), yOf(high), `stroke="${colour}"`),
      `<circle cx="${at(xOf(x))}" cy="${at(yOf(y))}" r="3" fill="${colour}"/>`,
    ]),
  ];
}

/** Below the chart, two in a row. */
function legendOf(lines: readonly Line[]): { parts: string[]; height: number } {
  const start = TOP + HEIGHT + BELOW + 4;
  const parts = lines.flatMap(({ name, colour, isDashed = false }, index) => {
    const [x, y] = [LEFT + (index % 2) * 330, start + (index >> 1) * 20];
    const dash = isDashed ? ' stroke-dasharray="5 4"' : '';
    return [
      rule(x, y, x + 24, y, `stroke="${colour}" stroke-width="2"${dash}`),
      text(x + 32, y + 4, name),
    ];
  });
  return { parts, height: Math.ceil(lines.length / 2) * 20 };
}

function count(value: number): string {
  return value.toLocaleString('en-US');
}
