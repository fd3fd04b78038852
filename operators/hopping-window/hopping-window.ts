/**
 * Hopping windows: `[start, start + size)`, one beginning every `slide`, aligned to the epoch.
 *
 * Rows are added to panes of length `slide`, once each; windows are merged from panes at a cost
 * that does not depend on `size / slide` (`pane-windows.ts`).
 */

import { duration, type Fields } from '../../engine/contract/fields.ts';
import { defineOperator, type OperatorDefinition } from '../../engine/contract/operator.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import type { StatePart, StateSize } from '../../engine/contract/state-size.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { windowTables } from '../aggregates/open-windows.ts';
import {
  planWindow,
  spanProblem,
  windowConstraints,
  windowFields,
} from '../aggregates/window-plan.ts';
import { openAtOnce, ratio, recordBytes, windowSize } from '../aggregates/window-size.ts';
import { type HoppingWindowConfig, HoppingWindowOperator } from './hopping-window-operator.ts';

const fields = {
  size: duration({
    doc: 'Length of a window; a multiple of `slide`.',
    examples: ['10s', '5m', '1h'],
  }),
  slide: duration({
    doc: 'How long after a window the next one begins. Windows are aligned to the Unix epoch, UTC.',
    examples: ['100ms', '1s', '1m'],
  }),
  ...windowFields,
} satisfies Fields;

/** A day every second. A key that falls silent is put out as often before it is forgotten. */
const WINDOWS_MAX = 100_000n;

/** Bytes of a key beside its panes: front, place among the active keys, and back. */
const FRONT_AND_ACTIVE_BYTES = 8;
const RESTATED_BYTES = 16;

function hoppingSize(config: HoppingWindowConfig, input: Schema): StateSize {
  const bytes = recordBytes(config, input);
  const isEarly = config.emit === 'early';
  const pane: StatePart = {
    // One that is stated again keeps its own aggregate beside that of the rest of its block.
    bytes: isEarly ? 2 * bytes : bytes,
    each: `slide of ${config.slide} with rows`,
    atMost:
      ratio(durationNs(config.size), durationNs(config.slide)) + openAtOnce(config.slide, config),
  };
  const restated: StatePart = { bytes: RESTATED_BYTES, each: 'open window that was stated again' };
  return windowSize(FRONT_AND_ACTIVE_BYTES + bytes, pane, ...(isEarly ? [restated] : []));
}

export const hoppingWindow: OperatorDefinition = defineOperator({
  name: 'hopping_window',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Aggregates the rows of each key over windows that overlap, one beginning every slide.',
  guarantees: {
    order: 'Windows of a key come in the order of their starts; keys in any order.',
    lateness:
      'A row enters those of its windows that are still open; one that has none left, at ' +
      'start of its slide + size + allowed_lateness, goes to `late` with `late_by`, the seconds ' +
      'from that moment to the watermark.',
    backPressure:
      'Keeps one record for each slide of a window and key; the input is never held up.',
  },
  fields,
  constraints: [
    { at: ['size'], violated: ({ size }) => spanProblem(size, false) },
    { at: ['slide'], violated: ({ slide }) => spanProblem(slide, false) },
    {
      at: ['size'],
      violated: ({ size, slide }) => {
        const [length, step] = [durationNs(size), durationNs(slide)];
        if (step === 0n) return undefined;
        if (length % step !== 0n) return `must be a multiple of slide, ${slide}`;
        if (length / step <= WINDOWS_MAX) return undefined;
        return `must be at most ${WINDOWS_MAX} times slide, ${slide}: a row is in as many windows`;
      },
    },
    ...windowConstraints,
  ],
  plan: planWindow,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      ...windowTables,
      fronts: 'For each key, its oldest pane of the finished block that is in the next window.',
      backs: 'For each key, the aggregate of its panes of the block at hand.',
      active_keys: 'Keys that have a pane in the next window.',
      horizon: 'End of the last windows that were put out, and start of the block at hand.',
      revisions: 'How often windows were stated that have been stated again.',
    },
    bytesPerKey: hoppingSize,
  },
  metrics: {},
  examples: [
    {
      title: 'The last minute, every 20 seconds',
      config: {
        size: '1m',
        slide: '20s',
        aggregates: { rows: 'count()', high: 'max(price)', mean: 'mean(price)' },
      },
      input: `
        event_time | symbol | price
        09:30:05   | AAPL   | 100
        09:30:25   | AAPL   | 104
        09:30:45   | AAPL   | 102
        09:31:30   | AAPL   | 90
      `,
      output: `
        symbol | window_start | window_end | rows:int64 | high | mean
        AAPL   | 09:29:20     | 09:30:20   | 1          | 100  | 100
        AAPL   | 09:29:40     | 09:30:40   | 2          | 104  | 102
        AAPL   | 09:30:00     | 09:31:00   | 3          | 104  | 102
        AAPL   | 09:30:20     | 09:31:20   | 2          | 104  | 103
        AAPL   | 09:30:40     | 09:31:40   | 2          | 102  | 96
        AAPL   | 09:31:00     | 09:32:00   | 1          | 90   | 90
        AAPL   | 09:31:20     | 09:32:20   | 1          | 90   | 90
      `,
    },
    {
      title: 'A late row that enters one window of two',
      config: {
        size: '20s',
        slide: '10s',
        aggregates: { rows: 'count()', first: 'first(price)', sum: 'sum(price)' },
      },
      input: `
        event_time | symbol | price
        09:30:12   | AAPL   | 100
        09:30:21   | AAPL   | 101
        09:30:18   | AAPL   | 99
        09:30:30   | AAPL   | 98
        09:30:19   | AAPL   | 97
      `,
      output: `
        symbol | window_start | window_end | rows:int64 | first | sum
        AAPL   | 09:30:00     | 09:30:20   | 1          | 100   | 100
        AAPL   | 09:30:10     | 09:30:30   | 3          | 100   | 300
        AAPL   | 09:30:20     | 09:30:40   | 2          | 101   | 199
        AAPL   | 09:30:30     | 09:30:50   | 1          | 98    | 98
      `,
      outputs: {
        late: `
          event_time | symbol | price | late_by
          09:30:19   | AAPL   | 97    | 0
        `,
      },
    },
    {
      title: 'Early results, stated again for a late row',
      config: {
        size: '20s',
        slide: '10s',
        allowed_lateness: '10s',
        emit: 'early',
        aggregates: { rows: 'count()', low: 'min(price)' },
      },
      input: `
        event_time | symbol | price
        09:30:12   | AAPL   | 100
        09:30:22   | AAPL   | 101
        09:30:18   | AAPL   | 99
        09:30:31   | AAPL   | 98
      `,
      output: `
        symbol | window_start | window_end | revision:int64 | rows:int64 | low
        AAPL   | 09:30:00     | 09:30:20   | 0              | 1          | 100
        AAPL   | 09:30:00     | 09:30:20   | 1              | 2          | 99
        AAPL   | 09:30:10     | 09:30:30   | 0              | 3          | 99
        AAPL   | 09:30:20     | 09:30:40   | 0              | 2          | 98
        AAPL   | 09:30:30     | 09:30:50   | 0              | 1          | 98
      `,
    },
  ],
  open: (config, context, state) => new HoppingWindowOperator(config, context, state),
});
