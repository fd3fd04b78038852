/**
 * Delimited text to columns.
 *
 * The scanner walks from cell to cell over a bitmap of delimiters and line ends, made 64 bytes at a
 * time; only a cell that begins with a quote is walked through by itself. Cells of chosen columns
 * are parsed in place into their column; a row is taken only when it is whole and good.
 *
 *   state    u32 input_end     end of the bytes there are; 64 more must be readable
 *            u32 position      start of the next row
 *            u32 line          its 1-based line in the file
 *            u32 rows          rows in the columns
 *            u32 rows_max
 *            u32 cells         cells a row must have
 *            u32 cell_map      u16[cells]: 1 + number of the first column read from it, or 0
 *            u32 columns       descriptors, below
 *            u32 rejects       pointer to entries, below
 *            u32 reject_count
 *            u32 reject_max
 *            u32 laters        pointer to entries, below
 *            u32 later_count
 *            u32 later_max
 *            u32 scratch       as large as the input: where an escaped text is unescaped
 *            u32 delimiter
 *            u32 full_column   column whose interner is full
 *   column   u32 kind, u32 values, u32 is_required, u32 next (1 + number of another column read
 *            from the same cell, or 0), u32 interner, u32 is_float, i64 time_unit       32 bytes
 *   reject   u32 line, u32 reason, u32 column or number of cells found, u32 row, u32 row_end,
 *            u32 cell, u32 cell_end, u32 (unused)                                        32 bytes
 *   later    u32 column, u32 row, u32 cell, u32 cell_end: a number for the host          16 bytes
 *
 * Whenever `scan` returns, the host must take the rejects and the laters, which point into the
 * input, before it moves the input.
 */

import { intern, FULL } from './_interner';
import {
  BAD, digitsEnd, EMPTY, LATER, OK, RANGE, float64, int64, parseBoolean, parseFloat64, parseInt64,
  readDigits, usePowers,
} from './_decimal';
import { priceOf, UNDEFINED_PRICE } from './_fixed-price';
import { parseTime, time } from './_time';

export { usePowers };

/** What became of a row. */
const PASSED: u32 = 0;
const TAKEN: u32 = 1;

/** Why `scan` stopped. */
const NEEDS_INPUT: u32 = 2;
const ROWS_FULL: u32 = 3;
const REJECTS_FULL: u32 = 4;
const LATERS_FULL: u32 = 5;
const INTERNER_FULL: u32 = 6;

/** Reasons beyond those of a parse. */
const CELLS: u32 = 5;
const QUOTE_TEXT: u32 = 6;
/** Not a reason: the row must be read again after the interner has grown. */
const NO_ROOM: u32 = 7;

const KIND_FLOAT64: u32 = 0;
const KIND_INT64: u32 = 1;
const KIND_TIMESTAMP: u32 = 2;
const KIND_STRING: u32 = 3;
const KIND_BOOLEAN: u32 = 4;
/** Databento's ways to write a cell; each has a number that means that there is none. */
const KIND_PRICE: u32 = 5;
const KIND_STAMP: u32 = 6;
const KIND_SIZE: u32 = 7;
const KIND_COUNT: u32 = 8;
const UNDEFINED_SIZE: i64 = 0xffffffff;
const DOT: u32 = 46;

const NEWLINE: u32 = 10;
const RETURN: u32 = 13;
const QUOTE: u32 = 34;

const INPUT_END: usize = 0;
const POSITION: usize = 4;
const LINE: usize = 8;
const ROWS: usize = 12;
const ROWS_MAX: usize = 16;
const CELL_COUNT: usize = 20;
const CELL_MAP: usize = 24;
const COLUMNS: usize = 28;
const REJECT_ENTRIES: usize = 32;
const REJECT_COUNT: usize = 36;
const REJECT_MAX: usize = 40;
const LATER_ENTRIES: usize = 44;
const LATER_COUNT: usize = 48;
const LATER_MAX: usize = 52;
const SCRATCH: usize = 56;
const DELIMITER: usize = 60;
const FULL_COLUMN: usize = 64;

let scratch: usize = 0;
let columns: usize = 0;
let laterCount: u32 = 0;

/** The cell at hand: its text without quotes, whether quotes in it are doubled, newlines in it. */
let cellStart: usize = 0;
let cellEnd: usize = 0;
let isQuoted: bool = false;
let isEscaped: bool = false;
let newlines: u32 = 0;

/** The first thing wrong in the row at hand. */
let failure: u32 = 0;
let failedColumn: u32 = 0;
let failedStart: usize = 0;
let failedEnd: usize = 0;

/** Bit i: is byte i of the 64 a delimiter or the end of a line? */
// @ts-ignore: decorator
@inline
function structureOf(at: usize, delimiter: v128): u64 {
  const newline = i8x16.splat(<i8>NEWLINE);
  const a = v128.load(at);
  const b = v128.load(at, 16);
  const c = v128.load(at, 32);
  const d = v128.load(at, 48);
  const low = i8x16.bitmask(v128.or(i8x16.eq(a, delimiter), i8x16.eq(a, newline)));
  const second = i8x16.bitmask(v128.or(i8x16.eq(b, delimiter), i8x16.eq(b, newline)));
  const third = i8x16.bitmask(v128.or(i8x16.eq(c, delimiter), i8x16.eq(c, newline)));
  const high = i8x16.bitmask(v128.or(i8x16.eq(d, delimiter), i8x16.eq(d, newline)));
  return <u64>(<u32>low | (<u32>second << 16)) | (<u64>(<u32>third | (<u32>high << 16)) << 32);
}

/**
 * Walks through a cell that begins with a quote at `start`. Returns the place behind the closing
 * quote, or 0 where the input ends before one can tell.
 */
function readQuoted(start: usize, inputEnd: usize): usize {
  const quote = i8x16.splat(<i8>QUOTE);
  const newline = i8x16.splat(<i8>NEWLINE);
  isEscaped = false;
  cellStart = start + 1;
  let at = cellStart;
  while (true) {
    const block = v128.load(at);
    const quotes = <u32>i8x16.bitmask(i8x16.eq(block, quote));
    const ends = <u32>i8x16.bitmask(i8x16.eq(block, newline));
    if (quotes == 0) {
      newlines += popcnt(ends);
      at += 16;
      if (at >= inputEnd) return 0;
      continue;
    }
    const offset = ctz(quotes);
    newlines += popcnt(ends & ((<u32>1 << offset) - 1));
    at += offset;
    if (at + 1 >= inputEnd) return 0;
    if (load<u8>(at + 1) != QUOTE) break;
    isEscaped = true;
    at += 2;
    if (at >= inputEnd) return 0;
  }
  cellEnd = at;
  return at + 1;
}

/** Copies text[cellStart, cellEnd) to the scratch with doubled quotes made single; its length. */
function unescape(): u32 {
  let to = scratch;
  for (let at = cellStart; at < cellEnd; at++) {
    const byte = load<u8>(at);
    store<u8>(to++, byte);
    if (byte == QUOTE) at++;
  }
  return <u32>(to - scratch);
}

// @ts-ignore: decorator
@inline
function parseText(column: usize, values: usize, row: u32): u32 {
  let code: u32 = 0xffffffff;
  if (cellEnd != cellStart || isQuoted) {
    const interner = <usize>load<u32>(column, 16);
    code = isEscaped
      ? intern(interner, scratch, unescape())
      : intern(interner, cellStart, <u32>(cellEnd - cellStart));
    if (code == FULL) return NO_ROOM;
  } else if (load<u32>(column, 8) != 0) return EMPTY;
  store<u32>(values + (<usize>row << 2), code);
  return OK;
}

function storeNull(kind: u32, values: usize, row: u32, isFloat: bool): void {
  if (kind == KIND_FLOAT64) store<f64>(values + (<usize>row << 3), NaN);
  else if (kind == KIND_BOOLEAN) store<u8>(values + row, 2);
  else if (kind == KIND_PRICE || isFloat) store<f64>(values + (<usize>row << 3), NaN);
  else store<i64>(values + (<usize>row << 3), i64.MIN_VALUE);
}

function putLater(state: usize, number: u32, row: u32, start: usize, end: usize): u32 {
  if (laterCount == load<u32>(state, LATER_MAX)) return LATER;
  const entry = <usize>load<u32>(state, LATER_ENTRIES) + (<usize>laterCount << 4);
  store<u32>(entry, number);
  store<u32>(entry, row, 4);
  store<u32>(entry, <u32>start, 8);
  store<u32>(entry, <u32>end, 12);
  laterCount++;
  return OK;
}

/** The largest number of 64 bits, which stands for no time and no count. */
function isUndefined64(start: usize, end: usize): bool {
  return end - start == 20 && readDigits(start, end, 0) == u64.MAX_VALUE && digitsEnd == end;
}

/** Billionths, or a decimal where there is a point. */
function parsePrice(
  state: usize, number: u32, row: u32, start: usize, end: usize, out: usize,
): u32 {
  let isFixed = true;
  for (let at = start; at < end; at++) if (load<u8>(at) == DOT) isFixed = false;
  if (isFixed && parseInt64(start, end) == OK) {
    store<f64>(out, int64 == UNDEFINED_PRICE ? NaN : priceOf(int64));
    return OK;
  }
  const status = parseFloat64(start, end);
  if (status == OK) store<f64>(out, float64);
  return status == LATER ? putLater(state, number, row, start, end) : status;
}

function parseDatabento(state: usize, number: u32, row: u32, start: usize, end: usize): u32 {
  const column = columns + (<usize>number << 5);
  const kind = load<u32>(column);
  const isFloat = load<u32>(column, 20) != 0;
  const out = <usize>load<u32>(column, 4) + (<usize>row << 3);
  if (kind == KIND_PRICE) return parsePrice(state, number, row, start, end, out);
  let isNull = kind != KIND_SIZE && isUndefined64(start, end);
  let value: i64 = 0;
  if (!isNull && kind == KIND_STAMP) {
    const status = parseTime(start, end, load<i64>(column, 24));
    if (status != OK) return status;
    value = time;
  } else if (!isNull) {
    const status = parseInt64(start, end);
    if (status != OK) return status;
    value = int64;
    isNull = kind == KIND_SIZE && value == UNDEFINED_SIZE;
  }
  if (isNull && load<u32>(column, 8) != 0) return EMPTY;
  if (isFloat) store<f64>(out, isNull ? NaN : <f64>value);
  else store<i64>(out, isNull ? i64.MIN_VALUE : value);
  return OK;
}

/** Parses the cell at hand into one column; a status, or LATER where the host's list is full. */
// @ts-ignore: decorator
@inline
function parseCell(state: usize, number: u32, row: u32): u32 {
  const column = columns + (<usize>number << 5);
  const kind = load<u32>(column);
  const values = <usize>load<u32>(column, 4);
  if (kind == KIND_STRING) return parseText(column, values, row);
  let start = cellStart;
  let end = cellEnd;
  if (start == end || load<u8>(start) <= 32 || load<u8>(end - 1) <= 32) {
    while (start < end && load<u8>(start) <= 32) start++;
    while (end > start && load<u8>(end - 1) <= 32) end--;
    if (start == end) {
      if (load<u32>(column, 8) != 0) return EMPTY;
      storeNull(kind, values, row, load<u32>(column, 20) != 0);
      return OK;
    }
  }
  if (kind == KIND_FLOAT64) {
    const status = parseFloat64(start, end);
    if (status == OK) store<f64>(values + (<usize>row << 3), float64);
    else if (status == LATER) return putLater(state, number, row, start, end);
    return status;
  }
  if (kind == KIND_TIMESTAMP) {
    const status = parseTime(start, end, load<i64>(column, 24));
    store<i64>(values + (<usize>row << 3), time);
    return status;
  }
  if (kind == KIND_INT64) {
    const status = parseInt64(start, end);
    store<i64>(values + (<usize>row << 3), int64);
    return status;
  }
  if (kind > KIND_BOOLEAN) return parseDatabento(state, number, row, start, end);
  const status = parseBoolean(start, end);
  store<u8>(values + row, <u8>int64);
  return status;
}

/** Parses the cell at hand into every column that is read from it. */
// @ts-ignore: decorator
@inline
function parseColumns(state: usize, first: u32, row: u32): void {
  let number = first;
  while (number != 0) {
    const status = parseCell(state, number - 1, row);
    if (status != OK) {
      failure = status;
      failedColumn = number - 1;
      failedStart = cellStart;
      failedEnd = cellEnd;
      return;
    }
    number = load<u32>(columns + (<usize>(number - 1) << 5), 12);
  }
}

/** Notes the row as rejected; false where the list is full. */
function reject(state: usize, line: u32, cells: u32, start: usize, end: usize): bool {
  const count = load<u32>(state, REJECT_COUNT);
  if (count == load<u32>(state, REJECT_MAX)) return false;
  const areCells = cells != load<u32>(state, CELL_COUNT) && failure != QUOTE_TEXT;
  const entry = <usize>load<u32>(state, REJECT_ENTRIES) + (<usize>count << 5);
  store<u32>(entry, line);
  store<u32>(entry, areCells ? CELLS : failure, 4);
  store<u32>(entry, areCells ? cells : failedColumn, 8);
  store<u32>(entry, <u32>start, 12);
  store<u32>(entry, <u32>end, 16);
  store<u32>(entry, <u32>failedStart, 20);
  store<u32>(entry, <u32>failedEnd, 24);
  store<u32>(state, count + 1, REJECT_COUNT);
  return true;
}

/**
 * What becomes of a row whose cells have been parsed: TAKEN, PASSED over (blank or rejected), or a
 * reason to stop before it.
 */
// @ts-ignore: decorator
@inline
function judgeRow(state: usize, found: u32, line: u32, start: usize, end: usize): u32 {
  if (found == 1 && cellEnd == cellStart && !isQuoted) return PASSED;
  if (failure == OK && found == load<u32>(state, CELL_COUNT)) return TAKEN;
  if (failure == NO_ROOM) {
    store<u32>(state, failedColumn, FULL_COLUMN);
    return INTERNER_FULL;
  }
  if (failure == LATER) return LATERS_FULL;
  const rowEnd = end > start && load<u8>(end - 1) == RETURN ? end - 1 : end;
  return reject(state, line, found, start, rowEnd) ? PASSED : REJECTS_FULL;
}

/** Leaves the scan before the row that starts at `position`. */
function stop(state: usize, reason: u32, position: usize, line: u32, rows: u32, laters: u32): u32 {
  store<u32>(state, <u32>position, POSITION);
  store<u32>(state, line, LINE);
  store<u32>(state, rows, ROWS);
  store<u32>(state, laters, LATER_COUNT);
  return reason;
}

/** Reads rows until one of the reasons above. */
export function scan(state: usize): u32 {
  const inputEnd = <usize>load<u32>(state, INPUT_END);
  const rowsMax = load<u32>(state, ROWS_MAX);
  const cells = load<u32>(state, CELL_COUNT);
  const cellMap = <usize>load<u32>(state, CELL_MAP);
  const delimiter = i8x16.splat(<i8>load<u32>(state, DELIMITER));
  scratch = <usize>load<u32>(state, SCRATCH);
  columns = <usize>load<u32>(state, COLUMNS);
  laterCount = load<u32>(state, LATER_COUNT);
  let row = load<u32>(state, ROWS);
  let line = load<u32>(state, LINE);
  let start = <usize>load<u32>(state, POSITION);
  let base = start;
  let structure = structureOf(base, delimiter);
  while (true) {
    const laters = laterCount;
    if (row == rowsMax) return stop(state, ROWS_FULL, start, line, row, laters);
    failure = OK;
    newlines = 0;
    let cell: u32 = 0;
    let at = start;
    let end: usize;
    while (true) {
      isQuoted = load<u8>(at) == QUOTE;
      isEscaped = false;
      if (isQuoted) {
        const behind = at < inputEnd ? readQuoted(at, inputEnd) : 0;
        if (behind == 0) return stop(state, NEEDS_INPUT, start, line, row, laters);
        base = behind;
        structure = structureOf(base, delimiter);
      }
      while (structure == 0) {
        base += 64;
        if (base >= inputEnd) return stop(state, NEEDS_INPUT, start, line, row, laters);
        structure = structureOf(base, delimiter);
      }
      end = base + <usize>ctz(structure);
      if (end >= inputEnd) return stop(state, NEEDS_INPUT, start, line, row, laters);
      structure &= structure - 1;
      const isLast = load<u8>(end) == NEWLINE;
      let trimmed = end;
      if (isLast && end > at && load<u8>(end - 1) == RETURN) trimmed--;
      if (!isQuoted) {
        cellStart = at;
        cellEnd = trimmed;
      } else if (cellEnd + 1 != trimmed && failure == OK) {
        failure = QUOTE_TEXT;
        failedStart = cellStart - 1;
        failedEnd = trimmed;
      }
      if (cell < cells && failure == OK) {
        const first = <u32>load<u16>(cellMap + (<usize>cell << 1));
        if (first != 0) parseColumns(state, first, row);
      }
      cell++;
      at = end + 1;
      if (isLast) break;
    }
    const verdict = judgeRow(state, cell, line, start, end);
    if (verdict > TAKEN) return stop(state, verdict, start, line, row, laters);
    if (verdict == TAKEN) row++;
    else laterCount = laters;
    line += newlines + 1;
    start = at;
  }
}
