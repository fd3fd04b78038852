/**
 * `${NAME}`, `${NAME:default}` and the escape `${{NAME}}` (which gives the text `${NAME}`) within
 * one text. It is done on parsed scalars, never on the YAML, so that a value cannot change the
 * structure of the file.
 */

export type Environment = Readonly<Record<string, string | undefined>>;

/** A part of the result and the part of the given text that it comes from. */
interface Piece {
  readonly start: number;
  readonly givenStart: number;
  /** The part is taken over as it stands. */
  readonly isLiteral: boolean;
}

export interface Interpolation {
  readonly text: string;
  /** The given text is one variable and nothing else. */
  readonly isWhole: boolean;
  /** Variables without value, by their place in the given text. */
  readonly problems: readonly {
    readonly offset: number;
    readonly length: number;
    readonly message: string;
    readonly help: string;
  }[];
  /** Where a character of the result comes from. */
  readonly givenOffset: (offset: number) => number;
}

const VARIABLE = /\$\{\{([^{}]*)\}\}|\$\{([^{}]*)\}/g;
const NAME_AND_DEFAULT = /^([A-Za-z_][A-Za-z0-9_]*)(?::(.*))?$/s;

export function interpolate(given: string, environment: Environment): Interpolation {
  const pieces: Piece[] = [];
  const problems: Interpolation['problems'][number][] = [];
  let text = '';
  let end = 0;
  const append = (part: string, givenStart: number, isLiteral: boolean): void => {
    pieces.push({ start: text.length, givenStart, isLiteral });
    text += part;
  };
  let isWhole = false;
  for (const match of given.matchAll(VARIABLE)) {
    const [all, escaped, body] = match;
    append(given.slice(end, match.index), end, true);
    end = match.index + all.length;
    if (escaped !== undefined) {
      append(`\${${escaped}}`, match.index, false);
      continue;
    }
    const value = valueOf(body!, environment);
    if (typeof value === 'string') append(value, match.index, false);
    else problems.push({ offset: match.index, length: all.length, ...value });
    isWhole = all.length === given.length;
  }
  append(given.slice(end), end, true);
  return { text, isWhole, problems, givenOffset: (offset) => givenOffset(pieces, offset) };
}

function valueOf(
  body: string,
  environment: Environment,
): string | { readonly message: string; readonly help: string } {
  const match = NAME_AND_DEFAULT.exec(body);
  if (match === null) {
    return {
      message: `expected \${NAME} or \${NAME:default}, got \${${body}}`,
      help: `for the text itself write \${{${body}}}`,
    };
  }
  const [, name, fallback] = match;
  const value = Object.hasOwn(environment, name!) ? environment[name!] : undefined;
  return (
    value ??
    fallback ?? {
      message: `the variable ${name} is not set`,
      help: `set it, or give it a default: \${${name}:…}`,
    }
  );
}

function givenOffset(pieces: readonly Piece[], offset: number): number {
  let found = pieces[0]!;
  for (const piece of pieces) {
    if (piece.start <= offset) found = piece;
  }
  return found.givenStart + (found.isLiteral ? offset - found.start : 0);
}

const INTEGER = /^[-+]?\d+$/;
const FLOAT = /^[-+]?(?:\.\d+|\d+(?:\.\d*)?)(?:[eE][-+]?\d+)?$/;
const BOOLEAN = /^(?:true|True|TRUE|false|False|FALSE)$/;

/** The number or boolean that the text would be in YAML, else the text. */
export function retype(text: string): string | number | boolean {
  if (INTEGER.test(text) || FLOAT.test(text)) return Number(text);
  return BOOLEAN.test(text) ? text.toLowerCase() === 'true' : text;
}
