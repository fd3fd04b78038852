/** Counts rows and drops them: for benchmarks, and for outputs that nobody wants for now. */

import type { ColumnBatch } from '../../engine/contract/batch.ts';
import {
  defineSink,
  type PreparedCommit,
  type SinkWriter,
} from '../../engine/contract/connector.ts';

export class BlackholeWriter implements SinkWriter {
  /** Rows dropped so far. */
  rowCount = 0;

  write(batch: ColumnBatch): Promise<void> {
    this.rowCount += batch.rowCount;
    return Promise.resolve();
  }

  prepareCommit(): Promise<PreparedCommit> {
    return Promise.resolve({ committables: [] });
  }

  close(): Promise<void> {
    return Promise.resolve();
  }
}

export const blackhole = defineSink({
  name: 'blackhole',
  since: '0.1.0',
  stability: 'stable',
  summary: 'Drops its rows, which are counted like those of any other sink.',
  guarantees: {
    order: 'Nothing is kept, so there is none.',
    delivery: 'Nothing is delivered.',
    backPressure: 'Takes rows as fast as they come.',
  },
  fields: {},
  constraints: [],
  examples: [{ title: 'How fast is the pipeline without its output?', config: {} }],
  plan: () => undefined,
  takesBack: true,
  open: () => Promise.resolve(new BlackholeWriter()),
  commit: () => Promise.resolve(),
  discard: () => Promise.resolve(),
  dataset: () => undefined,
});
