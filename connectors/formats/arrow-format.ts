/** Formats of the Arrow C data interface: what they mean, and single values for messages. */

import { NUMBER_KINDS } from '../../wasm/host/arrow.ts';
import { type ArrowArray, type ArrowField, moduleBytes } from './arrow-array.ts';

const TIME_UNITS_NS: Readonly<Record<string, bigint>> = {
  tdD: 86_400_000_000_000n,
  tdm: 1_000_000n,
  tss: 1_000_000_000n,
  tsm: 1_000_000n,
  tsu: 1_000n,
  tsn: 1n,
};

/** Nanoseconds of the unit of a timestamp or date; undefined for other formats. */
export function timeUnitNs(format: string): bigint | undefined {
  return format.startsWith('td') ? TIME_UNITS_NS[format] : TIME_UNITS_NS[format.split(':')[0]!];
}

/** Precision and scale of a decimal of 128 bits; undefined for other formats. */
export function decimalFormat(format: string): { scale: number } | undefined {
  const match = /^d:\d+,(-?\d+)(?:,128)?$/.exec(format);
  return match === null ? undefined : { scale: Number(match[1]) };
}

const NUMBER_NAMES: Readonly<Record<string, string>> = {
  n: 'null',
  b: 'boolean',
  c: 'int8',
  C: 'uint8',
  s: 'int16',
  S: 'uint16',
  i: 'int32',
  I: 'uint32',
  l: 'int64',
  L: 'uint64',
  e: 'float16',
  f: 'float32',
  g: 'float64',
  u: 'utf8',
  U: 'large_utf8',
  vu: 'utf8_view',
  z: 'binary',
  Z: 'large_binary',
  vz: 'binary_view',
  tdD: 'date32',
  tdm: 'date64',
  '+s': 'struct',
  '+l': 'list',
  '+L': 'large_list',
  '+m': 'map',
};

const UNITS: Readonly<Record<string, string>> = { s: 's', m: 'ms', u: 'us', n: 'ns' };

/** The type as users know it: `timestamp[ns]`, `decimal(18, 4)`, `dictionary of utf8`. */
export function typeName({ format, dictionary }: ArrowField): string {
  if (dictionary !== undefined) return `dictionary of ${typeName(dictionary)}`;
  const known = NUMBER_NAMES[format];
  if (known !== undefined) return known;
  const time = /^(ts|tt|tD)([smun])(?::(.*))?$/.exec(format);
  if (time !== null) {
    const names: Readonly<Record<string, string>> = { ts: 'timestamp', tt: 'time', tD: 'duration' };
    return `${names[time[1]!]}[${UNITS[time[2]!]}${time[3] ? `, ${time[3]}` : ''}]`;
  }
  const decimal = /^d:(\d+),(-?\d+)/.exec(format);
  return decimal === null ? format : `decimal(${decimal[1]}, ${decimal[2]})`;
}

function isNull({ buffers, offset, format }: ArrowArray, row: number): boolean {
  if (format === 'n') return true;
  const address = buffers[0] ?? 0;
  if (address === 0) return false;
  const bit = offset + row;
  return ((moduleBytes(address + (bit >> 3), 1)[0]! >> (bit & 7)) & 1) === 0;
}

function viewOf(address: number, bytes: number): DataView {
  const view = moduleBytes(address, bytes);
  return new DataView(view.buffer, view.byteOffset, bytes);
}

/** The decimal at `index`, counted from the start of the buffer. */
export function decimalText({ buffers, format }: ArrowArray, index: number): string {
  const view = viewOf(buffers[1]! + index * 16, 16);
  const value = (view.getBigInt64(8, true) << 64n) | view.getBigUint64(0, true);
  return `${value}e${-decimalFormat(format)!.scale}`;
}

function numberText({ buffers, format }: ArrowArray, index: number): string {
  const at = (width: number): DataView => viewOf(buffers[1]! + index * width, width);
  const readers: Readonly<Record<string, () => number | bigint>> = {
    c: () => at(1).getInt8(0),
    C: () => at(1).getUint8(0),
    s: () => at(2).getInt16(0, true),
    S: () => at(2).getUint16(0, true),
    i: () => at(4).getInt32(0, true),
    I: () => at(4).getUint32(0, true),
    l: () => at(8).getBigInt64(0, true),
    L: () => at(8).getBigUint64(0, true),
    e: () => at(2).getUint16(0, true),
    f: () => at(4).getFloat32(0, true),
    g: () => at(8).getFloat64(0, true),
  };
  return String(readers[format]!());
}

function textAt({ buffers, format }: ArrowArray, index: number): string {
  let place: [address: number, length: number];
  if (format.startsWith('v')) {
    const view = viewOf(buffers[1]! + index * 16, 16);
    const length = view.getInt32(0, true);
    const buffer = buffers[2 + view.getInt32(8, true)]!;
    place = [
      length <= 12 ? buffers[1]! + index * 16 + 4 : buffer + view.getInt32(12, true),
      length,
    ];
  } else if (format === 'U' || format === 'Z') {
    const view = viewOf(buffers[1]! + index * 8, 16);
    const start = Number(view.getBigInt64(0, true));
    place = [buffers[2]! + start, Number(view.getBigInt64(8, true)) - start];
  } else {
    const view = viewOf(buffers[1]! + index * 4, 8);
    const start = view.getInt32(0, true);
    place = [buffers[2]! + start, view.getInt32(4, true) - start];
  }
  return Buffer.from(moduleBytes(...place)).toString('utf8');
}

/** A value as a message shows it; undefined where it is null. */
export function valueText(array: ArrowArray, row: number): string | undefined {
  if (isNull(array, row)) return undefined;
  const index = array.offset + row;
  if (array.dictionary !== undefined)
    return valueText(array.dictionary, Number(numberText(array, index)));
  const { format } = array;
  if (NUMBER_KINDS[format] !== undefined) return numberText(array, index);
  if (decimalFormat(format) !== undefined) return decimalText(array, index);
  if (timeUnitNs(format) !== undefined) {
    return numberText({ ...array, format: format === 'tdD' ? 'i' : 'l' }, index);
  }
  if (format === 'b') {
    return String(
      ((moduleBytes(array.buffers[1]! + (index >> 3), 1)[0]! >> (index & 7)) & 1) === 1,
    );
  }
  return textAt(array, index);
}
