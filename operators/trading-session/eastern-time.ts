/**
 * New York's clock: seconds from UTC, by the rules of daylight saving in force since 1987.
 *
 *     1987-2006   first Sunday of April      to last Sunday of October
 *     since 2007  second Sunday of March     to first Sunday of November
 *
 * Clocks go on at 2:00 standard time and back at 2:00 daylight time.
 */

export const SECONDS_PER_DAY = 86_400;
const STANDARD = -5 * 3600;
const DAYLIGHT = -4 * 3600;

/** Whole seconds since 1970 of a time in nanoseconds. */
export function secondsOf(time: bigint): number {
  const seconds = time / 1_000_000_000n;
  return Number(time % 1_000_000_000n < 0n ? seconds - 1n : seconds);
}

/** Days since 1970 of a date; months from 1, and days beyond their month count on. */
export function dayNumber(year: number, month: number, day: number): number {
  return Date.UTC(year, month - 1, 1) / 86_400_000 + day - 1;
}

/** 0 is Sunday. */
export function weekday(day: number): number {
  return (((day + 4) % 7) + 7) % 7;
}

/** The n-th such weekday of a month, from 1. */
export function nthWeekday(year: number, month: number, which: number, n: number): number {
  const first = dayNumber(year, month, 1);
  return first + ((which - weekday(first) + 7) % 7) + 7 * (n - 1);
}

export function lastWeekday(year: number, month: number, which: number): number {
  const last = dayNumber(month === 12 ? year + 1 : year, (month % 12) + 1, 1) - 1;
  return last - ((weekday(last) - which + 7) % 7);
}

export function yearOf(day: number): number {
  return new Date(day * 86_400_000).getUTCFullYear();
}

interface Saving {
  /** Seconds UTC of the change on and of the change back. */
  readonly start: number;
  readonly end: number;
}

const savings = new Map<number, Saving>();

function savingOf(year: number): Saving {
  let saving = savings.get(year);
  if (saving === undefined) {
    const first = year < 2007 ? nthWeekday(year, 4, 0, 1) : nthWeekday(year, 3, 0, 2);
    const last = year < 2007 ? lastWeekday(year, 10, 0) : nthWeekday(year, 11, 0, 1);
    saving = {
      start: first * SECONDS_PER_DAY + 2 * 3600 - STANDARD,
      end: last * SECONDS_PER_DAY + 2 * 3600 - DAYLIGHT,
    };
    savings.set(year, saving);
  }
  return saving;
}

/** Seconds to add to UTC, at a moment in seconds UTC. */
export function easternOffset(utc: number): number {
  const { start, end } = savingOf(yearOf(Math.floor(utc / SECONDS_PER_DAY)));
  return utc >= start && utc < end ? DAYLIGHT : STANDARD;
}

/** Seconds UTC of a time of day in New York, away from the hour in which clocks change. */
export function easternToUtc(day: number, secondOfDay: number): number {
  const local = day * SECONDS_PER_DAY + secondOfDay;
  return local - easternOffset(local - STANDARD);
}
