/**
 * What a function of a rolling step is: how it is called, what a user is told of it, and what
 * computes it. Planning, lints, documentation and `tidemark list functions` derive from it.
 */

import type { ColumnType } from '../../engine/contract/schema.ts';

export type ParameterValue = number | string | boolean;

/** A constant behind the expressions: by its place, or as `name => value`. */
export interface Parameter {
  readonly kind: 'number' | 'integer' | 'text' | 'flag';
  /** Undefined where it must be given, or where `check` says what may be left out. */
  readonly default?: ParameterValue;
  readonly isOptional?: boolean;
  /** Least and largest number; exclusive where it says so. */
  readonly least?: number;
  readonly most?: number;
  readonly isAbove?: boolean;
  readonly choices?: readonly string[];
  /** Of a text. */
  readonly isDuration?: boolean;
}

/** Values of the parameters of one call, defaults included. */
export type ParameterValues = Readonly<Record<string, ParameterValue | undefined>>;

export const numberOf = (values: ParameterValues, name: string): number => Number(values[name]);

/**
 * What computes a series, and so what a series keeps for each key:
 *
 *   aggregate  a window by two stacks: sums, moments, extremes
 *   pair       the same of two expressions, for rows where neither is null
 *   ordered    a window in order of its values
 *   lag        the values of a window
 *   ewm        means whose weights decay with every row
 *   seeded     a mean that starts as a plain one and then decays
 *   session    sums and the like since an anchor has changed
 */
export type SeriesKind = 'aggregate' | 'pair' | 'ordered' | 'lag' | 'ewm' | 'seeded' | 'session';

export interface Kernel {
  readonly kind: SeriesKind;
  /** Its result, as the kernel calls it. */
  readonly output: string;
  /** Numbers that go with the result, such as the share of a quantile. */
  readonly arguments?: (values: ParameterValues) => readonly number[];
  /** Numbers that decide what the series keeps: other numbers are another series. */
  readonly settings?: (values: ParameterValues) => readonly number[];
}

/** An expression over the inputs, by their names, that stands for the call. */
export interface Formula {
  readonly kind: 'formula';
  readonly text: (values: ParameterValues, inputs: number) => string;
}

export interface RollingFunction {
  /** How it is called, for messages and documentation. */
  readonly usage: string;
  /** What it gives, when it first does, and what nulls do. */
  readonly doc: string;
  /** Names of the expressions that it takes. */
  readonly inputs: readonly string[];
  /** How many of them may be left out, from the end. */
  readonly inputsOptional?: number;
  /** Types that the inputs may have; numbers and booleans unless it says so. */
  readonly takes?: (input: number) => readonly ColumnType[];
  readonly parameters?: Readonly<Record<string, Parameter>>;
  /** What is wrong with the parameters taken together. */
  readonly check?: (values: ParameterValues) => string | undefined;
  /**
   * Which window it looks at: that of the step, unless the call says `over => '50 rows'` and the
   * like; or one of its own, so that it neither needs nor takes one.
   */
  readonly window: 'step' | 'own';
  readonly computes: Kernel | Formula;
  /** The kernel's result for values of this type, where that depends on it. */
  readonly outputFor?: (input: ColumnType) => string;
  /** Type of the result, float64 unless it says so. */
  readonly gives?: (input: ColumnType) => ColumnType;
}

export const NUMBERS: readonly ColumnType[] = ['float64', 'int64'];
export const NUMBERS_AND_FLAGS: readonly ColumnType[] = ['float64', 'int64', 'boolean'];

/** Parameters of every function whose window is that of the step. */
export const WINDOW_PARAMETERS: Readonly<Record<string, Parameter>> = {
  over: { kind: 'text', isOptional: true },
  exclude_current: { kind: 'flag', isOptional: true },
  min_rows: { kind: 'integer', least: 1, most: 10_000_000, isOptional: true },
};
