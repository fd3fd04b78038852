/** Times in which anomalies raise no alert: single stretches, or the same hours of every day. */

import { text, choice, z } from '../../engine/contract/fields.ts';
import { type EventTime, parseIsoTime } from '../../engine/contract/time.ts';
import { easternOffset, SECONDS_PER_DAY, secondsOf } from '../trading-session/eastern-time.ts';

const time = (doc: string) =>
  text({ doc, examples: ['2013-10-08T13:00:00Z'] }).refine(
    (value) => parseIsoTime(value) !== undefined,
    { error: 'expected a time such as 2013-10-08T13:00:00Z' },
  );

const names = (doc: string) =>
  z
    .array(z.string({ error: 'expected a text' }), { error: 'expected a list of texts' })
    .min(1, { error: 'expected at least one' })
    .meta({ description: doc })
    .optional();

const DAILY = /^([01]\d|2[0-3]):([0-5]\d)-([01]\d|2[0-3]):([0-5]\d)$/;
const DAILY_ERROR = 'expected hours such as 16:00-09:30';

export const suppressField = z
  .array(
    z
      .strictObject(
        {
          from: time('Beginning of a single stretch.').optional(),
          to: time('Its end, exclusive.').optional(),
          daily: text({
            doc: 'In place of these: hours of every day, over midnight where they end earlier.',
            examples: ['16:00-09:30'],
          })
            .regex(DAILY, { error: DAILY_ERROR })
            .optional(),
          time_zone: choice(['UTC', 'America/New_York'], {
            doc: 'Whose clock the hours are of.',
          }).default('UTC'),
          types: names('Only anomalies of these types.'),
          keys: names('Only anomalies of these keys.'),
        },
        { error: 'expected a mapping such as { daily: 16:00-09:30 }' },
      )
      .refine(
        ({ from, to, daily }) =>
          daily === undefined
            ? from !== undefined && to !== undefined
            : from === undefined && to === undefined,
        { error: 'needs either from and to, or daily' },
      ),
    { error: 'expected a list of time ranges' },
  )
  .meta({
    description: 'When anomalies are left out of account; they go to the output `suppressed`.',
    examples: [[{ daily: '16:00-09:30', time_zone: 'America/New_York' }]],
  })
  .default([]);

export type Suppress = z.output<typeof suppressField>;

type Matcher = (time: EventTime, key: string | null, type: string | null) => boolean;

/** Whether an anomaly falls into one of the ranges. */
export function suppression(ranges: Suppress): Matcher {
  const matchers = ranges.map(matcher);
  return (at, key, type) => matchers.some((matches) => matches(at, key, type));
}

function matcher({ from, to, daily, time_zone, types, keys }: Suppress[number]): Matcher {
  const contains = daily === undefined ? stretch(from!, to!) : hours(daily, time_zone);
  const has = (listed: readonly string[] | undefined, name: string | null): boolean =>
    listed === undefined || (name !== null && listed.includes(name));
  return (at, key, type) => has(types, type) && has(keys, key) && contains(at);
}

function stretch(from: string, to: string): (at: EventTime) => boolean {
  const start = parseIsoTime(from)!;
  const end = parseIsoTime(to)!;
  return (at) => at >= start && at < end;
}

function hours(daily: string, zone: 'UTC' | 'America/New_York'): (at: EventTime) => boolean {
  const [, fromHour, fromMinute, toHour, toMinute] = DAILY.exec(daily)!;
  const start = Number(fromHour) * 3600 + Number(fromMinute) * 60;
  const end = Number(toHour) * 3600 + Number(toMinute) * 60;
  return (at) => {
    const utc = secondsOf(at);
    const local = zone === 'UTC' ? utc : utc + easternOffset(utc);
    const second = ((local % SECONDS_PER_DAY) + SECONDS_PER_DAY) % SECONDS_PER_DAY;
    return start < end ? second >= start && second < end : second >= start || second < end;
  };
}
