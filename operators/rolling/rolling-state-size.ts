/** How large the state of a rolling step gets: what each series keeps of each key. */

import type { Schema } from '../../engine/contract/schema.ts';
import { type StatePart, type StateSize, sumOfSizes } from '../../engine/contract/state-size.ts';
import {
  planProgram,
  type RollingCall,
  type RollingConfig,
  type Series,
} from './rolling-program.ts';

/** As `wasm/assembly/_rolling-snapshot.ts` lays them out. */
const SERIES_BYTES = 32;
const WORD_BYTES = 8;

export function rollingStateSize(config: RollingConfig, input: Schema): StateSize {
  const { series, calls } = planProgram(config, input, ({ message }) => {
    throw new TypeError(`not a rolling step: ${message}`);
  });
  return sumOfSizes(series.map((each) => seriesSize(each, calls)));
}

/** A header, and the values of the window; a window of time keeps their times too. */
function seriesSize(
  { kind, frame, over, text, operands, calls: own }: Series,
  calls: Calls,
): StateSize {
  if (frame === undefined) return { key: SERIES_BYTES, parts: [] };
  const valueBytes = WORD_BYTES * operands.length;
  if ('durationNs' in frame.over) {
    const each = `value of ${text} within ${over}`;
    return sized({ bytes: valueBytes + WORD_BYTES, each });
  }
  const distances = own.map((position) => calls[position]!.arguments[0]!);
  const atMost = kind === 'lag' ? Math.max(...distances) : frame.over.rows;
  return sized({ bytes: valueBytes, each: `value of ${text}`, atMost });
}

type Calls = readonly RollingCall[];

function sized(part: StatePart): StateSize {
  return { key: SERIES_BYTES, parts: [part] };
}
