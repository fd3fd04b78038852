/** Messages read by the scanner against `ValueDecoder`, message by message: the same bits. */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import type { ColumnVector } from '../../engine/contract/batch.ts';
import { STRING_NULL } from '../../engine/contract/schema.ts';
import { JsonColumns } from '../formats/json-columns.ts';
import { JsonMessages } from './json-messages.ts';
import { type MessageColumn, type MessageDecoder, UndecodableMessage } from './message-decoder.ts';
import { ValueDecoder } from './value-decoder.ts';

interface Message {
  readonly payload: Uint8Array;
  readonly subject: string;
}

const column = (
  name: string,
  type: MessageColumn['type'],
  { from = name, isRequired = false, token = 0 }: Partial<MessageColumn> = {},
): MessageColumn => ({ name, type, from, isRequired, token });

const COLUMNS: readonly MessageColumn[] = [
  column('symbol', 'string', { isRequired: true, token: 2 }),
  column('event_time', 'timestamp', { from: 'T', isRequired: true }),
  column('price', 'float64'),
  column('n', 'int64'),
  column('ok', 'boolean'),
  column('nested', 'float64', { from: 'data.p' }),
  column('venue', 'string', { from: 'a_long_name_of_a_venue' }),
  // A member of the name of the column that the subject gives.
  column('again', 'string', { from: 'symbol' }),
];

/** Bits of a value, so that -0 and 0 differ. */
function valueAt(vector: ColumnVector, row: number): unknown {
  if (vector.type === 'string') {
    const code = vector.codes[row]!;
    return code === STRING_NULL ? null : vector.dictionary[code];
  }
  if (vector.type !== 'float64') return vector.values[row];
  return new BigUint64Array(vector.values.slice(row, row + 1).buffer)[0];
}

/** What becomes of each message: its rows, and those rejected, in order. */
interface Outcome {
  readonly rows: unknown[];
  readonly rejected: unknown[];
}
type Found = Outcome[];

class Reading {
  readonly found: Found;
  readonly #decoder: MessageDecoder;
  readonly #rowsMax: number;
  /** Message of each row of the batch. */
  #owners: number[] = [];

  constructor(decoder: MessageDecoder, rowsMax: number, messages: readonly Message[]) {
    this.#decoder = decoder;
    this.#rowsMax = rowsMax;
    this.found = messages.map(() => ({ rows: [], rejected: [] }));
  }

  flush(): void {
    const columns = this.#decoder.take(this.#owners.length);
    for (const [row, message] of this.#owners.entries()) {
      this.found[message]!.rows.push(columns.map((vector) => valueAt(vector, row)));
    }
    this.#owners = [];
  }

  scanned(first: number, count: number): void {
    for (let i = 0; i < count; i++) this.#owners.push(first + i);
  }

  get rows(): number {
    return this.#owners.length;
  }

  open(index: number, { payload, subject }: Message): void {
    try {
      const rows = this.#decoder.open(payload, subject);
      for (let from = 0; from < rows; ) {
        if (this.rows === this.#rowsMax) this.flush();
        const count = Math.min(rows - from, this.#rowsMax - this.rows);
        const kept = this.#decoder.convert(from, count, this.rows, (reason, raw) => {
          this.found[index]!.rejected.push([reason, raw]);
        });
        for (let i = 0; i < kept; i++) this.#owners.push(index);
        from += count;
      }
    } catch (error) {
      if (!(error instanceof UndecodableMessage)) throw error;
      this.found[index]!.rejected.push([error.message]);
    }
  }
}

function expected(messages: readonly Message[]): Found {
  const decoder = new ValueDecoder('json', COLUMNS, new JsonColumns(COLUMNS, 64, 0n));
  const reading = new Reading(decoder, 64, messages);
  for (const [index, message] of messages.entries()) reading.open(index, message);
  reading.flush();
  return reading.found;
}

function scanned(decoder: JsonMessages, rowsMax: number, messages: readonly Message[]): Found {
  const { scanner } = decoder;
  const reading = new Reading(decoder, rowsMax, messages);
  scanner.load(messages);
  for (let next = 0; next < messages.length; ) {
    if (reading.rows === rowsMax) reading.flush();
    const stop = scanner.scan(next, reading.rows);
    assert.ok(stop >= next);
    reading.scanned(next, stop - next);
    if (stop === next) reading.open(next, messages[next]!);
    next = Math.max(stop, next + 1);
  }
  reading.flush();
  return reading.found;
}

const token = fc.oneof(
  fc.stringMatching(/^-?\d{1,20}$/),
  fc.stringMatching(/^-?\d{1,19}(\.\d{1,20})?([eE][+-]?\d{1,3})?$/),
  fc.jsonValue({ maxDepth: 2 }).map((value) => JSON.stringify(value)),
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
  fc.constantFrom(
    'null',
    'true',
    'nul',
    '""',
    '"nan"',
    '"t"',
    '"A"',
    '01',
    '"\u0001"',
    '{"p":1.5}',
  ),
);
const blank = fc.constantFrom('', '', '', '', ' ', '\t', '\r', '\n', '\r\n');
const key = fc.oneof(
  { weight: 6, arbitrary: fc.constantFrom(...COLUMNS.map(({ from }) => JSON.stringify(from))) },
  fc.constantFrom('"data"', '"other"', '"pric\\u0065"', '"é"', '""', 'price'),
);
const member = fc
  .tuple(blank, key, blank, token, blank)
  .map(([a, name, b, value, c]) => `${a}${name}:${b}${value}${c}`);
const object = fc
  .tuple(fc.array(member, { maxLength: 4 }), fc.integer({ min: 0, max: 9 }), blank)
  .map(([members, time, end]) => {
    const good = time === 0 ? [] : [`"T":138115260000000000${time}`];
    return `{${[...good, ...members].join(',')}}${end}`;
  });
const text = fc.oneof(
  { weight: 8, arbitrary: object },
  { weight: 4, arbitrary: fc.nat(99).map((i) => `{"T":1381152600,"price":${i / 4},"n":${i}}`) },
  fc.array(object, { maxLength: 5 }).map((objects) => objects.join('\n')),
  fc.array(object, { maxLength: 5 }).map((objects) => `[${objects.join(',')}]`),
  fc.constantFrom('', '\n', ' ', '{', '{}', '1', 'null', '[]', '\ufeff{"T":1}', 'x\n{"T":1}\n'),
  fc.constant(`{"T":1381152600,"other":"${'x'.repeat(70_000)}"}`),
);
const subject = fc.constantFrom('t.A', 't.B.x', 't', 't..x', 't.C', 't.A', 'ticks.é');
const message = fc
  .tuple(text, subject, fc.array(fc.nat(255), { maxLength: 1 }), fc.nat(1000), fc.nat(30))
  .map(([body, where, change, at, odds]): Message => {
    const payload = Buffer.from(body);
    if (odds === 0 && payload.length > 0) payload[at % payload.length] = change[0] ?? 10;
    return { payload, subject: where };
  });

const decoders = [3, 64].map((rows) => ({ rows, decoder: new JsonMessages(COLUMNS, rows, 0n) }));

test('messages, plain and not, give the rows and rejects of ValueDecoder', () => {
  fc.assert(
    fc.property(fc.array(message, { maxLength: 40, size: 'max' }), (messages) => {
      const want = expected(messages);
      for (const { rows, decoder } of decoders) {
        assert.deepEqual(scanned(decoder, rows, messages), want);
      }
    }),
    { numRuns: 300 },
  );
});

test('plain messages are scanned, all of them at once', () => {
  const messages = Array.from({ length: 50 }, (_, i): Message => {
    const end = ['', '\n', '\r\n'][i % 3]!;
    return { payload: Buffer.from(`{"T":1381152600,"price":${i}}${end}`), subject: `t.S${i % 4}` };
  });
  const { decoder } = decoders[1]!;
  decoder.scanner.load(messages);
  assert.equal(decoder.scanner.scan(0, 0), 50);
  assert.equal(decoder.scanner.scan(20, 40), 44, 'no further than there is room');
});

test('texts that make the dictionary grow, from the subject and from the payload', () => {
  const messages = Array.from({ length: 5000 }, (_, i): Message => {
    const payload = `{"T":1381152600,"symbol":"text ${i}","a_long_name_of_a_venue":"v${i % 1500}"}`;
    return { payload: Buffer.from(payload), subject: `t.S${i % 2500}` };
  });
  const decoder = new JsonMessages(COLUMNS, 4096, 0n);
  assert.deepEqual(scanned(decoder, 4096, messages), expected(messages));
});
