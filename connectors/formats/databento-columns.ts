/**
 * What Databento's records hold, by schema: the columns that `dbn` and `databento_csv` offer, where
 * each stands in a record, and what it is called in the header of a csv file.
 *
 * Layouts are those of versions 1 to 3, in which these records are the same.
 */

import type { ColumnType } from '../../engine/contract/schema.ts';
import type { DbnKind } from '../../wasm/host/dbn.ts';

export const DATABENTO_SCHEMAS = [
  'trades',
  'mbp-1',
  'tbbo',
  'cmbp-1',
  'ohlcv-1s',
  'ohlcv-1m',
  'ohlcv-1h',
  'ohlcv-1d',
] as const;
export type DatabentoSchema = (typeof DATABENTO_SCHEMAS)[number];

export interface DatabentoColumn {
  readonly kind: DbnKind;
  /** Offset in the record. */
  readonly offset: number;
  /** Name in the header of a csv file, where it is another. */
  readonly csv?: string;
  /** Not among the columns that are read where none are named. */
  readonly isUnusual?: true;
}

export interface DatabentoLayout {
  /** Number of the schema in the metadata of a file. */
  readonly number: number;
  /** The rtypes of its records, and the bytes they take. */
  readonly rtypes: readonly number[];
  readonly bytes: number;
  readonly columns: Readonly<Record<string, DatabentoColumn>>;
}

const header = {
  symbol: { kind: 'symbol', offset: 4 },
  ts_event: { kind: 'time', offset: 8 },
  rtype: { kind: 'u8', offset: 1, isUnusual: true },
  publisher_id: { kind: 'u16', offset: 2 },
  instrument_id: { kind: 'u32', offset: 4, isUnusual: true },
} as const satisfies Record<string, DatabentoColumn>;

/** What trades and quotes share. */
const event = {
  ...header,
  ts_recv: { kind: 'time', offset: 32 },
  action: { kind: 'character', offset: 28 },
  side: { kind: 'character', offset: 29 },
  price: { kind: 'price', offset: 16 },
  size: { kind: 'size', offset: 24 },
  flags: { kind: 'u8', offset: 30 },
  ts_in_delta: { kind: 'i32', offset: 40, isUnusual: true },
} as const satisfies Record<string, DatabentoColumn>;

const trade = {
  ...event,
  depth: { kind: 'u8', offset: 31, isUnusual: true },
  sequence: { kind: 'u32', offset: 44 },
} as const satisfies Record<string, DatabentoColumn>;

const level = {
  bid_px: { kind: 'price', offset: 48, csv: 'bid_px_00' },
  ask_px: { kind: 'price', offset: 56, csv: 'ask_px_00' },
  bid_sz: { kind: 'size', offset: 64, csv: 'bid_sz_00' },
  ask_sz: { kind: 'size', offset: 68, csv: 'ask_sz_00' },
} as const satisfies Record<string, DatabentoColumn>;

const quote = {
  ...trade,
  ...level,
  bid_ct: { kind: 'u32', offset: 72, csv: 'bid_ct_00' },
  ask_ct: { kind: 'u32', offset: 76, csv: 'ask_ct_00' },
} as const satisfies Record<string, DatabentoColumn>;

const bar = {
  ...header,
  open: { kind: 'price', offset: 16 },
  high: { kind: 'price', offset: 24 },
  low: { kind: 'price', offset: 32 },
  close: { kind: 'price', offset: 40 },
  volume: { kind: 'u64', offset: 48 },
} as const satisfies Record<string, DatabentoColumn>;

const BAR_BYTES = 56;
const QUOTE_BYTES = 80;
/** Bars of any length, in files of the first version. */
const OLD_BAR_RTYPE = 0x11;

function bars(number: number, rtype: number): DatabentoLayout {
  return { number, rtypes: [rtype, OLD_BAR_RTYPE], bytes: BAR_BYTES, columns: bar };
}

export const DATABENTO_LAYOUTS: Readonly<Record<DatabentoSchema, DatabentoLayout>> = {
  trades: { number: 4, rtypes: [0x00], bytes: 48, columns: trade },
  'mbp-1': { number: 1, rtypes: [0x01], bytes: QUOTE_BYTES, columns: quote },
  tbbo: { number: 3, rtypes: [0x01], bytes: QUOTE_BYTES, columns: quote },
  'cmbp-1': { number: 14, rtypes: [0xb1], bytes: QUOTE_BYTES, columns: { ...event, ...level } },
  'ohlcv-1s': bars(5, 0x20),
  'ohlcv-1m': bars(6, 0x21),
  'ohlcv-1h': bars(7, 0x22),
  'ohlcv-1d': bars(8, 0x23),
};

/** The types that a kind of column can be read as, the one it has by default first. */
export const DATABENTO_TYPES: Readonly<Record<DbnKind, readonly ColumnType[]>> = {
  price: ['float64'],
  time: ['timestamp'],
  u8: ['int64', 'float64'],
  u16: ['int64', 'float64'],
  u32: ['int64', 'float64', 'string'],
  i32: ['int64', 'float64'],
  u64: ['float64', 'int64'],
  size: ['float64', 'int64'],
  character: ['string'],
  symbol: ['string'],
  instrument: ['string'],
};
