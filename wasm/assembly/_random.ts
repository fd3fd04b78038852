/**
 * Random numbers: SplitMix64, a counter through a mixer. A generator is eight bytes of state, so a
 * snapshot holds it, and any state is as good a seed as another.
 *
 * Steele, Lea, Flood: Fast Splittable Pseudorandom Number Generators, OOPSLA 2014.
 */

const STEP: u64 = 0x9e3779b97f4a7c15;

/** The next 64 bits. */
// @ts-ignore: decorator
@inline
export function next(state: usize): u64 {
  const counter = load<u64>(state) + STEP;
  store<u64>(state, counter);
  return mix(counter);
}

// @ts-ignore: decorator
@inline
export function mix(value: u64): u64 {
  let mixed = value;
  mixed = (mixed ^ (mixed >> 30)) * 0xbf58476d1ce4e5b9;
  mixed = (mixed ^ (mixed >> 27)) * 0x94d049bb133111eb;
  return mixed ^ (mixed >> 31);
}

/** Uniform in [0, 1), in steps of 2^-53. */
// @ts-ignore: decorator
@inline
export function uniform(state: usize): f64 {
  return <f64>(next(state) >> 11) * 1.1102230246251565e-16;
}

/** Uniform from 0 to limit - 1; beyond 2^32 a little less so than below. */
// @ts-ignore: decorator
@inline
export function below(state: usize, limit: u64): u64 {
  const bits = next(state);
  return limit >> 32 ? bits % limit : ((bits >> 32) * limit) >> 32;
}
