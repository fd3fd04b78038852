/**
 * Model files: a forest as JSON, made by `tidemark train` and read when a step is opened.
 *
 *     { "format": "tidemark isolation forest", "version": 1,
 *       "features": { "price": "price", … }, "parameters": { "trees": 100, … },
 *       "limit": 0.61, "moments": { "price": { "mean", "shift", "scale" }, … },
 *       "training": { "rows": … },
 *       "trees": [ { "left", "right", "feature", "threshold", "n" }, … ] }
 *
 * The trees are arrays as scikit-learn exports them. A file is read to the end before anything of
 * it is used: what is not a tree is refused, so that no walk leaves its nodes.
 */

import { readFileSync } from 'node:fs';
import { EngineError } from '../../engine/contract/error.ts';
import { type ExpressionValue, expressionText } from '../../engine/contract/fields.ts';
import { formatExpression } from '../../engine/expression/format-expression.ts';
import { parseAccepted } from '../../engine/expression/plan-expression.ts';
import { type ForestTree, SAMPLE_ROWS_MAX } from '../../wasm/host/forest-trees.ts';

export const MODEL_FORMAT = 'tidemark isolation forest';
export const MODEL_VERSION = 1;

/** Levels of a tree at most: explaining a row takes a call for each. Grown ones have up to 16. */
const DEPTH_MAX = 64;

export interface Model {
  readonly format: typeof MODEL_FORMAT;
  readonly version: typeof MODEL_VERSION;
  /** Name to expression, in the order of the trees' feature numbers. */
  readonly features: Readonly<Record<string, string>>;
  readonly parameters: {
    readonly trees: number;
    readonly sample_size: number;
    readonly seed: number;
    readonly standardize: boolean;
    readonly contamination?: number | undefined;
    readonly threshold?: number | undefined;
  };
  /** Rows that each tree was grown from. */
  readonly sample_size: number;
  /** A score above it is an anomaly. */
  readonly limit: number;
  readonly moments: Readonly<Record<string, { mean: number; shift: number; scale: number }>>;
  readonly training: Readonly<Record<string, unknown>>;
  readonly trees: readonly ForestTree[];
}

/** Features as a model names them: an expression that is written otherwise is the same. */
export function featureTexts(
  features: Readonly<Record<string, ExpressionValue>>,
): Record<string, string> {
  const texts = Object.entries(features).map(([name, value]) => [
    name,
    formatExpression(parseAccepted(expressionText(value))),
  ]);
  return Object.fromEntries(texts) as Record<string, string>;
}

let latest: { readonly text: string; readonly model: Model } | undefined;

/**
 * Reads a model for a step.
 * @throws {EngineError} model/unreadable, model/invalid, model/mismatch
 */
export function readModel(
  path: string,
  step: string,
  features: Readonly<Record<string, ExpressionValue>>,
): Model {
  const failed = `step "${step}": cannot use the model ${path}`;
  let text: string;
  try {
    text = readFileSync(path, 'utf8');
  } catch (cause) {
    const { code, message } = cause as NodeJS.ErrnoException;
    const found = code === 'ENOENT' ? 'there is no such file' : message;
    const remedy = `make it with tidemark train FILE --operator ${step} --out ${path}`;
    throw new EngineError('model/unreadable', `${failed}: ${found}; ${remedy}`, { cause });
  }
  const remedy = `train it again with tidemark train FILE --operator ${step} --out ${path}`;
  const refuse = (found: string): never => {
    throw new EngineError('model/invalid', `${failed}: ${found}; ${remedy}`);
  };
  // Each task of a slot reads it: what one has read serves the others.
  const model = latest?.text === text ? latest.model : parseModel(text, refuse);
  const [trained, own] = [model.features, featureTexts(features)].map(listFeatures);
  if (trained !== own) {
    const found = `it was trained on the features ${trained}, the step has ${own}`;
    throw new EngineError('model/mismatch', `${failed}: ${found}; ${remedy}`);
  }
  if (latest?.text !== text) {
    checkContents(model, refuse);
    latest = { text, model };
  }
  return model;
}

function listFeatures(features: Readonly<Record<string, string>>): string {
  const list = Object.entries(features).map(([name, text]) =>
    name === text ? name : `${name} = ${text}`,
  );
  return `[${list.join(', ')}]`;
}

type Refuse = (found: string) => never;

/** Reads as far as the version and the features; `checkContents` looks at the rest. */
function parseModel(text: string, refuse: Refuse): Model {
  let model: Partial<Model> | null;
  try {
    model = JSON.parse(text) as Partial<Model> | null;
  } catch {
    return refuse('it is not JSON');
  }
  if (model?.format !== MODEL_FORMAT) return refuse(`it is not a file of format ${MODEL_FORMAT}`);
  if (model.version !== MODEL_VERSION) {
    return refuse(`it is of version ${String(model.version)}, expected ${MODEL_VERSION}`);
  }
  if (!isObject(model.features) || Object.keys(model.features).length === 0) {
    return refuse('it has no features');
  }
  return model as Model;
}

function checkContents(model: Partial<Model>, refuse: Refuse): void {
  const names = Object.keys(model.features!);
  if (!isCount(model.sample_size) || model.sample_size > SAMPLE_ROWS_MAX) {
    refuse('its sample_size is no number of rows');
  }
  if (!isNumber(model.limit)) refuse('its limit is no number');
  for (const name of names) {
    const moments = isObject(model.moments) ? model.moments[name] : undefined;
    const isSound =
      isNumber(moments?.mean) &&
      isNumber(moments.shift) &&
      isNumber(moments.scale) &&
      moments.scale > 0;
    if (!isSound) refuse(`its moments of ${name} are no numbers`);
  }
  if (!Array.isArray(model.trees) || model.trees.length === 0) refuse('it has no trees');
  for (const [number, tree] of model.trees!.entries()) {
    const fault = faultOf(tree as unknown, names.length, model.sample_size!);
    if (fault !== undefined) refuse(`tree ${number} is broken: ${fault}`);
  }
}

/** What is wrong with a tree, or undefined. */
function faultOf(tree: unknown, features: number, sampleSize: number): string | undefined {
  if (!isObject(tree)) return 'it is no object';
  const lists = ['left', 'right', 'feature', 'threshold', 'n'].map((name) => tree[name]);
  const nodes = Array.isArray(lists[0]) ? lists[0].length : 0;
  const areLists = lists.every((list) => Array.isArray(list) && list.length === nodes);
  if (nodes === 0 || !areLists || !lists.every((list) => (list as unknown[]).every(isNumber))) {
    return 'it does not consist of lists of numbers, of one length';
  }
  return faultOfNodes(tree as unknown as ForestTree, features, sampleSize);
}

/**
 * Walks the tree from its root. As no node is met twice, and the rows of a node are those of its
 * children, there are neither rings nor nodes without rows.
 */
function faultOfNodes(
  { left, right, feature, n }: ForestTree,
  features: number,
  sampleSize: number,
): string | undefined {
  const nodes = left.length;
  if (n[0] !== sampleSize) return `its root has ${n[0]} rows, expected ${sampleSize}`;
  const isSeen = new Uint8Array(nodes);
  const queue: [node: number, depth: number][] = [[0, 0]];
  for (let next = 0; next < queue.length; next++) {
    const [node, depth] = queue[next]!;
    if (!isCount(n[node])) return `node ${node} has no rows`;
    if (depth > DEPTH_MAX) return `it is deeper than ${DEPTH_MAX} levels`;
    if (left[node]! < 0) continue;
    const children = [left[node]!, right[node]!] as const;
    for (const child of children) {
      if (!isCount(child) || child >= nodes || isSeen[child] === 1) {
        return `node ${node} has a wrong child`;
      }
      isSeen[child] = 1;
      queue.push([child, depth + 1]);
    }
    if (n[children[0]]! + n[children[1]]! !== n[node]) {
      return `the rows of node ${node} are not those of its children`;
    }
    const number = feature[node]!;
    if (!Number.isInteger(number) || number < 0 || number >= features) {
      return `node ${node} compares feature ${number}`;
    }
  }
  return queue.length === nodes ? undefined : 'not every node is reached';
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function isNumber(value: unknown): value is number {
  return typeof value === 'number' && Number.isFinite(value);
}

function isCount(value: unknown): value is number {
  return isNumber(value) && Number.isInteger(value) && value > 0;
}
