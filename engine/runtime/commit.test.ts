/** What stays of staged outputs, and what is told, where a commit or its preparation fails. */

import assert from 'node:assert/strict';
import test from 'node:test';
import type { Catalog, Committable, SinkDefinition, SinkWriter } from '../contract/connector.ts';
import { EngineError } from '../contract/error.ts';
import type { Checkpoint } from '../checkpoint/checkpoint.ts';
import type { CheckpointStore } from '../checkpoint/checkpoint-store.ts';
import type { PipelinePlan, SinkPlan } from '../plan/pipeline-plan.ts';
import { type CommitState, commitAll, commitPromised } from './commit.ts';
import { SinkHost } from './sink-host.ts';

/** A sink that notes what happens to it; the first letter of its name says what fails. */
function sinks(names: readonly string[], log: string[]): { plan: PipelinePlan; catalog: Catalog } {
  const fails = (name: string, doing: string): void => {
    if (name === doing) throw new EngineError('sink/unwritable', `cannot ${doing}`);
  };
  const definition = {
    name: 'noted',
    open: async (_config: unknown, { sink }: { sink: string }): Promise<SinkWriter> => ({
      write: async () => undefined,
      prepareCommit: async () => {
        fails(sink, 'prepare');
        return { committables: sink === 'idle' ? [] : [{ staged: sink }] };
      },
      close: async () => void log.push(`close ${sink}`),
    }),
    commit: async (_config: unknown, _committables: unknown, { sink }: { sink: string }) => {
      fails(sink, 'commit');
      log.push(`commit ${sink}`);
    },
    discard: async (_config: unknown, committables: readonly Committable[]) => {
      log.push(...committables.map(({ staged }) => `discard ${String(staged)}`));
    },
  };
  const plans = names.map((name) => ({ name, type: 'noted', config: {} }) as unknown as SinkPlan);
  return {
    plan: { name: 'p', sinks: plans } as unknown as PipelinePlan,
    catalog: { operators: [], sources: [], sinks: [definition as unknown as SinkDefinition] },
  };
}

const staged = (names: readonly string[]): Committable[][] =>
  names.map((name) => [{ staged: name }]);

test('after a commit that fails the rest is discarded, and what is visible is known', async () => {
  const names = ['first', 'commit', 'last'];
  const log: string[] = [];
  const { plan, catalog } = sinks(names, log);
  let state: CommitState | undefined;
  await assert.rejects(
    commitAll(plan, catalog, staged(names), (now) => {
      state = now;
    }),
    { message: 'cannot commit' },
  );
  assert.deepEqual(log, ['commit first', 'discard commit', 'discard last']);
  assert.deepEqual(state, { done: ['first'], failed: 'commit' });
});

test('a sink without anything to commit makes nothing visible', async () => {
  const log: string[] = [];
  const { plan, catalog } = sinks(['idle', 'busy'], log);
  let state: CommitState | undefined;
  await commitAll(plan, catalog, [[], [{ staged: 'busy' }]], (now) => {
    state = now;
  });
  assert.deepEqual(state, { done: ['busy'] });
});

test('where a sink cannot prepare, what others have prepared is discarded', async () => {
  const log: string[] = [];
  const { plan, catalog } = sinks(['first', 'prepare', 'last'], log);
  const host = await SinkHost.open(plan, catalog);
  await assert.rejects(host.prepareCommit(0, true), { message: 'cannot prepare' });
  assert.deepEqual(log, ['discard first']);
  await host.close();
});

test('later checkpoints go once the one gone back to is sure, and never before', async () => {
  const log: string[] = [];
  const store = {
    list: async () => [{ epoch: 6 }, { epoch: 5 }, { epoch: 4 }, { epoch: 3 }],
    noteCommitted: async (epoch: number) => void log.push(`note ${epoch}`),
    remove: async (epoch: number) => void log.push(`remove ${epoch}`),
  } as unknown as CheckpointStore;
  const promise = { epoch: 4 } as Checkpoint;
  const lost = new EngineError('sink/lost', 'it is gone');
  await assert.rejects(
    commitPromised(promise, store, [6, 5], async () => {
      throw lost;
    }),
    { code: 'sink/lost', message: /gone; checkpoint 4 .*--from-checkpoint, or begin anew/ },
  );
  assert.equal(log.length, 0, 'all of them are there');
  await commitPromised(promise, store, [6, 5], async () => void log.push('commit'));
  assert.deepEqual(log, ['commit', 'note 4', 'remove 6', 'remove 5']);
});
