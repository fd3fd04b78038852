/** What a source notes about its splits is told as a warning of the run. */

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { catalog } from '../catalog.ts';
import { planPipeline } from '../engine/plan/plan-pipeline.ts';
import { Pipeline } from '../engine/runtime/pipeline.ts';
import { inlineWorkers } from '../engine/runtime/workers.ts';
import type { Catalog, SourceDefinition } from '../engine/contract/connector.ts';

const DOCUMENT = {
  name: 'noted',
  partitions: 1,
  sources: {
    trades: {
      type: 'file',
      path: 'unused.csv',
      columns: { event_time: 'event_time', symbol: 'symbol', price: 'price' },
    },
  },
  sinks: { none: { type: 'blackhole', input: 'trades' } },
};

/** The source, with splits of nothing that carry these notes. */
function noted(source: SourceDefinition, notes: readonly (readonly string[])[]): SourceDefinition {
  return {
    ...source,
    splits: async () =>
      notes.map((own, index) => ({ id: `${index}`, lanesMax: 1, details: {}, notes: own })),
    open: async () => ({
      poll: async () => 'end',
      position: () => ({}),
      close: async () => undefined,
    }),
  };
}

test('the notes of all splits are warnings of the run', async () => {
  const own: Catalog = {
    ...catalog,
    sources: catalog.sources.map((source) =>
      source.name === 'file' ? noted(source, [['one', 'two'], [], ['three']]) : source,
    ),
  };
  const { plan } = planPipeline(DOCUMENT, own);
  const pipeline = new Pipeline(plan!, own, inlineWorkers(own), {
    slots: 1,
    lanes: 1,
    clock: { nowMs: () => 0, sleep: async () => undefined },
  });
  const { warnings } = await pipeline.run();
  assert.deepEqual(warnings, ['one', 'two', 'three']);
});
