/** The writers of all sinks of a pipeline: what runs on the sink thread. */

import type { ColumnBatch } from '../contract/batch.ts';
import type {
  Catalog,
  Committable,
  PreparedCommit,
  SinkContext,
  SinkDefinition,
  SinkResume,
  SinkWriter,
} from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';

export function sinkContext(plan: PipelinePlan, sink: number, resume?: SinkResume): SinkContext {
  const { name, schema } = plan.sinks[sink]!;
  const checkpointMs = plan.checkpoint?.intervalMs;
  return { sink: name, pipeline: plan.name, schema, checkpointMs, resume };
}

export function sinkDefinition(plan: PipelinePlan, sink: number, catalog: Catalog): SinkDefinition {
  return catalog.sinks.find(({ name }) => name === plan.sinks[sink]!.type)!;
}

/** Removes what sinks have staged for a commit that will not be made: of those from `first` on. */
export async function discardAll(
  plan: PipelinePlan,
  catalog: Catalog,
  committables: readonly (readonly Committable[])[],
  first = 0,
): Promise<void> {
  for (const [sink, own] of committables.entries()) {
    if (sink < first) continue;
    await sinkDefinition(plan, sink, catalog).discard(plan.sinks[sink]!.config, own);
  }
}

export class SinkHost {
  readonly #plan: PipelinePlan;
  readonly #catalog: Catalog;
  readonly #writers: readonly SinkWriter[];

  private constructor(plan: PipelinePlan, catalog: Catalog, writers: readonly SinkWriter[]) {
    this.#plan = plan;
    this.#catalog = catalog;
    this.#writers = writers;
  }

  /** @param resume What each sink goes on from; undefined where it begins, as in a new run. */
  static async open(
    plan: PipelinePlan,
    catalog: Catalog,
    resume: readonly (SinkResume | undefined)[] = [],
  ): Promise<SinkHost> {
    const writers: SinkWriter[] = [];
    try {
      for (const [index, sink] of plan.sinks.entries()) {
        const definition = sinkDefinition(plan, index, catalog);
        writers.push(await definition.open(sink.config, sinkContext(plan, index, resume[index])));
      }
    } catch (error) {
      await Promise.allSettled(writers.map((writer) => writer.close()));
      throw error;
    }
    return new SinkHost(plan, catalog, writers);
  }

  async write(sink: number, batch: ColumnBatch): Promise<void> {
    await this.#writers[sink]!.write(batch);
  }

  /** What each sink gives, in the order of the plan; nothing stays of it where one fails. */
  async prepareCommit(epoch: number, isFinal: boolean): Promise<PreparedCommit[]> {
    const all: PreparedCommit[] = [];
    try {
      for (const writer of this.#writers) all.push(await writer.prepareCommit(epoch, isFinal));
    } catch (error) {
      await discardAll(
        this.#plan,
        this.#catalog,
        all.map(({ committables }) => committables),
      );
      throw error;
    }
    return all;
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close();
  }
}
