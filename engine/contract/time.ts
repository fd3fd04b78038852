/**
 * Time: event time is an i64 of nanoseconds since the Unix epoch, UTC, everywhere. Processing time
 * enters only as an argument, from a `Clock` that tests can drive.
 */

declare const unit: unique symbol;

/** Nanoseconds since the Unix epoch, UTC, from the row. */
export type EventTime = bigint & { readonly [unit]?: 'event-time' };
/** Milliseconds of the engine's clock. */
export type ProcessingTimeMs = number & { readonly [unit]?: 'processing-time-ms' };
/** Nanoseconds. */
export type DurationNs = bigint & { readonly [unit]?: 'duration-ns' };

/** Smallest watermark: nothing is known yet. (INT64_MIN itself means null.) */
export const BEGINNING_OF_TIME: EventTime = -(2n ** 63n) + 1n;
/** Largest watermark: the end of a bounded source; closes every window. */
export const END_OF_TIME: EventTime = 2n ** 63n - 1n;

export interface Clock {
  nowMs(): ProcessingTimeMs;
  sleep(ms: number): Promise<void>;
}

/** Never goes back, nor forward by a step, where somebody sets the clock of the machine. */
export const systemClock: Clock = {
  nowMs: () => Math.floor(performance.timeOrigin + performance.now()),
  sleep: (ms) => new Promise((resolve) => setTimeout(resolve, ms)),
};

const UNITS_NS: Readonly<Record<string, bigint>> = {
  ns: 1n,
  us: 1_000n,
  µs: 1_000n,
  ms: 1_000_000n,
  s: 1_000_000_000n,
  m: 60_000_000_000n,
  h: 3_600_000_000_000n,
  d: 86_400_000_000_000n,
};

const DURATION = /^(?:\d+(?:ns|us|µs|ms|s|m|h|d))+$/;
const DURATION_PART = /(\d+)(ns|us|µs|ms|s|m|h|d)/g;

/** Nanoseconds of a duration such as `250ms`, `10s` or `1h30m`; undefined where it is none. */
export function parseDuration(text: string): DurationNs | undefined {
  if (!DURATION.test(text)) return undefined;
  let total = 0n;
  for (const [, count, unitName] of text.matchAll(DURATION_PART)) {
    total += BigInt(count!) * UNITS_NS[unitName!]!;
  }
  return total;
}

/** Nanoseconds of a duration that the linter has accepted. */
export function durationNs(text: string): DurationNs {
  const nanoseconds = parseDuration(text);
  if (nanoseconds === undefined) throw new TypeError(`not a duration: ${text}`);
  return nanoseconds;
}

/** `2013-10-07T13:30:00.000000001Z`, without a fraction where it is zero. */
export function formatTime(time: EventTime): string {
  const seconds = time / 1_000_000_000n - (time % 1_000_000_000n < 0n ? 1n : 0n);
  const fraction = time - seconds * 1_000_000_000n;
  const whole = new Date(Number(seconds) * 1000).toISOString().slice(0, 19);
  if (fraction === 0n) return `${whole}Z`;
  return `${whole}.${fraction.toString().padStart(9, '0').replace(/0+$/, '')}Z`;
}

const ISO_TIME =
  /^(\d{4}-\d\d-\d\d)(?:[T ](\d\d:\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?\s*(Z|[+-]\d\d:?\d\d)?)?$/;

/**
 * Nanoseconds of an ISO 8601 date or time, UTC where it names no zone; undefined where it is none.
 */
export function parseIsoTime(text: string): EventTime | undefined {
  const match = ISO_TIME.exec(text);
  if (match === null) return undefined;
  const [, date, minutes = '00:00', seconds = '00', fraction = '', zone = 'Z'] = match;
  const offset = zone.length === 5 ? `${zone.slice(0, 3)}:${zone.slice(3)}` : zone;
  const milliseconds = Date.parse(`${date}T${minutes}:${seconds}${offset}`);
  if (Number.isNaN(milliseconds)) return undefined;
  return BigInt(milliseconds) * 1_000_000n + BigInt(fraction.padEnd(9, '0'));
}
