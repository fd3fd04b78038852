/** What an operator or connector of your own needs: published as `tidemark/contract`. */

export * from './batch.ts';
export * from './connector.ts';
export * from './error.ts';
export * from './fields.ts';
export * from './hash.ts';
export * from './operator.ts';
export * from './problem.ts';
export * from './row-accounts.ts';
export * from './schema.ts';
export * from './state-size.ts';
export * from './time.ts';
