/** Figures as people read them. */

export function formatSeconds(value: number): string {
  if (value >= 1) return `${value.toFixed(value < 100 ? 2 : 0)} s`;
  const milliseconds = value * 1000;
  return `${milliseconds >= 100 ? milliseconds.toFixed(0) : milliseconds.toPrecision(3)} ms`;
}

export function formatBytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
}

/** Whole numbers with commas, others with three significant digits or more. */
export function formatNumber(value: number): string {
  if (Number.isInteger(value)) return value.toLocaleString('en-US');
  return Math.abs(value) >= 100 ? value.toFixed(0) : String(Number(value.toPrecision(3)));
}

/** Three significant digits with a unit letter: `9.62 M`. */
export function compact(value: number): string {
  for (const [unit, size] of [
    ['G', 1e9],
    ['M', 1e6],
    ['k', 1e3],
  ] as const) {
    if (value >= size) return `${(value / size).toPrecision(3)} ${unit}`;
  }
  return value.toPrecision(3);
}
