/** The columns of captured Binance streams. */

import type { ColumnType } from '../../engine/contract/schema.ts';

export const BINANCE_STREAMS = ['trade', 'book_ticker'] as const;
export type BinanceStream = (typeof BINANCE_STREAMS)[number];

const common = {
  symbol: 'string',
  event_time: 'timestamp',
  local_time: 'timestamp',
} as const satisfies Record<string, ColumnType>;

export const BINANCE_COLUMNS: Readonly<
  Record<BinanceStream, Readonly<Record<string, ColumnType>>>
> = {
  trade: { ...common, price: 'float64', size: 'float64', side: 'string', trade_id: 'int64' },
  book_ticker: {
    ...common,
    bid_px: 'float64',
    bid_sz: 'float64',
    ask_px: 'float64',
    ask_sz: 'float64',
    update_id: 'int64',
  },
};
