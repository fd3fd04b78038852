import assert from 'node:assert/strict';
import { test } from 'node:test';
import type { SinkContext, SinkWriter } from '../../engine/contract/connector.ts';
import { blackhole, type BlackholeWriter } from './blackhole-sink.ts';

test('counts what it drops, commits nothing and has no dataset', async () => {
  const context: SinkContext = {
    sink: 'nowhere',
    pipeline: 'test',
    schema: { columns: [{ name: 'x', type: 'float64' }], time: '', key: '' },
  };
  const writer = (await blackhole.open({}, context)) as SinkWriter & BlackholeWriter;
  await writer.write({
    rowCount: 2,
    columns: [{ type: 'float64', values: Float64Array.of(1, 2) }],
  });
  await writer.write({ rowCount: 1, columns: [{ type: 'float64', values: Float64Array.of(3) }] });
  assert.equal(writer.rowCount, 3);
  assert.deepEqual(await writer.prepareCommit(), { committables: [] });
  await blackhole.commit({}, [], context);
  await writer.close();
  assert.equal(blackhole.dataset({}, context), undefined);
});
