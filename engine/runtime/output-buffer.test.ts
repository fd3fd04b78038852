import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Kernels } from '../../wasm/host/kernels.ts';
import { routerKernels } from '../../wasm/host/router.ts';
import type { Batch } from '../contract/batch.ts';
import type { Schema } from '../contract/schema.ts';
import { toRows } from '../testing/column-rows.ts';
import { writeColumn } from '../testing/rows.ts';
import type { Row } from '../testing/table.ts';
import { OutputBuffer } from './output-buffer.ts';
import { GrowingStringTable } from './string-table.ts';

const schema: Schema = {
  columns: [
    { name: 'event_time', type: 'timestamp' },
    { name: 'symbol', type: 'string' },
    { name: 'venue', type: 'string' },
    { name: 'id', type: 'string' },
    { name: 'price', type: 'float64' },
    { name: 'up', type: 'boolean' },
  ],
  time: 'event_time',
  key: 'symbol',
};

/** An output buffer with two tasks, whose key tables are translated to the slot's texts. */
function outputs() {
  const kernels = new Kernels();
  const { memory } = kernels;
  const strings = new GrowingStringTable();
  const tasks = [new GrowingStringTable(), new GrowingStringTable()];
  const buffer = new OutputBuffer(schema, {
    memory,
    kernels: routerKernels(kernels),
    strings,
    keyCodes: (dictionary) => {
      const keys = tasks.find((table) => table === dictionary);
      if (keys === undefined) return undefined;
      // A fresh block each time: large tables make the memory grow in the middle of a batch.
      const pointer = memory.allocate(keys.size * 4);
      const codes = Array.from({ length: keys.size }, (_, code) => strings.intern(keys.text(code)));
      memory.u32(pointer, keys.size).set(codes);
      return pointer;
    },
  });
  const append = (task: number, rows: readonly Row[]): void => {
    const dictionaries = [tasks[task]!, strings, new GrowingStringTable()];
    let next = 0;
    const columns = schema.columns.map((column) =>
      writeColumn(
        memory,
        column,
        rows,
        column.type === 'string' ? dictionaries[next++]! : dictionaries[0]!,
      ),
    );
    const batch: Batch = { rowCount: rows.length, columns, rowWatermarks: 0, origin: 0 };
    buffer.append(batch);
  };
  return { buffer, append };
}

function row(index: number, symbol: string | null): Row {
  return {
    event_time: BigInt(index),
    symbol,
    venue: index % 3 === 0 ? null : `V${index % 2}`,
    id: `${symbol}/${index}`,
    price: index % 5 === 0 ? null : index / 4,
    up: index % 4 === 0 ? null : index % 2 === 0,
  };
}

test('rows of several tasks keep their texts, and a message forgets the one before', () => {
  const { buffer, append } = outputs();
  const first = [row(1, 'A'), row(2, 'B'), row(3, null)];
  const second = [row(4, 'C'), row(5, 'D'), row(6, 'C')];
  append(0, first);
  append(1, second);
  assert.equal(buffer.rowCount, 6);
  assert.deepEqual(toRows(schema, buffer.take()!), [...first, ...second]);
  assert.equal(buffer.take(), undefined);
  append(1, [row(7, 'D')]);
  const message = buffer.take()!;
  assert.deepEqual(toRows(schema, message), [row(7, 'D')]);
  const symbol = message.columns[1]!;
  assert(symbol.type === 'string');
  assert.deepEqual(symbol.dictionary, ['D'], 'only texts in use are sent');
});

test('a hundred thousand keys, which make the memory grow on the way', () => {
  const { buffer, append } = outputs();
  const rows = Array.from({ length: 100_000 }, (_, index) => row(index, `S${index}`));
  for (let from = 0; from < rows.length; from += 20_000) append(0, rows.slice(from, from + 20_000));
  assert.deepEqual(toRows(schema, buffer.take()!), rows);
});
