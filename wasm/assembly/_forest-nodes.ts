/**
 * The layout of a forest, shared by the kernels that grow, walk and explain it. Offsets are
 * relative to the forest, so that it can be copied anywhere.
 *
 *   directory  trees * 8 bytes: u32 offset of the tree, u32 number of its nodes
 *   tree       nodes   8 bytes each: f32 threshold, u32 link
 *              values  f64 each: of a leaf its path length, depth + c(samples); unused elsewhere
 *              covers  u16 each: samples that reached the node when it was grown
 *              padding to 8 bytes
 *
 * A link holds the byte offset of the left child from the first node (upper 24 bits) and of the
 * feature from the row (lower 8 bits). The right child follows the left. A row goes left where its
 * feature is at most the threshold. A leaf is its own left child and has an infinite threshold: a
 * walk of as many steps as the forest is deep ends in a leaf and has no branch. A sample of at most
 * 65,535 rows makes at most 131,069 nodes, so that offsets and covers fit.
 */

// @ts-ignore: decorator
@inline
export function treeOf(forest: usize, tree: u32): usize {
  return forest + <usize>load<u32>(forest + (<usize>tree << 3));
}

// @ts-ignore: decorator
@inline
export function nodeCountOf(forest: usize, tree: u32): u32 {
  return load<u32>(forest + (<usize>tree << 3), 4);
}

/** Bytes of a tree. */
// @ts-ignore: decorator
@inline
export function treeBytes(nodes: u32): u32 {
  return (nodes << 4) + (((nodes << 1) + 7) & ~7);
}

/** Offset of the left child from the first node; for a leaf its own. */
// @ts-ignore: decorator
@inline
export function leftOf(node: usize): usize {
  return <usize>(load<u32>(node, 4) >> 8);
}

/** Offset of the child that the row goes to; for a leaf its own. */
// @ts-ignore: decorator
@inline
export function step(node: usize, row: usize): usize {
  const link = load<u32>(node, 4);
  const value = load<f32>(row + <usize>(link & 0xff));
  return <usize>(link >> 8) + (<usize>i32(value > load<f32>(node)) << 3);
}
