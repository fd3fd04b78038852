/**
 * Session windows: rows of a key that are less than `gap` apart. A session `[start, end)` begins
 * with its first row and ends a gap after its last one.
 *
 * Each session is a record in the list of its key, and in a queue of the times at which it is worth
 * a look; nothing is looked at before (`wasm/assembly/window-sessions.ts`).
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
import { SESSION_BYTES } from '../../wasm/host/window-sessions.ts';
import { SessionWindowOperator } from './session-window-operator.ts';

const fields = {
  gap: duration({
    doc: 'How long a key must be quiet for its session to end.',
    examples: ['30s', '5m', '1h'],
  }),
  ...windowFields,
} satisfies Fields;

/** An entry in each of the two queues. */
const SESSION_QUEUE_BYTES = 32;

export const sessionWindow: OperatorDefinition = defineOperator({
  name: 'session_window',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Aggregates the rows of each key over sessions that end when the key has been quiet.',
  guarantees: {
    order:
      'Sessions of a key come in the order of their starts; keys in any order. A session that ' +
      'was stated early and then began earlier, or was joined to the one before, is withdrawn: ' +
      'it is stated once more with `window_end` at `window_start` and no rows.',
    lateness:
      'A row never joins a session that was closed, at end + allowed_lateness. It goes to `late` ' +
      'where a session of this row alone would have been closed, with `late_by`, the seconds ' +
      'from that moment to the watermark.',
    backPressure: 'Keeps one record for each open session; the input is never held up.',
  },
  fields,
  constraints: [
    { at: ['gap'], violated: ({ gap }) => spanProblem(gap, false) },
    ...windowConstraints,
  ],
  plan: planWindow,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      ...windowTables,
      session_ends: 'When to look at each session next.',
      session_starts: 'Where each session begins, for the watermark of the output.',
    },
    bytesPerKey: (config, input) =>
      windowSize(0, {
        bytes: recordBytes(config, input, SESSION_BYTES) + SESSION_QUEUE_BYTES,
        each: 'open session',
        atMost: openAtOnce(config.gap, config),
      }),
  },
  metrics: {},
  examples: [
    {
      title: 'Bursts of trading',
      config: {
        gap: '10s',
        aggregates: { trades: 'count()', open: 'first(price)', close: 'last(price)' },
      },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:09   | AAPL   | 101
        09:30:12   | MSFT   | 50
        09:30:18   | AAPL   | 102
        09:30:15   | AAPL   | 103
      `,
      output: `
        symbol | window_start | window_end | trades:int64 | open | close
        AAPL   | 09:30:00     | 09:30:28   | 4            | 100  | 102
        MSFT   | 09:30:12     | 09:30:22   | 1            | 50   | 50
      `,
    },
    {
      title: 'Early results, joined by a late row',
      config: {
        gap: '10s',
        allowed_lateness: '30s',
        emit: 'early',
        aggregates: { trades: 'count()', high: 'max(price)' },
      },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:15   | AAPL   | 101
        09:30:30   | AAPL   | 102
        09:30:08   | AAPL   | 103
      `,
      output: `
        symbol | window_start | window_end | revision:int64 | trades:int64 | high
        AAPL   | 09:30:00     | 09:30:10   | 0              | 1            | 100
        AAPL   | 09:30:15     | 09:30:25   | 0              | 1            | 101
        AAPL   | 09:30:15     | 09:30:15   | 1              | 0            |
        AAPL   | 09:30:00     | 09:30:25   | 1              | 3            | 103
        AAPL   | 09:30:30     | 09:30:40   | 0              | 1            | 102
      `,
    },
  ],
  open: (config, context, state) => new SessionWindowOperator(config, context, state),
});
