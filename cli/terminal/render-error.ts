/** An error as commands end with it: code, message, and what to do about it. */

import type { ErrorData } from '../../engine/contract/error.ts';
import type { Palette } from './palette.ts';
import { remedyOf } from './remedies.ts';

export function renderError(
  { code, message }: Pick<ErrorData, 'code' | 'message'>,
  { red, dim }: Palette,
): string[] {
  const remedy = remedyOf(code);
  const head = `${red(`error[${code}]`)}: ${message}`;
  return remedy === undefined ? [head] : [head, `  ${dim('help:')} ${remedy}`];
}
