/**
 * Where a benchmark's figures go: a table on stdout as they come, progress on stderr where that is
 * a terminal, and everything once more as JSON.
 */

import type { Measurement, Ratio } from './benchmark.ts';

interface Target {
  readonly comparison: 'at least' | 'at most';
  readonly value: number;
}

export interface RatioRecord extends Ratio {
  readonly name: string;
  readonly target?: Target;
}

export interface FigureRecord {
  readonly name: string;
  readonly value: number;
  readonly unit: string;
  readonly target?: Target;
}

export interface BenchRecord {
  readonly name: string;
  readonly question: string;
  readonly measurements: (Measurement & { readonly section: string })[];
  readonly ratios: RatioRecord[];
  readonly figures: FigureRecord[];
  readonly notes: string[];
}

/** How the report speaks: `out` gets whole lines, `progress` a line that replaces the last one. */
export interface ReportOutput {
  out(line: string): void;
  progress(line: string): void;
}

export class Report {
  readonly record: BenchRecord;
  readonly #output: ReportOutput;
  #section = '';

  constructor(name: string, question: string, output: ReportOutput) {
    this.record = { name, question, measurements: [], ratios: [], figures: [], notes: [] };
    this.#output = output;
  }

  /** A heading; measurements below it are recorded under it. */
  section(title: string): void {
    this.#section = title;
    this.#output.out(`\n${title}`);
  }

  progress(text: string): void {
    this.#output.progress(text);
  }

  measurements(measurements: readonly Measurement[]): void {
    const width = Math.max(...measurements.map((each) => each.name.length));
    for (const each of measurements) {
      this.record.measurements.push({ ...each, section: this.#section });
      const spread = `${seconds(Math.min(...each.seconds))}-${seconds(Math.max(...each.seconds))}`;
      const peak = each.peakBytes === undefined ? '' : `  peak ${mebibytes(each.peakBytes)}`;
      const cpu = `cpu ${seconds(each.cpuSeconds)}`;
      const rate = `${compact(each.rate)} ${each.unit}/s`;
      this.#output.out(
        `  ${each.name.padEnd(width)}  ${seconds(each.medianSeconds).padStart(9)}` +
          `  (${spread}, ${each.seconds.length} runs)  ${rate.padStart(18)}  ${cpu}${peak}`,
      );
    }
  }

  ratio(name: string, ratio: Ratio, target?: Target): void {
    this.record.ratios.push({ name, ...ratio, ...(target === undefined ? {} : { target }) });
    const range = `${ratio.smallest.toFixed(2)}-${ratio.largest.toFixed(2)}`;
    this.#output.out(
      `  → ${name}: ${ratio.median.toFixed(2)} times (${range})${verdict(ratio.median, target)}`,
    );
  }

  /** A figure that is not a time: peak memory, rows. */
  figure(name: string, value: number, unit: string, target?: Target): void {
    this.record.figures.push({ name, value, unit, ...(target === undefined ? {} : { target }) });
    const text = Number.isInteger(value) ? value.toLocaleString('en-US') : value.toFixed(2);
    this.#output.out(`  → ${name}: ${text} ${unit}${verdict(value, target)}`);
  }

  note(text: string): void {
    this.record.notes.push(text);
    this.#output.out(`  ${text}`);
  }
}

function verdict(value: number, target: Target | undefined): string {
  if (target === undefined) return '';
  const met = target.comparison === 'at least' ? value >= target.value : value <= target.value;
  return ` [${met ? 'met' : 'NOT MET'}: ${target.comparison} ${target.value}]`;
}

function seconds(value: number): string {
  return value < 1 ? `${(value * 1000).toFixed(value < 0.01 ? 3 : 1)} ms` : `${value.toFixed(3)} s`;
}

function mebibytes(bytes: number): string {
  return `${(bytes / 2 ** 20).toFixed(0)} MiB`;
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
