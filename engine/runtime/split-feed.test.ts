import assert from 'node:assert/strict';
import { test } from 'node:test';
import { SplitFeed } from './split-feed.ts';
import type { ReaderMessage, ReaderRows } from './split-reader-host.ts';
import type { ReaderPort } from './workers.ts';

/** A lane that delivers rows of the given units, then ends, or fails. */
function lane(units: readonly number[], failure?: Error, delayMs = 0): ReaderPort {
  let next = 0;
  return {
    poll: async (): Promise<ReaderMessage> => {
      const index = next++;
      if (delayMs > 0) await new Promise((resolve) => setTimeout(resolve, delayMs));
      const unit = units[index];
      if (unit !== undefined) return { kind: 'rows', unit, bytesRead: index + 1 } as ReaderRows;
      if (failure !== undefined) throw failure;
      return { kind: 'end', status: undefined };
    },
    close: async () => undefined,
  };
}

async function drain(
  lanes: readonly ReaderPort[],
): Promise<{ units: number[]; failure?: unknown }> {
  const feed = new SplitFeed(0, { id: 'split', lanesMax: lanes.length, details: {} }, lanes, 0);
  const units: number[] = [];
  try {
    for (;;) {
      const message = await feed.next();
      if (message.kind !== 'rows') return { units };
      units.push(message.rows.unit);
    }
  } catch (failure) {
    return { units, failure };
  }
}

test('lanes are put back into the order of their units, whichever is faster', async () => {
  const { units } = await drain([lane([0, 0, 2, 4, 4], undefined, 2), lane([1, 3, 3])]);
  assert.deepEqual(units, [0, 0, 1, 2, 3, 3, 4, 4]);
});

test('a unit without rows is skipped', async () => {
  assert.deepEqual((await drain([lane([0, 4]), lane([3])])).units, [0, 3, 4]);
});

test('rows before the damage come first, whatever the lane', async () => {
  const failure = new Error('unit 3 is damaged');
  const { units, failure: met } = await drain([lane([0, 2, 4]), lane([1], failure)]);
  assert.deepEqual(units, [0, 1, 2]);
  assert.equal(met, failure);
});

test('damage in the first unit lets nothing after it through', async () => {
  const failure = new Error('unit 0 is damaged');
  const { units, failure: met } = await drain([lane([], failure), lane([1, 3])]);
  assert.deepEqual(units, []);
  assert.equal(met, failure);
});
