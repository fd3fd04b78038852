import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import type { Batch } from '../contract/batch.ts';
import { expression, expressionText } from '../contract/fields.ts';
import type { Collector, Operator, OperatorContext, OperatorSpec } from '../contract/operator.ts';
import { defineOperator } from '../contract/operator.ts';
import { operatorCompliance } from './operator-compliance.ts';

const fields = { say: expression({ doc: 'Anything.' }) };
type Spec = OperatorSpec<typeof fields>;

/** The number of rows of the key so far, beside each row: small, and easy to get wrong. */
class Counter implements Operator {
  readonly #context: OperatorContext;
  protected counts: number[];

  constructor(context: OperatorContext, counts: number[]) {
    this.#context = context;
    this.counts = counts;
  }

  process(batch: Batch, collector: Collector): void {
    const { memory } = this.#context;
    const key = batch.columns.find(({ dictionary }) => dictionary === this.#context.keys)!;
    const codes = memory.u32(key.pointer, batch.rowCount);
    const counted = Array.from(codes, (code) => {
      this.counts[code] = (this.counts[code] ?? 0) + 1;
      return this.counts[code]!;
    });
    const pointer = memory.arena.allocate(batch.rowCount * 8);
    memory.f64(pointer, batch.rowCount).set(counted);
    collector.emit({ ...batch, columns: [...batch.columns, { type: 'float64', pointer }] });
  }

  advance(watermark: bigint): bigint {
    return watermark;
  }

  snapshot(): Record<string, Uint8Array> {
    return { counts: Uint8Array.from(this.counts) };
  }

  dispose(): void {}
}

const counter: Spec = {
  name: 'counter',
  since: '0.1.0',
  stability: 'experimental',
  summary: 'Counts rows.',
  guarantees: { order: 'Kept.', lateness: 'None.', backPressure: 'None.' },
  fields,
  constraints: [],
  plan: (_, input) => ({
    main: { ...input, columns: [...input.columns, { name: 'number', type: 'float64' }] },
  }),
  state: { version: 1, scope: 'keyed', tables: { counts: 'Rows of each key.' } },
  metrics: {},
  examples: [
    {
      title: 'two keys',
      config: { say: 'nothing' },
      input: 'event_time | symbol | price\n09:30 | A | 1\n09:31 | B | 2\n09:32 | A | 3',
      output: 'symbol | price | number\nA | 1 | 1\nA | 3 | 2\nB | 2 | 1',
    },
  ],
  open: (_, context, state) => new Counter(context, [...(state?.['counts'] ?? [])]),
};

// Faults need to be found here, not shrunk.
fc.configureGlobal({ endOnFailure: true });

/** Whether the suite says that the changed operator breaks the rule. */
function isFound(change: Partial<Spec>, rule: string): boolean {
  let found = false;
  operatorCompliance(defineOperator({ ...counter, ...change }), (name, body) => {
    if (!name.startsWith(`counter: ${rule}`)) return;
    try {
      body();
    } catch {
      found = true;
    }
  });
  return found;
}

operatorCompliance(defineOperator(counter));

const faults: readonly [fault: string, change: Partial<Spec>, rule: string][] = [
  ['no examples', { examples: [] }, 'has an example'],
  [
    'another example',
    { examples: [{ ...counter.examples[0]!, output: 'symbol | number\nA | 7' }] },
    'the example holds',
  ],
  [
    'a plan that is not sound',
    { plan: (_, input) => ({ main: { ...input, time: 'nosuch' } }) },
    'the plan is pure and its outputs are sound',
  ],
  [
    'a state that forgets batches',
    {
      open: (_, context) =>
        new (class extends Counter {
          override advance(watermark: bigint): bigint {
            this.counts = [];
            return watermark;
          }
        })(context, []),
    },
    'the output does not depend on how rows are cut into batches',
  ],
  [
    'a batch that has to have a row',
    {
      open: (_, context) =>
        new (class extends Counter {
          override process(batch: Batch, collector: Collector): void {
            assert.notEqual(batch.rowCount, 0);
            super.process(batch, collector);
          }
        })(context, []),
    },
    'empty batches are harmless',
  ],
  [
    'a watermark ahead of time',
    {
      open: (_, context) =>
        new (class extends Counter {
          override advance(watermark: bigint): bigint {
            return watermark + 10n ** 12n;
          }
        })(context, []),
    },
    'the watermark never goes back, and rows keep to it',
  ],
  [
    'a state that is not restored',
    { open: (_, context) => new Counter(context, []) },
    'stopping and restoring changes nothing',
  ],
  [
    'a state across keys',
    {
      open: (_, context, state) =>
        new (class extends Counter {
          override process(batch: Batch, collector: Collector): void {
            super.process(batch, collector);
            this.counts.fill(this.counts.reduce((all, count) => all + count, 0));
          }
        })(context, [...(state?.['counts'] ?? [])]),
    },
    'many partitions give what one gives',
  ],
  [
    'memory kept for good',
    {
      open: (_, context) => {
        context.memory.allocate(8);
        return new Counter(context, []);
      },
    },
    'disposing gives all memory back',
  ],
  [
    'a plan that throws',
    {
      plan: (config, input, report) => {
        const said = expressionText(config.say);
        if (said.length > 30) throw new TypeError(said);
        return counter.plan(config, input, report);
      },
    },
    'a bad configuration gives problems, never an exception',
  ],
];

for (const [fault, change, rule] of faults) {
  test(`the suite finds ${fault}`, () => {
    assert(isFound(change, rule), `${rule}: not found`);
  });
}
