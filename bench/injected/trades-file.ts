/** Trades as CSV: read from the files of real ones, and written with what was done to them. */

import { createWriteStream, readFileSync, writeFileSync } from 'node:fs';
import { once } from 'node:events';
import { gunzipSync } from 'node:zlib';
import type { InjectedLabel, Trade } from './inject.ts';

const HEADER = 'ts_event,symbol,venue,price,size,conditions,suspicious,sequence';
const LINES_AT_ONCE = 20_000;

/** @param path Of a file of trades with this header, compressed by gzip. */
export function readTrades(path: string): Trade[] {
  const [header, ...lines] = gunzipSync(readFileSync(path)).toString().trimEnd().split('\n');
  if (header !== HEADER) throw new TypeError(`${path}: expected ${HEADER}, got ${header}`);
  return lines.map((line) => {
    const [time, symbol, venue, price, size, conditions, suspicious, sequence] = line.split(',');
    return {
      symbol: symbol!,
      time: BigInt(time!),
      price: Number(price),
      size: Number(size),
      sequence: Number(sequence),
      rest: `${venue},${conditions},${suspicious}`,
    };
  });
}

export async function writeTrades(path: string, trades: readonly Trade[]): Promise<void> {
  const file = createWriteStream(path);
  file.write(`${HEADER}\n`);
  for (let start = 0; start < trades.length; start += LINES_AT_ONCE) {
    const lines = trades.slice(start, start + LINES_AT_ONCE).map((trade) => {
      const { time, symbol, price, size, sequence, rest } = trade;
      const [venue, ...others] = rest.split(',');
      return `${[time, symbol, venue, price, size, ...others, sequence].join(',')}\n`;
    });
    if (!file.write(lines.join(''))) await once(file, 'drain');
  }
  file.end();
  await once(file, 'finish');
}

/** What `tidemark backtest --labels` reads. */
export function writeLabels(path: string, labels: readonly InjectedLabel[]): void {
  const lines = labels.map(({ symbol, start, end, type }) => `${symbol},${start},${end},${type}`);
  writeFileSync(path, ['symbol,window_start,window_end,type', ...lines, ''].join('\n'));
}
