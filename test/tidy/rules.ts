/** The rules of the house, as data. `test/tidy.test.ts` holds the project to them. */

/**
 * Who may import whom, by folder, longest prefix first. Imports point down:
 *
 *     cli, threads, index.ts, catalog.ts
 *     operators, connectors, config
 *     engine (runtime, testing · plan, checkpoint, expression · contract)
 *     wasm, quality
 *
 * A folder may always import itself. Tests and oracles may import anything that is not a command;
 * they are not shipped. `types` are folders from which only types may come.
 */
export interface Floor {
  readonly folder: string;
  readonly may: readonly string[];
  readonly types?: readonly string[];
}

const ENGINE = ['engine/contract', 'engine/expression', 'engine/plan', 'engine/checkpoint'];
const PRODUCT = ['engine', 'wasm/host', 'quality', 'operators', 'connectors', 'config'];
const ROOTS = ['catalog.ts', 'index.ts'];

export const FLOORS: readonly Floor[] = [
  { folder: 'cli', may: [...PRODUCT, ...ROOTS, 'threads'] },
  { folder: 'threads', may: ['engine', 'operators', 'connectors'] },
  { folder: 'index.ts', may: [...PRODUCT, 'catalog.ts', 'threads'] },
  { folder: 'catalog.ts', may: ['operators', 'connectors', 'engine/contract'] },
  { folder: 'operators', may: ['engine/contract', 'engine/expression', 'wasm/host'] },
  { folder: 'connectors', may: ['engine/contract', 'wasm/host'] },
  { folder: 'config', may: ['engine/contract', 'engine/plan'] },
  { folder: 'engine/contract', may: [], types: ['wasm/host'] },
  { folder: 'engine/expression', may: ['engine/contract', 'wasm/host'] },
  { folder: 'engine/plan', may: ['engine/contract', 'engine/expression'] },
  { folder: 'engine/checkpoint', may: ['engine/contract', 'engine/plan'] },
  { folder: 'engine/runtime', may: [...ENGINE, 'wasm/host'] },
  { folder: 'engine/testing', may: [...ENGINE, 'engine/runtime', 'wasm/host'] },
  { folder: 'wasm/host', may: [] },
  { folder: 'quality', may: [], types: ['engine/contract'] },
  { folder: 'bench', may: [...PRODUCT, ...ROOTS, 'threads'] },
  { folder: 'scripts', may: [...PRODUCT, ...ROOTS, 'cli'] },
  { folder: 'test', may: [...PRODUCT, ...ROOTS, 'threads', 'cli', 'scripts'] },
];

/**
 * The one folder (or file) that imports a package, so that replacing it is the matter of one place.
 * `bench` and tests may import any of them: a benchmark compares them, a test reads with one what
 * another wrote.
 */
export const PACKAGE_HOMES: Readonly<Record<string, string>> = {
  '@duckdb/node-api': 'quality',
  '@nats-io/jetstream': 'connectors',
  '@nats-io/transport-node': 'connectors',
  commander: 'cli',
  fzstd: 'connectors',
  msgpackr: 'engine/contract/message-pack.ts',
  'parquet-wasm': 'connectors',
  picocolors: 'cli',
  piscina: 'engine/runtime',
  tinyglobby: 'connectors',
  yaml: 'config',
  zod: 'engine/contract/fields.ts',
  // Development only.
  'apache-arrow': 'connectors',
  assemblyscript: 'scripts',
  rolldown: 'scripts',
  'fast-check': 'engine/testing',
  'hyparquet-writer': 'bench',
  'nodejs-polars': 'bench',
  'parquetjs-lite': 'bench',
};

export interface BannedWord {
  readonly pattern: RegExp;
  readonly instead: string;
}

/** In code and documents. The glossary names some of them on purpose, as does this folder. */
export const BANNED_WORDS: readonly BannedWord[] = [
  { pattern: /\bDisposableStack\b|\bAsyncDisposableStack\b/, instead: 'try/finally (Node 20)' },
  { pattern: /\bPromise\.withResolvers\b/, instead: 'new Promise (Node 20)' },
  { pattern: /\bArray\.fromAsync\b/, instead: 'for await (Node 20)' },
  {
    // The NATS client calls its own so.
    pattern: /\b(?!jetstreamManager|JetStreamManager)\w+(?:Manager|Helpers?|Utils?|Impl)\b/,
    instead: 'a word for what it does',
  },
  { pattern: /\b(?:helpers|utils?|misc)\.ts\b/, instead: 'a file named for what it holds' },
  { pattern: /\bvnodes?\b|\bshard(?:s|ed|ing)?\b/i, instead: 'partition' },
  { pattern: /\bstragglers?\b/i, instead: 'late row' },
  { pattern: /\blow[- ]water[- ]?marks?\b/i, instead: 'watermark' },
  { pattern: /\bgrace[-_ ]?period\b/i, instead: 'allowed lateness' },
  { pattern: /\bthrottl(?:e|es|ed|ing)\b/i, instead: 'back-pressure' },
  { pattern: /\b[bB]ackpressure\b/, instead: 'back-pressure' },
  { pattern: /\bsavepoints?\b/i, instead: 'checkpoint' },
  { pattern: /\btopolog(?:y|ies)\b/i, instead: 'pipeline, or plan' },
  { pattern: /\bexecutors?\b/i, instead: 'slot' },
  { pattern: /\b(?:TODO|FIXME)\b/, instead: 'an issue, or the work itself' },
  { pattern: /\b(?:test|it|describe)\.(?:only|todo)\b/, instead: 'a test that runs' },
];

/** Names of machines and of their folders: a document or a test must not depend on one. */
export const MACHINE_PATHS: readonly BannedWord[] = [
  {
    pattern: /(?:^|[\s'"`(=:])\/(?:work|root|home|Users|mnt)\//,
    instead: 'a path from the project, or a temporary folder',
  },
  { pattern: /\/tmp\//, instead: 'os.tmpdir()' },
  { pattern: /registry\.[a-z]+\.[a-z]+|\bregistry=|_authToken/, instead: 'nothing: npm knows' },
  {
    // The data beside the project, which tests and the README name by this relative path only.
    pattern:
      /(?<!\.\.\/)\bshared\/(?:data|oracle|facts|design|hooks)\b|\.\.\/shared\/(?!data|oracle)/,
    instead: '../shared/data or ../shared/oracle',
  },
];

export const COLUMNS_MAX = 100;
export const FUNCTION_LINES_MAX = 70;
export const SOURCE_LINES_MAX = 450;
export const FILE_BYTES_MAX = 1 << 20;

/**
 * Functions and files that are longer than they should be, with their length now: they may shrink,
 * not grow, and an entry that is no longer needed has to go.
 */
export const LONG_FUNCTIONS: Readonly<Record<string, number>> = {};
export const LONG_FILES: Readonly<Record<string, number>> = {};

/** How many lines of a file may still be too wide: to be taken out with the lines. */
export const WIDE_LINES: Readonly<Record<string, number>> = {
  'cli/run.ts': 1,
  'connectors/file/find-files.ts': 1,
  'engine/contract/connector.ts': 2,
  'engine/contract/operator.ts': 2,
  'engine/contract/time.ts': 1,
  'engine/runtime/output-buffer.test.ts': 1,
  'engine/runtime/pipeline.ts': 1,
  'engine/runtime/slot.ts': 1,
  'engine/runtime/thread-workers.ts': 1,
  'operators/aggregates/bar-shape.ts': 1,
  'operators/aggregates/open-windows.ts': 2,
  'operators/hopping-window/hopping-window-operator.ts': 1,
  'operators/hopping-window/hopping-window.ts': 2,
  'operators/session-window/session-window.test.ts': 2,
  'operators/session-window/session-window.ts': 2,
  'operators/tumbling-window/tumbling-window.ts': 4,
  'test/acceptance/us-equities.test.ts': 1,
  'wasm/assembly/_window-accumulators.ts': 2,
  'wasm/assembly/_window-state.ts': 2,
  'wasm/assembly/window-bars.ts': 1,
  'wasm/assembly/window-columns.ts': 1,
  'wasm/assembly/window-panes.ts': 5,
  'wasm/assembly/window-sessions.ts': 2,
  'wasm/host/kernels.ts': 1,
  'wasm/host/linear-memory.ts': 1,
};
