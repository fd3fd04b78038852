/**
 * A reader and its router: what runs on a reader thread. One lane of one split is decoded, routed
 * and handed over ready for the slots.
 */

import type { RejectedRow } from '../contract/batch.ts';
import type { Catalog, SourceSplit, SplitReader } from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';
import { type RoutedBatch, Router } from './router.ts';

export interface ReaderOptions {
  readonly plan: PipelinePlan;
  /** Position of the source in the plan. */
  readonly source: number;
  readonly split: SourceSplit;
  readonly lane: number;
  readonly lanes: number;
  readonly slots: number;
}

export interface ReaderRows {
  readonly kind: 'rows';
  readonly unit: number;
  readonly bytesRead: number;
  readonly routed: RoutedBatch;
  readonly rejected: readonly RejectedRow[];
}

export type ReaderMessage = ReaderRows | { readonly kind: 'idle' } | { readonly kind: 'end' };

export class SplitReaderHost {
  readonly #reader: SplitReader;
  readonly #router: Router;

  private constructor(reader: SplitReader, router: Router) {
    this.#reader = reader;
    this.#router = router;
  }

  static async open(options: ReaderOptions, catalog: Catalog): Promise<SplitReaderHost> {
    const { plan, split, lane, lanes, slots } = options;
    const source = plan.sources[options.source]!;
    const definition = catalog.sources.find(({ name }) => name === source.type)!;
    const reader = await definition.open(source.config, {
      source: source.name,
      schema: source.schema,
      split,
      lane,
      lanes,
      batchRows: source.batchRows,
    });
    const delay = source.watermark.maxOutOfOrdernessNs;
    return new SplitReaderHost(reader, new Router(source.schema, plan.partitions, slots, delay));
  }

  /** @param spent Buffers of earlier batches, to be used again. */
  async poll(spent: readonly ArrayBuffer[] = []): Promise<ReaderMessage> {
    for (const buffer of spent) this.#router.recycle(buffer);
    const batch = await this.#reader.poll();
    if (batch === 'idle' || batch === 'end') return { kind: batch };
    const { unit, bytesRead, rejected } = batch;
    return { kind: 'rows', unit, bytesRead, rejected, routed: this.#router.route(batch) };
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}
