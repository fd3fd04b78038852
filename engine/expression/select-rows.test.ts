import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { Kernels } from '../../wasm/host/kernels.ts';
import type { Batch } from '../contract/batch.ts';
import { PoisonedMemory } from '../testing/poisoned-memory.ts';
import { readRows, TextTable, writeColumn } from '../testing/rows.ts';
import { arbitraryRow, EXPRESSION_SCHEMA } from './expression.arbitrary.ts';
import { filterRows, rowsWhere, selectRows } from './select-rows.ts';

const origins = ['none', 'identity', 'some'] as const;

test('selected rows are the rows, with their watermarks and origins', () => {
  const chosen = fc
    .array(arbitraryRow, { minLength: 1, maxLength: 40 })
    .chain((rows) =>
      fc.tuple(
        fc.constant(rows),
        fc.array(fc.nat(rows.length - 1), { maxLength: 50, size: 'max' }),
      ),
    );
  fc.assert(
    fc.property(
      chosen,
      fc.boolean(),
      fc.constantFrom(...origins),
      ([rows, picks], isLate, origin) => {
        const memory = new PoisonedMemory();
        const context = { memory, kernels: new Kernels(memory) };
        const strings = new TextTable();
        const put = (values: readonly number[]): number => {
          const pointer = memory.arena.allocate(values.length * 4);
          memory.u32(pointer, values.length).set(values);
          return pointer;
        };
        const watermarks = isLate ? memory.arena.allocate(rows.length * 8) : 0;
        if (isLate) memory.i64(watermarks, rows.length).set(rows.map((_, i) => BigInt(i) - 3n));
        const batch: Batch = {
          rowCount: rows.length,
          columns: EXPRESSION_SCHEMA.columns.map((c) => writeColumn(memory, c, rows, strings)),
          rowWatermarks: watermarks,
          origin:
            origin === 'none' ? 'none' : origin === 'some' ? put(rows.map((_, i) => 7 * i)) : 0,
        };
        const selected = selectRows(batch, put(picks), picks.length, context);
        const all = readRows(memory, EXPRESSION_SCHEMA, batch);
        assert.deepEqual(
          readRows(memory, EXPRESSION_SCHEMA, selected),
          picks.map((i) => all[i]),
        );
        if (isLate) {
          const marks = [...memory.i64(selected.rowWatermarks, picks.length)];
          assert.deepEqual(
            marks,
            picks.map((i) => BigInt(i) - 3n),
          );
        } else assert.equal(selected.rowWatermarks, 0);
        if (origin === 'none') assert.equal(selected.origin, 'none');
        else {
          const sources = [...memory.u32(selected.origin as number, picks.length)];
          assert.deepEqual(
            sources,
            picks.map((i) => (origin === 'some' ? 7 * i : i)),
          );
        }
      },
    ),
  );
});

test('a mask selects where it is true, not where it is null', () => {
  const memory = new PoisonedMemory();
  const context = { memory, kernels: new Kernels(memory) };
  fc.assert(
    fc.property(fc.array(fc.constantFrom(0, 1, 2), { maxLength: 70, size: 'max' }), (mask) => {
      const pointer = memory.arena.allocate(mask.length);
      memory.bytes(pointer, mask.length).set(mask);
      const rows = rowsWhere(pointer, mask.length, context);
      const want = mask.flatMap((value, i) => (value === 1 ? [i] : []));
      assert.deepEqual([...memory.u32(rows.pointer, rows.count)], want);
      const batch: Batch = { rowCount: mask.length, columns: [], rowWatermarks: 0, origin: 'none' };
      const filtered = filterRows(batch, pointer, context);
      assert.equal(filtered.rowCount, want.length);
      assert.equal(filtered === batch, want.length === mask.length);
      memory.arena.reset();
    }),
  );
});
