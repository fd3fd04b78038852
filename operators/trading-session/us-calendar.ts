/**
 * Trading days of the New York Stock Exchange and Nasdaq, which keep the same holidays and hours.
 *
 *     closed     New Year's Day, Martin Luther King Day, Presidents' Day, Good Friday, Memorial
 *                Day, Juneteenth (since 2022), Independence Day, Labor Day, Thanksgiving, Christmas
 *     to 13:00   the day after Thanksgiving, Christmas Eve, July 3
 *
 * A holiday on a Sunday is kept on Monday, one on a Saturday on Friday; but for New Year's Day,
 * which then is not kept, because the Friday ends a year. The rules are those of 1998 to 2030, and
 * single days are listed; before 1998 they are applied as if they had been in force.
 */

import { dayNumber, lastWeekday, nthWeekday, weekday, yearOf } from './eastern-time.ts';

export type DayKind = 'open' | 'half' | 'closed';

const SUNDAY = 0;
const MONDAY = 1;
const THURSDAY = 4;
const FRIDAY = 5;
const SATURDAY = 6;

/** Mourning, attacks and storms. */
const SINGLE_CLOSURES = [
  [2001, 9, 11],
  [2001, 9, 12],
  [2001, 9, 13],
  [2001, 9, 14],
  [2004, 6, 11],
  [2007, 1, 2],
  [2012, 10, 29],
  [2012, 10, 30],
  [2018, 12, 5],
  [2025, 1, 9],
] as const;

const SINGLE_HALF_DAYS = [
  [1999, 12, 31],
  [2003, 12, 26],
] as const;

const years = new Map<number, ReadonlyMap<number, DayKind>>();

/** What the exchanges do on a day (since 1970) of New York. */
export function dayKind(day: number): DayKind {
  const of = weekday(day);
  if (of === SATURDAY || of === SUNDAY) return 'closed';
  const year = yearOf(day);
  let special = years.get(year);
  if (special === undefined) {
    special = specialDays(year);
    years.set(year, special);
  }
  return special.get(day) ?? 'open';
}

/** Weekdays of a year that are not like the others. */
function specialDays(year: number): ReadonlyMap<number, DayKind> {
  const days = new Map<number, DayKind>();
  const thanksgiving = nthWeekday(year, 11, THURSDAY, 4);
  for (const day of halfDays(year, thanksgiving)) days.set(day, 'half');
  const newYear = dayNumber(year, 1, 1);
  if (weekday(newYear) !== SATURDAY) days.set(observed(newYear), 'closed');
  for (const day of [
    nthWeekday(year, 1, MONDAY, 3),
    nthWeekday(year, 2, MONDAY, 3),
    easterSunday(year) - 2,
    lastWeekday(year, 5, MONDAY),
    observed(dayNumber(year, 7, 4)),
    nthWeekday(year, 9, MONDAY, 1),
    thanksgiving,
    observed(dayNumber(year, 12, 25)),
    ...(year >= 2022 ? [observed(dayNumber(year, 6, 19))] : []),
    ...SINGLE_CLOSURES.filter(([of]) => of === year).map((date) =>
      dayNumber(date[0], date[1], date[2]),
    ),
  ]) {
    days.set(day, 'closed');
  }
  return days;
}

/** Some of which may be holidays. */
function halfDays(year: number, thanksgiving: number): readonly number[] {
  const days = [thanksgiving + 1, dayNumber(year, 12, 24)];
  for (const [of, month, day] of SINGLE_HALF_DAYS) {
    if (of === year) days.push(dayNumber(of, month, day));
  }
  // Before 2013, it was the Friday behind an Independence Day on a Thursday.
  const july4 = weekday(dayNumber(year, 7, 4));
  if (july4 === THURSDAY && year < 2013) days.push(dayNumber(year, 7, 5));
  else if (july4 > MONDAY && july4 <= FRIDAY) days.push(dayNumber(year, 7, 3));
  return days;
}

function observed(day: number): number {
  const of = weekday(day);
  return of === SATURDAY ? day - 1 : of === SUNDAY ? day + 1 : day;
}

/** By the rule of Gauss, as Butcher wrote it down for the Gregorian calendar. */
function easterSunday(year: number): number {
  const golden = year % 19;
  const century = Math.floor(year / 100);
  const leap = Math.floor(century / 4);
  const correction = Math.floor((century - Math.floor((century + 8) / 25) + 1) / 3);
  const moon = (19 * golden + century - leap - correction + 15) % 30;
  const rest = year % 100;
  const toSunday = (32 + 2 * (century % 4) + 2 * Math.floor(rest / 4) - moon - (rest % 4)) % 7;
  const late = Math.floor((golden + 11 * moon + 22 * toSunday) / 451);
  return dayNumber(year, 3, 22 + moon + toSunday - 7 * late);
}
