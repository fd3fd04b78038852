/** A real capture of Binance streams, against a reading of its lines one by one. */

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import test from 'node:test';
import { gunzipSync } from 'node:zlib';
import { read } from '../../connectors/file/read-file.fixture.ts';
import { sharedData, withoutRealData as skip } from './command.ts';

const path = sharedData('binance-capture/btcusdt_20240808.gz');
const format = 'binance_ws';

interface Line {
  readonly local: bigint;
  readonly stream?: string;
  readonly data: Readonly<Record<string, string | number | boolean>>;
}

function lines(): Line[] {
  const text = gunzipSync(readFileSync(path)).toString();
  return text
    .trimEnd()
    .split('\n')
    .map((line) => {
      const space = line.indexOf(' ');
      const message = JSON.parse(line.slice(space)) as Omit<Line, 'local'>;
      return { ...message, local: BigInt(line.slice(0, space)) };
    });
}

test('trades and book tickers of a capture', { skip }, async () => {
  const all = lines();
  const trades = await read({ path, format });
  assert.equal(trades.error, undefined);
  assert.deepEqual(
    trades.rows,
    all
      .filter(({ stream }) => stream === 'btcusdt@trade')
      .map(({ local, data }) => [
        'BTCUSDT',
        BigInt(data['T'] as number) * 1_000_000n,
        local,
        Number(data['p']),
        Number(data['q']),
        data['m'] === true ? 'A' : 'B',
        BigInt(data['t'] as number),
      ]),
  );
  const tickers = await read({ path, format, stream: 'book_ticker' });
  const quotes = all.filter(({ stream }) => stream === 'btcusdt@bookTicker');
  assert.deepEqual(
    tickers.rows.map((row) => row.slice(2)),
    quotes.map(({ local, data: { b, B, a, A, u } }) => {
      return [local, Number(b), Number(B), Number(a), Number(A), BigInt(u as number)];
    }),
  );
  // The clock of this capture runs some 1.27 s behind the exchange's.
  const skew = tickers.status?.metrics?.['clock_skew_seconds'];
  assert.ok(skew !== undefined && Math.abs(skew + 1.27) < 0.02, `${skew}`);
  for (const row of tickers.rows) {
    const ahead = Number((row[1] as bigint) - (row[2] as bigint)) / 1e9;
    assert.ok(Math.abs(ahead - 1.27) < 0.05, `${ahead}`);
  }
});
