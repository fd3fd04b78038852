/**
 * Values of a query's result as text, in three spellings:
 *
 *   display   as DuckDB's own shell shows them: `2013-10-07 13:30:00.5`, `[1, NULL]`
 *   json      a JSON literal. Whole numbers are numbers up to 2^53 - 1 and texts beyond, decimals
 *             are numbers where their type has at most 15 digits and texts otherwise, so that no
 *             reader loses a digit without noticing. NaN is null; infinities are 1e999 and
 *             -1e999, which parsers read as infinite. Times are ISO 8601 in UTC, bytes are
 *             hexadecimal, a map is a list of {key, value}.
 *   csv       numbers with all their digits, times as in JSON, texts as they are, a nested value
 *             as its JSON
 *
 * Timestamps keep their nanoseconds. Null is null here; what stands for it is the caller's choice.
 */

import {
  type DuckDBType,
  DuckDBArrayValue,
  DuckDBBlobValue,
  DuckDBDecimalValue,
  DuckDBListValue,
  DuckDBMapValue,
  DuckDBStructValue,
  DuckDBTimestampMillisecondsValue,
  DuckDBTimestampNanosecondsValue,
  DuckDBTimestampSecondsValue,
  DuckDBTimestampTZValue,
  DuckDBTimestampValue,
  DuckDBTypeId,
  DuckDBUnionValue,
  type DuckDBValue,
  DuckDBVariantValue,
} from '@duckdb/node-api';

/** As DuckDB's shell shows it; null for a null. */
export function displayText(value: DuckDBValue, type: DuckDBType): string | null {
  if (value === null) return null;
  return nestedDisplay(value, type, false);
}

/** A JSON literal. */
export function jsonText(value: DuckDBValue, type: DuckDBType): string {
  if (value === null) return 'null';
  if (typeof value === 'number') return jsonNumber(value, type.typeId);
  if (typeof value === 'bigint') return isSafe(value) ? String(value) : `"${value}"`;
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'string') return JSON.stringify(value);
  if (value instanceof DuckDBDecimalValue) {
    return value.width <= DECIMAL_DIGITS_MAX ? value.toString() : JSON.stringify(value.toString());
  }
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    const element = elementType(type);
    return `[${value.items.map((item) => jsonText(item, element)).join(',')}]`;
  }
  if (value instanceof DuckDBStructValue) {
    const members = Object.entries(value.entries).map(
      ([name, member], index) =>
        `${JSON.stringify(name)}:${jsonText(member, memberType(type, index))}`,
    );
    return `{${members.join(',')}}`;
  }
  if (value instanceof DuckDBMapValue) {
    const [keyType, valueType] = mapTypes(type);
    const entries = value.entries.map(
      (entry) =>
        `{"key":${jsonText(entry.key, keyType)},"value":${jsonText(entry.value, valueType)}}`,
    );
    return `[${entries.join(',')}]`;
  }
  if (value instanceof DuckDBUnionValue) return jsonText(value.value, unionType(type, value.tag));
  if (value instanceof DuckDBVariantValue) return jsonText(value.value, value.type ?? type);
  return JSON.stringify(plainText(value));
}

/** The text of a CSV field before quoting; null for a null. */
export function csvText(value: DuckDBValue, type: DuckDBType): string | null {
  if (value === null) return null;
  if (typeof value === 'string') return value;
  if (typeof value === 'number') return floatText(value, type.typeId);
  if (typeof value === 'bigint' || typeof value === 'boolean') return String(value);
  if (isNested(value)) return jsonText(value, type);
  return plainText(value);
}

/** Digits that a double keeps of any decimal number. By the type, so that a column has one kind. */
const DECIMAL_DIGITS_MAX = 15;

function isSafe(value: bigint): boolean {
  return value <= BigInt(Number.MAX_SAFE_INTEGER) && value >= BigInt(Number.MIN_SAFE_INTEGER);
}

function nestedDisplay(value: DuckDBValue, type: DuckDBType, quoted: boolean): string {
  if (value === null) return 'NULL';
  if (typeof value === 'string') return quoted ? `'${value.replaceAll("'", "''")}'` : value;
  if (typeof value === 'number') return floatText(value, type.typeId);
  if (value instanceof DuckDBListValue || value instanceof DuckDBArrayValue) {
    const element = elementType(type);
    return `[${value.items.map((item) => nestedDisplay(item, element, true)).join(', ')}]`;
  }
  if (value instanceof DuckDBStructValue) {
    const members = Object.entries(value.entries).map(
      ([name, member], index) =>
        `'${name}': ${nestedDisplay(member, memberType(type, index), true)}`,
    );
    return `{${members.join(', ')}}`;
  }
  if (value instanceof DuckDBMapValue) {
    const [keyType, valueType] = mapTypes(type);
    const entries = value.entries.map(
      (entry) =>
        `${nestedDisplay(entry.key, keyType, true)}=${nestedDisplay(entry.value, valueType, true)}`,
    );
    return `{${entries.join(', ')}}`;
  }
  if (value instanceof DuckDBUnionValue) {
    return nestedDisplay(value.value, unionType(type, value.tag), quoted);
  }
  if (value instanceof DuckDBVariantValue) {
    return nestedDisplay(value.value, value.type ?? type, quoted);
  }
  return String(value);
}

function isNested(value: DuckDBValue): boolean {
  return (
    value instanceof DuckDBListValue ||
    value instanceof DuckDBArrayValue ||
    value instanceof DuckDBStructValue ||
    value instanceof DuckDBMapValue ||
    value instanceof DuckDBUnionValue ||
    value instanceof DuckDBVariantValue
  );
}

/** Text of a scalar that JSON has no literal for. */
function plainText(value: Exclude<DuckDBValue, null>): string {
  if (isTimestamp(value)) return isoText(String(value));
  if (value instanceof DuckDBBlobValue) return Buffer.from(value.bytes).toString('hex');
  return String(value);
}

function isTimestamp(value: DuckDBValue): boolean {
  return (
    value instanceof DuckDBTimestampNanosecondsValue ||
    value instanceof DuckDBTimestampValue ||
    value instanceof DuckDBTimestampMillisecondsValue ||
    value instanceof DuckDBTimestampSecondsValue ||
    value instanceof DuckDBTimestampTZValue
  );
}

const TIMESTAMP = /^(\d+-\d\d-\d\d) (\d\d:\d\d:\d\d(?:\.\d+)?)(?:\+00)?$/;

/** `2013-10-07T13:30:00.5Z`; a time that ISO 8601 cannot say (infinity, BC) stays as it is. */
function isoText(text: string): string {
  return text.replace(TIMESTAMP, '$1T$2Z');
}

function jsonNumber(value: number, typeId: DuckDBTypeId): string {
  if (Number.isNaN(value)) return 'null';
  if (!Number.isFinite(value)) return value > 0 ? '1e999' : '-1e999';
  return floatText(value, typeId);
}

/** The shortest text that reads back as the same number; a float shows that it is one. */
function floatText(value: number, typeId: DuckDBTypeId): string {
  if (typeId !== DuckDBTypeId.DOUBLE && typeId !== DuckDBTypeId.FLOAT) return String(value);
  if (!Number.isFinite(value)) return Number.isNaN(value) ? 'nan' : value > 0 ? 'inf' : '-inf';
  if (Object.is(value, -0)) return '-0.0';
  const text = typeId === DuckDBTypeId.FLOAT ? shortestFloat32(value) : String(value);
  return /^-?\d+$/.test(text) ? `${text}.0` : text;
}

/** Nine significant digits tell all 32-bit floats apart. */
function shortestFloat32(value: number): string {
  for (let digits = 1; digits < 9; digits++) {
    const candidate = Number(value.toPrecision(digits));
    if (Math.fround(candidate) === value) return String(candidate);
  }
  return String(Number(value.toPrecision(9)));
}

function elementType(type: DuckDBType): DuckDBType {
  if (type.typeId === DuckDBTypeId.LIST || type.typeId === DuckDBTypeId.ARRAY)
    return type.valueType;
  return type;
}

function memberType(type: DuckDBType, index: number): DuckDBType {
  return type.typeId === DuckDBTypeId.STRUCT ? (type.entryTypes[index] ?? type) : type;
}

function mapTypes(type: DuckDBType): readonly [DuckDBType, DuckDBType] {
  return type.typeId === DuckDBTypeId.MAP ? [type.keyType, type.valueType] : [type, type];
}

function unionType(type: DuckDBType, tag: string): DuckDBType {
  return type.typeId === DuckDBTypeId.UNION ? (type.memberTypeForTag(tag) ?? type) : type;
}
