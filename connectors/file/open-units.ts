/**
 * The decoder of each format. parquet-wasm is loaded only where a format needs it: it is large.
 * What the files of a reader share, dictionaries above all, is made once here.
 */

import type { ReaderContext } from '../../engine/contract/connector.ts';
import { openBinance } from '../formats/binance-decoder.ts';
import { ColumnStore } from '../formats/column-store.ts';
import { openCsv } from '../formats/csv-decoder.ts';
import type { FileColumn } from '../formats/decoder.ts';
import { openDbn } from '../formats/dbn-decoder.ts';
import { openJsonLines } from '../formats/json-lines-decoder.ts';
import { canScan } from '../formats/json-scan.ts';
import { JsonColumns } from '../formats/json-columns.ts';
import { openNdjson } from '../formats/ndjson-decoder.ts';
import type { ParquetReader } from '../formats/parquet-decoder.ts';
import {
  columnsOf,
  delimiterOf,
  type FileConfig,
  type FileFormat,
  formatOf,
  timeUnitOf,
} from './file-fields.ts';
import type { UnitOpener } from './file-reader.ts';
import type { SourceFile } from './find-files.ts';

async function oneUnit(): Promise<number> {
  return 1;
}

async function nothingToClose(): Promise<void> {
  // Decoders close their own files.
}

function csvOpener(
  config: FileConfig,
  columns: readonly FileColumn[],
  rowsMax: number,
): UnitOpener {
  const store = new ColumnStore(columns, rowsMax);
  const format = {
    delimiter: delimiterOf(config),
    hasHeader: config.header,
    timeUnit: timeUnitOf(config),
  };
  return {
    count: oneUnit,
    open: ({ file }, resumeAt) => openCsv(file.path, store, format, resumeAt),
    close: nothingToClose,
  };
}

function ndjsonOpener(
  config: FileConfig,
  columns: readonly FileColumn[],
  rowsMax: number,
): UnitOpener {
  if (canScan(columns)) {
    const store = new ColumnStore(columns, rowsMax);
    const unit = timeUnitOf(config);
    return {
      count: oneUnit,
      open: ({ file }, resumeAt) => openJsonLines(file.path, store, unit, resumeAt),
      close: nothingToClose,
    };
  }
  const json = new JsonColumns(columns, rowsMax, timeUnitOf(config));
  return {
    count: oneUnit,
    open: ({ file }, resumeAt) => openNdjson(file.path, json, resumeAt),
    close: nothingToClose,
  };
}

/** Csv of Databento: always commas, a header, and nanoseconds. */
function databentoCsvOpener(
  _config: FileConfig,
  columns: readonly FileColumn[],
  rowsMax: number,
): UnitOpener {
  const store = new ColumnStore(columns, rowsMax);
  const format = { delimiter: ',', hasHeader: true, timeUnit: 1n };
  return {
    count: oneUnit,
    open: ({ file }, resumeAt) => openCsv(file.path, store, format, resumeAt),
    close: nothingToClose,
  };
}

function dbnOpener(
  config: FileConfig,
  columns: readonly FileColumn[],
  rowsMax: number,
): UnitOpener {
  const store = new ColumnStore(columns, rowsMax);
  const format = {
    schema: config.schema ?? 'trades',
    rejectsBadQuality: config.bad_quality === 'reject',
  };
  return {
    count: oneUnit,
    open: ({ file }, resumeAt) => openDbn(file.path, store, format, resumeAt),
    close: nothingToClose,
  };
}

function binanceOpener(
  config: FileConfig,
  columns: readonly FileColumn[],
  rowsMax: number,
): UnitOpener {
  const json = new JsonColumns(columns, rowsMax, 1n);
  return {
    count: oneUnit,
    open: ({ file }, resumeAt) => openBinance(file.path, json, config.stream ?? 'trade', resumeAt),
    close: nothingToClose,
  };
}

async function arrowOpener(
  config: FileConfig,
  columns: readonly FileColumn[],
  rowsMax: number,
): Promise<UnitOpener> {
  const { openIpc } = await import('../formats/ipc-decoder.ts');
  const { makeRecordStore } = await import('../formats/records-decoder.ts');
  const records = makeRecordStore(new ColumnStore(columns, rowsMax), timeUnitOf(config));
  return {
    count: oneUnit,
    open: ({ file }, resumeAt) => openIpc(file.path, records, resumeAt),
    close: nothingToClose,
  };
}

async function parquetOpener(
  config: FileConfig,
  columns: readonly FileColumn[],
  rowsMax: number,
): Promise<UnitOpener> {
  const parquet = await import('../formats/parquet-decoder.ts');
  const { makeRecordStore } = await import('../formats/records-decoder.ts');
  const records = makeRecordStore(new ColumnStore(columns, rowsMax), timeUnitOf(config));
  /** Stays open from one row group to the next. */
  let reader: ParquetReader | undefined;
  const readerOf = async ({ path }: SourceFile): Promise<ParquetReader> => {
    if (reader?.path === path) return reader;
    await reader?.close();
    reader = undefined;
    reader = await parquet.ParquetReader.open(path);
    return reader;
  };
  return {
    count: async (file) => {
      try {
        return (await readerOf(file)).footer.rowGroups.length;
      } catch {
        // Reading will meet the damage, after the rows of the files before it.
        return 1;
      }
    },
    open: async ({ file, part }, resumeAt) =>
      (await readerOf(file)).decode(part, records, resumeAt),
    close: async () => {
      await reader?.close();
    },
  };
}

const OPENERS = {
  csv: csvOpener,
  ndjson: ndjsonOpener,
  arrow: arrowOpener,
  dbn: dbnOpener,
  databento_csv: databentoCsvOpener,
  binance_ws: binanceOpener,
  parquet: parquetOpener,
} satisfies Record<FileFormat, unknown>;

export async function makeOpener(config: FileConfig, context: ReaderContext): Promise<UnitOpener> {
  const columns = columnsOf(config, context.schema.key);
  return OPENERS[formatOf(config)!](config, columns, context.batchRows);
}
