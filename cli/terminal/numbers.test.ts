import assert from 'node:assert/strict';
import { test } from 'node:test';
import {
  formatBytes,
  formatCount,
  formatElapsed,
  formatMagnitude,
  formatShare,
  plural,
} from './numbers.ts';

function table<T extends readonly number[]>(
  format: (...values: T) => string,
  rows: readonly [...T, string][],
): void {
  for (const row of rows) {
    const want = row.at(-1);
    const values = row.slice(0, -1) as unknown as T;
    assert.equal(format(...values), want, `${format.name}(${values.join(', ')})`);
  }
}

test('quantities as people read them', () => {
  table(formatCount, [
    [0, '0'],
    [5_012_345, '5,012,345'],
  ]);
  table(formatMagnitude, [
    [0, '0'],
    [812, '812'],
    [999, '999'],
    [999.6, '1.00 k'],
    [1_234, '1.23 k'],
    [34_560, '34.6 k'],
    [999_400, '999 k'],
    [999_950, '1.00 M'],
    [1_250_000, '1.25 M'],
    [257_000_000, '257 M'],
    [3.2e9, '3.20 G'],
    [Number.NaN, '–'],
  ]);
  table(formatBytes, [
    [0, '0 B'],
    [1023, '1023 B'],
    [1023.9, '1.00 KiB'],
    [1000, '1000 B'],
    [1_258_291, '1.20 MiB'],
    [123 * 2 ** 30, '123 GiB'],
  ]);
  table(formatElapsed, [
    [0, '0 ms'],
    [850, '850 ms'],
    [999.6, '1.0 s'],
    [4_240, '4.2 s'],
    [59_960, '1 min 00 s'],
    [185_000, '3 min 05 s'],
    [3_599_600, '1 h 00 min'],
    [3_725_000, '1 h 02 min'],
  ]);
  table(formatShare, [
    [0, 0, '–'],
    [0, 5, '0 %'],
    [5, 5, '100 %'],
    [1, 3, '33.3 %'],
    [1, 1_000, '0.10 %'],
    [1, 1_000_000, '< 0.01 %'],
    [999_999, 1_000_000, '> 99.99 %'],
    [9_999, 10_000, '99.99 %'],
  ]);
  assert.equal(plural(1, 'row'), '1 row');
  assert.equal(plural(1200, 'row'), '1,200 rows');
});
