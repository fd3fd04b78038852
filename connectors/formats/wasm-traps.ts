/**
 * Traps in the tasks of parquet-wasm.
 *
 * arrow-rs panics on some damaged files. A panic is a trap; where it happens in a function that
 * JavaScript called, it is an exception there. But the asynchronous functions of parquet-wasm run
 * in tasks, which it queues as microtasks: a trap in one of them is an uncaught exception, and the
 * promise of the call stays unsettled for ever. So while such a call is under way, the tasks it
 * queues are run where their traps can be caught, and a trap rejects the call. One call at a time,
 * so that a trap belongs to it.
 */

let turn: Promise<unknown> = Promise.resolve();

/** Runs an asynchronous function of parquet-wasm; a trap in one of its tasks rejects. */
export async function catchTraps<T>(call: () => Promise<T>): Promise<T> {
  const result = turn.then(() => runCatching(call));
  turn = result.catch(() => undefined);
  return result;
}

async function runCatching<T>(call: () => Promise<T>): Promise<T> {
  const { queueMicrotask } = globalThis;
  try {
    return await new Promise<T>((resolve, reject) => {
      globalThis.queueMicrotask = (task) => {
        queueMicrotask(() => {
          try {
            task();
          } catch (error) {
            if (!(error instanceof WebAssembly.RuntimeError)) throw error;
            reject(error);
          }
        });
      };
      call().then(resolve, reject);
    });
  } finally {
    globalThis.queueMicrotask = queueMicrotask;
  }
}

/** Why the decoder failed. A trap has no words but those for its instruction. */
export function decoderReason(cause: unknown): string {
  if (cause instanceof WebAssembly.RuntimeError) {
    return 'what stands there makes no sense to the decoder, which gave up';
  }
  return cause instanceof Error ? cause.message : String(cause);
}
