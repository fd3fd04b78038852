/**
 * A reader and its router: what runs on a reader thread. One lane of one split is decoded, routed
 * and handed over ready for the slots.
 */

import type { RejectedRow } from '../contract/batch.ts';
import type {
  Catalog,
  SourceSplit,
  SplitPosition,
  SplitReader,
  SplitStatus,
} from '../contract/connector.ts';
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
  readonly resumeAt?: SplitPosition | undefined;
}

export interface ReaderRows {
  readonly kind: 'rows';
  readonly unit: number;
  readonly bytesRead: number;
  readonly routed: RoutedBatch;
  readonly rejected: readonly RejectedRow[];
  /** Behind these rows. */
  readonly position: SplitPosition;
  readonly status: SplitStatus | undefined;
}

export type ReaderMessage =
  | ReaderRows
  | { readonly kind: 'idle' | 'end'; readonly status: SplitStatus | undefined };

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
      resumeAt: options.resumeAt,
    });
    const router = new Router(source.schema, plan.partitions, slots, {
      maxOutOfOrdernessNs: source.watermark.maxOutOfOrdernessNs,
      scope: split.watermarkScope ?? 'split',
    });
    return new SplitReaderHost(reader, router);
  }

  /** @param spent Buffers of earlier batches, to be used again. */
  async poll(spent: readonly ArrayBuffer[] = []): Promise<ReaderMessage> {
    for (const buffer of spent) this.#router.recycle(buffer);
    const batch = await this.#reader.poll();
    const status = this.#reader.status?.();
    if (batch === 'idle' || batch === 'end') return { kind: batch, status };
    const { unit, bytesRead, rejected } = batch;
    const position = this.#reader.position();
    const routed = this.#router.route(batch);
    return { kind: 'rows', unit, bytesRead, rejected, position, status, routed };
  }

  async close(): Promise<void> {
    await this.#reader.close();
  }
}
