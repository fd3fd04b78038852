/** A problem in the document, or a mistake in a text, at its line and column. */

import type { Problem, ProblemCode } from '../engine/contract/problem.ts';
import type { Range, SourceText } from './source-text.ts';
import type { Mistake, Place } from './yaml-document.ts';

export interface Lint {
  /** Path of the file; for a value given by an option the option itself, such as `-s a.b=c`. */
  readonly file: string;
  /** From 1; 0 for an option. */
  readonly line: number;
  /** From 1. */
  readonly column: number;
  /** Characters that are meant, on this line. */
  readonly length: number;
  readonly code: ProblemCode;
  readonly severity: 'error' | 'warning';
  readonly message: string;
  readonly help?: string;
  /** The line, secrets blotted out. */
  readonly sourceLine: string;
}

export function lintAt({ source, range, code, severity, message, help }: Mistake): Lint {
  return {
    ...position(source, range),
    code,
    severity: severity ?? 'error',
    message,
    ...(help === undefined ? {} : { help }),
  };
}

/** Places a problem; where its path is not written in the file, at what is nearest above it. */
export function lintOf({ path, target, offset, ...problem }: Problem, root: Place): Lint {
  let place = root;
  let isWritten = true;
  for (const segment of path) {
    const child = place.children.get(segment);
    if (child === undefined) {
      isWritten = false;
      break;
    }
    place = child;
  }
  const isAtKey = !isWritten || target === 'key' || place.value.end === place.value.start;
  let range = (isAtKey ? place.key : undefined) ?? place.value;
  if (!isAtKey && offset !== undefined && place.offsetOf !== undefined) {
    range = { start: place.offsetOf(offset), end: place.offsetOf(offset) + 1 };
  }
  const { code, message, help, severity = 'error' } = problem;
  return {
    ...position(place.source, range),
    code,
    severity,
    message,
    ...(help === undefined ? {} : { help }),
  };
}

function position(
  source: SourceText,
  range: Range,
): Pick<Lint, 'file' | 'line' | 'column' | 'length' | 'sourceLine'> {
  const { line, column } = source.positionOf(range.start);
  const sourceLine = source.line(line);
  const length = Math.min(range.end - range.start, sourceLine.length - column + 1);
  const isOption = source.kind === 'option';
  return {
    file: isOption ? sourceLine : source.name,
    line: isOption ? 0 : line,
    column,
    length: Math.max(1, length),
    sourceLine,
  };
}
