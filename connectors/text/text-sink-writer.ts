/** Writes rows as lines of text. */

import type { ColumnBatch } from '../../engine/contract/batch.ts';
import type { PreparedCommit, SinkWriter } from '../../engine/contract/connector.ts';
import type { Target } from './target-file.ts';

export interface LineFormat {
  /** First line of the output, if there is one. */
  readonly header: string | undefined;
  /** A function that makes the line of each row of the batch, without its end. */
  lines(batch: ColumnBatch): (row: number) => string;
}

/** Characters that are turned into bytes and written at once. */
const PIECE_CHARACTERS = 1 << 18;

export class TextSinkWriter implements SinkWriter {
  readonly #target: Target;
  readonly #format: LineFormat;

  constructor(target: Target, format: LineFormat) {
    this.#target = target;
    this.#format = format;
  }

  /** A stream has the rows when this resolves. */
  async write(batch: ColumnBatch): Promise<void> {
    if (batch.rowCount === 0) return;
    const { header } = this.#format;
    let piece = header !== undefined && this.#target.isEmpty ? `${header}\n` : '';
    const line = this.#format.lines(batch);
    for (let row = 0; row < batch.rowCount; row++) {
      piece += `${line(row)}\n`;
      if (piece.length >= PIECE_CHARACTERS) {
        this.#target.write(Buffer.from(piece));
        piece = '';
      }
    }
    if (piece !== '') this.#target.write(Buffer.from(piece));
  }

  async prepareCommit(): Promise<PreparedCommit> {
    return { committables: this.#target.prepareCommit() };
  }

  async close(): Promise<void> {
    this.#target.close();
  }
}
