/**
 * What proves that an operator of your own keeps the contract: published as `tidemark/testing`. It
 * needs fast-check beside it.
 */

export { runOperator, type RunOptions, type RunResult } from './harness.ts';
export { operatorCompliance } from './operator-compliance.ts';
