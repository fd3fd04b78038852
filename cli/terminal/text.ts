/**
 * Text in cells of a terminal: a Chinese character takes two, an accent none, and a colour code
 * none either. Wrong for some emoji on some terminals, where no table is right for all.
 */

const ESCAPES = /\p{Cc}\[[0-9;]*m/gu;
const ASCII = /^[\x20-\x7e]*$/;
const segmenter = new Intl.Segmenter('en', { granularity: 'grapheme' });

/** Blocks of characters that take two cells (East Asian Wide and Fullwidth, emoji). */
const WIDE: readonly (readonly [from: number, to: number])[] = [
  [0x1100, 0x115f],
  [0x231a, 0x231b],
  [0x2329, 0x232a],
  [0x23e9, 0x23ec],
  [0x2614, 0x2615],
  [0x26a1, 0x26a1],
  [0x2705, 0x2705],
  [0x274c, 0x274c],
  [0x2e80, 0x303e],
  [0x3041, 0x33ff],
  [0x3400, 0x4dbf],
  [0x4e00, 0x9fff],
  [0xa000, 0xa4cf],
  [0xa960, 0xa97f],
  [0xac00, 0xd7a3],
  [0xf900, 0xfaff],
  [0xfe10, 0xfe19],
  [0xfe30, 0xfe6f],
  [0xff00, 0xff60],
  [0xffe0, 0xffe6],
  [0x1f300, 0x1f64f],
  [0x1f680, 0x1f6ff],
  [0x1f7e0, 0x1f7eb],
  [0x1f900, 0x1f9ff],
  [0x1fa70, 0x1faff],
  [0x20000, 0x3fffd],
];

const ZERO_WIDTH = /^[\p{Mark}\p{Default_Ignorable_Code_Point}]+$/u;

/** Cells that the text takes; colour codes take none. */
export function displayWidth(text: string): number {
  if (ASCII.test(text)) return text.length;
  const bare = text.replace(ESCAPES, '');
  if (ASCII.test(bare)) return bare.length;
  let width = 0;
  for (const { segment } of segmenter.segment(bare)) width += graphemeWidth(segment);
  return width;
}

function graphemeWidth(grapheme: string): number {
  if (ZERO_WIDTH.test(grapheme)) return 0;
  const code = grapheme.codePointAt(0)!;
  // A variation selector turns a sign into an emoji; flags and joined emoji start with one anyway.
  if (grapheme.includes('\ufe0f')) return 2;
  if (code >= 0x1f1e6 && code <= 0x1f1ff) return 2;
  return WIDE.some(([from, to]) => code >= from && code <= to) ? 2 : 1;
}

/** The text, cut with `…` where it is wider. Takes no colour codes: colour what is cut. */
export function fit(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width <= 0) return '';
  let used = 0;
  let kept = '';
  for (const { segment } of segmenter.segment(text)) {
    const more = graphemeWidth(segment);
    if (used + more > width - 1) break;
    kept += segment;
    used += more;
  }
  return `${kept}…`;
}

/** Like `fit`, but cut in the middle, so that the start and the end of a path stay readable. */
export function fitMiddle(text: string, width: number): string {
  if (displayWidth(text) <= width) return text;
  if (width < 8) return fit(text, width);
  const graphemes = [...segmenter.segment(text)].map(({ segment }) => segment);
  const headWidth = Math.floor((width - 1) / 3);
  const head = fit(text, headWidth + 1).slice(0, -1);
  let tail = '';
  let used = displayWidth(head) + 1;
  for (let index = graphemes.length - 1; index >= 0; index--) {
    const more = graphemeWidth(graphemes[index]!);
    if (used + more > width) break;
    tail = graphemes[index]! + tail;
    used += more;
  }
  return `${head}…${tail}`;
}

export type Align = 'left' | 'right' | 'center';

/** Fills the text up with blanks. It may hold colour codes; it is never cut. */
export function pad(text: string, width: number, align: Align = 'left'): string {
  const missing = Math.max(0, width - displayWidth(text));
  if (align === 'right') return ' '.repeat(missing) + text;
  if (align === 'left') return text + ' '.repeat(missing);
  const before = Math.floor(missing / 2);
  return ' '.repeat(before) + text + ' '.repeat(missing - before);
}

const CONTROLS: Readonly<Record<string, string>> = { '\n': '\\n', '\r': '\\r', '\t': '\\t' };

/**
 * The text on one line and harmless: data can neither break a table nor reach the terminal with
 * codes of its own, such as one that turns the direction of writing.
 */
export function printable(text: string): string {
  return text.replace(
    /[\p{Cc}\u2028\u2029\u202a-\u202e\u2066-\u2069\ufeff]/gu,
    (control) => CONTROLS[control] ?? `\\u${control.charCodeAt(0).toString(16).padStart(4, '0')}`,
  );
}

/** Lines of at most `width` cells, broken at blanks; a longer word stands alone and is not cut. */
export function wrap(text: string, width: number): string[] {
  const lines: string[] = [];
  let line = '';
  for (const word of text.split(/\s+/)) {
    const longer = line === '' ? word : `${line} ${word}`;
    if (line !== '' && displayWidth(longer) > width) {
      lines.push(line);
      line = word;
    } else {
      line = longer;
    }
  }
  return [...lines, line];
}
