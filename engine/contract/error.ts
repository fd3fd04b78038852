/**
 * Failures of the world (not of the user's document, which are lints, nor of ours, which are
 * assertions). A code answers: whose fault, and is it worth another try? Across threads they travel
 * as data, because Node drops `name` and `code` from an error that a worker rejects with.
 */

export type Fault = 'user' | 'external' | 'internal';

/** A sentence for each is printed in docs/reference/errors.md. */
export const ERROR_CODES = {
  'config/unreadable': {
    fault: 'user',
    retry: false,
    doc: 'The pipeline file, or an env file, cannot be read.',
  },
  'config/invalid': {
    fault: 'user',
    retry: false,
    doc: 'The pipeline has lints of severity error; nothing was started.',
  },
  'source/not-found': {
    fault: 'user',
    retry: false,
    doc: 'No file matches the path of a source.',
  },
  'source/unreadable': {
    fault: 'external',
    retry: false,
    doc: 'A file of a source exists but cannot be read.',
  },
  'source/format': {
    fault: 'user',
    retry: false,
    doc: 'The input is not in the format that the source declares.',
  },
  'source/truncated': {
    fault: 'external',
    retry: false,
    doc: 'The input ends in the middle of a row or block. Every row before it was processed.',
  },
  'source/corrupt': {
    fault: 'external',
    retry: false,
    doc: 'The input is damaged. Every row before the damage was processed.',
  },
  'source/dictionary-full': {
    fault: 'user',
    retry: false,
    doc: 'A text column has more distinct values than a dictionary holds.',
  },
  'sink/unwritable': {
    fault: 'external',
    retry: false,
    doc: 'A sink cannot create, write or rename its output.',
  },
  'sink/disk-full': {
    fault: 'external',
    retry: true,
    doc: 'There is no space left for the output. Nothing half-written is in sight.',
  },
  'sink/layout': {
    fault: 'user',
    retry: false,
    doc: 'The files that a sink is to continue lie in other hive folders than it would write.',
  },
  'sink/lost': {
    fault: 'user',
    retry: false,
    doc:
      'Output that a checkpoint has promised to make visible, or that its commits rest on, is ' +
      'gone from the folder of the sink. The message names it and the ways out.',
  },
  'sink/exists': {
    fault: 'user',
    retry: false,
    doc: 'The output exists already and the sink says `if_exists: fail`.',
  },
  'sink/is-source': {
    fault: 'user',
    retry: false,
    doc: 'The output of a sink is a file that a source reads. Nothing was started.',
  },
  'sink/busy': {
    fault: 'external',
    retry: true,
    doc: 'Another run is committing to the same output at this moment. Nothing was started.',
  },
  'sink/closed': {
    fault: 'external',
    retry: false,
    doc:
      'Whoever read the output on stdout has gone, as `head` does when it has seen enough. A run ' +
      'that writes no files ends quietly then, with exit code 0.',
  },
  'checkpoint/busy': {
    fault: 'user',
    retry: false,
    doc: 'Another run of the pipeline has its folder of checkpoints. Nothing was started.',
  },
  'checkpoint/lost': {
    fault: 'user',
    retry: false,
    doc: 'The folder of checkpoints was removed, or taken by another run, while a run had it.',
  },
  'checkpoint/not-found': {
    fault: 'user',
    retry: false,
    doc: 'The checkpoint that a run is to go on from does not exist.',
  },
  'checkpoint/damaged': {
    fault: 'external',
    retry: false,
    doc:
      'A checkpoint is cut off or its checksum does not match, and no older one is provably safe ' +
      'to go on from. The message names the way out.',
  },
  'checkpoint/newer-format': {
    fault: 'user',
    retry: false,
    doc: 'A checkpoint was written by a newer version of Tidemark.',
  },
  'checkpoint/incompatible': {
    fault: 'user',
    retry: false,
    doc:
      'A checkpoint does not fit the pipeline: it is of another one, or what it holds cannot be ' +
      'kept after a change of the file. The message names each part and the remedy.',
  },
  'checkpoint/unwritable': {
    fault: 'external',
    retry: false,
    doc: 'A checkpoint, or its folder, cannot be read or written.',
  },
  'checkpoint/disk-full': {
    fault: 'external',
    retry: true,
    doc: 'There is no space left for a checkpoint. The last one stays good.',
  },
  'backtest/labels': {
    fault: 'user',
    retry: false,
    doc: 'The labels of a backtest cannot be read, or are not what a label has to be.',
  },
  'backtest/unwritable': {
    fault: 'external',
    retry: false,
    doc: 'The report of a backtest cannot be written.',
  },
  'nats/unreachable': {
    fault: 'external',
    retry: true,
    doc: 'No NATS server answers at the addresses given.',
  },
  'nats/denied': {
    fault: 'user',
    retry: false,
    doc: 'The NATS server refuses the user, or the user may not do what is asked for.',
  },
  'nats/tls': {
    fault: 'user',
    retry: false,
    doc: 'No secure connection to the NATS server comes about: certificates do not fit.',
  },
  'nats/credentials': {
    fault: 'user',
    retry: false,
    doc: 'A seed, credentials file, key or certificate for NATS cannot be read or is none.',
  },
  'nats/no-jetstream': {
    fault: 'user',
    retry: false,
    doc: 'The NATS server has no JetStream, or this account may not use it.',
  },
  'nats/no-stream': {
    fault: 'user',
    retry: false,
    doc: 'There is no stream of this name.',
  },
  'nats/no-subject': {
    fault: 'user',
    retry: false,
    doc: 'The stream takes no subject that matches.',
  },
  'nats/no-sequence': {
    fault: 'user',
    retry: false,
    doc: 'The stream has no message of the sequence at which reading is to start.',
  },
  'nats/stream-replaced': {
    fault: 'external',
    retry: false,
    doc:
      'The stream has been deleted and made again since it was read. Start anew with ' +
      '`--ignore-state`, or restore the stream.',
  },
  'nats/stream-truncated': {
    fault: 'external',
    retry: false,
    doc:
      'The stream lacks messages that have been read before: the server has lost them. What has ' +
      'been put out rests on them; publish them again, or start anew with `--ignore-state`.',
  },
  'nats/stream-expired': {
    fault: 'external',
    retry: false,
    doc:
      'Messages that have not been read are gone, by the limits of the stream or by hand. Raise ' +
      'its limits; start anew with `--ignore-state`.',
  },
  'nats/stream-mismatch': {
    fault: 'user',
    retry: false,
    doc: 'A stream exists, but its settings are not those that are needed. Both are named.',
  },
  'nats/duplicate-window': {
    fault: 'user',
    retry: false,
    doc:
      'A stream forgets the ids of messages sooner than a replay may send them again. Make its ' +
      'duplicate window longer: `nats stream edit NAME --dupe-window 10m`.',
  },
  'nats/stream-full': {
    fault: 'external',
    retry: true,
    doc: 'The stream, or the disk of the server, is full and takes no message.',
  },
  'nats/too-large': {
    fault: 'user',
    retry: false,
    doc: 'A message is larger than the server or the stream takes.',
  },
  'nats/refused': {
    fault: 'external',
    retry: false,
    doc: 'The NATS server refuses a request; its words and the number of its error are given.',
  },
  'quality/query-failed': {
    fault: 'user',
    retry: false,
    doc: 'The query of a quality check, or of `tidemark query`, does not run.',
  },
  'model/unreadable': {
    fault: 'user',
    retry: false,
    doc: 'The model file of a step cannot be read. `tidemark train` makes it.',
  },
  'model/invalid': {
    fault: 'user',
    retry: false,
    doc: 'The model file of a step is none, is broken, or is of another version.',
  },
  'model/mismatch': {
    fault: 'user',
    retry: false,
    doc: 'The model of a step was trained on other features than the step has.',
  },
  'model/no-rows': {
    fault: 'user',
    retry: false,
    doc: 'There is no row with a number in every feature to train a model from.',
  },
  'model/unwritable': {
    fault: 'external',
    retry: false,
    doc: 'A trained model cannot be written. What was there before is still there.',
  },
  'memory/exhausted': {
    fault: 'external',
    retry: false,
    doc: 'A slot has used up the 4 GiB of its linear memory. More slots, or fewer keys, help.',
  },
  'kernel/trap': {
    fault: 'internal',
    retry: false,
    doc: 'A WebAssembly kernel trapped. This is a fault of the engine; please report it.',
  },
  'engine/internal': {
    fault: 'internal',
    retry: false,
    doc: 'An error that the engine does not expect. Please report it.',
  },
} as const satisfies Record<string, { fault: Fault; retry: boolean; doc: string }>;

export type ErrorCode = keyof typeof ERROR_CODES;

/** Message grammar: `what could not be done: what was found, expected what`; no full stop. */
export class EngineError extends Error {
  override readonly name: string = 'EngineError';
  readonly code: ErrorCode;

  constructor(code: ErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** An error as plain data, for the way between threads. */
export interface ErrorData {
  readonly code: ErrorCode;
  readonly message: string;
  readonly stack?: string | undefined;
}

export function encodeError(error: unknown): ErrorData {
  if (error instanceof EngineError)
    return { code: error.code, message: error.message, stack: error.stack };
  if (error instanceof WebAssembly.RuntimeError) {
    return { code: 'kernel/trap', message: error.message, stack: error.stack };
  }
  if (error instanceof Error)
    return { code: 'engine/internal', message: error.message, stack: error.stack };
  return { code: 'engine/internal', message: String(error) };
}

export function decodeError(data: ErrorData): EngineError {
  const error = new EngineError(data.code, data.message);
  if (data.stack !== undefined) error.stack = data.stack;
  return error;
}
