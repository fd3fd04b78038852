/** Real DBN files of every schema and version: each record equals what another decoder read. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { read } from '../../connectors/file/read-file.fixture.ts';
import type { DatabentoSchema } from '../../connectors/formats/databento-columns.ts';
import { oracle, sharedData, withoutRealData as skip } from './command.ts';

interface OracleRecord {
  readonly [member: string]: string | number | readonly string[];
}

interface OracleFile {
  readonly schema: number;
  readonly symbols: readonly string[];
  readonly records: readonly OracleRecord[];
}

const SCHEMAS: Readonly<Record<number, DatabentoSchema>> = {
  1: 'mbp-1',
  3: 'tbbo',
  4: 'trades',
  5: 'ohlcv-1s',
  6: 'ohlcv-1m',
  7: 'ohlcv-1h',
  8: 'ohlcv-1d',
  14: 'cmbp-1',
};

const PRICES = ['price', 'open', 'high', 'low', 'close', 'bid_px', 'ask_px'];

/** Our columns of a record of the oracle, as it has it. */
function expectedRow(record: OracleRecord): Record<string, unknown> {
  const { rtype, pub, iid, seq, lvl, o, h, l, c, v, len: _, ...same } = record;
  const integers = { rtype: Number(rtype), publisher_id: pub, instrument_id: iid, sequence: seq };
  const level = Array.isArray(lvl) ? (lvl as string[]) : [];
  const [bid_px, ask_px, bid_sz, ask_sz, bid_ct, ask_ct] = level;
  const bar = { open: o, high: h, low: l, close: c, volume: v };
  const quote = { bid_px, ask_px, bid_sz, ask_sz, bid_ct, ask_ct };
  const row: Record<string, unknown> = {};
  for (const [name, value] of Object.entries({ ...same, ...integers, ...bar, ...quote })) {
    if (value !== undefined) row[name] = value;
  }
  return row;
}

test('every record of the real files', { skip }, async () => {
  const files = JSON.parse(readFileSync(oracle('dbn-records.json'), 'utf8')) as Record<
    string,
    OracleFile
  >;
  let compared = 0;
  for (const [name, { schema, symbols, records }] of Object.entries(files)) {
    const expected = records.map(expectedRow);
    const columns: Record<string, string> = { symbol: 'symbol', event_time: 'ts_event' };
    for (const column of Object.keys(expected[0] ?? {})) columns[column] = column;
    const result = await read({
      path: sharedData(`dbn/${name}`),
      format: 'dbn',
      schema: SCHEMAS[schema]!,
      columns,
    });
    assert.equal(result.error, undefined, name);
    assert.deepEqual(result.rejected, [], name);
    assert.equal(result.rows.length, records.length, name);
    for (const [index, row] of expected.entries()) {
      const found = result.rows[index]!;
      assert.equal(found[0], symbols[0], name);
      for (const [at, column] of Object.keys(columns).entries()) {
        const value = row[column];
        if (value === undefined) continue;
        const want = PRICES.includes(column)
          ? Number(`${value as string}e-9`)
          : String(value as string | number);
        const got = PRICES.includes(column) ? found[at] : String(found[at]);
        assert.equal(got, want, `${name} record ${index} ${column}`);
      }
    }
    compared += records.length;
  }
  assert.ok(compared > 30, `${compared} records`);
});
