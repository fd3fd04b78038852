/**
 * Alerts: anomalies merged into episodes, which open, go on and close. What is not an episode's
 * own business lies elsewhere: `HeldRows` puts anomalies into the order of event time, `Episodes`
 * is the life cycle, `suppression` tells when there are no alerts.
 */

import type { Batch } from '../../engine/contract/batch.ts';
import {
  choice,
  type ConfigOf,
  extent,
  type Fields,
  flag,
  number,
  parseExtent,
} from '../../engine/contract/fields.ts';
import {
  type Collector,
  type Constraint,
  defineOperator,
  type Operator,
  type OperatorContext,
  type OperatorDefinition,
  type Outputs,
  type StateTables,
} from '../../engine/contract/operator.ts';
import type { Report } from '../../engine/contract/problem.ts';
import { columnIndex, type ColumnSchema, type Schema } from '../../engine/contract/schema.ts';
import { durationNs, type EventTime } from '../../engine/contract/time.ts';
import { anomalyPositions, requireAnomalies } from '../anomalies/anomaly-input.ts';
import { HeldRows, rowOrder } from '../stored-rows/held-rows.ts';
import { type StoredRow, writeStoredRows } from '../stored-rows/stored-rows.ts';
import { type Change, Episodes, groupOf } from './episodes.ts';
import { suppressField, suppression } from './suppression.ts';

/** A century: event times and this add up within 64 bits. */
const COOL_DOWN_MAX = '36500d';

const fields = {
  cool_down: extent({
    doc:
      'How long an episode stays open after its last anomaly: a duration, or a number of ' +
      'anomalies in a row that are below `close_below`.',
    examples: ['5m', '20 rows'],
  }),
  open_above: number({
    doc:
      'Absolute score from which an anomaly opens an episode. By default any anomaly does, ' +
      'also one without a score.',
    examples: [3],
  }).optional(),
  close_below: number({
    doc:
      'Absolute score below which an anomaly neither keeps an episode open nor counts: with a ' +
      'detector that reports at this limit, an episode opens high and closes low. By default ' +
      'every anomaly keeps it open.',
    examples: [2],
  }).default(0),
  by_direction: flag({
    doc: 'Whether moves up and down are episodes of their own.',
  }).default(false),
  emit: choice(['open', 'changes', 'all'], {
    doc:
      '`open`: a row when an episode opens. `changes`: also when its severity rises and when it ' +
      'closes. `all`: a row for each of its anomalies, and when it closes.',
  }).default('changes'),
  suppress: suppressField,
} satisfies Fields;

type Config = ConfigOf<typeof fields>;

const constraints: readonly Constraint<Config>[] = [
  {
    at: ['cool_down'],
    violated: ({ cool_down, close_below }) => {
      const coolDown = parseExtent(cool_down)!;
      if ('rows' in coolDown) {
        const isEndless = close_below === 0;
        return isEndless ? 'needs close_below where it is a number of rows' : undefined;
      }
      const isTooLong = coolDown.durationNs > durationNs(COOL_DOWN_MAX);
      return isTooLong ? `must not exceed ${COOL_DOWN_MAX}, got ${cool_down}` : undefined;
    },
  },
  {
    at: ['close_below'],
    violated: ({ close_below, open_above }) => {
      if (close_below < 0) return 'must not be negative';
      return open_above !== undefined && close_below > open_above
        ? 'must not be above open_above'
        : undefined;
    },
  },
];

const READ = ['anomaly_id', 'type', 'score', 'severity', 'direction'] as const;

/** What an alert has beside the columns of its anomaly. */
const EPISODE_COLUMNS: readonly ColumnSchema[] = [
  { name: 'episode_id', type: 'string' },
  { name: 'status', type: 'string' },
  { name: 'opened_at', type: 'timestamp' },
  { name: 'last_seen', type: 'timestamp' },
  { name: 'anomalies', type: 'int64' },
  { name: 'peak_score', type: 'float64' },
];

function plan(_config: Config, input: Schema, report: Report): Outputs {
  requireAnomalies(READ, input, report);
  const added = EPISODE_COLUMNS.filter(({ name }) => {
    if (columnIndex(input, name) < 0) return true;
    report({
      path: ['input'],
      code: 'config/duplicate-column',
      message: `the input has a column ${name} already`,
      help: 'give alerts the anomalies themselves, not alerts again',
    });
    return false;
  });
  const main = { ...input, columns: [...input.columns, ...added] };
  return { main, late: input, suppressed: input };
}

const SEVERITIES = ['low', 'medium', 'high'];

class Alerts implements Operator {
  readonly #config: Config;
  readonly #context: OperatorContext;
  readonly #at: Readonly<Record<(typeof READ)[number], number>>;
  readonly #time: number;
  readonly #key: number;
  readonly #held: HeldRows;
  readonly #episodes: Episodes;
  readonly #isSuppressed: ReturnType<typeof suppression>;

  constructor(config: Config, context: OperatorContext, state: StateTables | undefined) {
    const { input, step } = context;
    this.#config = config;
    this.#context = context;
    this.#at = anomalyPositions(READ, input);
    const order = rowOrder(input, ['anomaly_id', 'type']);
    this.#time = order.time;
    this.#key = order.key;
    this.#held = new HeldRows(order, context, state?.['held_rows']);
    const { open_above: openAbove, close_below: closeBelow, emit, cool_down } = config;
    const coolDown = parseExtent(cool_down)!;
    this.#episodes = new Episodes({ openAbove, closeBelow, coolDown, emit }, step);
    if (state !== undefined) this.#episodes.restore(state['episodes']!, input.columns);
    this.#isSuppressed = suppression(config.suppress);
  }

  process(batch: Batch, collector: Collector): void {
    if (batch.rowCount > 0) this.#held.take(batch, collector);
  }

  advance(watermark: EventTime, collector: Collector): EventTime {
    const suppressed: StoredRow[] = [];
    for (const row of this.#held.release(watermark)) {
      const time = row[this.#time] as bigint;
      if (this.#isSuppressed(time, this.#text(row, this.#key), this.#text(row, this.#at.type))) {
        suppressed.push(row);
      } else {
        this.#add(row, time);
      }
    }
    const { outputs } = this.#context;
    if (suppressed.length > 0) {
      this.#context.count('suppressed_anomalies_total', suppressed.length);
      const schema = outputs['suppressed']!;
      collector.emit(writeStoredRows(suppressed, schema, this.#context), 'suppressed');
    }
    const changes = this.#episodes.take(watermark);
    this.#countAll(changes);
    if (changes.length > 0) {
      const rows = changes.map((change) => this.#rowOf(change));
      collector.emit(writeStoredRows(rows, outputs.main, this.#context));
    }
    return watermark;
  }

  #add(row: StoredRow, time: EventTime): void {
    const { anomaly_id, type, score, severity, direction } = this.#at;
    const parts = [this.#text(row, this.#key), this.#text(row, type)];
    if (this.#config.by_direction) parts.push(this.#text(row, direction));
    this.#episodes.add({
      ...{ row, time, group: groupOf(parts), id: this.#text(row, anomaly_id) },
      score: row[score] as number,
      severity: SEVERITIES.indexOf(this.#text(row, severity) ?? ''),
    });
  }

  #text(row: StoredRow, at: number): string | null {
    return row[at] as string | null;
  }

  /** A row that closes an episode is its peak, with the time of the end and an id of its own. */
  #rowOf({ status, time, row, episode }: Change): StoredRow {
    const { id, openedAt, lastSeen, count, peakScore } = episode;
    const values = [...row, id, status, openedAt, lastSeen, BigInt(count), peakScore];
    if (status !== 'close') return values;
    values[this.#time] = time;
    values[this.#at.anomaly_id] = `${id}/close`;
    return values;
  }

  #countAll(changes: readonly Change[]): void {
    const { duplicates, ignored } = this.#episodes;
    const opened = changes.filter(({ status }) => status === 'open').length;
    for (const [metric, amount] of [
      ['episodes_total', opened],
      ['repeated_anomalies_total', duplicates],
      ['quiet_anomalies_total', ignored],
    ] as const) {
      if (amount > 0) this.#context.count(metric, amount);
    }
    this.#episodes.duplicates = 0;
    this.#episodes.ignored = 0;
  }

  snapshot(): StateTables {
    return { held_rows: this.#held.snapshot(), episodes: this.#episodes.snapshot() };
  }

  dispose(): void {}
}

const HELD_BYTES = 450;
const EPISODE_BYTES = 800;

export const alerts: OperatorDefinition = defineOperator({
  name: 'alerts',
  since: '0.1.0',
  stability: 'beta',
  summary:
    'Merges anomalies of a key and type into episodes, which open, go on and close once they ' +
    'have cooled down.',
  guarantees: {
    order:
      'Alerts come in the order of event time, whatever the order of the anomalies; the end of ' +
      'an episode comes before what begins at the same time.',
    lateness:
      'Anomalies below the watermark go to the output `late` and change nothing. An episode is ' +
      'closed by the watermark, never by the clock.',
    backPressure: 'Holds anomalies back until the watermark has passed them.',
  },
  inputs: 'several',
  fields,
  constraints,
  plan,
  state: {
    version: 1,
    scope: 'keyed',
    tables: {
      held_rows: 'Anomalies that the watermark has not passed, as JSON.',
      episodes: 'Open episodes, each with the anomaly at its peak, as JSON.',
    },
    bytesPerKey: () => ({
      key: 0,
      parts: [
        { bytes: HELD_BYTES, each: 'anomaly that the watermark has not passed' },
        { bytes: EPISODE_BYTES, each: 'open episode' },
      ],
    }),
  },
  metrics: {
    episodes_total: { unit: 'episodes', doc: 'Episodes opened.' },
    repeated_anomalies_total: { unit: 'rows', doc: 'Anomalies whose id came again at once.' },
    quiet_anomalies_total: {
      unit: 'rows',
      doc: 'Anomalies that neither opened an episode nor kept one open.',
    },
    suppressed_anomalies_total: { unit: 'rows', doc: 'Anomalies in times without alerts.' },
  },
  examples: [
    {
      title: 'Bursts of anomalies become episodes',
      config: { cool_down: '5m', emit: 'all' },
      input: `
        event_time|symbol|anomaly_id:string|type:string|score|severity:string|direction:string
        09:30 | AAPL | a1 | price_spike | 3.5  | low    | up
        09:31 | AAPL | a2 | price_spike | -6   | high   | down
        09:31 | AAPL | a2 | price_spike | -6   | high   | down
        09:31 | AAPL | a3 | gap         | 9    | high   | up
        09:33 | AAPL | a4 | price_spike | 4    | low    | up
        09:38 | AAPL | a5 | price_spike | 3.1  | low    | up
        09:38 | IBM  | i1 | price_spike | 4.2  | medium | up
      `,
      output: `
        event_time | symbol | type | status | score|episode_id|opened_at|anomalies|peak_score
        09:30      | AAPL   | price_spike | open   | 3.5   | step/a1 | 09:30 | 1 | 3.5
        09:31      | AAPL   | price_spike | update | -6    | step/a1 | 09:30 | 2 | -6
        09:31      | AAPL   | gap         | open   | 9     | step/a3 | 09:31 | 1 | 9
        09:33      | AAPL   | price_spike | update | 4     | step/a1 | 09:30 | 3 | -6
        09:36      | AAPL   | gap         | close  | 9     | step/a3 | 09:31 | 1 | 9
        09:38      | AAPL   | price_spike | close  | -6    | step/a1 | 09:30 | 3 | -6
        09:38      | AAPL   | price_spike | open   | 3.1   | step/a5 | 09:38 | 1 | 3.1
        09:38      | IBM    | price_spike | open   | 4.2   | step/i1 | 09:38 | 1 | 4.2
        09:43      | AAPL   | price_spike | close  | 3.1   | step/a5 | 09:38 | 1 | 3.1
        09:43      | IBM    | price_spike | close  | 4.2   | step/i1 | 09:38 | 1 | 4.2
      `,
    },
    {
      title: 'An episode opens above 3 and closes after two scores below 2',
      config: { cool_down: '2 rows', open_above: 3, close_below: 2, by_direction: true },
      input: `
        event_time|symbol|anomaly_id:string|type:string|score|severity:string|direction:string
        09:30 | AAPL | a1 | z           | 2.5  | low    | up
        09:31 | AAPL | a2 | z           | 3.5  | low    | up
        09:32 | AAPL | a3 | z           | 1.5  | low    | up
        09:33 | AAPL | a4 | z           | 2.5  | medium | up
        09:34 | AAPL | a5 | z           | 1    | low    | up
        09:35 | AAPL | a6 | z           | -4   | low    | down
        09:36 | AAPL | a7 | z           | 0.5  | low    | up
        09:37 | AAPL | a8 | z           | 2.9  | low    | up
      `,
      output: `
        event_time | anomaly_id    | status | score | anomalies | peak_score | last_seen
        09:31      | a2            | open   | 3.5   | 1         | 3.5        | 09:31
        09:33      | a4            | update | 2.5   | 2         | 3.5        | 09:33
        09:35      | a6            | open   | -4    | 1         | -4         | 09:35
        09:36      | step/a2/close | close  | 3.5   | 2         | 3.5        | 09:33
      `,
    },
    {
      title: 'No alerts around the opening',
      config: { cool_down: '1h', emit: 'open', suppress: [{ daily: '14:25-14:35' }] },
      input: `
        event_time|symbol|anomaly_id:string|type:string|score|severity:string|direction:string
        14:25 | AAPL | a1 | gap         | 9    | high   | up
        14:35 | AAPL | a2 | gap         | 5    | high   | up
      `,
      output: `
        event_time | anomaly_id | status
        14:35      | a2         | open
      `,
      outputs: {
        suppressed: `
          event_time | anomaly_id
          14:25      | a1
        `,
      },
    },
  ],
  open: (config, context, state) => new Alerts(config, context, state),
});
