/**
 * Lines of flat JSON objects to columns.
 *
 * Only what is plain is read here: an object of one line whose keys are ASCII without escapes and
 * whose values, as far as columns are read from them, are numbers, texts of the same kind, true,
 * false or null, each of which fits its column. Every other line is left to the host, which knows
 * all of JSON and all reasons to reject a row: so a line is either read here as the host would read
 * it, or there.
 *
 *   state    u32 input_end     behind the last byte; 64 more must be readable
 *            u32 position      start of the next line
 *            u32 line          its 1-based number
 *            u32 rows          rows in the columns
 *            u32 rows_max
 *            u32 columns       descriptors, as in csv.ts (kinds 0 to 4)
 *            u32 column_count  at most 32
 *            u32 names         slots of 24 bytes, below
 *            u32 name_mask     number of slots less one
 *            u32 required      bit i: column i must have a value
 *            u32 line_end      of the line that is left to the host: its line end
 *            u32 full_column   column whose interner is full
 *            u32 reason        why `scanRows` stopped
 *   name     u64 first 8 bytes, u32 length + 1 (0 is a free slot), u32 pointer to the name,
 *            u32 1 + first column read from it (`next` of its descriptor leads on), or PATH_HEAD
 *            where columns are read from members within its value alone; u32 (unused)
 */

import { FULL, intern } from './_interner';
import {
  BAD, float64, int64, OK, parseFloat64, parseInt64, usePowers,
} from './_decimal';
import { lineEnd, passValue, splitRows } from './_json-skip';
import { parseTime, time } from './_time';

export { splitRows, usePowers };

/** Why `scan` stopped. */
const NEEDS_INPUT: u32 = 16;
const ROWS_FULL: u32 = 17;
/** Also what becomes of a line; TAKEN and PASSED are no reasons to stop. */
const HOST_LINE: u32 = 18;
const INTERNER_FULL: u32 = 19;
const TAKEN: u32 = 20;
const PASSED: u32 = 21;

const KIND_FLOAT64: u32 = 0;
const KIND_INT64: u32 = 1;
const KIND_TIMESTAMP: u32 = 2;
const KIND_STRING: u32 = 3;

const INPUT_END: usize = 0;
const POSITION: usize = 4;
const LINE: usize = 8;
const ROWS: usize = 12;
const ROWS_MAX: usize = 16;
const COLUMNS: usize = 20;
const COLUMN_COUNT: usize = 24;
const NAMES: usize = 28;
const NAME_MASK: usize = 32;
const REQUIRED: usize = 36;
const LINE_END: usize = 40;
const FULL_COLUMN: usize = 44;
const REASON: usize = 48;

const NAME_BYTES: u32 = 24;
/** What is nested under such a name is the host's. */
const PATH_HEAD: u32 = 0xffffffff;
const FACTOR: u64 = 0x9e3779b97f4a7c15;

const NEWLINE: u32 = 10;
const QUOTE: u32 = 34;
const COMMA: u32 = 44;
const MINUS: u32 = 45;
const DOT: u32 = 46;
const ZERO: u32 = 48;
const COLON: u32 = 58;
const BACKSLASH: u32 = 92;
const OPEN: u32 = 123;
const CLOSE: u32 = 125;

const WORD_TRUE: u32 = 0x65757274;
const WORD_FALS: u32 = 0x736c6166;
const WORD_NULL: u32 = 0x6c6c756e;

/** What the value at hand is. */
const IS_NUMBER: u32 = 0;
const IS_INTEGER: u32 = 1;
const IS_TEXT: u32 = 2;
const IS_TRUE: u32 = 3;
const IS_FALSE: u32 = 4;
const IS_NULL: u32 = 5;
const IS_OTHER: u32 = 6;

let valueStart: usize = 0;
let valueEnd: usize = 0;
/** Behind the value. */
let behind: usize = 0;
let fullColumn: u32 = 0;

// @ts-ignore: decorator
@inline
function skipBlanks(at: usize): usize {
  while (true) {
    const byte = <u32>load<u8>(at);
    if (byte != 32 && byte != 9 && byte != 13) return at;
    at++;
  }
}

/**
 * Place of the closing quote; 0 where an escape, a control character (the end of the line is one)
 * or, with `isAscii`, a byte beyond ASCII comes first.
 */
// @ts-ignore: decorator
@inline
function textEnd(at: usize, isAscii: bool): usize {
  const quote = i8x16.splat(<i8>QUOTE);
  const backslash = i8x16.splat(<i8>BACKSLASH);
  const blank = i8x16.splat(32);
  while (true) {
    const block = v128.load(at);
    // Signed, so bytes beyond ASCII are below the blank too.
    const low = isAscii ? i8x16.lt_s(block, blank) : i8x16.lt_u(block, blank);
    const odd = v128.or(v128.or(i8x16.eq(block, quote), i8x16.eq(block, backslash)), low);
    const bits = <u32>i8x16.bitmask(odd);
    if (bits != 0) {
      const found = at + <usize>ctz(bits);
      return <u32>load<u8>(found) == QUOTE ? found : 0;
    }
    at += 16;
  }
}

// @ts-ignore: decorator
@inline
function isDigit(at: usize): bool {
  return <u32>load<u8>(at) - ZERO < 10;
}

/** A number by the grammar of JSON; its kind, or IS_OTHER. */
// @ts-ignore: decorator
@inline
function numberKind(start: usize): u32 {
  let at = start;
  let kind = IS_INTEGER;
  if (<u32>load<u8>(at) == MINUS) at++;
  if (!isDigit(at)) return IS_OTHER;
  if (<u32>load<u8>(at) == ZERO) at++;
  else while (isDigit(at)) at++;
  if (<u32>load<u8>(at) == DOT) {
    kind = IS_NUMBER;
    at++;
    if (!isDigit(at)) return IS_OTHER;
    while (isDigit(at)) at++;
  }
  if ((<u32>load<u8>(at) | 32) == 101) {
    kind = IS_NUMBER;
    at++;
    const sign = <u32>load<u8>(at);
    if (sign == MINUS || sign == 43) at++;
    if (!isDigit(at)) return IS_OTHER;
    while (isDigit(at)) at++;
  }
  valueStart = start;
  valueEnd = at;
  behind = at;
  return kind;
}

/** Reads the value that starts there. */
// @ts-ignore: decorator
@inline
function valueKind(at: usize, isWanted: bool): u32 {
  const byte = <u32>load<u8>(at);
  if (byte == QUOTE) {
    valueStart = at + 1;
    valueEnd = textEnd(at + 1, isWanted);
    behind = valueEnd + 1;
    return valueEnd == 0 ? IS_OTHER : IS_TEXT;
  }
  if (byte == MINUS || byte - ZERO < 10) return numberKind(at);
  const word = load<u32>(at);
  behind = at + 4;
  if (word == WORD_TRUE) return IS_TRUE;
  if (word == WORD_NULL) return IS_NULL;
  behind = at + 5;
  return word == WORD_FALS && <u32>load<u8>(at + 4) == 101 ? IS_FALSE : IS_OTHER;
}

/** 1 + the first column that is read from the key, or 0. */
// @ts-ignore: decorator
@inline
function firstColumn(names: usize, mask: u32, key: usize, length: u32): u32 {
  const first = load<u64>(key);
  const bits: u64 = length < 8 ? first & (((<u64>1) << (length << 3)) - 1) : first;
  let index = <u32>(((bits ^ (<u64>length << 56)) * FACTOR) >> 40) & mask;
  while (true) {
    const slot = names + <usize>(index * NAME_BYTES);
    const found = load<u32>(slot, 8);
    if (found == 0) return 0;
    if (found == length + 1 && load<u64>(slot) == bits) {
      if (length <= 8) return load<u32>(slot, 16);
      if (memory.compare(<usize>load<u32>(slot, 12), key, length) == 0) return load<u32>(slot, 16);
    }
    index = (index + 1) & mask;
  }
}

/** Adds a name to a table that has room for it. */
export function putName(names: usize, mask: u32, name: usize, length: u32, column: u32): void {
  const bits: u64 =
    length < 8 ? load<u64>(name) & (((<u64>1) << (length << 3)) - 1) : load<u64>(name);
  let index = <u32>(((bits ^ (<u64>length << 56)) * FACTOR) >> 40) & mask;
  while (load<u32>(names + <usize>(index * NAME_BYTES), 8) != 0) index = (index + 1) & mask;
  const slot = names + <usize>(index * NAME_BYTES);
  store<u64>(slot, bits);
  store<u32>(slot, length + 1, 8);
  store<u32>(slot, <u32>name, 12);
  store<u32>(slot, column, 16);
}

function putNull(column: usize, row: u32): void {
  const kind = load<u32>(column);
  const values = <usize>load<u32>(column, 4);
  if (kind == KIND_FLOAT64) store<f64>(values + (<usize>row << 3), NaN);
  else if (kind <= KIND_TIMESTAMP) store<i64>(values + (<usize>row << 3), i64.MIN_VALUE);
  else if (kind == KIND_STRING) store<u32>(values + (<usize>row << 2), 0xffffffff);
  else store<u8>(values + row, 2);
}

/** Puts the value at hand into a column: OK, FULL, or anything else for the host. */
// @ts-ignore: decorator
@inline
function putValue(column: usize, row: u32, kind: u32): u32 {
  const type = load<u32>(column);
  const values = <usize>load<u32>(column, 4);
  if (kind == IS_NULL) {
    if (load<u32>(column, 8) != 0) return BAD;
    putNull(column, row);
    return OK;
  }
  if (type == KIND_STRING) {
    if (kind != IS_TEXT) return BAD;
    const code = intern(<usize>load<u32>(column, 16), valueStart, <u32>(valueEnd - valueStart));
    if (code == FULL) return FULL;
    store<u32>(values + (<usize>row << 2), code);
    return OK;
  }
  if (kind == IS_TRUE || kind == IS_FALSE) {
    if (type <= KIND_STRING) return BAD;
    store<u8>(values + row, kind == IS_TRUE ? 1 : 0);
    return OK;
  }
  if (type > KIND_STRING || valueStart == valueEnd) return BAD;
  if (type == KIND_FLOAT64) {
    const status = parseFloat64(valueStart, valueEnd);
    if (status == OK) store<f64>(values + (<usize>row << 3), float64);
    return status;
  }
  // A number with a fraction is the double it becomes, which the host spells.
  if (kind == IS_NUMBER) return BAD;
  if (type == KIND_INT64) {
    const status = parseInt64(valueStart, valueEnd);
    store<i64>(values + (<usize>row << 3), int64);
    return status;
  }
  const status = parseTime(valueStart, valueEnd, load<i64>(column, 24));
  store<i64>(values + (<usize>row << 3), time);
  return status;
}

/** Reads the object of a line that ends at `end`, where its line end stands. */
function readLine(state: usize, start: usize, end: usize, row: u32): u32 {
  const columns = <usize>load<u32>(state, COLUMNS);
  const names = <usize>load<u32>(state, NAMES);
  const mask = load<u32>(state, NAME_MASK);
  let at = skipBlanks(start);
  if (at == end) return PASSED;
  if (<u32>load<u8>(at) != OPEN) return HOST_LINE;
  at = skipBlanks(at + 1);
  let seen: u32 = 0;
  let hasMore = <u32>load<u8>(at) != CLOSE;
  while (hasMore) {
    if (<u32>load<u8>(at) != QUOTE) return HOST_LINE;
    const key = at + 1;
    const keyEnd = textEnd(key, true);
    if (keyEnd == 0) return HOST_LINE;
    at = skipBlanks(keyEnd + 1);
    if (<u32>load<u8>(at) != COLON) return HOST_LINE;
    let number = firstColumn(names, mask, key, <u32>(keyEnd - key));
    const value = skipBlanks(at + 1);
    const kind = valueKind(value, number != 0);
    if (kind == IS_OTHER) {
      if (number != 0) return HOST_LINE;
      behind = passValue(value);
      if (behind == 0) return HOST_LINE;
    } else if (number == PATH_HEAD) number = 0;
    // Of two members of one name the last counts: it is written over the first.
    while (number != 0) {
      const column = columns + (<usize>(number - 1) << 5);
      const status = putValue(column, row, kind);
      if (status != OK) {
        fullColumn = number - 1;
        return status == FULL ? INTERNER_FULL : HOST_LINE;
      }
      seen |= 1 << (number - 1);
      number = load<u32>(column, 12);
    }
    at = skipBlanks(behind);
    const next = <u32>load<u8>(at);
    if (next == COMMA) at = skipBlanks(at + 1);
    else if (next == CLOSE) hasMore = false;
    else return HOST_LINE;
  }
  if (skipBlanks(at + 1) != end) return HOST_LINE;
  const count = load<u32>(state, COLUMN_COUNT);
  const all: u32 = count == 32 ? u32.MAX_VALUE : (1 << count) - 1;
  let missing = all & ~seen;
  if ((missing & load<u32>(state, REQUIRED)) != 0) return HOST_LINE;
  for (; missing != 0; missing &= missing - 1) {
    putNull(columns + (<usize>ctz(missing) << 5), row);
  }
  return TAKEN;
}

/** Reads lines until one of the reasons above. */
export function scan(state: usize): u32 {
  const inputEnd = <usize>load<u32>(state, INPUT_END);
  const rowsMax = load<u32>(state, ROWS_MAX);
  let start = <usize>load<u32>(state, POSITION);
  let line = load<u32>(state, LINE);
  let row = load<u32>(state, ROWS);
  let reason: u32;
  while (true) {
    if (row == rowsMax) {
      reason = ROWS_FULL;
      break;
    }
    const end = lineEnd(start, inputEnd);
    if (end == inputEnd) {
      reason = NEEDS_INPUT;
      break;
    }
    reason = readLine(state, start, end, row);
    if (reason < TAKEN) {
      store<u32>(state, <u32>end, LINE_END);
      store<u32>(state, fullColumn, FULL_COLUMN);
      break;
    }
    if (reason == TAKEN) row++;
    start = end + 1;
    line++;
  }
  store<u32>(state, <u32>start, POSITION);
  store<u32>(state, line, LINE);
  store<u32>(state, row, ROWS);
  return reason;
}

/**
 * Reads rows, each one object, from number `from` on; a line end within one is left to the host, as
 * is a row of nothing.
 *
 * @param rows u32[2 * count]: start and end of each; what stands at its end is no blank.
 * @returns The first row that was not read, with the reason in the state; `count` where all were.
 */
export function scanRows(state: usize, rows: usize, from: u32, count: u32): u32 {
  const rowsMax = load<u32>(state, ROWS_MAX);
  let row = load<u32>(state, ROWS);
  let index = from;
  for (; index < count; index++) {
    if (row == rowsMax) {
      store<u32>(state, ROWS_FULL, REASON);
      break;
    }
    const extent = rows + (<usize>index << 3);
    const reason = readLine(state, <usize>load<u32>(extent), <usize>load<u32>(extent, 4), row);
    if (reason != TAKEN) {
      store<u32>(state, fullColumn, FULL_COLUMN);
      store<u32>(state, reason == INTERNER_FULL ? INTERNER_FULL : HOST_LINE, REASON);
      break;
    }
    row++;
  }
  store<u32>(state, row, ROWS);
  return index;
}
