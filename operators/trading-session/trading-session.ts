/**
 * Trading session: which session of the exchange a row lies in, and how far from its opening.
 *
 * Rows come in the order of time, so nearly all lie in the segment of the one before them: a row
 * costs two comparisons of its time, as pairs of words, and four writes. No BigInt is made for it.
 */

import type { Batch, Column } from '../../engine/contract/batch.ts';
import { choice, type ConfigOf, type Fields } from '../../engine/contract/fields.ts';
import {
  type Collector,
  defineOperator,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type Outputs,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type ColumnSchema, type Schema } from '../../engine/contract/schema.ts';
import { selectRows } from '../../engine/expression/select-rows.ts';
import { segmentAt, type Session, SESSIONS } from './segments.ts';

const fields = {
  calendar: choice(['nyse', 'nasdaq', '24x7'], {
    doc:
      'Whose days and hours count. `nyse` and `nasdaq` are the same: 9:30 to 16:00 in New York, ' +
      'before from 4:00 and after until 20:00, but for holidays, and half-days to 13:00 and ' +
      '17:00. With `24x7` every day is one session in UTC.',
  }).default('nyse'),
  keep: choice(['regular', 'extended', 'all'], {
    doc:
      'Which rows pass: those of the regular session, also those before and after it, or all. ' +
      'Their event time decides: a bar of an hour from 9:00 on lies before the session.',
  }).default('all'),
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const COLUMNS: readonly ColumnSchema[] = [
  { name: 'session', type: 'string' },
  { name: 'session_date', type: 'timestamp' },
  { name: 'minutes_since_open', type: 'float64' },
  { name: 'minutes_to_close', type: 'float64' },
];

function plan(_config: Config, input: Schema, report: Report): Outputs {
  const added = COLUMNS.filter(({ name }) => {
    if (columnIndex(input, name) < 0) return true;
    report({
      path: ['input'],
      code: 'config/duplicate-column',
      message: `the input has a column ${name} already`,
      help: 'give it another name where it is read',
    });
    return false;
  });
  return { main: { ...input, columns: [...input.columns, ...added] } };
}

const NS_PER_SECOND = 1_000_000_000n;
const NS_PER_MINUTE = 60e9;
const WORD = 2 ** 32;

/** A time in nanoseconds as the words of its i64: the high one signed, the low one not. */
interface Words {
  readonly high: number;
  readonly low: number;
}

function wordsOf(seconds: number): Words {
  const time = BigInt.asIntN(64, BigInt(seconds) * NS_PER_SECOND);
  return { high: Number(time >> 32n), low: Number(BigInt.asUintN(32, time)) };
}

/** A segment as rows are compared with it. */
interface Current {
  readonly start: Words;
  readonly end: Words;
  readonly date: Words;
  readonly open: Words;
  readonly close: Words;
  readonly code: number;
  readonly isClosed: boolean;
  readonly isKept: boolean;
}

/** Contains no time. */
const ZERO: Words = { high: 0, low: 0 };

/** Where the columns of a batch lie. */
interface Pointers {
  readonly sessions: number;
  readonly dates: number;
  readonly sinceOpen: number;
  readonly toClose: number;
  readonly kept: number;
}

class TradingSession implements Operator {
  readonly #config: Config;
  readonly #context: OperatorContext;
  readonly #time: number;
  readonly #codes: ReadonlyMap<Session, number>;
  #current: Current;

  constructor(config: Config, context: OperatorContext) {
    this.#config = config;
    this.#context = context;
    this.#time = columnIndex(context.input, context.input.time);
    this.#codes = new Map(SESSIONS.map((name) => [name, context.strings.intern(name)]));
    const none = { start: ZERO, end: ZERO, date: ZERO, open: ZERO, close: ZERO };
    this.#current = { ...none, code: 0, isClosed: true, isKept: false };
  }

  process(batch: Batch, collector: Collector): void {
    const { rowCount } = batch;
    if (rowCount === 0) return;
    const { arena } = this.#context.memory;
    const pointers: Pointers = {
      sessions: arena.allocate(rowCount * 4),
      dates: arena.allocate(rowCount * 8),
      sinceOpen: arena.allocate(rowCount * 8),
      toClose: arena.allocate(rowCount * 8),
      kept: arena.allocate(rowCount * 4),
    };
    const keptCount = this.#write(batch.columns[this.#time]!.pointer, rowCount, pointers);
    if (keptCount < rowCount) this.#context.count('outside_rows_total', rowCount - keptCount);
    if (keptCount === 0) return;
    const columns: Column[] = [
      ...batch.columns,
      { type: 'string', pointer: pointers.sessions, dictionary: this.#context.strings },
      { type: 'timestamp', pointer: pointers.dates },
      { type: 'float64', pointer: pointers.sinceOpen },
      { type: 'float64', pointer: pointers.toClose },
    ];
    const all: Batch = { ...batch, columns };
    const isWhole = keptCount === rowCount;
    collector.emit(isWhole ? all : selectRows(all, pointers.kept, keptCount, this.#context));
  }

  /** Writes the columns and the numbers of the rows to keep; returns how many those are. */
  #write(timePointer: number, rowCount: number, pointers: Pointers): number {
    const { memory } = this.#context;
    const times = memory.u32(timePointer, rowCount * 2);
    const sessions = memory.u32(pointers.sessions, rowCount);
    const dates = memory.u32(pointers.dates, rowCount * 2);
    const sinceOpen = memory.f64(pointers.sinceOpen, rowCount);
    const toClose = memory.f64(pointers.toClose, rowCount);
    const kept = memory.u32(pointers.kept, rowCount);
    let keptCount = 0;
    let current = this.#current;
    for (let row = 0; row < rowCount; row++) {
      const low = times[2 * row]!;
      const high = times[2 * row + 1]! | 0;
      const { start, end } = current;
      const isBehindStart = high > start.high || (high === start.high && low >= start.low);
      const isBeforeEnd = high < end.high || (high === end.high && low < end.low);
      if (!isBehindStart || !isBeforeEnd) current = this.#enter(high, low);
      sessions[row] = current.code;
      dates[2 * row] = current.date.low;
      dates[2 * row + 1] = current.date.high;
      if (current.isClosed) {
        sinceOpen[row] = Number.NaN;
        toClose[row] = Number.NaN;
      } else {
        // Within a day the differences are exact.
        const { open, close } = current;
        sinceOpen[row] = ((high - open.high) * WORD + (low - open.low)) / NS_PER_MINUTE;
        toClose[row] = ((close.high - high) * WORD + (close.low - low)) / NS_PER_MINUTE;
      }
      if (current.isKept) kept[keptCount++] = row;
    }
    this.#current = current;
    return keptCount;
  }

  #enter(high: number, low: number): Current {
    const { calendar, keep } = this.#config;
    const time = (BigInt(high) << 32n) | BigInt(low);
    const { session, start, end, date, open, close } = segmentAt(calendar, time);
    const isClosed = session === 'closed';
    return {
      ...{ start: wordsOf(start), end: wordsOf(end), date: wordsOf(date) },
      ...{ open: wordsOf(open), close: wordsOf(close) },
      ...{ code: this.#codes.get(session)!, isClosed },
      isKept: keep === 'all' || (keep === 'regular' ? session === 'regular' : !isClosed),
    };
  }

  advance(watermark: bigint): bigint {
    return watermark;
  }

  snapshot(): Record<string, Uint8Array> {
    return {};
  }

  dispose(): void {}
}

export const tradingSession: OperatorDefinition = defineOperator({
  name: 'trading_session',
  since: '0.1.0',
  stability: 'beta',
  summary:
    'Adds the session of the exchange that a row lies in, its date, and the minutes since the ' +
    'opening and to the close; and keeps the rows of some sessions only.',
  guarantees: {
    order: 'Rows keep their order.',
    lateness: 'Late rows pass like any other.',
    backPressure: 'Holds no rows back.',
  },
  fields,
  constraints: [],
  plan,
  state: { version: 1, scope: 'none', tables: {} },
  metrics: {
    outside_rows_total: { unit: 'rows', doc: 'Rows outside of the sessions that are kept.' },
  },
  examples: [
    {
      title: 'A day in January and a half-day in July',
      config: {},
      input: `
        event_time           | symbol | price
        2024-01-02T08:59:00Z | AAPL   | 100
        2024-01-02T09:00:00Z | AAPL   | 100
        2024-01-02T14:29:30Z | AAPL   | 100
        2024-01-02T14:30:00Z | AAPL   | 100
        2024-01-02T21:00:00Z | AAPL   | 100
        2024-07-03T16:59:00Z | AAPL   | 100
        2024-07-03T17:00:00Z | AAPL   | 100
        2024-07-04T15:00:00Z | AAPL   | 100
      `,
      output: `
        event_time           | session | session_date | minutes_since_open | minutes_to_close
        2024-01-02T08:59:00Z | closed  | 2024-01-02   |                    |
        2024-01-02T09:00:00Z | pre     | 2024-01-02   | -330               | 720
        2024-01-02T14:29:30Z | pre     | 2024-01-02   | -0.5               | 390.5
        2024-01-02T14:30:00Z | regular | 2024-01-02   | 0                  | 390
        2024-01-02T21:00:00Z | post    | 2024-01-02   | 390                | 0
        2024-07-03T16:59:00Z | regular | 2024-07-03   | 209                | 1
        2024-07-03T17:00:00Z | post    | 2024-07-03   | 210                | 0
        2024-07-04T15:00:00Z | closed  | 2024-07-04   |                    |
      `,
    },
    {
      title: 'Only the regular session',
      config: { calendar: 'nasdaq', keep: 'regular' },
      input: `
        event_time           | symbol | price
        2024-03-08T14:30:00Z | AAPL   | 100
        2024-03-11T13:29:59Z | AAPL   | 101
        2024-03-11T13:30:00Z | AAPL   | 102
      `,
      output: `
        event_time           | price | session | session_date | minutes_since_open
        2024-03-08T14:30:00Z | 100   | regular | 2024-03-08   | 0
        2024-03-11T13:30:00Z | 102   | regular | 2024-03-11   | 0
      `,
    },
  ],
  open: (config, context) => new TradingSession(config, context),
});
