/** Quantities as people read them. */

/** `5,012,345` */
export function formatCount(count: number): string {
  return count.toLocaleString('en-US', { maximumFractionDigits: 0 });
}

/** `1.2 M`, `34.5 k`, `812`: three digits that matter. */
export function formatMagnitude(value: number): string {
  if (!Number.isFinite(value)) return '–';
  for (const [unit, size] of MAGNITUDES) {
    // 999,950 must not become 1000 k.
    if (value >= size * 0.9995) return `${threeDigits(value / size)} ${unit}`;
  }
  return String(Math.round(value));
}

const MAGNITUDES: readonly (readonly [unit: string, size: number])[] = [
  ['G', 1e9],
  ['M', 1e6],
  ['k', 1e3],
];

/** `1.2 MiB` */
export function formatBytes(bytes: number): string {
  if (!Number.isFinite(bytes)) return '–';
  for (const [unit, size] of BINARY) {
    if (bytes >= size * 0.9995) return `${threeDigits(bytes / size)} ${unit}`;
  }
  return `${Math.round(bytes)} B`;
}

const BINARY: readonly (readonly [unit: string, size: number])[] = [
  ['TiB', 2 ** 40],
  ['GiB', 2 ** 30],
  ['MiB', 2 ** 20],
  ['KiB', 2 ** 10],
];

function threeDigits(value: number): string {
  if (value >= 99.95) return value.toFixed(0);
  return value >= 9.995 ? value.toFixed(1) : value.toFixed(2);
}

/** `850 ms`, `4.2 s`, `3 min 05 s`, `1 h 02 min` */
export function formatElapsed(milliseconds: number): string {
  if (milliseconds < 999.5) return `${Math.round(milliseconds)} ms`;
  const seconds = milliseconds / 1000;
  if (seconds < 59.95) return `${seconds.toFixed(1)} s`;
  const whole = Math.round(seconds);
  if (whole < 3600) return `${Math.floor(whole / 60)} min ${twoDigits(whole % 60)} s`;
  const minutes = Math.round(whole / 60);
  return `${formatCount(Math.floor(minutes / 60))} h ${twoDigits(minutes % 60)} min`;
}

function twoDigits(value: number): string {
  return String(value).padStart(2, '0');
}

/** `97.2 %`; never 100 % or 0 % of what is not quite all or nothing. */
export function formatShare(part: number, whole: number): string {
  if (whole === 0) return '–';
  const percent = (part / whole) * 100;
  if (percent === 0 || percent === 100) return `${percent} %`;
  if (percent < 0.005) return '< 0.01 %';
  if (percent > 99.995) return '> 99.99 %';
  return `${percent < 1 || percent > 99 ? percent.toFixed(2) : percent.toFixed(1)} %`;
}

/** `1 row`, `2 rows` */
export function plural(count: number, noun: string): string {
  return `${formatCount(count)} ${noun}${count === 1 ? '' : 's'}`;
}
