/** Colours, and whether there are any: one place asks the environment, everybody else is told. */

import colors from 'picocolors';

export interface Palette {
  readonly isColored: boolean;
  readonly bold: (text: string) => string;
  readonly dim: (text: string) => string;
  readonly red: (text: string) => string;
  readonly green: (text: string) => string;
  readonly yellow: (text: string) => string;
  readonly cyan: (text: string) => string;
}

/** What is asked of `process.stdout` or `process.stderr`. */
export interface TerminalStream {
  readonly isTTY?: boolean | undefined;
  readonly columns?: number | undefined;
  write(text: string): unknown;
}

export type Environment = Readonly<Record<string, string | undefined>>;

/**
 * FORCE_COLOR wins, then NO_COLOR and TERM=dumb; otherwise a terminal has colours and nothing else.
 * As both conventions have it, an empty variable counts as none.
 */
export function paletteFor(
  stream: Pick<TerminalStream, 'isTTY'>,
  environment: Environment = process.env,
): Palette {
  const forced = environment['FORCE_COLOR'] ?? '';
  if (forced !== '') return palette(forced !== '0' && forced !== 'false');
  if ((environment['NO_COLOR'] ?? '') !== '' || environment['TERM'] === 'dumb') return PLAIN;
  return palette(stream.isTTY === true);
}

function palette(isColored: boolean): Palette {
  const { bold, dim, red, green, yellow, cyan } = colors.createColors(isColored);
  return { isColored, bold, dim, red, green, yellow, cyan };
}

export const PLAIN: Palette = palette(false);

/** Columns of a file or pipe: there is nothing to fit into, but a line should still be readable. */
const PIPE_WIDTH = 120;
const TERMINAL_WIDTH = 80;
const WIDTH_MIN = 20;

/** Columns that a line may take. COLUMNS wins, as it does for other tools. */
export function terminalWidth(
  stream: Pick<TerminalStream, 'isTTY' | 'columns'>,
  environment: Environment = process.env,
): number {
  const stated = Number(environment['COLUMNS']);
  if (Number.isSafeInteger(stated) && stated > 0) return Math.max(WIDTH_MIN, stated);
  if (stream.isTTY !== true) return PIPE_WIDTH;
  // A terminal that has not been told its size says 0.
  return Math.max(WIDTH_MIN, stream.columns || TERMINAL_WIDTH);
}
