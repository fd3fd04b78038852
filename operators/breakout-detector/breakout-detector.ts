/**
 * What a symbol has not shown for a long time: a value beyond all those of the window, or a new
 * level, where even the lowest of the last few values is above every such low before, or the
 * highest below every such high.
 *
 *     highest  ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ ─ *  ← value
 *                ╭╮    ╭╮     ╭╮    ╭╮  ╭───────    ← floor of the last values: a new level,
 *                ││    ││     ││    ││  │             within the range of all values
 *     lowest   ──╯╰────╯╰─────╯╰────╯╰──╯
 *
 * How far beyond is told in ranges, highest less lowest, so that one threshold suits a calm and a
 * wild series. Nothing is estimated: no mean that an outlier moves, no shape of a distribution.
 */

import { integer, parseExtent } from '../../engine/contract/fields.ts';
import { defineDetector } from '../detectors/define-detector.ts';
import { input, positive, side, windowFields } from '../detectors/detector-fields.ts';

const MIN_ROWS = 50;
const ROWS_MAX = 1_000_000;

/** Values that a window must hold; one of fewer rows must be full. */
function leastOf(over: string): number {
  const extent = parseExtent(over);
  return extent !== undefined && 'rows' in extent ? Math.min(extent.rows, MIN_ROWS) : MIN_ROWS;
}

export const breakoutDetector = defineDetector({
  name: 'breakout_detector',
  since: '0.1.0',
  stability: 'beta',
  summary: 'Reports values and levels beyond all that the symbol has shown for long.',
  fields: {
    value: input('close', 'What is watched'),
    over: windowFields('4000 rows').over,
    min_rows: integer({
      doc:
        `Values the window must hold, else there is no anomaly. By default ${MIN_ROWS}, or all ` +
        'of a window that has fewer.',
      ...{ minimum: 2, maximum: ROWS_MAX },
    }).optional(),
    level_rows: integer({
      doc: 'Values that make a level: its floor is the lowest of them, its ceiling the highest.',
      ...{ minimum: 1, maximum: ROWS_MAX, examples: [20] },
    }).default(20),
    rest_rows: integer({
      doc: 'Rows after an anomaly in which only a score that is larger still makes another.',
      ...{ minimum: 1, maximum: ROWS_MAX, examples: [100] },
    }).default(100),
    threshold: positive({
      doc: 'Ranges of the window, highest less lowest, that it must be beyond.',
    }).default(0.05),
    side: side(),
  },
  types: ['breakout'],
  rules: ({ value, level_rows, rest_rows, threshold, side, over, min_rows }) => {
    const window = { over, exclude_current: true, min_rows: min_rows ?? leastOf(over) };
    const recent = `over => '${level_rows} rows', min_rows => 1, exclude_current => false`;
    const [floor, ceiling] = [`min(${value}, ${recent})`, `max(${value}, ${recent})`];
    const above = (x: string): string => `(${x} - max(${x})) / (max(${x}) - min(${x}))`;
    const below = (x: string): string => `(min(${x}) - ${x}) / (max(${x}) - min(${x}))`;
    const up = `greatest(${above(value)}, ${above(floor)})`;
    const down = `greatest(${below(value)}, ${below(ceiling)})`;
    // Both are negative within the range, and null where there is none.
    const score = `case when ${up} >= ${down} then ${up} else -${down} end`;
    const size = { both: `greatest(${up}, ${down})`, above: up, below: down }[side];
    const before = `over => '${rest_rows} rows', min_rows => 1, exclude_current => true`;
    const rest = `max(${size}, ${before})`;
    return [
      {
        type: 'breakout',
        // A level can be new where the value is null, or infinite, and has none to show.
        when:
          `${size} > ${threshold} and coalesce(${size} > ${rest}, true) ` +
          `and ${value} - ${value} = 0`,
        ...{ value, score, threshold },
        details: { highest: `max(${value})`, lowest: `min(${value})`, floor, ceiling },
        window,
      },
    ];
  },
  examples: [
    {
      title: 'Two prices above all pairs of prices before',
      config: { value: 'price', over: '6 rows', level_rows: 2, rest_rows: 2 },
      input: `
        event_time | symbol | price
        09:30:00   | AAPL   | 100
        09:30:01   | AAPL   | 104
        09:30:02   | AAPL   | 100
        09:30:03   | AAPL   | 105
        09:30:04   | AAPL   | 101
        09:30:05   | AAPL   | 104
        09:30:06   | AAPL   | 106
        09:30:07   | AAPL   | 106
      `,
      output: `
        event_time | symbol | type     | detector | value | score | threshold | direction
        09:30:06   | AAPL   | breakout | breakout | 106   | 3     | 0.05      | up
      `,
    },
  ],
});
