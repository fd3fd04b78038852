/** Reads a generated market: batches as they are asked for, at most as fast as the clock says. */

import type {
  ReaderContext,
  SourceBatch,
  SplitPosition,
  SplitReader,
} from '../../engine/contract/connector.ts';
import { writeLabels } from './labels.ts';
import type { MarketConfig } from './market-config.ts';
import { Market, type TradeColumns } from './market.ts';
import { plantedAnomalies } from './planting.ts';
import { VENUES } from './symbols.ts';

/** Bytes of a row in its columns, for progress. */
export const ROW_BYTES = 40;
/** Longest wait for a row that is not due yet. */
const POLL_MS = 100;

export interface Pace {
  /** Multiple of real time; undefined means as fast as rows are wanted. */
  readonly speed: number | undefined;
  /** Where to write the labels. */
  readonly labels: string | undefined;
  /** Milliseconds of a clock that never goes back. */
  readonly nowMs?: () => number;
  readonly sleep?: (milliseconds: number) => Promise<void>;
}

export class GeneratorReader implements SplitReader {
  readonly #market: Market;
  readonly #batchRows: number;
  readonly #speed: number | undefined;
  readonly #nowMs: () => number;
  readonly #sleep: (milliseconds: number) => Promise<void>;
  #rows = 0;
  /** Clock and market at the first poll. */
  #begun: { readonly nowMs: number; readonly arrivalNs: number } | undefined;

  private constructor(market: Market, batchRows: number, pace: Pace) {
    this.#market = market;
    this.#batchRows = batchRows;
    this.#speed = pace.speed;
    this.#nowMs = pace.nowMs ?? (() => performance.now());
    this.#sleep =
      pace.sleep ?? ((milliseconds) => new Promise((resolve) => setTimeout(resolve, milliseconds)));
  }

  static open(config: MarketConfig, context: ReaderContext, pace: Pace): GeneratorReader {
    if (pace.labels !== undefined) {
      writeLabels(context.source, pace.labels, plantedAnomalies(config));
    }
    const reader = new GeneratorReader(new Market(config), context.batchRows, pace);
    reader.#skip(Number(context.resumeAt?.['rows'] ?? 0));
    return reader;
  }

  async poll(): Promise<SourceBatch | 'idle' | 'end'> {
    const nextNs = this.#market.nextArrivalNs();
    if (nextNs === Number.POSITIVE_INFINITY) return 'end';
    if (this.#speed === undefined) return this.#read(Number.POSITIVE_INFINITY);
    const nowMs = this.#nowMs();
    this.#begun ??= { nowMs, arrivalNs: nextNs };
    const nsOfMs = this.#speed * 1e6;
    const dueNs = this.#begun.arrivalNs + (nowMs - this.#begun.nowMs) * nsOfMs;
    if (nextNs > dueNs) {
      await this.#sleep(Math.min(POLL_MS, Math.ceil((nextNs - dueNs) / nsOfMs)));
      return 'idle';
    }
    return this.#read(dueNs);
  }

  position(): SplitPosition {
    return { rows: this.#rows };
  }

  close(): Promise<void> {
    return Promise.resolve();
  }

  #read(untilNs: number): SourceBatch {
    const columns = newColumns(this.#batchRows);
    const rows = this.#market.fill(columns, this.#batchRows, untilNs);
    this.#rows += rows;
    const { eventTime, symbol, price, size, venue, sequence } = columns;
    return {
      rowCount: rows,
      columns: [
        { type: 'timestamp', values: new BigInt64Array(eventTime.buffer, 0, rows) },
        { type: 'string', codes: symbol.subarray(0, rows), dictionary: this.#market.names },
        { type: 'float64', values: price.subarray(0, rows) },
        { type: 'float64', values: size.subarray(0, rows) },
        { type: 'string', codes: venue.subarray(0, rows), dictionary: VENUES },
        { type: 'int64', values: new BigInt64Array(sequence.buffer, 0, rows) },
      ],
      unit: 0,
      bytesRead: this.#rows * ROW_BYTES,
      rejected: [],
    };
  }

  /** Makes the rows before a position again, to be where they lead. */
  #skip(rows: number): void {
    const columns = newColumns(rows === 0 ? 0 : this.#batchRows);
    while (this.#rows < rows) {
      const wanted = Math.min(this.#batchRows, rows - this.#rows);
      const made = this.#market.fill(columns, wanted, Number.POSITIVE_INFINITY);
      if (made === 0) return;
      this.#rows += made;
    }
  }
}

/** New for every batch: whoever gets it may hand its buffers to another thread. */
function newColumns(rows: number): TradeColumns {
  return {
    eventTime: new Int32Array(2 * rows),
    symbol: new Uint32Array(rows),
    price: new Float64Array(rows),
    size: new Float64Array(rows),
    venue: new Uint32Array(rows),
    sequence: new Int32Array(2 * rows),
  };
}
