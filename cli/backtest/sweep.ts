/**
 * What `--sweep` varies: `operators.spikes.threshold=2.5:5:0.5` any value of the file, as `-s`
 * does; `threshold=...` the field of that name of every step that has it; `LIMIT=...` the variable
 * `${LIMIT}`, such as one in the condition of a rule.
 */

import type { PipelinePlan } from '../../engine/plan/pipeline-plan.ts';

export interface Sweep {
  readonly path: string;
  readonly values: readonly number[];
}

/** Settings that give what is varied one value. */
export interface Settings {
  readonly overrides: readonly string[];
  readonly variables: Readonly<Record<string, string>>;
}

const VALUES_MAX = 1000;
const NUMBER = '-?\\d+(?:\\.\\d+)?(?:[eE][-+]?\\d+)?';
const SWEEP = new RegExp(`^([^=]+)=(${NUMBER}):(${NUMBER}):(${NUMBER})$`);

/** Undefined where it is not `path=from:to:step` with a step above 0 and at most 1000 values. */
export function parseSweep(text: string): Sweep | undefined {
  const match = SWEEP.exec(text);
  if (match === null) return undefined;
  const [, path, ...numbers] = match;
  const [from, to, step] = numbers.map(Number) as [number, number, number];
  // A little more, so that 0.1 three times is 0.3.
  const count = Math.floor((to - from) / step + 1e-9) + 1;
  if (!(step > 0) || !(count >= 1) || count > VALUES_MAX) return undefined;
  const values = Array.from({ length: count }, (_, i) => Number((from + i * step).toPrecision(12)));
  return { path: path!.trim(), values };
}

/** How to set the value; undefined where nothing of the pipeline goes by that name. */
export function settingsFor(
  path: string,
  plan: PipelinePlan,
  text: string,
): ((value: number) => Settings) | undefined {
  if (path.includes('.')) {
    return (value) => ({ overrides: [`${path}=${value}`], variables: {} });
  }
  const steps = plan.operators.filter(({ config }) => Object.hasOwn(config, path));
  if (steps.length > 0) {
    const paths = steps.map(({ name }) => `operators.${name}.${path}`);
    return (value) => ({ overrides: paths.map((each) => `${each}=${value}`), variables: {} });
  }
  const isVariable = new RegExp(`\\$\\{${path.replace(/\W/g, '')}[:}]`).test(text);
  if (!isVariable) return undefined;
  return (value) => ({ overrides: [], variables: { [path]: String(value) } });
}
