/** What the sinks have been given and have made visible, in this run and since the first one. */

import type { Committable } from '../contract/connector.ts';
import type { Checkpoint, SinkTotals } from '../checkpoint/checkpoint.ts';

interface FileCount {
  files: number;
  bytes: number;
  /** A file that is appended to at each commit is one file. */
  last: string | undefined;
}

export class SinkCounts {
  readonly #files = new Map<string, FileCount>();
  /** Those of earlier runs, where a checkpoint tells them. */
  readonly #before = new Map<string, SinkTotals>();

  /** Sinks of which the checkpoint tells nothing. */
  readonly #uncounted = new Set<string>();

  /** Goes on from a checkpoint, all of whose commits count as made before. */
  goOn({ sinks }: Checkpoint): void {
    for (const { name, totals, committables } of sinks) {
      if (totals === undefined) {
        this.#uncounted.add(name);
        continue;
      }
      const count = countOf(committables);
      const { rows, files, bytes } = totals;
      const committed = { files: files + count.files, bytes: bytes + count.bytes };
      this.#before.set(name, { rows, ...committed });
    }
  }

  committed(sink: string, committables: readonly Committable[]): void {
    this.#files.set(sink, countOf(committables, this.#files.get(sink)));
  }

  /** Files of this run, and their bytes. */
  ofRun(sink: string): { readonly files: number; readonly bytes: number } {
    const { files = 0, bytes = 0 } = this.#files.get(sink) ?? {};
    return { files, bytes };
  }

  /**
   * Of all runs since the pipeline first began.
   * @param rows Of this run.
   * @returns Undefined where an earlier run did not count them.
   */
  ofAll(sink: string, rows: number): SinkTotals | undefined {
    if (this.#uncounted.has(sink)) return undefined;
    const before = this.#before.get(sink);
    return {
      rows: (before?.rows ?? 0) + rows,
      files: (before?.files ?? 0) + this.ofRun(sink).files,
      bytes: (before?.bytes ?? 0) + this.ofRun(sink).bytes,
    };
  }
}

function countOf(
  committables: readonly Committable[],
  count: FileCount = { files: 0, bytes: 0, last: undefined },
): FileCount {
  const sum = { ...count };
  for (const { bytes, target } of committables) {
    if (typeof bytes !== 'number') continue;
    sum.bytes += bytes;
    if (target === undefined || target !== sum.last) sum.files++;
    sum.last = typeof target === 'string' ? target : undefined;
  }
  return sum;
}
