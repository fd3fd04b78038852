/**
 * The head of a DBN file, and the symbols of its instruments.
 *
 *   "DBN" | u8 version | u32 length | metadata | records …
 *
 * All little endian. The fixed part of the metadata takes 100 bytes in every version; behind it
 * stand lists of symbols, and the mapping: raw symbol → intervals of days → symbol, one side of
 * which is the instrument id. Live streams have an empty mapping and send records with it instead.
 */

import { EngineError } from '../../engine/contract/error.ts';
import { DATABENTO_LAYOUTS } from './databento-columns.ts';

const MAGIC = 'DBN';
export const PRELUDE_BYTES = 8;
const FIXED_BYTES = 100;
const SYMBOL_BYTES_V1 = 22;
const SCHEMA_MIXED = 0xffff;
const STYPE_INSTRUMENT = 0;
const VERSION_MAX = 3;

interface Interval {
  /** Days as numbers such as 20201228; the end is the first day behind it. */
  readonly start: number;
  readonly end: number;
  readonly symbol: string;
}

export interface DbnMetadata {
  readonly version: number;
  readonly dataset: string;
  /** The number of a schema; undefined where records of several are mixed. */
  readonly schema: number | undefined;
  readonly intervals: ReadonlyMap<number, readonly Interval[]>;
  /** Why the symbols of the mapping cannot be told from instrument ids. */
  readonly unmapped: string | undefined;
}

/** Bytes of the prelude and the metadata; undefined where there are too few to tell. */
export function headBytes(path: string, bytes: Buffer): number | undefined {
  const magic = bytes.toString('latin1', 0, Math.min(bytes.length, MAGIC.length));
  if (!MAGIC.startsWith(magic)) {
    throw new EngineError(
      'source/format',
      `cannot read ${path}: it begins with ${JSON.stringify(magic)}, expected DBN`,
    );
  }
  if (bytes.length < PRELUDE_BYTES) return undefined;
  const version = bytes[3]!;
  if (version < 1 || version > VERSION_MAX) {
    throw new EngineError(
      'source/format',
      `cannot read ${path}: its DBN version is ${version}, expected 1 to ${VERSION_MAX}`,
    );
  }
  return PRELUDE_BYTES + bytes.readUInt32LE(4);
}

/** Fields one behind the other; a read behind the end is damage. */
class Fields {
  at = PRELUDE_BYTES + FIXED_BYTES;
  readonly #bytes: Buffer;
  readonly #symbolBytes: number;

  constructor(bytes: Buffer, symbolBytes: number) {
    this.#bytes = bytes;
    this.#symbolBytes = symbolBytes;
  }

  u32(): number {
    const value = this.#bytes.readUInt32LE(this.at);
    this.at += 4;
    return value;
  }

  text(): string {
    if (this.at + this.#symbolBytes > this.#bytes.length) throw new RangeError('out of range');
    const text = textAt(this.#bytes, this.at, this.#symbolBytes);
    this.at += this.#symbolBytes;
    return text;
  }

  skipTexts(): void {
    const count = this.u32();
    this.at += count * this.#symbolBytes;
    if (this.at > this.#bytes.length) throw new RangeError('out of range');
  }
}

/** A text of at most so many bytes, padded with zeros. */
export function textAt(bytes: Buffer, start: number, length: number): string {
  const end = bytes.indexOf(0, start);
  const limit = start + length;
  return bytes.toString('utf8', start, end < 0 || end > limit ? limit : end);
}

/** @param head The prelude and the whole metadata. */
export function readMetadata(path: string, head: Buffer): DbnMetadata {
  try {
    return parse(path, head);
  } catch (error) {
    if (error instanceof EngineError) throw error;
    throw new EngineError(
      'source/corrupt',
      `cannot read ${path}: its metadata of ${head.length - PRELUDE_BYTES} bytes ends within a ` +
        'field',
      { cause: error },
    );
  }
}

function parse(path: string, head: Buffer): DbnMetadata {
  const version = head[3]!;
  const at = (offset: number): number => PRELUDE_BYTES + offset;
  const stypes = at(version === 1 ? 50 : 42);
  const stypeIn = head.readUInt8(stypes);
  const stypeOut = head.readUInt8(stypes + 1);
  const symbolBytes = version === 1 ? SYMBOL_BYTES_V1 : head.readUInt16LE(at(45));
  const schema = head.readUInt16LE(at(16));
  const fields = new Fields(head, symbolBytes);
  const definitionBytes = fields.u32();
  if (definitionBytes !== 0 || symbolBytes === 0) {
    throw new EngineError(
      'source/corrupt',
      `cannot read ${path}: its metadata has a schema definition of ${definitionBytes} bytes and ` +
        `symbols of ${symbolBytes}, expected none and some`,
    );
  }
  for (let list = 0; list < 3; list++) fields.skipTexts();
  const isOut = stypeOut === STYPE_INSTRUMENT;
  const intervals = new Map<number, Interval[]>();
  const count = fields.u32();
  for (let mapping = 0; mapping < count; mapping++) {
    const raw = fields.text();
    for (let left = fields.u32(); left > 0; left--) {
      const [start, end, symbol] = [fields.u32(), fields.u32(), fields.text()];
      // An interval without a symbol says that there was none.
      const [id, text] = isOut ? [symbol, raw] : [raw, symbol];
      if (!/^\d+$/.test(id) || text === '') continue;
      const known = intervals.get(Number(id));
      if (known === undefined) intervals.set(Number(id), [{ start, end, symbol: text }]);
      else known.push({ start, end, symbol: text });
    }
  }
  const canMap = count === 0 || isOut || stypeIn === STYPE_INSTRUMENT;
  return {
    version,
    dataset: textAt(head, PRELUDE_BYTES, 16),
    schema: schema === SCHEMA_MIXED ? undefined : schema,
    intervals,
    unmapped: canMap
      ? undefined
      : `its symbols are mapped from type ${stypeIn} to type ${stypeOut}, neither of which is ` +
        'the instrument id',
  };
}

/** `trades`, or the number of a schema that is not read. */
export function schemaName(number: number): string {
  const known = Object.entries(DATABENTO_LAYOUTS).find(([, layout]) => layout.number === number);
  return known === undefined ? `schema ${number}` : known[0];
}

/** Symbols of instruments: those of the metadata by day, and those that records have stated. */
export class DbnSymbols {
  readonly #intervals: DbnMetadata['intervals'];
  readonly #stated = new Map<number, string>();

  constructor({ intervals }: DbnMetadata) {
    this.#intervals = intervals;
  }

  /** Notes what a record of rtype 0x16 says: 80 bytes in version 1, 176 later. */
  state(record: Buffer): void {
    const isFirst = record.length < 176;
    const symbol = textAt(record, isFirst ? 38 : 89, isFirst ? SYMBOL_BYTES_V1 : 71);
    this.#stated.set(record.readUInt32LE(4), symbol);
  }

  /** @param day Days since 1970, UTC. */
  symbolOf(instrument: number, day: number): string | undefined {
    const stated = this.#stated.get(instrument);
    if (stated !== undefined) return stated;
    const date = Number(dayText(day).replaceAll('-', ''));
    return this.#intervals.get(instrument)?.find(({ start, end }) => start <= date && date < end)
      ?.symbol;
  }
}

/** `2020-12-28` */
export function dayText(day: number): string {
  return new Date(day * 86_400_000).toISOString().slice(0, 10);
}
