/**
 * Reads the files of a split, one unit after another: a file, or a row group of a Parquet file.
 *
 * Units are numbered over all files in the order of their names. Lane `i` of `k` reads those whose
 * number is `i` modulo `k`. A position names the file and, of a Parquet file, the row group, so it
 * can be found again when files have been added at the end.
 */

import type {
  ReaderContext,
  SourceBatch,
  SplitPosition,
  SplitReader,
  SplitStatus,
} from '../../engine/contract/connector.ts';
import { EngineError } from '../../engine/contract/error.ts';
import type { Decoder } from '../formats/decoder.ts';
import type { SourceFile } from './find-files.ts';

export interface Unit {
  readonly number: number;
  readonly file: SourceFile;
  /** 0-based among the units of its file. */
  readonly part: number;
}

/** Opens the decoder of a unit. */
export interface UnitOpener {
  /** How many units the file has: its row groups, or itself. */
  count(file: SourceFile): Promise<number>;
  open(unit: Unit, resumeAt?: SplitPosition): Promise<Decoder>;
  close(): Promise<void>;
}

async function unitsOf(files: readonly SourceFile[], opener: UnitOpener): Promise<Unit[]> {
  const units: Unit[] = [];
  for (const file of files) {
    const parts = await opener.count(file);
    for (let part = 0; part < parts; part++) units.push({ number: units.length, file, part });
  }
  return units;
}

export class FileReader implements SplitReader {
  readonly #opener: UnitOpener;
  readonly #units: readonly Unit[];
  /** Position of the unit at hand in `#units`. */
  #index = 0;
  #decoder: Decoder | undefined;
  #resumeAt: SplitPosition | undefined;
  #position: SplitPosition;
  /** Of the units that are done. */
  #metrics: Readonly<Record<string, number>> = {};
  /** Bytes of the units that are done. */
  #bytesDone = 0;
  #failure: { readonly error: unknown } | undefined;
  /** Polls that overlap take their turns. */
  #turn: Promise<unknown> = Promise.resolve();

  static async open(opener: UnitOpener, context: ReaderContext): Promise<FileReader> {
    const files = context.split.details['files'] as readonly SourceFile[];
    const pipe = files.find(({ isPipe }) => isPipe);
    if (pipe !== undefined && context.resumeAt !== undefined) {
      throw new EngineError(
        'source/unreadable',
        `cannot go on reading: ${pipe.path} is a pipe, which cannot be read a second time; start ` +
          'afresh, or read from a file',
      );
    }
    return new FileReader(opener, await unitsOf(files, opener), context);
  }

  private constructor(opener: UnitOpener, all: readonly Unit[], context: ReaderContext) {
    this.#opener = opener;
    const start = context.resumeAt === undefined ? 0 : findUnit(all, context.resumeAt);
    this.#units = all.filter(
      ({ number }) => number >= start && number % context.lanes === context.lane,
    );
    const isOwn = this.#units[0]?.number === start;
    this.#resumeAt = isOwn ? context.resumeAt : undefined;
    this.#position = context.resumeAt ?? {};
  }

  async poll(): Promise<SourceBatch | 'idle' | 'end'> {
    const turn = this.#turn.then(() => this.#next());
    this.#turn = turn.catch(() => undefined);
    return turn;
  }

  async #next(): Promise<SourceBatch | 'end'> {
    if (this.#failure !== undefined) throw this.#failure.error;
    try {
      for (;;) {
        const unit = this.#units[this.#index];
        if (unit === undefined) return 'end';
        this.#decoder ??= await this.#opener.open(unit, this.#resumeAt);
        this.#resumeAt = undefined;
        const decoder = this.#decoder;
        const rows = await decoder.next();
        const bytesRead = this.#bytesDone + decoder.bytesRead;
        if (rows !== undefined) {
          this.#position = { ...placeOf(unit), ...decoder.position() };
          return { ...rows, unit: unit.number, bytesRead };
        }
        this.#bytesDone = bytesRead;
        this.#addMetrics(decoder);
        this.#decoder = undefined;
        this.#index++;
        await decoder.close();
      }
    } catch (error) {
      this.#failure = { error };
      throw error;
    }
  }

  #addMetrics(decoder: Decoder): void {
    this.#metrics = sumOf(this.#metrics, decoder.metrics?.() ?? {});
  }

  status(): SplitStatus {
    const metrics = sumOf(this.#metrics, this.#decoder?.metrics?.() ?? {});
    return Object.keys(metrics).length === 0 ? {} : { metrics };
  }

  position(): SplitPosition {
    return this.#position;
  }

  async close(): Promise<void> {
    await this.#turn;
    const decoder = this.#decoder;
    this.#decoder = undefined;
    this.#failure ??= { error: new EngineError('engine/internal', 'the reader is closed') };
    await decoder?.close();
    await this.#opener.close();
  }
}

function sumOf(
  a: Readonly<Record<string, number>>,
  b: Readonly<Record<string, number>>,
): Record<string, number> {
  const sum = { ...a };
  for (const [name, value] of Object.entries(b)) {
    // Counts add up; a time is the one of the moment.
    sum[name] = name.endsWith('_seconds') ? value : (sum[name] ?? 0) + value;
  }
  return sum;
}

function placeOf({ file, part }: Unit): { file: string; part: number } {
  return { file: file.path, part };
}

function findUnit(units: readonly Unit[], position: SplitPosition): number {
  if (position['file'] === undefined) return 0;
  const unit = units.find(
    ({ file, part }) => file.path === position['file'] && part === position['part'],
  );
  if (unit !== undefined) return unit.number;
  throw new EngineError(
    'source/not-found',
    `cannot go on reading: ${position['file']} is gone, where reading stopped`,
  );
}
