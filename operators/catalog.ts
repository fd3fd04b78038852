import type { OperatorDefinition } from '../engine/contract/operator.ts';
import { rolling } from './rolling/rolling.ts';

/** Every operator that ships with the engine, in alphabetical order. */
export const operators: readonly OperatorDefinition[] = [rolling];
