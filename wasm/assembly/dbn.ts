/**
 * Records of Databento's binary encoding (DBN) to columns.
 *
 * Records lie one behind the other, little endian, each with its length in front:
 *
 *   0 u8 length in words of 4 bytes   1 u8 rtype   2 u16 publisher   4 u32 instrument   8 u64 time
 *
 * and the fields of its rtype behind. The scanner walks from record to record, passes over those of
 * other rtypes, and reads the chosen fields of the rest into their columns.
 *
 *   state    u32 input_end
 *            u32 position      start of the next record
 *            u32 skip_to       records that start before it are passed over (but for CONTROL)
 *            u32 rows          rows in the columns
 *            u32 rows_max
 *            u32 columns       descriptors, below
 *            u32 column_count
 *            u32 sizes         u16[256]: bytes that a record of the rtype must have; 0 passes over
 *                              it, 0xffff hands it to the host
 *            u32 index_time    offset of the time by which symbols are looked up
 *            u32 flags         offset of the flags, 0 where the records have none
 *            u32 rejected      flags that reject a row
 *            u32 records       records walked since the host took note
 *            u32 passed        of them, those of other rtypes
 *            u32 bad_times     of the rows, those with BAD_TS_RECV
 *            u32 maybe_bad     and with MAYBE_BAD_BOOK
 *            u32 column        the column that stopped the scan
 *            u32 instrument, i32 day     that SYMBOL_UNKNOWN asks about
 *   column   u32 kind, u32 offset in the record, u32 values, u32 is_required, u32 table,
 *            u32 mask or is_daily, u32 is_float, u32 (unused)                            32 bytes
 *   table    of a symbol: 16-byte slots: u32 instrument, i32 day, u32 code, u32 is_used; open
 *            addressing, `mask` + 1 slots. Of a character: u32[256] codes, 0xfffffffe unknown.
 *
 * A row is in the columns only when it is whole: where the scan stops within a record, it stops
 * before it, and the host may go on there or pass over it.
 */

import { EMPTY, OK, RANGE } from './_decimal';
import { priceOf, UNDEFINED_PRICE } from './_fixed-price';
import { scaleEpoch, time } from './_time';

/** Why `scan` stopped; below 16 it is the status of a field, and the record a bad row. */
const NEEDS_INPUT: u32 = 16;
const ROWS_FULL: u32 = 17;
const CONTROL_RECORD: u32 = 18;
const BAD_LENGTH: u32 = 19;
const BAD_QUALITY: u32 = 20;
const SYMBOL_UNKNOWN: u32 = 21;
const CHARACTER_UNKNOWN: u32 = 22;

const INPUT_END: usize = 0;
const POSITION: usize = 4;
const SKIP_TO: usize = 8;
const ROWS: usize = 12;
const ROWS_MAX: usize = 16;
const COLUMNS: usize = 20;
const COLUMN_COUNT: usize = 24;
const SIZES: usize = 28;
const INDEX_TIME: usize = 32;
const FLAGS: usize = 36;
const REJECTED: usize = 40;
const RECORDS: usize = 44;
const PASSED: usize = 48;
const BAD_TIMES: usize = 52;
const MAYBE_BAD: usize = 56;
const COLUMN: usize = 60;
const INSTRUMENT: usize = 64;
const DAY: usize = 68;

const KIND_PRICE: u32 = 0;
const KIND_TIME: u32 = 1;
const KIND_U8: u32 = 2;
const KIND_U16: u32 = 3;
const KIND_U32: u32 = 4;
const KIND_I32: u32 = 5;
const KIND_U64: u32 = 6;
/** u32 whose largest value means that there is none. */
const KIND_SIZE: u32 = 7;
const KIND_CHARACTER: u32 = 8;

const HEADER_BYTES: u32 = 16;
const CONTROL: u32 = 0xffff;
const CODE_UNKNOWN: u32 = 0xfffffffe;
const CODE_NULL: u32 = 0xffffffff;
const UNDEFINED_TIME: u64 = u64.MAX_VALUE;
const FLAG_BAD_TS_RECV: u32 = 0x08;
const FLAG_MAYBE_BAD_BOOK: u32 = 0x04;
const DAY_NS: u64 = 86400000000000;

/** UTC day of the record, for its symbol: by its index time unless that is said to be wrong. */
function dayOf(state: usize, record: usize): i32 {
  const flags = load<u32>(state, FLAGS);
  const isBad = flags != 0 && (<u32>load<u8>(record + flags) & FLAG_BAD_TS_RECV) != 0;
  let at = load<u64>(record + load<u32>(state, INDEX_TIME));
  if (isBad || at == UNDEFINED_TIME) at = load<u64>(record, 8);
  return <i32>(at / DAY_NS);
}

// @ts-ignore: decorator
@inline
function slotHash(instrument: u32, day: i32): u32 {
  const mixed = (<u64>instrument | (<u64>(<u32>day) << 32)) * 0x9e3779b97f4a7c15;
  return <u32>(mixed >> 32) ^ <u32>(mixed >> 15);
}

/** Adds the code of an instrument on a day to a table that has room for it. */
export function putSymbol(table: usize, mask: u32, instrument: u32, day: i32, code: u32): void {
  let index = slotHash(instrument, day) & mask;
  while (load<u32>(table + (<usize>index << 4), 12) != 0) index = (index + 1) & mask;
  const slot = table + (<usize>index << 4);
  store<u32>(slot, instrument);
  store<i32>(slot, day, 4);
  store<u32>(slot, code, 8);
  store<u32>(slot, 1, 12);
}

// @ts-ignore: decorator
@inline
function symbolCode(table: usize, mask: u32, instrument: u32, day: i32): u32 {
  let index = slotHash(instrument, day) & mask;
  while (true) {
    const slot = table + (<usize>index << 4);
    if (load<u32>(slot, 12) == 0) return CODE_UNKNOWN;
    if (load<u32>(slot) == instrument && load<i32>(slot, 4) == day) return load<u32>(slot, 8);
    index = (index + 1) & mask;
  }
}

// @ts-ignore: decorator
@inline
function putInteger(column: usize, out: usize, value: i64): u32 {
  if (load<u32>(column, 24) != 0) store<f64>(out, <f64>value);
  else store<i64>(out, value);
  return OK;
}

// @ts-ignore: decorator
@inline
function putNull(column: usize, out: usize): u32 {
  if (load<u32>(column, 12) != 0) return EMPTY;
  if (load<u32>(column, 24) != 0) store<f64>(out, NaN);
  else store<i64>(out, i64.MIN_VALUE);
  return OK;
}

function putText(state: usize, column: usize, record: usize, row: u32, isCharacter: bool): u32 {
  const table = <usize>load<u32>(column, 16);
  let code: u32;
  if (isCharacter) {
    const character = <u32>load<u8>(record + load<u32>(column, 4));
    code = load<u32>(table + (<usize>character << 2));
    if (code == CODE_UNKNOWN) return CHARACTER_UNKNOWN;
  } else {
    const instrument = load<u32>(record, 4);
    const day = load<u32>(column, 24) != 0 ? dayOf(state, record) : 0;
    code = symbolCode(table, load<u32>(column, 20), instrument, day);
    if (code >= CODE_UNKNOWN) {
      store<u32>(state, instrument, INSTRUMENT);
      store<i32>(state, day, DAY);
      if (code == CODE_UNKNOWN) return SYMBOL_UNKNOWN;
    }
  }
  if (code == CODE_NULL && load<u32>(column, 12) != 0) return EMPTY;
  store<u32>(<usize>load<u32>(column, 8) + (<usize>row << 2), code);
  return OK;
}

/** Reads one field of the record into its column. */
// @ts-ignore: decorator
@inline
function readField(state: usize, column: usize, record: usize, row: u32): u32 {
  const kind = load<u32>(column);
  if (kind >= KIND_CHARACTER) {
    return putText(state, column, record, row, kind == KIND_CHARACTER);
  }
  const from = record + load<u32>(column, 4);
  const out = <usize>load<u32>(column, 8) + (<usize>row << 3);
  if (kind == KIND_PRICE) {
    const price = load<i64>(from);
    store<f64>(out, price == UNDEFINED_PRICE ? NaN : priceOf(price));
    return OK;
  }
  if (kind == KIND_TIME) {
    const value = load<u64>(from);
    if (value == UNDEFINED_TIME) return putNull(column, out);
    if (value > <u64>i64.MAX_VALUE) return RANGE;
    const status = scaleEpoch(<i64>value, 1);
    store<i64>(out, time);
    return status;
  }
  if (kind == KIND_SIZE) {
    const size = load<u32>(from);
    return size == u32.MAX_VALUE ? putNull(column, out) : putInteger(column, out, size);
  }
  if (kind == KIND_U8) return putInteger(column, out, load<u8>(from));
  if (kind == KIND_U16) return putInteger(column, out, load<u16>(from));
  if (kind == KIND_U32) return putInteger(column, out, load<u32>(from));
  if (kind == KIND_I32) return putInteger(column, out, load<i32>(from));
  const value = load<u64>(from);
  if (value == u64.MAX_VALUE) return putNull(column, out);
  if (load<u32>(column, 24) != 0) {
    store<f64>(out, <f64>value);
    return OK;
  }
  if (value > <u64>i64.MAX_VALUE) return RANGE;
  store<i64>(out, <i64>value);
  return OK;
}

// @ts-ignore: decorator
@inline
function count(state: usize, counter: usize): void {
  store<u32>(state + counter, load<u32>(state + counter) + 1);
}

/** Counts what the flags of a row say; BAD_QUALITY where they reject it. */
// @ts-ignore: decorator
@inline
function judgeQuality(state: usize, flags: u32): u32 {
  if ((flags & load<u32>(state, REJECTED)) != 0) return BAD_QUALITY;
  if ((flags & FLAG_BAD_TS_RECV) != 0) count(state, BAD_TIMES);
  if ((flags & FLAG_MAYBE_BAD_BOOK) != 0) count(state, MAYBE_BAD);
  return OK;
}

/** Reads records until one of the reasons above. */
export function scan(state: usize): u32 {
  const inputEnd = <usize>load<u32>(state, INPUT_END);
  const skipTo = <usize>load<u32>(state, SKIP_TO);
  const rowsMax = load<u32>(state, ROWS_MAX);
  const columns = <usize>load<u32>(state, COLUMNS);
  const columnsEnd = columns + (<usize>load<u32>(state, COLUMN_COUNT) << 5);
  const sizes = <usize>load<u32>(state, SIZES);
  const flagsAt = <usize>load<u32>(state, FLAGS);
  let row = load<u32>(state, ROWS);
  let records = load<u32>(state, RECORDS);
  let record = <usize>load<u32>(state, POSITION);
  let reason: u32 = OK;
  while (true) {
    if (row == rowsMax) {
      reason = ROWS_FULL;
      break;
    }
    if (record + HEADER_BYTES > inputEnd) {
      reason = record < inputEnd && load<u8>(record) < 4 ? BAD_LENGTH : NEEDS_INPUT;
      break;
    }
    const length = <u32>load<u8>(record) << 2;
    const size = <u32>load<u16>(sizes + (<usize>load<u8>(record, 1) << 1));
    if (length < HEADER_BYTES || (size != CONTROL && length < size)) {
      reason = BAD_LENGTH;
      break;
    }
    if (record + length > inputEnd) {
      reason = NEEDS_INPUT;
      break;
    }
    if (size == CONTROL) {
      reason = CONTROL_RECORD;
      break;
    }
    if (size != 0 && record >= skipTo) {
      for (let column = columns; column < columnsEnd; column += 32) {
        reason = readField(state, column, record, row);
        if (reason != OK) {
          store<u32>(state, <u32>((column - columns) >> 5), COLUMN);
          break;
        }
      }
      if (reason == OK && flagsAt != 0) reason = judgeQuality(state, load<u8>(record + flagsAt));
      if (reason != OK) break;
      row++;
    } else if (record >= skipTo) count(state, PASSED);
    record += length;
    records++;
  }
  store<u32>(state, <u32>record, POSITION);
  store<u32>(state, row, ROWS);
  store<u32>(state, records, RECORDS);
  return reason;
}
