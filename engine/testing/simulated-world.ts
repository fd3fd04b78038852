/**
 * A world in which an engine can die after every single step: a log to read, sinks that stage and
 * commit, and a store of checkpoints, all of which outlive it.
 *
 * Every step that touches the world goes through `Life.step`. At a chosen step the engine dies:
 * nothing that it still does afterwards has any effect, as if its process were gone.
 */

import { pack, unpack } from '../contract/message-pack.ts';
import type { ColumnBatch } from '../contract/batch.ts';
import {
  type Catalog,
  type Committable,
  defineSink,
  defineSource,
  type WatermarkScope,
} from '../contract/connector.ts';
import { EngineError } from '../contract/error.ts';
import type { Schema } from '../contract/schema.ts';
import type { CheckpointStore, StoredCheckpoint } from '../checkpoint/checkpoint-store.ts';
import { inlineWorkers, serially, type Workers } from '../runtime/workers.ts';
import { toColumnBatch, toRows } from './column-rows.ts';
import type { Row } from './table.ts';

/** The engine is dead. It is no failure that it could handle. */
export class SimulatedDeath extends Error {
  override readonly name = 'SimulatedDeath';
}

interface Part {
  readonly epoch: number;
  readonly rows: readonly Row[];
}

/** What is left when an engine dies. */
export class World {
  readonly checkpoints = new Map<number, Uint8Array>();
  readonly committedEpochs = new Set<number>();
  /** Sink to its parts by name: staged ones that nobody sees, and committed ones. */
  readonly staged = new Map<string, Map<string, Part>>();
  readonly committed = new Map<string, Map<string, Part>>();

  /** Rows that a reader of the sink's output sees, as texts, sorted. */
  visible(sink: string): string[] {
    const parts = [...(this.committed.get(sink) ?? new Map<string, Part>()).values()];
    return parts.flatMap(({ rows }) => rows.map(rowText)).sort();
  }
}

export function rowText(row: Row): string {
  return JSON.stringify(row, (_key, value: unknown) =>
    typeof value === 'bigint' ? `${value}n` : Object.is(value, -0) ? '-0' : value,
  );
}

/** How one engine lives, and dies. Each function is asked again at every occasion. */
export interface Fate {
  /** Steps after which it dies; infinite for a quiet life. */
  readonly steps: number;
  /** Rows of the next batch; 0 for a poll that finds nothing for now. */
  readonly batchRows: () => number;
  /** Whether a sink lets the checkpoint carry its rows instead of staging them. */
  readonly carries: () => boolean;
  /** Whether this write of a checkpoint fails for lack of space. */
  readonly isFull: () => boolean;
  /** Whether this staging fails for lack of space. */
  readonly isSinkFull: () => boolean;
  /** How long a slot takes to answer: so slots reach a checkpoint at different times. */
  readonly pause: () => Promise<void>;
}

export class Life {
  readonly world: World;
  readonly fate: Fate;
  /** Steps made so far. */
  steps = 0;
  /** Name of the step after which it died. */
  diedAfter: string | undefined;

  constructor(world: World, fate: Fate) {
    this.world = world;
    this.fate = fate;
  }

  /** One change of the world, or one look at it. */
  step<T>(name: string, work: () => T): T {
    if (this.diedAfter !== undefined) throw new SimulatedDeath();
    const value = work();
    if (++this.steps > this.fate.steps) {
      this.diedAfter = name;
      throw new SimulatedDeath();
    }
    return value;
  }

  store(): CheckpointStore {
    const { checkpoints, committedEpochs } = this.world;
    return {
      nameOf: (epoch) => `checkpoint ${epoch}`,
      list: async () =>
        this.step('list', () =>
          [...checkpoints]
            .map(
              ([epoch, { byteLength }]): StoredCheckpoint => ({
                epoch,
                bytes: byteLength,
                writtenMs: 0,
                isCommitted: committedEpochs.has(epoch),
              }),
            )
            .sort((a, b) => b.epoch - a.epoch),
        ),
      read: async (epoch) => this.step('read checkpoint', () => checkpoints.get(epoch)!),
      write: async (epoch, pieces) => {
        if (this.fate.isFull()) throw new EngineError('checkpoint/disk-full', 'cannot write: full');
        // Before and after it appears: what lies between, the store itself has to keep apart.
        this.step('begin to write the checkpoint', () => undefined);
        this.step('write the checkpoint', () => {
          if (checkpoints.has(epoch)) throw new Error(`checkpoint ${epoch} exists`);
          checkpoints.set(epoch, Buffer.concat(pieces));
        });
      },
      noteCommitted: async (epoch) =>
        this.step('note a commit', () => void committedEpochs.add(epoch)),
      remove: async (epoch) =>
        this.step('remove a checkpoint', () => {
          checkpoints.delete(epoch);
          committedEpochs.delete(epoch);
        }),
      close: async () => undefined,
    };
  }

  /** The catalogue with a source named `simulated` over a log, and a sink of that name. */
  catalog(
    operators: Catalog['operators'],
    log: readonly Row[],
    watermarkScope: WatermarkScope,
  ): Catalog {
    return {
      operators,
      sources: [simulatedSource(this, log, watermarkScope)],
      sinks: [simulatedSink(this)],
    };
  }

  /** Everything on the calling thread; each snapshot of a slot is a step. */
  workers(catalog: Catalog): Workers {
    const workers = inlineWorkers(catalog);
    return {
      ...workers,
      openSlot: async (options) => {
        const slot = await workers.openSlot(options);
        const inOrder = serially();
        const slowly = <T>(work: () => Promise<T>): Promise<T> =>
          inOrder(async () => {
            await this.fate.pause();
            return work();
          });
        return {
          process: (batch) => slowly(() => slot.process(batch)),
          advance: (watermarks) => slowly(() => slot.advance(watermarks)),
          inspect: (key) => slowly(() => slot.inspect(key)),
          counters: () => slowly(() => slot.counters()),
          close: () => slowly(() => slot.close()),
          snapshot: () =>
            slowly(async () => {
              const snapshot = await slot.snapshot();
              return this.step('take a snapshot', () => structuredClone(snapshot));
            }),
        };
      },
    };
  }
}

const declaration = {
  name: 'simulated',
  since: '0.1.0',
  stability: 'stable',
  summary: 'A part of a simulated world.',
  guarantees: { order: 'As it is.', delivery: 'As it is.', backPressure: 'None.' },
  fields: {},
  constraints: [],
  examples: [],
} as const;

function simulatedSource(life: Life, log: readonly Row[], watermarkScope: WatermarkScope) {
  return defineSource({
    ...declaration,
    plan: () => {
      throw new Error('a simulated source is never planned');
    },
    splits: async () => [{ id: 'log', lanesMax: 1, watermarkScope, details: {} }],
    open: async (_config, { schema, resumeAt }) => {
      let next = Number(resumeAt?.['row'] ?? 0);
      return {
        poll: async () => {
          if (next === log.length) return life.step('read the end', () => 'end' as const);
          const length = life.fate.batchRows();
          if (length === 0) return life.step('read nothing', () => 'idle' as const);
          const rows = life.step('read rows', () => log.slice(next, next + length));
          next += rows.length;
          return { ...toColumnBatch(schema, rows), unit: 0, bytesRead: next, rejected: [] };
        },
        position: () => ({ row: next }),
        close: async () => undefined,
      };
    },
  });
}

function simulatedSink(life: Life) {
  const { staged, committed } = life.world;
  const partsOf = (of: Map<string, Map<string, Part>>, sink: string): Map<string, Part> => {
    let parts = of.get(sink);
    if (parts === undefined) of.set(sink, (parts = new Map()));
    return parts;
  };
  return defineSink({
    ...declaration,
    plan: () => undefined,
    takesBack: true,
    open: async (_config, { sink, schema, resume }) => {
      for (const name of [...partsOf(staged, sink).keys()]) {
        life.step('remove a stale part', () => partsOf(staged, sink).delete(name));
      }
      for (const [name, { epoch }] of [...partsOf(committed, sink)]) {
        if (resume === undefined || epoch <= resume.epoch) continue;
        life.step('take back a part', () => partsOf(committed, sink).delete(name));
      }
      return new SimulatedWriter(life, sink, schema, resume?.carried, resume === undefined);
    },
    commit: async (_config, committables, { sink }) => {
      for (const { part, replaces } of committables) {
        if (replaces === 1) {
          life.step('remove earlier output', () => {
            const own = new Set(committables.map((committable) => committable['part']));
            for (const name of partsOf(committed, sink).keys()) {
              if (!own.has(name)) partsOf(committed, sink).delete(name);
            }
          });
          continue;
        }
        life.step('commit a part', () => {
          const rows = partsOf(staged, sink).get(String(part));
          if (rows === undefined) return;
          partsOf(committed, sink).set(String(part), rows);
          partsOf(staged, sink).delete(String(part));
        });
      }
    },
    discard: async (_config, committables) => {
      for (const { part } of committables) {
        for (const parts of staged.values()) {
          life.step('discard a part', () => parts.delete(String(part)));
        }
      }
    },
    dataset: () => undefined,
  });
}

class SimulatedWriter {
  readonly #life: Life;
  readonly #sink: string;
  readonly #schema: Schema;
  #rows: Row[];
  #replaces: boolean;

  constructor(
    life: Life,
    sink: string,
    schema: Schema,
    carried: Uint8Array | undefined,
    replaces: boolean,
  ) {
    this.#life = life;
    this.#sink = sink;
    this.#schema = schema;
    this.#rows = carried === undefined ? [] : (unpack(carried) as Row[]);
    this.#replaces = replaces;
  }

  async write(batch: ColumnBatch): Promise<void> {
    this.#rows.push(...toRows(this.#schema, batch));
  }

  async prepareCommit(
    epoch: number,
    isFinal: boolean,
  ): Promise<{ committables: Committable[]; carried?: Uint8Array }> {
    // At the first checkpoint, whatever it holds: whoever goes on from it replaces nothing.
    const committables: Committable[] = this.#replaces ? [{ replaces: 1 }] : [];
    if (!isFinal && this.#life.fate.carries()) {
      this.#replaces = false;
      return { committables, carried: pack(this.#rows) };
    }
    if (this.#life.fate.isSinkFull()) throw new EngineError('sink/disk-full', 'cannot stage: full');
    const part = `${this.#sink}-${epoch}`;
    const rows = this.#rows;
    this.#life.step('stage a part', () => {
      const { staged } = this.#life.world;
      if (!staged.has(this.#sink)) staged.set(this.#sink, new Map());
      staged.get(this.#sink)!.set(part, { epoch, rows });
    });
    this.#rows = [];
    this.#replaces = false;
    return { committables: [{ part }, ...committables] };
  }

  async close(): Promise<void> {
    // What is staged is handed out with the next statement, so there is nothing of its own.
  }
}
