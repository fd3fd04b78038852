/**
 * One value at a time, from text: what the kernels do by column (wasm/assembly/_decimal.ts and
 * _time.ts), for formats whose rows are JavaScript values. Both read the same forms.
 */

/** Well formed, but it does not fit. */
export const OUT_OF_RANGE = Symbol('out of range');

const FLOAT = /^[+-]?(?:\d+\.?\d*|\.\d+)(?:e[+-]?\d+)?$/i;
const INFINITE = /^([+-]?)inf(?:inity)?$/i;
const NOT_A_NUMBER = /^[+-]?nan$/i;
const INTEGER = /^[+-]?\d+$/;
const TRUE = /^(?:true|t|yes|y|1)$/i;
const FALSE = /^(?:false|f|no|n|0)$/i;

const INT64_MAX = 2n ** 63n - 1n;

/** A double, `NaN` for the null that a file may spell `nan`; undefined where it is none. */
export function floatOfText(text: string): number | undefined {
  if (FLOAT.test(text)) return Number(text);
  const infinite = INFINITE.exec(text);
  if (infinite !== null) return infinite[1] === '-' ? -Infinity : Infinity;
  return NOT_A_NUMBER.test(text) ? Number.NaN : undefined;
}

export function integerOfText(text: string): bigint | typeof OUT_OF_RANGE | undefined {
  if (!INTEGER.test(text)) return undefined;
  const value = BigInt(text.replace('+', ''));
  return value > INT64_MAX || value < -INT64_MAX ? OUT_OF_RANGE : value;
}

export function booleanOfText(text: string): boolean | undefined {
  if (TRUE.test(text)) return true;
  return FALSE.test(text) ? false : undefined;
}

const EPOCH = /^([+-]?)(\d+)(?:\.(\d*))?$/;
const EPOCH_DIGITS_MAX = 19;
const ISO_DATE = /^(\d{4})-(\d\d)-(\d\d)/;
const ISO_CLOCK = /^[T ](\d\d):(\d\d)(?::(\d\d)(?:\.(\d{1,9}))?)?/;
const ISO_ZONE = /^ *(?:Z|([+-])(\d\d)(?::?(\d\d))?)$/;
const SECOND_NS = 1_000_000_000n;
/** The first and the last time that is taken, as in wasm/assembly/_time.ts. */
const TIME_MIN = -9_214_560_000n * SECOND_NS;
const TIME_MAX = 9_214_646_400n * SECOND_NS;

/** Nanoseconds of the unit of an epoch, by its magnitude. */
function unitOf(magnitude: bigint): bigint {
  if (magnitude < 100_000_000_000n) return SECOND_NS;
  if (magnitude < 100_000_000_000_000n) return 1_000_000n;
  return magnitude < 100_000_000_000_000_000n ? 1_000n : 1n;
}

/**
 * Nanoseconds since 1970 of an ISO 8601 time, UTC where it names no zone, or of an epoch.
 * @param unitNs Unit of an epoch; 0n tells it by magnitude.
 */
export function timeOfText(text: string, unitNs: bigint): bigint | typeof OUT_OF_RANGE | undefined {
  return text[4] === '-' ? isoTime(text) : epochTime(text, unitNs);
}

function epochTime(text: string, unitNs: bigint): bigint | typeof OUT_OF_RANGE | undefined {
  const match = EPOCH.exec(text);
  if (match === null) return undefined;
  const [, sign, digits = '', fraction = ''] = match;
  const whole = BigInt(digits);
  if (digits.length > EPOCH_DIGITS_MAX || whole > INT64_MAX) {
    return text.includes('.') ? undefined : OUT_OF_RANGE;
  }
  const unit = unitNs === 0n ? unitOf(whole) : unitNs;
  // Digits beyond a nanosecond are cut off.
  const places = unit.toString().length - 1;
  const rest = BigInt(fraction.slice(0, places).padEnd(places, '0') || '0');
  const magnitude = whole * unit + rest;
  return inRange(sign === '-' ? -magnitude : magnitude);
}

function isoTime(text: string): bigint | typeof OUT_OF_RANGE | undefined {
  const date = ISO_DATE.exec(text);
  if (date === null) return undefined;
  const [, year, month, day] = date.map(Number);
  const midnight = new Date(0);
  midnight.setUTCFullYear(year!, month! - 1, day);
  if (midnight.getUTCMonth() + 1 !== month || midnight.getUTCDate() !== day) return undefined;
  const dateSeconds = BigInt(midnight.getTime() / 1000);
  if (text.length === date[0].length) return inRange(dateSeconds * SECOND_NS);
  const clock = ISO_CLOCK.exec(text.slice(date[0].length));
  if (clock === null) return undefined;
  const [hour, minute, second] = [clock[1], clock[2], clock[3] ?? '0'].map(Number);
  if (hour! > 23 || minute! > 59 || second! > 59) return undefined;
  const zone = zoneSeconds(text.slice(date[0].length + clock[0].length));
  if (zone === undefined) return undefined;
  const seconds = dateSeconds + BigInt(hour! * 3600 + minute! * 60 + second! - zone);
  return inRange(seconds * SECOND_NS + BigInt((clock[4] ?? '').padEnd(9, '0')));
}

function zoneSeconds(text: string): number | undefined {
  if (text === '') return 0;
  const zone = ISO_ZONE.exec(text);
  if (zone === null) return undefined;
  const [hours, minutes] = [zone[2] ?? '0', zone[3] ?? '0'].map(Number);
  if (hours! > 23 || minutes! > 59) return undefined;
  return (hours! * 3600 + minutes! * 60) * (zone[1] === '-' ? -1 : 1);
}

function inRange(time: bigint): bigint | typeof OUT_OF_RANGE {
  return time < TIME_MIN || time > TIME_MAX ? OUT_OF_RANGE : time;
}
