/**
 * Why a row has its path length: SHAP values of the features, by the path-dependent TreeSHAP. They
 * add up to the mean path length of the row less that of the sample. `_forest-nodes.ts` gives the
 * layout of a forest.
 *
 * A path is the set of features met from the root, each once, with what of the sample passes where
 * it is unknown (zero) and whether the row passes (one), and the weights of the subsets by size:
 *
 *   path  f64[4] each: feature, zero, one, weight; the first stands for no feature
 *
 * A node adds its feature to a copy of the path of its parent; a feature that is there already is
 * taken out first. Cost a tree: leaves * (features on the path)^2; with one feature, one walk.
 *
 * Lundberg et al.: Consistent Individualized Feature Attribution for Tree Ensembles, 2018, alg. 2.
 */

import { leftOf, nodeCountOf, step, treeOf } from './_forest-nodes';

const FEATURE: usize = 0;
const ZERO: usize = 8;
const ONE: usize = 16;
const WEIGHT: usize = 24;
const NONE: f64 = -1;

let nodes: usize = 0;
let values: usize = 0;
let covers: usize = 0;
let row: usize = 0;
let contributions: usize = 0;

/** Mean path length of the sample: what each tree makes of it, weighted by its leaves. */
export function expectedPath(forest: usize, trees: u32): f64 {
  let total: f64 = 0;
  for (let tree: u32 = 0; tree < trees; tree++) {
    const count = nodeCountOf(forest, tree);
    const first = treeOf(forest, tree);
    let sum: f64 = 0;
    for (let node: usize = 0; node < <usize>count; node++) {
      if (leftOf(first + (node << 3)) != node << 3) continue;
      const cover = <f64>load<u16>(first + (<usize>count << 4) + (node << 1));
      sum += cover * load<f64>(first + (<usize>count << 3) + (node << 3));
    }
    total += sum / <f64>load<u16>(first + (<usize>count << 4));
  }
  return total / <f64>trees;
}

/** Mean path length of a row f32[features]. */
export function meanPath(forest: usize, trees: u32, depth: u32, values32: usize): f64 {
  let total: f64 = 0;
  for (let tree: u32 = 0; tree < trees; tree++) {
    const first = treeOf(forest, tree);
    let at: usize = 0;
    for (let level = depth; level != 0; level--) at = step(first + at, values32);
    total += load<f64>(first + (<usize>nodeCountOf(forest, tree) << 3) + at);
  }
  return total / <f64>trees;
}

/**
 * SHAP values of a row.
 *
 * @param values32 f32[features], as the forest sees the row.
 * @param paths Scratch: 32 bytes for (depth + 2) * (features + 2) elements.
 * @param out f64[features], overwritten.
 */
export function explain(
  forest: usize, trees: u32, features: u32, values32: usize, paths: usize, out: usize,
): void {
  memory.fill(out, 0, <usize>features << 3);
  row = values32;
  contributions = out;
  for (let tree: u32 = 0; tree < trees; tree++) {
    const count = nodeCountOf(forest, tree);
    nodes = treeOf(forest, tree);
    values = nodes + (<usize>count << 3);
    covers = nodes + (<usize>count << 4);
    visit(0, paths, 0, 1, 1, NONE);
  }
  for (let i: usize = 0; i < <usize>features; i++) {
    store<f64>(out + (i << 3), load<f64>(out + (i << 3)) / <f64>trees);
  }
}

/**
 * @param at Offset of the node.
 * @param path Its own copy of the path, of `length` elements; one is added.
 */
function visit(at: usize, path: usize, length: u32, zero: f64, one: f64, feature: f64): void {
  extend(path, length, zero, one, feature);
  const node = nodes + at;
  const left = leftOf(node);
  if (left == at) {
    const value = load<f64>(values + at);
    for (let i: u32 = 1; i <= length; i++) {
      const element = path + (<usize>i << 5);
      const share = load<f64>(element, ONE) - load<f64>(element, ZERO);
      const target = contributions + (<usize>load<f64>(element, FEATURE) << 3);
      store<f64>(target, load<f64>(target) + unwoundSum(path, length, i) * share * value);
    }
    return;
  }
  const own = <f64>((load<u32>(node, 4) & 0xff) >> 2);
  const hot = step(node, row);
  const cold = left + left + 8 - hot;
  const cover = <f64>load<u16>(covers + (at >> 2));
  let ownZero: f64 = 1;
  let ownOne: f64 = 1;
  let depth = length;
  for (let i: u32 = 1; i <= length; i++) {
    const element = path + (<usize>i << 5);
    if (load<f64>(element, FEATURE) != own) continue;
    ownZero = load<f64>(element, ZERO);
    ownOne = load<f64>(element, ONE);
    unwind(path, length, i);
    depth--;
    break;
  }
  const hotZero = (ownZero * <f64>load<u16>(covers + (hot >> 2))) / cover;
  const coldZero = (ownZero * <f64>load<u16>(covers + (cold >> 2))) / cover;
  const bytes = <usize>(depth + 1) << 5;
  const copy = path + bytes;
  copyPath(copy, path, bytes);
  visit(hot, copy, depth + 1, hotZero, ownOne, own);
  copyPath(copy, path, bytes);
  visit(cold, copy, depth + 1, coldZero, 0, own);
}

/** A loop: memory.copy is a call out of the module, dear for a few words. */
// @ts-ignore: decorator
@inline
function copyPath(to: usize, from: usize, bytes: usize): void {
  for (let at: usize = 0; at < bytes; at += 16) v128.store(to + at, v128.load(from + at));
}

/** Adds an element behind the `length` of the path and makes the weights those of one more. */
// @ts-ignore: decorator
@inline
function extend(path: usize, length: u32, zero: f64, one: f64, feature: f64): void {
  const last = path + (<usize>length << 5);
  store<f64>(last, feature, FEATURE);
  store<f64>(last, zero, ZERO);
  store<f64>(last, one, ONE);
  store<f64>(last, length == 0 ? 1 : 0, WEIGHT);
  const total = <f64>length + 1;
  for (let i = <i32>length - 1; i >= 0; i--) {
    const element = path + (<usize>i << 5);
    const weight = load<f64>(element, WEIGHT);
    const behind = load<f64>(element + 32, WEIGHT) + (one * weight * <f64>(i + 1)) / total;
    store<f64>(element + 32, behind, WEIGHT);
    store<f64>(element, (zero * weight * <f64>(<i32>length - i)) / total, WEIGHT);
  }
}

/** Takes element `index` out of the path, whose last element is `length`. */
function unwind(path: usize, length: u32, index: u32): void {
  const taken = path + (<usize>index << 5);
  const one = load<f64>(taken, ONE);
  const zero = load<f64>(taken, ZERO);
  const total = <f64>length + 1;
  let behind = load<f64>(path + (<usize>length << 5), WEIGHT);
  for (let i = <i32>length - 1; i >= 0; i--) {
    const element = path + (<usize>i << 5);
    const weight = load<f64>(element, WEIGHT);
    if (one != 0) {
      const own = (behind * total) / (<f64>(i + 1) * one);
      store<f64>(element, own, WEIGHT);
      behind = weight - (own * zero * <f64>(<i32>length - i)) / total;
    } else {
      store<f64>(element, (weight * total) / (zero * <f64>(<i32>length - i)), WEIGHT);
    }
  }
  for (let i = index; i < length; i++) {
    const element = path + (<usize>i << 5);
    store<f64>(element, load<f64>(element + 32, FEATURE), FEATURE);
    store<f64>(element, load<f64>(element + 32, ZERO), ZERO);
    store<f64>(element, load<f64>(element + 32, ONE), ONE);
  }
}

/** The sum of the weights that `unwind` would leave. */
// @ts-ignore: decorator
@inline
function unwoundSum(path: usize, length: u32, index: u32): f64 {
  const taken = path + (<usize>index << 5);
  const one = load<f64>(taken, ONE);
  const zero = load<f64>(taken, ZERO);
  const total = <f64>length + 1;
  let behind = load<f64>(path + (<usize>length << 5), WEIGHT);
  let sum: f64 = 0;
  for (let i = <i32>length - 1; i >= 0; i--) {
    const weight = load<f64>(path + (<usize>i << 5), WEIGHT);
    if (one != 0) {
      const own = behind / (<f64>(i + 1) * one);
      sum += own;
      behind = weight - own * zero * <f64>(<i32>length - i);
    } else {
      sum += weight / (zero * <f64>(<i32>length - i));
    }
  }
  return sum * total;
}
