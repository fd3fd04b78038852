/** Messages read by the scanner against `ValueDecoder`, message by message: the same bits. */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { COLUMNS, expected, type Message, scanned } from './json-messages.fixture.ts';
import { JsonMessages } from './json-messages.ts';

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
