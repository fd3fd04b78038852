/**
 * Failures of the world (not of the user's document, which are lints, nor of ours, which are
 * assertions). A code answers: whose fault, and is it worth another try? Across threads they travel
 * as data, because Node drops `name` and `code` from an error that a worker rejects with.
 */

export type Fault = 'user' | 'external' | 'internal';

export const ERROR_CODES = {
  'config/unreadable': { fault: 'user', retry: false },
  'config/invalid': { fault: 'user', retry: false },
  'source/not-found': { fault: 'user', retry: false },
  'source/unreadable': { fault: 'external', retry: false },
  'source/format': { fault: 'user', retry: false },
  'source/truncated': { fault: 'external', retry: false },
  'source/corrupt': { fault: 'external', retry: false },
  'source/dictionary-full': { fault: 'user', retry: false },
  'sink/unwritable': { fault: 'external', retry: false },
  'sink/disk-full': { fault: 'external', retry: true },
  'quality/query-failed': { fault: 'user', retry: false },
  'memory/exhausted': { fault: 'external', retry: false },
  'kernel/trap': { fault: 'internal', retry: false },
  'engine/internal': { fault: 'internal', retry: false },
} as const satisfies Record<string, { fault: Fault; retry: boolean }>;

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
