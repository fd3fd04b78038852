/**
 * The results file of `--json`: every repetition of every contender, so that a later comparison can
 * tell a change from noise. Each benchmark carries the machine, commit and command of its own run,
 * because a file may be put together from several: a benchmark that is run again replaces itself.
 */

import { existsSync, readFileSync, renameSync, writeFileSync } from 'node:fs';
import type { Measurement } from './benchmark.ts';
import type { Machine, Probe } from './machine.ts';
import type { Percentiles } from './percentiles.ts';

const FORMAT = 1;

export interface Target {
  readonly comparison: 'at least' | 'at most';
  readonly value: number;
}

interface Recorded {
  readonly section: string;
  readonly name: string;
}

export interface RatioRecord extends Recorded {
  /** One a turn: of two neighbouring runs. */
  readonly values: readonly number[];
  /** Ours against somebody else's. */
  readonly isPeer: boolean;
  readonly target?: Target;
}

export interface FigureRecord extends Recorded {
  readonly value: number;
  readonly unit: string;
  readonly target?: Target;
}

export interface LatencyRecord extends Recorded, Percentiles {
  /** Asked a second. */
  readonly rate: number;
  /** p50 of each repetition; the others are of all together. In ms, like all here. */
  readonly medians: readonly number[];
}

export type MeasurementRecord = Measurement & Recorded;

export interface BenchRecord {
  readonly name: string;
  readonly question: string;
  readonly measurements: MeasurementRecord[];
  readonly ratios: RatioRecord[];
  readonly latencies: LatencyRecord[];
  readonly figures: FigureRecord[];
  readonly notes: { readonly section: string; readonly text: string }[];
}

export interface BenchResult extends BenchRecord {
  readonly machine: Machine;
  readonly command: string;
  readonly quick: boolean;
  /** ISO 8601, UTC. */
  readonly startedAt: string;
  readonly elapsedSeconds: number;
  /** Before and after: whether the machine itself was slow, or had other things to do. */
  readonly probes: readonly Probe[];
}

export interface ResultsFile {
  readonly format: number;
  readonly benchmarks: readonly BenchResult[];
}

/** @throws {Error} Where the file is not one of ours. */
export function readResults(path: string): ResultsFile {
  const text = readFileSync(path, 'utf8');
  try {
    const file = JSON.parse(text) as ResultsFile;
    if (file.format === FORMAT && file.benchmarks.every(isResult)) return file;
  } catch {
    // Not JSON, or not an object with a list.
  }
  throw new Error(`${path} is no results file of this version of the benchmarks`);
}

function isResult(result: BenchResult): boolean {
  const { machine, measurements, ratios, latencies, figures, notes, probes } = result;
  const lists = [measurements, ratios, latencies, figures, notes, probes];
  return typeof machine === 'object' && machine !== null && lists.every(Array.isArray);
}

/** Where results are written before they take the place of those in the file. */
export function stagedPath(path: string): string {
  return `${path}.inprogress`;
}

/** Puts the results in place of those of the same names, keeps the others, sorts by name. */
export function mergeResults(path: string, results: readonly BenchResult[]): void {
  const names = new Set(results.map(({ name }) => name));
  const others = existsSync(path)
    ? readResults(path).benchmarks.filter(({ name }) => !names.has(name))
    : [];
  const benchmarks = [...others, ...results].toSorted((a, b) => (a.name < b.name ? -1 : 1));
  // A reader, or a Ctrl-C, never meets half a file.
  const staged = stagedPath(path);
  writeFileSync(staged, `${serialize({ format: FORMAT, benchmarks })}\n`);
  renameSync(staged, path);
}

/** Indented, but for lists of numbers, which take a line each; six digits are enough for all. */
function serialize(file: ResultsFile): string {
  const text = JSON.stringify(
    file,
    (_, value: unknown) =>
      typeof value === 'number' && !Number.isInteger(value) ? Number(value.toPrecision(6)) : value,
    2,
  );
  return text.replace(/\[\s+([\d.e+\-,\s]+?)\s+\]/g, (_, numbers: string) => {
    return `[${numbers.replace(/\s+/g, ' ')}]`;
  });
}
