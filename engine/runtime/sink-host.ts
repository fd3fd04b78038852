/** The writers of all sinks of a pipeline: what runs on the sink thread. */

import type { ColumnBatch } from '../contract/batch.ts';
import type { Catalog, Committable, SinkContext, SinkWriter } from '../contract/connector.ts';
import type { PipelinePlan } from '../plan/pipeline-plan.ts';

export function sinkContext(plan: PipelinePlan, sink: number): SinkContext {
  const { name, schema } = plan.sinks[sink]!;
  return { sink: name, pipeline: plan.name, schema };
}

export class SinkHost {
  readonly #writers: readonly SinkWriter[];

  private constructor(writers: readonly SinkWriter[]) {
    this.#writers = writers;
  }

  static async open(plan: PipelinePlan, catalog: Catalog): Promise<SinkHost> {
    const writers: SinkWriter[] = [];
    try {
      for (const [index, sink] of plan.sinks.entries()) {
        const definition = catalog.sinks.find(({ name }) => name === sink.type)!;
        writers.push(await definition.open(sink.config, sinkContext(plan, index)));
      }
    } catch (error) {
      await Promise.allSettled(writers.map((writer) => writer.close()));
      throw error;
    }
    return new SinkHost(writers);
  }

  async write(sink: number, batch: ColumnBatch): Promise<void> {
    await this.#writers[sink]!.write(batch);
  }

  /** Committables of each sink, in the order of the plan. */
  async prepareCommit(epoch: number): Promise<(readonly Committable[])[]> {
    const all: (readonly Committable[])[] = [];
    for (const writer of this.#writers) all.push(await writer.prepareCommit(epoch));
    return all;
  }

  async close(): Promise<void> {
    for (const writer of this.#writers) await writer.close();
  }
}
