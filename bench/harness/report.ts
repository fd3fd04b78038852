/**
 * Where a benchmark's figures go: a table on stdout as they come, progress on stderr where that is
 * a terminal, and everything once more as a record (harness/results.ts).
 */

import { type Measurement, median, peakOf, rateOf, speedups } from './benchmark.ts';
import { compact, formatBytes, formatNumber, formatSeconds } from './format.ts';
import { percentiles } from './percentiles.ts';
import type { BenchRecord, Target } from './results.ts';

/** How the report speaks: `out` gets whole lines, `progress` a line that replaces the last one. */
export interface ReportOutput {
  out(line: string): void;
  progress(line: string): void;
}

export class Report {
  readonly record: BenchRecord;
  /** Figures are of little data: they are not compared with targets. */
  readonly isQuick: boolean;
  readonly #output: ReportOutput;
  #section = '';

  constructor(name: string, question: string, isQuick: boolean, output: ReportOutput) {
    this.record = {
      name,
      question,
      measurements: [],
      ratios: [],
      latencies: [],
      figures: [],
      notes: [],
    };
    this.isQuick = isQuick;
    this.#output = output;
  }

  /** A heading; what follows is recorded under it. */
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
      const [fastest, slowest] = [Math.min(...each.seconds), Math.max(...each.seconds)];
      const spread = `${formatSeconds(fastest)}-${formatSeconds(slowest)}`;
      const peak = peakOf(each) === 0 ? '' : `  peak ${formatBytes(peakOf(each))}`;
      const cpu = `cpu ${formatSeconds(median(each.cpuSeconds))}`;
      const runs = each.seconds.length === 1 ? '1 run' : `${each.seconds.length} runs`;
      const rate = `${compact(rateOf(each))} ${each.unit}/s`;
      this.#output.out(
        `  ${each.name.padEnd(width)}  ${formatSeconds(median(each.seconds)).padStart(9)}` +
          `  (${spread}, ${runs})  ${rate.padStart(18)}  ${cpu}${peak}`,
      );
    }
  }

  /** How much faster the first is than the second: "time of 10 s windows to that of 1 s". */
  ratio(name: string, faster: Measurement, slower: Measurement, target?: Target): void {
    this.#ratio(name, faster, slower, target, false);
  }

  /** How much faster ours is than somebody else's: below 1 we lose, and the page says so. */
  against(name: string, own: Measurement, peer: Measurement, target?: Target): void {
    this.#ratio(name, own, peer, target, true);
  }

  #ratio(
    name: string,
    faster: Measurement,
    slower: Measurement,
    wanted: Target | undefined,
    isPeer: boolean,
  ): void {
    const target = this.isQuick ? undefined : wanted;
    const values = speedups(faster, slower);
    const [section, middle] = [this.#section, median(values)];
    this.record.ratios.push({
      ...{ section, name, values, isPeer },
      ...(target === undefined ? {} : { target }),
    });
    const range = `${Math.min(...values).toFixed(2)}-${Math.max(...values).toFixed(2)}`;
    this.#output.out(
      `  → ${name}: ${middle.toFixed(2)} times (${range})${verdict(middle, target)}`,
    );
  }

  /** A figure that is not a time of contenders: bytes, rows, a stall. */
  figure(name: string, value: number, unit: string, wanted?: Target): void {
    const target = this.isQuick ? undefined : wanted;
    this.record.figures.push({
      ...{ section: this.#section, name, value, unit },
      ...(target === undefined ? {} : { target }),
    });
    this.#output.out(`  → ${name}: ${formatNumber(value)} ${unit}${verdict(value, target)}`);
  }

  /**
   * @param milliseconds Of each repetition, one for each answer, from when its question was due.
   * @param rate What was asked a second, for a chart over it.
   */
  latencies(name: string, milliseconds: readonly (readonly number[])[], rate: number): void {
    const pooled = percentiles(milliseconds.flat());
    const medians = milliseconds.map((each) => percentiles(each).p50);
    this.record.latencies.push({ section: this.#section, name, rate, medians, ...pooled });
    const { p50, p99, p999, count } = pooled;
    const [a, b, c] = [p50, p99, p999].map((each) => each.toFixed(2));
    this.#output.out(`  ${name}: p50 ${a} ms, p99 ${b} ms, p99.9 ${c} ms (${count})`);
  }

  note(text: string): void {
    this.record.notes.push({ section: this.#section, text });
    this.#output.out(`  ${text}`);
  }
}

function verdict(value: number, target: Target | undefined): string {
  if (target === undefined) return '';
  const words = isMet(value, target) ? 'met' : 'NOT MET';
  return ` [${words}: ${target.comparison} ${target.value}]`;
}

export function isMet(value: number, { comparison, value: limit }: Target): boolean {
  return comparison === 'at least' ? value >= limit : value <= limit;
}
