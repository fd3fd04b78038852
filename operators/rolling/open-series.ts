/** Opens what computes a series of a rolling program. */

import type { Batch, Column, Pointer } from '../../engine/contract/batch.ts';
import type { OperatorContext } from '../../engine/contract/operator.ts';
import { compileExpression, compileToFloat64 } from '../../engine/expression/compile-expression.ts';
import type { Kernels } from '../../wasm/host/kernels.ts';
import { AggregateWindow, LagWindow } from '../../wasm/host/rolling.ts';
import { DecayingMoments } from '../../wasm/host/rolling-decay.ts';
import { OrderedWindow } from '../../wasm/host/rolling-order.ts';
import { PairWindow } from '../../wasm/host/rolling-pairs.ts';
import {
  type AnchorTexts,
  SessionSums,
  type SessionSpec,
} from '../../wasm/host/rolling-session.ts';
import type { RollingState, WindowSpec } from '../../wasm/host/rolling-state.ts';
import type { Frame, LocalExpression, RollingCall, Series } from './rolling-program.ts';

export interface SeriesAtWork {
  /** Name of its section of a snapshot: another name is another state. */
  readonly section: string;
  readonly state: RollingState;
  /** Values of each operand at each row of a batch. */
  readonly valuesOf: readonly ((batch: Batch) => Pointer)[];
}

/** @param calls Those of the series. */
export function openSeries(
  kernels: Kernels,
  series: Series,
  calls: readonly RollingCall[],
  context: OperatorContext,
): SeriesAtWork {
  const { kind, over, settings, text, operands } = series;
  const numbers = (of: LocalExpression): ((batch: Batch) => Pointer) =>
    compileToFloat64(of.expression, of.schema, context);
  const section = [kind, over, ...settings, text].filter((part) => part !== '').join(' ');
  const names = calls.map(({ output }) => output);
  switch (kind) {
    case 'aggregate': {
      const state = new AggregateWindow(kernels, windowSpec(series.frame!), names);
      return { section, state, valuesOf: operands.map(numbers) };
    }
    case 'ordered': {
      const state = new OrderedWindow(kernels, windowSpec(series.frame!));
      return { section, state, valuesOf: operands.map(numbers) };
    }
    case 'pair': {
      const state = new PairWindow(kernels, windowSpec(series.frame!));
      return { section, state, valuesOf: operands.map(numbers) };
    }
    case 'lag': {
      const [operand] = operands;
      const isInteger = operand!.type === 'int64' || operand!.type === 'timestamp';
      const frame = windowSpec(series.frame!);
      // Over rows they look back as far as they say, whatever the window.
      const rows = Math.max(...calls.map(({ arguments: [distance] }) => distance!));
      const reach = frame.rows === undefined ? frame : { ...frame, rows };
      return {
        section: frame.rows === undefined ? section : `lag ${rows} rows ${text}`,
        state: new LagWindow(kernels, { ...reach, isInteger }),
        valuesOf: [pointerOf(compileExpression(operand!.expression, operand!.schema, context))],
      };
    }
    case 'ewm':
    case 'seeded': {
      const state = new DecayingMoments(kernels, kind, settings);
      return { section, state, valuesOf: operands.map(numbers) };
    }
    case 'session':
      return { section, ...openSession(kernels, series, context) };
  }
}

function openSession(
  kernels: Kernels,
  { operands, settings }: Series,
  context: OperatorContext,
): Omit<SeriesAtWork, 'section'> {
  const [operand, anchor] = operands;
  const [everyNs, offsetNs] = settings.map(BigInt);
  const valuesOf = [compileToFloat64(operand!.expression, operand!.schema, context)];
  let kind: SessionSpec['anchor'] = 'time';
  if (anchor !== undefined) {
    valuesOf.push(pointerOf(compileExpression(anchor.expression, anchor.schema, context)));
    kind = anchor.type === 'timestamp' ? 'int64' : anchor.type;
  }
  const texts = kind === 'string' ? anchorTexts(anchor!, context) : undefined;
  const spec = { anchor: kind, everyNs: everyNs!, offsetNs: offsetNs!, texts };
  return { state: new SessionSums(kernels, spec), valuesOf };
}

/** Codes of the key column are those of the task's keys, all others those of the slot. */
function anchorTexts(
  { expression }: LocalExpression,
  { keys, strings, input }: OperatorContext,
): AnchorTexts {
  const isKey = expression.kind === 'column' && expression.name === input.key;
  if (!isKey) return strings;
  return { text: (code) => keys.text(code), intern: (text) => keys.codeOf(text) };
}

function pointerOf(evaluate: (batch: Batch) => Column): (batch: Batch) => Pointer {
  return (batch) => evaluate(batch).pointer;
}

function windowSpec({ over, excludeCurrent, minRows }: Frame): WindowSpec {
  return {
    rows: 'rows' in over ? over.rows : undefined,
    durationNs: 'durationNs' in over ? over.durationNs : undefined,
    minRows,
    excludeCurrent,
  };
}
