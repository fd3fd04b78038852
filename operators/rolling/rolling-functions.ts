/** All functions of a rolling step, in the groups and the order of the documentation. */

import { DECAY_FUNCTIONS, SESSION_FUNCTIONS } from './decay-functions.ts';
import { INDICATOR_FUNCTIONS } from './indicator-functions.ts';
import type { RollingFunction } from './rolling-function.ts';
import { ORDERED_FUNCTIONS, PAIR_FUNCTIONS, WINDOW_FUNCTIONS } from './window-functions.ts';

type Functions = Readonly<Record<string, RollingFunction>>;

export const ROLLING_GROUPS: Readonly<Record<string, Functions>> = {
  'Functions of a window': WINDOW_FUNCTIONS,
  'Functions of the values in order': ORDERED_FUNCTIONS,
  'Functions of two series': PAIR_FUNCTIONS,
  'Means that decay': DECAY_FUNCTIONS,
  'Indicators and volatility': INDICATOR_FUNCTIONS,
  'Since the session has begun': SESSION_FUNCTIONS,
};

export const ROLLING_FUNCTIONS: Functions = Object.assign({}, ...Object.values(ROLLING_GROUPS));

export const ROLLING_NAMES: ReadonlySet<string> = new Set(Object.keys(ROLLING_FUNCTIONS));

/** What holds for all of them; each a paragraph of the reference page. */
export const ROLLING_RULES: readonly string[] = [
  '`x` and the like stand for any expression over columns and other calls. What follows them are ' +
    'constants, by their place or by name: `quantile(price, 0.25)`, ' +
    "`rsi(close, 14, 'cutler')`, `bollinger_upper(close, k => 2.5, ddof => 1)`. The value behind " +
    'an arrow is the default; without it the constant must be given.',
  '**Windows.** A function of a window looks at that of the step (`over`, `exclude_current`, ' +
    "`min_rows`), or at one of its own: `mean(close, over => '50 rows')`, " +
    "`zscore(volume, over => '1h', exclude_current => true, min_rows => 30)`. Such a window " +
    'is complete when it is full, or with one value where it is a duration, unless the call says ' +
    '`min_rows`. Indicators with a length of their own take it from their arguments, always ' +
    'include the row, and need no `over`.',
  '**Warm-up.** A function of a window is null until the window holds `min_rows` values: by ' +
    'default as many as it has rows, so a window of 20 rows first gives a result at the 20th ' +
    'value, and at the next with `exclude_current`.',
  '**Nulls.** A null, which NaN is too, does not enter a window and does not push a value out of ' +
    'it; at its row the function is that of the values before. An infinite value enters, ' +
    'and leaves no trace when it has left. A result that is not finite is null: nothing is ever ' +
    'infinite, and nothing fails. Where all values of a window are equal their variance is ' +
    'exactly 0, and a score is null. Where there is no window (means that decay, sessions), a ' +
    'value that is not finite counts as a null, for it could never be forgotten.',
  '**Sessions.** A session begins where `anchor` changes: a column such as `session_date`, or an ' +
    'expression. Numbers and times only go forward, so that a row of a session that has passed ' +
    'is not taken in, and gets null; of texts and flags every change is a new beginning. Without ' +
    'an anchor sessions are stretches of event time of the length `every`, from midnight UTC or ' +
    "from `offset` on: `session_vwap(price, size, every => '1d', offset => '13h30m')`.",
];
