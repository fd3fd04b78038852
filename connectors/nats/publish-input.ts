/** The batches of a source one after another, split by split, as `publish` reads them. */

import type {
  SourceBatch,
  SourceDefinition,
  SourceSplit,
  SplitReader,
} from '../../engine/contract/connector.ts';
import type { Schema } from '../../engine/contract/schema.ts';

export interface InputRequest {
  readonly source: {
    readonly definition: SourceDefinition;
    readonly config: Record<string, unknown>;
    readonly schema: Schema;
    readonly name: string;
    readonly batchRows: number;
  };
  readonly signal: AbortSignal;
}

export class PublishInput {
  readonly #request: InputRequest;
  readonly #splits: readonly SourceSplit[];
  #split = -1;
  #reader: SplitReader | undefined;
  #ahead: SourceBatch | 'idle' | 'end' | undefined;
  /** Of splits that have been read whole, and of the one at hand. */
  #bytesBefore = 0;
  #bytesRead = 0;
  readonly #bytesTotal: number | undefined;
  rowsRead = 0;
  rowsRejected = 0;

  /** Reads the first batch too, so that an input that cannot be read is known here. */
  static async open(request: InputRequest): Promise<PublishInput> {
    const { definition, config, name } = request.source;
    const { signal } = request;
    const input = new PublishInput(
      request,
      await definition.splits(config, { source: name, signal }),
    );
    try {
      input.#ahead = await input.#read();
    } catch (error) {
      await input.close();
      throw error;
    }
    return input;
  }

  private constructor(request: InputRequest, splits: readonly SourceSplit[]) {
    this.#request = request;
    this.#splits = splits;
    this.#bytesTotal = splits.reduce<number | undefined>(
      (sum, { totalBytes }) =>
        sum === undefined || totalBytes === undefined ? undefined : sum + totalBytes,
      0,
    );
  }

  /** Share of the input that has been read, 0 to 1; undefined where its size is not known. */
  get share(): number | undefined {
    const total = this.#bytesTotal ?? 0;
    return total === 0 ? undefined : Math.min(1, (this.#bytesBefore + this.#bytesRead) / total);
  }

  /** The next batch; its arrays hold until the next call. */
  async next(): Promise<SourceBatch | 'idle' | 'end'> {
    const batch = this.#ahead ?? (await this.#read());
    this.#ahead = undefined;
    if (typeof batch === 'object') {
      this.rowsRejected += batch.rejected.length;
      this.rowsRead += batch.rowCount + batch.rejected.length;
      this.#bytesRead = batch.bytesRead;
    }
    return batch;
  }

  async #read(): Promise<SourceBatch | 'idle' | 'end'> {
    for (;;) {
      if (this.#reader === undefined) {
        const split = this.#splits[++this.#split];
        if (split === undefined) return 'end';
        this.#reader = await this.#open(split);
      }
      const batch = await this.#reader.poll();
      if (batch !== 'end') return batch;
      await this.close();
      this.#bytesBefore += this.#splits[this.#split]!.totalBytes ?? 0;
      this.#bytesRead = 0;
    }
  }

  #open(split: SourceSplit): Promise<SplitReader> {
    const { definition, config, name, schema, batchRows } = this.#request.source;
    return definition.open(config, { source: name, schema, split, lane: 0, lanes: 1, batchRows });
  }

  async close(): Promise<void> {
    const reader = this.#reader;
    this.#reader = undefined;
    await reader?.close();
  }
}
