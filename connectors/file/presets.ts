/**
 * Formats whose columns are known: which there are, of what types, and which are read where the
 * configuration names none. For other formats the file tells, and the configuration must name them.
 */

import type { ColumnType } from '../../engine/contract/schema.ts';
import { BINANCE_COLUMNS, type BinanceStream } from '../formats/binance-columns.ts';
import {
  DATABENTO_LAYOUTS,
  DATABENTO_TYPES,
  type DatabentoColumn,
  type DatabentoSchema,
} from '../formats/databento-columns.ts';
import type { CellEncoding } from '../formats/decoder.ts';

export interface PresetColumn {
  /** The types it can be read as, the one it has by default first. */
  readonly types: readonly ColumnType[];
  /** Its name in the file. */
  readonly from: string;
  readonly encoding: CellEncoding | undefined;
  readonly isUsual: boolean;
}

export interface Preset {
  /** What the columns belong to, in words. */
  readonly what: string;
  readonly columns: Readonly<Record<string, PresetColumn>>;
  /** The columns that a time and a key are read from. */
  readonly time: string;
  readonly key: string;
}

function encodingOf({ kind }: DatabentoColumn): CellEncoding | undefined {
  if (kind === 'price' || kind === 'time' || kind === 'size') return kind;
  return kind === 'u64' ? 'count' : undefined;
}

export function databentoPreset(schema: DatabentoSchema, isCsv: boolean): Preset {
  const columns = Object.entries(DATABENTO_LAYOUTS[schema].columns).map(
    ([name, column]: [string, DatabentoColumn]): [string, PresetColumn] => [
      name,
      {
        types: DATABENTO_TYPES[column.kind],
        from: isCsv ? (column.csv ?? name) : name,
        encoding: isCsv ? encodingOf(column) : undefined,
        isUsual: column.isUnusual !== true,
      },
    ],
  );
  return {
    what: `schema ${schema}`,
    columns: Object.fromEntries(columns),
    time: 'ts_event',
    key: 'symbol',
  };
}

export function binancePreset(stream: BinanceStream): Preset {
  const columns = Object.entries(BINANCE_COLUMNS[stream]).map(
    ([name, type]): [string, PresetColumn] => [
      name,
      {
        types: type === 'float64' || type === 'int64' ? [type, other(type)] : [type],
        from: name,
        encoding: undefined,
        isUsual: true,
      },
    ],
  );
  return {
    what: `stream ${stream}`,
    columns: Object.fromEntries(columns),
    time: 'event_time',
    key: 'symbol',
  };
}

function other(type: 'float64' | 'int64'): ColumnType {
  return type === 'float64' ? 'int64' : 'float64';
}

/** Name in the preset of a column, where the configuration names none. */
export function presetSource(preset: Preset, name: string, time: string, key: string): string {
  if (name === key) return preset.key;
  return name === time || name === 'event_time' ? preset.time : name;
}

/** The columns that are read where the configuration names none: each from the one of its name. */
export function usualColumns(preset: Preset, time: string, key: string): Record<string, string> {
  const columns: Record<string, string> = { [key]: preset.key, [time]: preset.time };
  for (const [name, { isUsual }] of Object.entries(preset.columns)) {
    if (isUsual && name !== preset.key && name !== preset.time) columns[name] ??= name;
  }
  return columns;
}
