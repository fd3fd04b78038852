/** Host side of wasm/assembly/rolling-session.ts: 64 bytes a key. */

import { KeyedRecords } from './keyed-records.ts';
import type { Kernels } from './kernels.ts';
import type { RollingOutput, RollingRows, RollingState } from './rolling-state.ts';

interface SessionExports {
  sessions(job: number): void;
}

/** What the codes of an anchor stand for. */
export interface AnchorTexts {
  text(code: number): string;
  /** Code of the text, now. */
  intern(text: string): number;
}

/** In the order of the job's pointers. */
const RESULTS = ['sum', 'min', 'max', 'first', 'mean'];
/** In the order of their kinds in the kernel. */
const ANCHORS = ['time', 'int64', 'float64', 'string', 'boolean'];
const RECORD_BYTES = 64;
const JOB_BYTES = 64;

export interface SessionSpec {
  /** What the second values of the rows are; of times, where there are none. */
  readonly anchor: 'time' | 'int64' | 'float64' | 'string' | 'boolean';
  /** Nanoseconds of a stretch of time, and where one begins. */
  readonly everyNs: bigint;
  readonly offsetNs: bigint;
  /** Needed where the anchor is a string: codes do not outlive a restart. */
  readonly texts?: AnchorTexts | undefined;
}

/** Sums and the like of a series of f64 since its anchor has changed. */
export class SessionSums implements RollingState {
  readonly #kernels: Kernels;
  readonly #exports: SessionExports;
  readonly #spec: SessionSpec;
  readonly #records: KeyedRecords;

  constructor(kernels: Kernels, spec: SessionSpec) {
    this.#kernels = kernels;
    this.#exports = kernels.module<SessionExports>('rolling-session');
    this.#spec = spec;
    this.#records = new KeyedRecords(kernels.memory, RECORD_BYTES);
  }

  resize(keyCount: number): void {
    this.#records.resize(keyCount);
  }

  run(rows: RollingRows, outputs: readonly RollingOutput[]): void {
    const { memory } = this.#kernels;
    const { anchor, everyNs, offsetNs } = this.#spec;
    const job = memory.arena.allocate(JOB_BYTES);
    const [values = 0, anchors = rows.times] = rows.values;
    memory
      .u32(job, 6)
      .set([
        this.#records.pointer,
        rows.keys,
        values,
        rows.rowCount,
        anchors,
        ANCHORS.indexOf(anchor),
      ]);
    memory.i64(job + 24, 2).set([everyNs, offsetNs]);
    const pointers = RESULTS.map(
      (name) => outputs.find((output) => output.name === name)?.pointer ?? 0,
    );
    memory.u32(job + 40, pointers.length).set(pointers);
    this.#exports.sessions(job);
  }

  advance(): void {}

  /** A header with the texts of the anchors, and the records, with numbers of texts for codes. */
  snapshot(): Uint8Array {
    const records = this.#records.snapshot();
    const texts: string[] = [];
    const numbers = new Map<string, number>();
    const anchors = new BigInt64Array(records.buffer);
    if (this.#spec.texts !== undefined) {
      for (let at = 0; at < anchors.length; at += RECORD_BYTES / 8) {
        // Of a key that has not begun, the anchor says nothing.
        if (records[at * 8 + 8] === 0) continue;
        const text = this.#spec.texts.text(Number(anchors[at]));
        let number = numbers.get(text);
        if (number === undefined) {
          number = texts.push(text) - 1;
          numbers.set(text, number);
        }
        anchors[at] = BigInt(number);
      }
    }
    const header = new TextEncoder().encode(JSON.stringify(texts));
    const snapshot = new Uint8Array(4 + header.length + records.length);
    new DataView(snapshot.buffer).setUint32(0, header.length, true);
    snapshot.set(header, 4);
    snapshot.set(records, 4 + header.length);
    return snapshot;
  }

  restore(snapshot: Uint8Array, keyCount: number): void {
    const headerBytes = new DataView(snapshot.buffer, snapshot.byteOffset).getUint32(0, true);
    const header = new TextDecoder().decode(snapshot.subarray(4, 4 + headerBytes));
    const records = snapshot.slice(4 + headerBytes);
    if (this.#spec.texts !== undefined) {
      const { texts } = this.#spec;
      const codes = (JSON.parse(header) as string[]).map((text) => BigInt(texts.intern(text)));
      const anchors = new BigInt64Array(records.buffer);
      for (let at = 0; at < anchors.length; at += RECORD_BYTES / 8) {
        if (records[at * 8 + 8] !== 0) anchors[at] = codes[Number(anchors[at])]!;
      }
    }
    this.#records.restore(records, keyCount);
  }

  dispose(): void {
    this.#records.dispose();
  }
}
