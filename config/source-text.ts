/**
 * The texts that a configuration comes from (the file, env files, `-s` options) and places in them.
 * Offsets count UTF-16 units from 0; lines and columns are counted from 1, as editors do.
 */

/** Characters of a text: from `start`, `end` not included. */
export interface Range {
  readonly start: number;
  readonly end: number;
}

export interface LinePosition {
  readonly line: number;
  readonly column: number;
}

export class SourceText {
  /** A path; for an option the option itself, as it was given. */
  readonly name: string;
  readonly text: string;
  readonly kind: 'file' | 'option';
  readonly #lineStarts: readonly number[];
  readonly #masked: Range[] = [];

  constructor(name: string, text: string, kind: 'file' | 'option' = 'file') {
    this.name = name;
    this.text = text;
    this.kind = kind;
    const lineStarts = [0];
    for (let at = text.indexOf('\n'); at >= 0; at = text.indexOf('\n', at + 1)) {
      lineStarts.push(at + 1);
    }
    this.#lineStarts = lineStarts;
  }

  positionOf(offset: number): LinePosition {
    const line = this.#lineOf(offset);
    return { line, column: offset - this.#lineStarts[line - 1]! + 1 };
  }

  /** The line without its end, secrets blotted out. */
  line(number: number): string {
    const start = this.#lineStarts[number - 1] ?? this.text.length;
    const next = this.#lineStarts[number];
    const end = next === undefined ? this.text.length : next - 1;
    let line = this.text.slice(start, end).replace(/\r$/, '');
    for (const range of this.#masked) line = blot(line, range.start - start, range.end - start);
    const hide = (_all: string, before: string, secret: string): string =>
      before + '*'.repeat(secret.length);
    return line.replace(URL_PASSWORD, hide).replace(NAMED_SECRET, hide);
  }

  /** Never shows these characters again. */
  mask(range: Range): void {
    this.#masked.push(range);
  }

  #lineOf(offset: number): number {
    let low = 0;
    let high = this.#lineStarts.length;
    while (high - low > 1) {
      const middle = (low + high) >> 1;
      if (this.#lineStarts[middle]! <= offset) low = middle;
      else high = middle;
    }
    return low + 1;
  }
}

// Declared secrets are masked by their place. These two also hold where a file cannot be parsed.
const URL_PASSWORD = /(\w:\/\/[^\s:/@]*:)([^\s/@]+)(?=@)/g;
const NAMED_SECRET = /(\b(?:password|secret|token|api_key)["']?\s*[:=]\s*)([^\s$*,}][^,}]*)/gi;

function blot(line: string, start: number, end: number): string {
  const from = Math.max(0, start);
  const to = Math.min(line.length, end);
  return from >= to ? line : line.slice(0, from) + '*'.repeat(to - from) + line.slice(to);
}
