/** DBN files, written field by field from the description of the format, for tests. */

export interface DbnMapping {
  readonly raw: string;
  /** First day, first day behind it, symbol: `[20201228, 20201229, '5482']`. */
  readonly intervals: readonly (readonly [number, number, string])[];
}

export interface DbnHead {
  readonly version?: number;
  readonly schema?: number;
  readonly stypeIn?: number;
  readonly stypeOut?: number;
  readonly tsOut?: boolean;
  readonly symbols?: readonly string[];
  readonly mappings?: readonly DbnMapping[];
}

export const UNDEFINED_PRICE = 2n ** 63n - 1n;
export const UNDEFINED_TIME = 2n ** 64n - 1n;
export const UNDEFINED_SIZE = 2 ** 32 - 1;

function text(value: string, bytes: number): Buffer {
  const padded = Buffer.alloc(bytes);
  padded.write(value, 'utf8');
  return padded;
}

function u32(value: number): Buffer {
  const bytes = Buffer.alloc(4);
  bytes.writeUInt32LE(value);
  return bytes;
}

export function dbnHead(head: DbnHead = {}): Buffer {
  const { version = 3, schema = 4, stypeIn = 1, stypeOut = 0, symbols = [], mappings = [] } = head;
  const symbolBytes = version === 1 ? 22 : 71;
  const fixed = Buffer.alloc(100);
  fixed.write('TEST.DATA', 'latin1');
  fixed.writeUInt16LE(schema, 16);
  fixed.writeBigUInt64LE(UNDEFINED_TIME, 26);
  const at = version === 1 ? 50 : 42;
  fixed.set([stypeIn, stypeOut, head.tsOut === true ? 1 : 0], at);
  if (version > 1) fixed.writeUInt16LE(symbolBytes, 45);
  const parts = [fixed, u32(0), u32(symbols.length)];
  for (const symbol of symbols) parts.push(text(symbol, symbolBytes));
  parts.push(u32(0), u32(0), u32(mappings.length));
  for (const { raw, intervals } of mappings) {
    parts.push(text(raw, symbolBytes), u32(intervals.length));
    for (const [start, end, symbol] of intervals) {
      parts.push(u32(start), u32(end), text(symbol, symbolBytes));
    }
  }
  const length = parts.reduce((sum, part) => sum + part.length, 0);
  if (version === 3) parts.push(Buffer.alloc((8 - (length % 8)) % 8));
  const metadata = Buffer.concat(parts);
  return Buffer.concat([Buffer.from('DBN'), Buffer.of(version), u32(metadata.length), metadata]);
}

export interface DbnEvent {
  readonly rtype?: number;
  readonly instrument?: number;
  readonly event?: bigint;
  readonly received?: bigint;
  readonly price?: bigint;
  readonly size?: number;
  readonly action?: string;
  readonly side?: string;
  readonly flags?: number;
  readonly sequence?: number;
  /** A ts_out behind the record. */
  readonly out?: bigint;
  /** Bytes of the record, without ts_out. */
  readonly bytes?: number;
}

const T = 1381152600_000_000_000n;

/** A trade; with another rtype and size, what begins like one. */
export function dbnEvent(event: DbnEvent = {}): Buffer {
  const { bytes = 48, out } = event;
  const length = bytes + (out === undefined ? 0 : 8);
  const record = Buffer.alloc(length);
  record.writeUInt8(length / 4, 0);
  record.writeUInt8(event.rtype ?? 0, 1);
  record.writeUInt16LE(7, 2);
  record.writeUInt32LE(event.instrument ?? 1, 4);
  record.writeBigUInt64LE(event.event ?? T, 8);
  if (bytes >= 48) {
    record.writeBigInt64LE(event.price ?? 1_500_000_000n, 16);
    record.writeUInt32LE(event.size ?? 100, 24);
    record.write(event.action ?? 'T', 28, 'latin1');
    record.write(event.side ?? 'B', 29, 'latin1');
    record.writeUInt8(event.flags ?? 0x80, 30);
    record.writeUInt8(2, 31);
    record.writeBigUInt64LE(event.received ?? (event.event ?? T) + 1000n, 32);
    record.writeInt32LE(-5, 40);
    record.writeUInt32LE(event.sequence ?? 9, 44);
  }
  if (out !== undefined) record.writeBigUInt64LE(out, bytes);
  return record;
}

export function dbnQuote(event: DbnEvent, bid: bigint, ask: bigint): Buffer {
  const record = dbnEvent({ rtype: 1, bytes: 80, ...event });
  record.writeBigInt64LE(bid, 48);
  record.writeBigInt64LE(ask, 56);
  record.writeUInt32LE(10, 64);
  record.writeUInt32LE(UNDEFINED_SIZE, 68);
  record.writeUInt32LE(3, 72);
  record.writeUInt32LE(4, 76);
  return record;
}

export function dbnBar(rtype: number, prices: readonly bigint[], volume: bigint): Buffer {
  const record = dbnEvent({ rtype, bytes: 16 });
  const body = Buffer.alloc(40);
  for (const [index, price] of prices.entries()) body.writeBigInt64LE(price, index * 8);
  body.writeBigUInt64LE(volume, 32);
  const bar = Buffer.concat([record, body]);
  bar.writeUInt8(bar.length / 4, 0);
  return bar;
}

/** A record that states the symbol of an instrument, as live streams send it. */
export function dbnSymbol(version: number, instrument: number, symbol: string): Buffer {
  const bytes = version === 1 ? 80 : 176;
  const record = dbnEvent({ rtype: 0x16, instrument, bytes: 16 });
  const body = Buffer.alloc(bytes - 16);
  body.write('asked', version === 1 ? 0 : 1, 'latin1');
  body.write(symbol, version === 1 ? 22 : 73, 'utf8');
  const whole = Buffer.concat([record, body]);
  whole.writeUInt8(bytes / 4, 0);
  return whole;
}
