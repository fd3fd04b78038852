import type { OperatorDefinition } from '../engine/contract/operator.ts';
import { dedupe } from './dedupe/dedupe.ts';
import { derive } from './derive/derive.ts';
import { filter } from './filter/filter.ts';
import { hoppingWindow } from './hopping-window/hopping-window.ts';
import { rolling } from './rolling/rolling.ts';
import { sessionWindow } from './session-window/session-window.ts';
import { threshold } from './threshold/threshold.ts';
import { tumblingWindow } from './tumbling-window/tumbling-window.ts';
import { zscoreDetector } from './zscore-detector/zscore-detector.ts';

/** Every operator that ships with the engine, in alphabetical order. */
export const operators: readonly OperatorDefinition[] = [
  dedupe,
  derive,
  filter,
  hoppingWindow,
  rolling,
  sessionWindow,
  threshold,
  tumblingWindow,
  zscoreDetector,
];
