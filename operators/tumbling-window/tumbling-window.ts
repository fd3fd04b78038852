/**
 * Tumbling windows: `[start, start + size)`, aligned to the epoch, one after the other.
 *
 * A window's record is found or made by its first row and given back when the watermark passes
 * `end + allowed_lateness`. Windows are filed by their start, so that nothing is looked at before
 * the watermark passes the end of the oldest one.
 */

import { duration, type Fields } from '../../engine/contract/fields.ts';
import { defineOperator, type OperatorDefinition } from '../../engine/contract/operator.ts';
import { windowTables } from '../aggregates/open-windows.ts';
import {
  planWindow,
  spanProblem,
  windowConstraints,
  windowFields,
} from '../aggregates/window-plan.ts';
import { openAtOnce, recordBytes, windowSize } from '../aggregates/window-size.ts';
import { TumblingWindowOperator } from './tumbling-window-operator.ts';

const fields = {
  size: duration({
    doc: 'Length of a window. Windows are aligned to the Unix epoch, UTC.',
    examples: ['1s', '5m', '1d'],
  }),
  ...windowFields,
} satisfies Fields;

export const tumblingWindow: OperatorDefinition = defineOperator({
  name: 'tumbling_window',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Aggregates the rows of each key over fixed windows that follow one another.',
  guarantees: {
    order: 'Windows of a key come in the order of their starts; keys in any order.',
    lateness:
      'A row whose window was closed, at end + allowed_lateness, goes to `late` with `late_by`, ' +
      'the seconds from that moment to the watermark.',
    backPressure: 'Keeps one record for each open window of a key; the input is never held up.',
  },
  fields,
  constraints: [
    { at: ['size'], violated: ({ size }) => spanProblem(size, false) },
    ...windowConstraints,
  ],
  plan: planWindow,
  state: {
    version: 1,
    scope: 'keyed',
    tables: windowTables,
    bytesPerKey: (config, input) =>
      windowSize(0, {
        bytes: recordBytes(config, input),
        each: 'open window',
        atMost: openAtOnce(config.size, config),
      }),
  },
  metrics: {},
  examples: [
    {
      title: 'One-minute bars',
      config: {
        size: '1m',
        aggregates: {
          open: 'first(price)',
          high: 'max(price)',
          low: 'min(price)',
          close: 'last(price)',
          volume: 'sum(size)',
          trades: 'count()',
          vwap: 'sum(price * size) / sum(size)',
          volatility: 'stddev(price)',
        },
      },
      input: `
        event_time | symbol | price | size
        09:30:00   | AAPL   | 100   | 10
        09:30:20   | AAPL   | 104   | 30
        09:30:10   | AAPL   | 99    | 10
        09:30:59   | MSFT   | 50    | 5
        09:31:00   | AAPL   | 101   | 20
      `,
      output: `
        symbol | window_start | open | high | low | close | volume | trades:int64 | vwap  | volatility
        AAPL   | 09:30:00     | 100  | 104  | 99  | 104   | 50     | 3            | 102.2 | 2.64575131106
        MSFT   | 09:30:00     | 50   | 50   | 50  | 50    | 5      | 1            | 50    |
        AAPL   | 09:31:00     | 101  | 101  | 101 | 101   | 20     | 1            | 101   |
      `,
    },
    {
      title: 'Early results, stated again for a late row',
      config: {
        size: '10s',
        allowed_lateness: '5s',
        emit: 'early',
        aggregates: {
          rows: 'count()',
          spread: 'max(price) - min(price)',
          latest: 'last(event_time)',
        },
      },
      input: `
        event_time | symbol | price
        09:30:01   | AAPL   | 100
        09:30:12   | AAPL   | 101
        09:30:09   | AAPL   | 103
        09:30:20   | AAPL   | 102
        09:30:08   | AAPL   | 90
      `,
      output: `
        symbol | window_start | window_end | revision:int64 | rows:int64 | spread | latest:timestamp
        AAPL   | 09:30:00     | 09:30:10   | 0              | 1          | 0      | 09:30:01
        AAPL   | 09:30:00     | 09:30:10   | 1              | 2          | 3      | 09:30:09
        AAPL   | 09:30:10     | 09:30:20   | 0              | 1          | 0      | 09:30:12
        AAPL   | 09:30:20     | 09:30:30   | 0              | 1          | 0      | 09:30:20
      `,
      outputs: {
        late: `
          event_time | symbol | price | late_by
          09:30:08   | AAPL   | 90    | 5
        `,
      },
    },
  ],
  open: (config, context, state) => new TumblingWindowOperator(config, context, state),
});
