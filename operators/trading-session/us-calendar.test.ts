/**
 * The calendar against a list written by hand from the exchanges' announcements, and the clock
 * against the time zone database of the runtime.
 */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { dayNumber, easternOffset, easternToUtc, SECONDS_PER_DAY } from './eastern-time.ts';
import { dayKind } from './us-calendar.ts';

/** Weekdays on which the exchanges were closed, year by year; all others were open. */
const CLOSED: Readonly<Record<number, string>> = {
  1998: '01-01 01-19 02-16 04-10 05-25 07-03 09-07 11-26 12-25',
  1999: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24',
  2000: '01-17 02-21 04-21 05-29 07-04 09-04 11-23 12-25',
  2001: '01-01 01-15 02-19 04-13 05-28 07-04 09-03 09-11 09-12 09-13 09-14 11-22 12-25',
  2004: '01-01 01-19 02-16 04-09 05-31 06-11 07-05 09-06 11-25 12-24',
  2005: '01-17 02-21 03-25 05-30 07-04 09-05 11-24 12-26',
  2006: '01-02 01-16 02-20 04-14 05-29 07-04 09-04 11-23 12-25',
  2007: '01-01 01-02 01-15 02-19 04-06 05-28 07-04 09-03 11-22 12-25',
  2008: '01-01 01-21 02-18 03-21 05-26 07-04 09-01 11-27 12-25',
  2011: '01-17 02-21 04-22 05-30 07-04 09-05 11-24 12-26',
  2012: '01-02 01-16 02-20 04-06 05-28 07-04 09-03 10-29 10-30 11-22 12-25',
  2018: '01-01 01-15 02-19 03-30 05-28 07-04 09-03 11-22 12-05 12-25',
  2020: '01-01 01-20 02-17 04-10 05-25 07-03 09-07 11-26 12-25',
  2021: '01-01 01-18 02-15 04-02 05-31 07-05 09-06 11-25 12-24',
  2022: '01-17 02-21 04-15 05-30 06-20 07-04 09-05 11-24 12-26',
  2023: '01-02 01-16 02-20 04-07 05-29 06-19 07-04 09-04 11-23 12-25',
  2024: '01-01 01-15 02-19 03-29 05-27 06-19 07-04 09-02 11-28 12-25',
  2025: '01-01 01-09 01-20 02-17 04-18 05-26 06-19 07-04 09-01 11-27 12-25',
  2026: '01-01 01-19 02-16 04-03 05-25 06-19 07-03 09-07 11-26 12-25',
  2027: '01-01 01-18 02-15 03-26 05-31 06-18 07-05 09-06 11-25 12-24',
};

/** Days that closed at 13:00. */
const HALF: Readonly<Record<number, string>> = {
  1998: '11-27 12-24',
  2000: '07-03 11-24',
  2001: '07-03 11-23 12-24',
  2004: '11-26',
  2005: '11-25',
  2006: '07-03 11-24',
  2007: '07-03 11-23 12-24',
  2008: '07-03 11-28 12-24',
  2012: '07-03 11-23 12-24',
  2018: '07-03 11-23 12-24',
  2020: '11-27 12-24',
  2021: '11-26',
  2022: '11-25',
  2023: '07-03 11-24',
  2024: '07-03 11-29 12-24',
  2025: '07-03 11-28 12-24',
  2026: '11-27 12-24',
};

function daysOf(year: number, kind: 'closed' | 'half'): string {
  const days: string[] = [];
  for (let day = dayNumber(year, 1, 1); day < dayNumber(year + 1, 1, 1); day++) {
    const date = new Date(day * 86_400_000);
    const isWeekend = date.getUTCDay() === 0 || date.getUTCDay() === 6;
    if (isWeekend) assert.equal(dayKind(day), 'closed');
    else if (dayKind(day) === kind) days.push(date.toISOString().slice(5, 10));
  }
  return days.join(' ');
}

for (const [year, days] of Object.entries(CLOSED)) {
  test(`${year}: holidays`, () => assert.equal(daysOf(Number(year), 'closed'), days));
}

for (const [year, days] of Object.entries(HALF)) {
  test(`${year}: half-days`, () => assert.equal(daysOf(Number(year), 'half'), days));
}

test('half-days around Independence Day moved in 2013, and two single days were short', () => {
  const kindOf = (year: number, month: number, day: number) => dayKind(dayNumber(year, month, day));
  assert.deepEqual(
    [kindOf(2002, 7, 3), kindOf(2002, 7, 5), kindOf(2013, 7, 3), kindOf(2013, 7, 5)],
    ['open', 'half', 'half', 'open'],
  );
  assert.equal(kindOf(2003, 12, 26), 'half');
  assert.equal(kindOf(1999, 12, 31), 'half');
  assert.equal(kindOf(2021, 12, 31), 'open');
});

const newYork = new Intl.DateTimeFormat('en-US', {
  timeZone: 'America/New_York',
  hourCycle: 'h23',
  ...({ year: 'numeric', month: '2-digit', day: '2-digit' } as const),
  ...({ hour: '2-digit', minute: '2-digit', second: '2-digit' } as const),
});

function localSeconds(utc: number): number {
  const parts = Object.fromEntries(
    newYork.formatToParts(utc * 1000).map(({ type, value }) => [type, Number(value)]),
  );
  const { year, month, day, hour, minute, second } = parts as Record<string, number>;
  return Date.UTC(year!, month! - 1, day!, hour!, minute!, second!) / 1000;
}

const FIRST = Date.UTC(1998, 0, 1) / 1000;
const LAST = Date.UTC(2031, 0, 1) / 1000;

test('the clock is that of New York at any moment of 1998 to 2030', () => {
  fc.assert(
    fc.property(fc.integer({ min: FIRST, max: LAST - 1 }), (utc) => {
      assert.equal(utc + easternOffset(utc), localSeconds(utc));
    }),
    { numRuns: 5000 },
  );
});

test('clocks change in the very second that the time zone database says', () => {
  let changes = 0;
  for (let hour = FIRST; hour < LAST; hour += 3600) {
    if (easternOffset(hour) === easternOffset(hour - 3600)) continue;
    changes++;
    for (const utc of [hour - 3601, hour - 1, hour, hour + 3599]) {
      assert.equal(utc + easternOffset(utc), localSeconds(utc), new Date(utc * 1000).toISOString());
    }
  }
  assert.equal(changes, 2 * 33);
});

test('a time of day in New York and back, away from the change of clocks', () => {
  const second = fc.integer({ min: 4 * 3600, max: SECONDS_PER_DAY - 1 });
  const day = fc.integer({ min: FIRST / SECONDS_PER_DAY, max: LAST / SECONDS_PER_DAY - 1 });
  fc.assert(
    fc.property(day, fc.oneof(second, fc.constant(0)), (date, of) => {
      assert.equal(localSeconds(easternToUtc(date, of)), date * SECONDS_PER_DAY + of);
    }),
    { numRuns: 2000 },
  );
});
