/**
 * Event times from text and from epochs, to nanoseconds since 1970 in UTC.
 *
 *   2013-10-07                            midnight
 *   2013-10-07T13:30[:00[.123456789]]     `T` or a blank; UTC where no zone is named
 *   … Z  +02:00  -0500  +01               zone
 *   1381152600  1381152600.25  13811526…  an epoch in the unit of the column, or in the unit that
 *                                         its magnitude tells
 */

import { BAD, OK, RANGE, digitAt, digitsEnd, readDigits } from './_decimal';

/** Result of the functions below. */
export let time: i64 = 0;

/** Nanoseconds of a unit; 0 tells it by the magnitude of each value. */
export const AUTO: i64 = 0;
const SECOND: i64 = 1000000000;
const MILLISECOND: i64 = 1000000;
const MICROSECOND: i64 = 1000;

/**
 * 1678-01-01 and 2262-01-01, the first and the last time that is taken. The ends of 64 bits are
 * left out: that is where sentinels live, and window ends and watermarks need room behind a time.
 */
const SECONDS_MIN: i64 = -9214560000;
const SECONDS_MAX: i64 = 9214646400;

// @ts-ignore: decorator
@inline
function isInRange(nanoseconds: i64): bool {
  return nanoseconds >= SECONDS_MIN * SECOND && nanoseconds <= SECONDS_MAX * SECOND;
}

/** Each limit is the year 5138 in its unit and 1973 in the next finer one. */
// @ts-ignore: decorator
@inline
function unitOf(magnitude: u64): i64 {
  if (magnitude < 100000000000) return SECOND;
  if (magnitude < 100000000000000) return MILLISECOND;
  return magnitude < 100000000000000000 ? MICROSECOND : 1;
}

/** A whole epoch to nanoseconds; RANGE where it is outside the limits above. */
// @ts-ignore: decorator
@inline
export function scaleEpoch(value: i64, unit: i64): u32 {
  const magnitude = <u64>(value < 0 ? -value : value);
  if (unit == AUTO) unit = unitOf(magnitude);
  if (unit != 1 && magnitude > <u64>i64.MAX_VALUE / <u64>unit) return RANGE;
  if (value == i64.MIN_VALUE) return RANGE;
  time = value * unit;
  return isInRange(time) ? OK : RANGE;
}

function parseEpoch(start: usize, end: usize, unit: i64): u32 {
  const sign = <u32>load<u8>(start);
  const digits = sign == 45 || sign == 43 ? start + 1 : start;
  const whole = readDigits(digits, end, 0);
  let at = digitsEnd;
  const count = at - digits;
  if (count == 0) return BAD;
  if (count > 19 || whole > <u64>i64.MAX_VALUE) return at == end ? RANGE : BAD;
  if (unit == AUTO) unit = unitOf(whole);
  let rest: i64 = 0;
  if (at < end) {
    if (load<u8>(at) != 46) return BAD;
    let place = unit;
    for (at++; at < end; at++) {
      const digit = digitAt(at);
      if (digit > 9) return BAD;
      place /= 10;
      rest += place * digit;
    }
  }
  if (whole > <u64>(i64.MAX_VALUE - rest) / <u64>unit) return RANGE;
  time = <i64>whole * unit + rest;
  if (sign == 45) time = -time;
  return isInRange(time) ? OK : RANGE;
}

/** Two digits below `limit`, or 255. */
// @ts-ignore: decorator
@inline
function twoDigits(at: usize, limit: u32): u32 {
  const tens = digitAt(at);
  const ones = digitAt(at + 1);
  if (tens > 9 || ones > 9) return 255;
  const value = tens * 10 + ones;
  return value < limit ? value : 255;
}

/** Days since 1970-01-01 of a date of the Gregorian calendar. */
// @ts-ignore: decorator
@inline
function daysOf(year: i32, month: i32, day: i32): i32 {
  // Years begin in March here, so that the leap day is the last of its year.
  const shifted = month > 2 ? year : year - 1;
  const monthOfYear = month > 2 ? month - 3 : month + 9;
  const century = shifted / 100;
  return (
    365 * shifted + shifted / 4 - century + century / 4 + (153 * monthOfYear + 2) / 5 + day - 719469
  );
}

// @ts-ignore: decorator
@inline
function daysInMonth(year: u32, month: u32): u32 {
  if (month == 2) return year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) ? 29 : 28;
  return month == 4 || month == 6 || month == 9 || month == 11 ? 30 : 31;
}

let zoneSeconds: i32 = 0;

/** `Z`, `+02:00`, `+0200` or `+02`, blanks before it; the whole of text[at, end). */
function parseZone(at: usize, end: usize): u32 {
  zoneSeconds = 0;
  while (at < end && load<u8>(at) == 32) at++;
  const sign = <u32>load<u8>(at);
  if (sign == 90) return at + 1 == end ? OK : BAD;
  const length = end - at;
  if ((sign != 43 && sign != 45) || (length != 3 && length != 5 && length != 6)) return BAD;
  if (length == 6 && load<u8>(at + 3) != 58) return BAD;
  const hours = twoDigits(at + 1, 24);
  const minutes = length == 3 ? 0 : twoDigits(end - 2, 60);
  if (hours == 255 || minutes == 255) return BAD;
  zoneSeconds = <i32>(hours * 3600 + minutes * 60);
  if (sign == 45) zoneSeconds = -zoneSeconds;
  return OK;
}

function parseIso(start: usize, end: usize): u32 {
  const centuries = twoDigits(start, 100);
  const years = twoDigits(start + 2, 100);
  const month = twoDigits(start + 5, 13);
  const day = twoDigits(start + 8, 32);
  if (centuries == 255 || years == 255 || month - 1 > 11 || day - 1 > 30) return BAD;
  if (load<u8>(start + 7) != 45) return BAD;
  const year = centuries * 100 + years;
  if (day > daysInMonth(year, month)) return BAD;
  let seconds = <i64>daysOf(year, month, day) * 86400;
  let fraction: i64 = 0;
  let at = start + 10;
  if (at < end) {
    const separator = <u32>load<u8>(at);
    if ((separator != 84 && separator != 32) || end - at < 6 || load<u8>(at + 3) != 58) return BAD;
    const hour = twoDigits(at + 1, 24);
    const minute = twoDigits(at + 4, 60);
    if (hour == 255 || minute == 255) return BAD;
    seconds += <i64>(hour * 3600 + minute * 60);
    at += 6;
    if (at + 3 <= end && load<u8>(at) == 58) {
      const second = twoDigits(at + 1, 60);
      if (second == 255) return BAD;
      seconds += second;
      at += 3;
      if (at < end && load<u8>(at) == 46) {
        let place: i64 = SECOND;
        for (at++; at < end; at++) {
          const digit = digitAt(at);
          if (digit > 9) break;
          place /= 10;
          if (place == 0) return BAD;
          fraction += place * digit;
        }
        if (place == SECOND) return BAD;
      }
    }
    if (at < end) {
      if (parseZone(at, end) != OK) return BAD;
      seconds -= zoneSeconds;
    }
  }
  if (seconds > SECONDS_MAX || seconds < SECONDS_MIN) return RANGE;
  time = seconds * SECOND + fraction;
  return isInRange(time) ? OK : RANGE;
}

/** A time in one of the forms above; `unit` is for epochs. */
export function parseTime(start: usize, end: usize, unit: i64): u32 {
  if (end - start >= 10 && load<u8>(start + 4) == 45) return parseIso(start, end);
  return parseEpoch(start, end, unit);
}
