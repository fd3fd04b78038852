/**
 * Passing over a JSON value by its grammar alone, and cutting a message into the texts of its rows.
 * What is passed here `JSON.parse` takes too; the reverse does not hold of what is nested deeply.
 *
 * Every function stops at a line end, so text that ends in one is never overrun; but within an
 * array that spans lines, line ends before `breaksEnd` are blanks, and are made such as they are
 * met: so the scanner of lines can read the rows afterwards.
 */

const NEWLINE: u32 = 10;
const QUOTE: u32 = 34;
const COMMA: u32 = 44;
const MINUS: u32 = 45;
const DOT: u32 = 46;
const ZERO: u32 = 48;
const COLON: u32 = 58;
const OPEN_ARRAY: u32 = 91;
const BACKSLASH: u32 = 92;
const CLOSE_ARRAY: u32 = 93;
const OPEN: u32 = 123;
const CLOSE: u32 = 125;

const WORD_TRUE: u32 = 0x65757274;
const WORD_FALS: u32 = 0x736c6166;
const WORD_NULL: u32 = 0x6c6c756e;

/** Bounds the recursion; what is deeper is the host's. */
const DEPTH_MAX: u32 = 64;

/** `splitRows`: the message is none of those it knows. */
const NOT_PLAIN: u32 = 0xffffffff;
/** `splitRows`: the table of rows is full. */
const NO_ROOM: u32 = 0xfffffffe;

/** Line ends before it are blanks. */
let breaksEnd: usize = 0;

// @ts-ignore: decorator
@inline
function passBlanks(at: usize): usize {
  while (true) {
    const byte = <u32>load<u8>(at);
    if (byte != 32 && byte != 9 && byte != 13) {
      if (byte != NEWLINE || at >= breaksEnd) return at;
      store<u8>(at, 32);
    }
    at++;
  }
}

function isHex(byte: u32): bool {
  return byte - ZERO < 10 || (byte | 32) - 97 < 6;
}

/** Behind the escape whose backslash stands there; 0 where it is none. */
function escapeEnd(at: usize): usize {
  const byte = <u32>load<u8>(at + 1);
  if (byte == 117) {
    for (let i: usize = 2; i < 6; i++) if (!isHex(<u32>load<u8>(at + i))) return 0;
    return at + 6;
  }
  // " \ / b f n r t
  const isOne =
    byte == QUOTE || byte == BACKSLASH || byte == 47 || byte == 98 || byte == 102 || byte == 110 ||
    byte == 114 || byte == 116;
  return isOne ? at + 2 : 0;
}

/** Behind the closing quote of the string whose first byte stands there, or 0. */
function passString(at: usize): usize {
  const quote = i8x16.splat(<i8>QUOTE);
  const backslash = i8x16.splat(<i8>BACKSLASH);
  const blank = i8x16.splat(32);
  while (true) {
    const block = v128.load(at);
    const low = i8x16.lt_u(block, blank);
    const odd = v128.or(v128.or(i8x16.eq(block, quote), i8x16.eq(block, backslash)), low);
    const bits = <u32>i8x16.bitmask(odd);
    if (bits == 0) {
      at += 16;
      continue;
    }
    at += <usize>ctz(bits);
    const byte = <u32>load<u8>(at);
    if (byte == QUOTE) return at + 1;
    if (byte != BACKSLASH) return 0;
    at = escapeEnd(at);
    if (at == 0) return 0;
  }
}

// @ts-ignore: decorator
@inline
function isDigit(at: usize): bool {
  return <u32>load<u8>(at) - ZERO < 10;
}

function passNumber(at: usize): usize {
  if (<u32>load<u8>(at) == MINUS) at++;
  if (!isDigit(at)) return 0;
  if (<u32>load<u8>(at) == ZERO) at++;
  else while (isDigit(at)) at++;
  if (<u32>load<u8>(at) == DOT) {
    at++;
    if (!isDigit(at)) return 0;
    while (isDigit(at)) at++;
  }
  if ((<u32>load<u8>(at) | 32) == 101) {
    at++;
    const sign = <u32>load<u8>(at);
    if (sign == MINUS || sign == 43) at++;
    if (!isDigit(at)) return 0;
    while (isDigit(at)) at++;
  }
  return at;
}

function passObject(start: usize, depth: u32): usize {
  let at = passBlanks(start + 1);
  if (<u32>load<u8>(at) == CLOSE) return at + 1;
  while (true) {
    if (<u32>load<u8>(at) != QUOTE) return 0;
    at = passString(at + 1);
    if (at == 0) return 0;
    at = passBlanks(at);
    if (<u32>load<u8>(at) != COLON) return 0;
    at = passNested(passBlanks(at + 1), depth);
    if (at == 0) return 0;
    at = passBlanks(at);
    const next = <u32>load<u8>(at);
    if (next == CLOSE) return at + 1;
    if (next != COMMA) return 0;
    at = passBlanks(at + 1);
  }
}

function passArray(start: usize, depth: u32): usize {
  let at = passBlanks(start + 1);
  if (<u32>load<u8>(at) == CLOSE_ARRAY) return at + 1;
  while (true) {
    at = passNested(at, depth);
    if (at == 0) return 0;
    at = passBlanks(at);
    const next = <u32>load<u8>(at);
    if (next == CLOSE_ARRAY) return at + 1;
    if (next != COMMA) return 0;
    at = passBlanks(at + 1);
  }
}

function passNested(at: usize, depth: u32): usize {
  const byte = <u32>load<u8>(at);
  if (byte == QUOTE) return passString(at + 1);
  if (byte == MINUS || byte - ZERO < 10) return passNumber(at);
  if (byte == OPEN) return depth == DEPTH_MAX ? 0 : passObject(at, depth + 1);
  if (byte == OPEN_ARRAY) return depth == DEPTH_MAX ? 0 : passArray(at, depth + 1);
  const word = load<u32>(at);
  if (word == WORD_TRUE || word == WORD_NULL) return at + 4;
  return word == WORD_FALS && <u32>load<u8>(at + 4) == 101 ? at + 5 : 0;
}

/** Behind the value that starts there, on one line; 0 where it is none. */
export function passValue(at: usize): usize {
  breaksEnd = 0;
  return passNested(at, 0);
}

/**
 * Cuts a message into rows: the elements of an array, the lines that are not blank, or one value
 * over several lines. Of lines the first is an object, and nothing is known of the others.
 *
 * @param start The message, which ends at `end`, where a line end stands.
 * @param rows u32[2 * rowsMax]: start and end of each row. At the end of an array's row stands
 *   what follows it, at that of a line its line end.
 * @returns The number of rows, NOT_PLAIN or NO_ROOM.
 */
export function splitRows(start: usize, end: usize, rows: usize, rowsMax: u32): u32 {
  breaksEnd = end;
  // Up to the first value line ends are blanks, whatever comes.
  const first = passBlanks(start);
  const byte = <u32>load<u8>(first);
  if (byte == OPEN_ARRAY) return splitArray(first, end, rows, rowsMax);
  if (byte != OPEN) return NOT_PLAIN;
  const behind = passValue(first);
  if (behind != 0 && <u32>load<u8>(passBlanks(behind)) == NEWLINE) {
    return splitLines(first, end, rows, rowsMax);
  }
  if (rowsMax == 0) return NO_ROOM;
  breaksEnd = end;
  const last = passNested(first, 0);
  if (last == 0 || passBlanks(last) != end) return NOT_PLAIN;
  store<u32>(rows, <u32>first);
  store<u32>(rows, <u32>end, 4);
  return 1;
}

function splitArray(start: usize, end: usize, rows: usize, rowsMax: u32): u32 {
  let count: u32 = 0;
  let at = passBlanks(start + 1);
  let hasMore = <u32>load<u8>(at) != CLOSE_ARRAY;
  while (hasMore) {
    if (count == rowsMax) return NO_ROOM;
    store<u32>(rows, <u32>at);
    at = passNested(at, 1);
    if (at == 0) return NOT_PLAIN;
    at = passBlanks(at);
    store<u32>(rows, <u32>at, 4);
    rows += 8;
    count++;
    const next = <u32>load<u8>(at);
    if (next == COMMA) at = passBlanks(at + 1);
    else if (next == CLOSE_ARRAY) hasMore = false;
    else return NOT_PLAIN;
  }
  return passBlanks(at + 1) == end ? count : NOT_PLAIN;
}

function splitLines(first: usize, end: usize, rows: usize, rowsMax: u32): u32 {
  breaksEnd = 0;
  let count: u32 = 0;
  for (let start = first; start < end; ) {
    const stop = lineEnd(start, end);
    const at = passBlanks(start);
    if (at < stop) {
      const byte = <u32>load<u8>(at);
      // It may be what JavaScript takes for a blank.
      if (byte < 32 || byte > 126) return NOT_PLAIN;
      if (count == rowsMax) return NO_ROOM;
      store<u32>(rows, <u32>start);
      store<u32>(rows, <u32>stop, 4);
      rows += 8;
      count++;
    }
    start = stop + 1;
  }
  return count;
}

/** Place of the next line end, or `inputEnd`. */
// @ts-ignore: decorator
@inline
export function lineEnd(at: usize, inputEnd: usize): usize {
  const newline = i8x16.splat(<i8>NEWLINE);
  while (at < inputEnd) {
    const bits = <u32>i8x16.bitmask(i8x16.eq(v128.load(at), newline));
    if (bits != 0) return min(at + <usize>ctz(bits), inputEnd);
    at += 16;
  }
  return inputEnd;
}
