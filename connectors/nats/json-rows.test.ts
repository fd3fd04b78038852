/**
 * Messages of several rows, as arrays and as lines, against `JSON.parse` row by row: the same rows,
 * the same rejects for the same reasons at the same places, however they are cut into batches and
 * with whichever row a run resumes.
 */

import assert from 'node:assert/strict';
import test from 'node:test';
import fc from 'fast-check';
import { JsonColumns } from '../formats/json-columns.ts';
import { COLUMNS, type Message, Reading } from './json-messages.fixture.ts';
import { JsonMessages } from './json-messages.ts';
import { ValueDecoder } from './value-decoder.ts';

const number = fc.oneof(
  fc.stringMatching(/^-?\d{1,20}$/),
  fc.stringMatching(/^-?\d{1,17}(\.\d{1,19})?([eE][+-]?\d{1,2})?$/),
  fc.double({ noNaN: true, noDefaultInfinity: true }).map((value) => JSON.stringify(value)),
);
const text = fc.oneof(
  fc.constantFrom('""', '"A"', '"é"', '"\\u0041"', '"a\\n\\"b"', '"\\ud83d"', '"}],{["', '"\\\\"'),
  fc.string({ unit: 'binary' }).map((value) => JSON.stringify(value)),
);
const nested = fc.oneof(
  {
    weight: 20,
    arbitrary: fc.constantFrom(
      '{"p":1.5}',
      '{"p":"2"}',
      '{"q":[1,{"p":2}]}',
      '[]',
      '[[],{}]',
      '{}',
    ),
  },
  { weight: 9, arbitrary: fc.jsonValue({ maxDepth: 3 }).map((value) => JSON.stringify(value)) },
  fc.constant(`${'['.repeat(90)}${']'.repeat(90)}`),
);
const odd = fc.constantFrom(
  ...['nul', 'truer', '01', '00000000000000001', '1.', '.5', '-', '"\u0001"', '"\\x"', '"\\u00g0"'],
  ...['[1,]', '{"a"}', '{,}', '"', '', '[1 2]', "'a'", 'NaN', '\u00a0'],
);
const value = fc.oneof(
  { weight: 8, arbitrary: number },
  { weight: 3, arbitrary: number.map((digits) => JSON.stringify(digits)) },
  { weight: 3, arbitrary: text },
  { weight: 2, arbitrary: nested },
  { weight: 4, arbitrary: fc.constantFrom('null', 'true', 'false', '"t"', '"nan"', '" 5 "') },
);
const key = fc.oneof(
  { weight: 8, arbitrary: fc.constantFrom(...COLUMNS.map(({ from }) => JSON.stringify(from))) },
  { weight: 4, arbitrary: fc.constantFrom('"data"', '"other"', '"more"', '"é"', '""') },
  fc.constantFrom('"pric\\u0065"', '"__proto__"', '"data\\u002ep"'),
);
const blank = fc.oneof(
  { weight: 12, arbitrary: fc.constant('') },
  fc.constantFrom(' ', '\t', '\r', ' \t '),
);
const member = fc
  .tuple(blank, key, blank, value, blank)
  .map(([a, name, b, content, c]) => `${a}${name}:${b}${content}${c}`);
const object = fc
  .tuple(fc.integer({ min: 0, max: 19 }), fc.array(member, { maxLength: 4 }), blank)
  .map(([time, members, end]) => {
    const good = time === 0 ? [] : [`"T":13811526000000000${time}`];
    return `{${[...good, ...members].join(',')}}${end}`;
  });
const plain = fc
  .nat(999)
  .map((i) => `{"T":1381152600,"price":${i / 4},"n":"${i}","a_long_name_of_a_venue":"V${i % 9}"}`);
const row = fc.oneof(
  { weight: 20, arbitrary: plain },
  { weight: 20, arbitrary: object },
  { weight: 1, arbitrary: value },
);
const rows = fc.array(row, { maxLength: 40, size: 'max' });
/** In the middle of them, at most one that is no JSON. */
const badRows = fc
  .tuple(
    rows,
    fc.nat(),
    fc.oneof(
      odd,
      odd.map((content) => `{"T":1,"price":${content}}`),
    ),
  )
  .map(([all, at, bad]) => all.toSpliced(at % (all.length + 1), 0, bad));
const gap = fc.constantFrom('', '', '', ' ', '\n', '\r\n', '\n  ', '\t');
const array = fc
  .tuple(fc.oneof({ weight: 4, arbitrary: rows }, badRows), gap, gap, gap)
  .map(([all, a, b, c]) => `${a}[${b}${all.join(`${c},${b}`)}${c}]${a}`);
const breakOff = fc.constantFrom('\n', '\n', '\n', '\r\n', '\n\n', '\n \t\r\n', '\n\u00a0\n');
const lines = fc
  .tuple(fc.oneof(rows, badRows), breakOff, fc.boolean(), gap)
  .map(([all, end, hasLast, a]) => `${a}${all.join(end)}${hasLast ? end : ''}`);
const pretty = fc
  .array(fc.record({ T: fc.nat(), price: fc.double(), data: fc.jsonValue({ maxDepth: 2 }) }))
  .map((all) => JSON.stringify(all.length === 1 ? all[0] : all, null, 2));
const body = fc.oneof(
  { weight: 6, arbitrary: array },
  { weight: 6, arbitrary: lines },
  { weight: 2, arbitrary: pretty },
  fc.constantFrom('[]', ' [ ] ', '[\n]\n', '[[]]', '[],[]', '[{}', '[{},]', '{}\n[]', '\ufeff[]'),
);

/** Some with a byte changed or the end cut off. */
const payload = fc
  .tuple(body, fc.nat(), fc.nat(255), fc.nat(19))
  .map(([content, at, to, odds]): Uint8Array => {
    const bytes = Buffer.from(content);
    if (odds === 0 && bytes.length > 0) bytes[at % bytes.length] = to;
    return odds === 1 ? bytes.subarray(0, at % (bytes.length + 1)) : bytes;
  });
const subject = fc.constantFrom('t.A', 't.A', 't.B.x', 't', 't..x', 'ticks.é');
const message = fc.record<Message>({ payload, subject });

const SIZES = [1, 7, 4096];
const oracle = new ValueDecoder('json', COLUMNS, new JsonColumns(COLUMNS, 4096, 0n));
const decoders = SIZES.map((rowsMax) => ({
  rowsMax,
  decoder: new JsonMessages(COLUMNS, rowsMax, 0n),
}));

/** Every message opened, the first from a row in its middle. */
function read(reading: Reading, messages: readonly Message[], first: number): unknown {
  for (const [index, each] of messages.entries()) reading.open(index, each, index > 0 ? 0 : first);
  reading.flush();
  return { found: reading.found, parts: reading.parts };
}

test('arrays and lines give the rows and rejects of JSON.parse, in batches of any size', () => {
  fc.assert(
    fc.property(
      fc.array(message, { minLength: 1, maxLength: 6, size: 'max' }),
      fc.oneof(fc.constant(0), fc.nat(45)),
      (messages, first) => {
        for (const { rowsMax, decoder } of decoders) {
          const want = read(new Reading(oracle, rowsMax, messages), messages, first);
          assert.deepEqual(read(new Reading(decoder, rowsMax, messages), messages, first), want);
        }
      },
    ),
    { numRuns: 300 },
  );
});

const PLAIN = '{"T":1381152600,"price":1.5,"a_long_name_of_a_venue":"X","other":[{"a":"\\n"}]}';

test('plain rows are never parsed, whatever their message looks like', (context) => {
  const parse = context.mock.method(JSON, 'parse');
  const { decoder } = decoders[2]!;
  const many = Array.from({ length: 3000 }, () => PLAIN);
  for (const content of [
    `[${many.join(',')}]`,
    many.join('\n'),
    `[\n  ${many.join(',\n  ')}\n]\n`,
  ]) {
    assert.equal(decoder.open(Buffer.from(content), 't.A'), 3000);
    assert.equal(decoder.convert(0, 1000, 0, assert.fail), 1000);
    assert.equal(decoder.convert(1000, 2000, 1000, assert.fail), 2000);
  }
  assert.equal(parse.mock.callCount(), 0);
});

test('rows that are not plain are parsed alone, where most are not all at once', (context) => {
  const parse = context.mock.method(JSON, 'parse');
  const { decoder } = decoders[2]!;
  const escaped = PLAIN.replace('"X"', '"\\u0058"');
  const some = Array.from({ length: 1000 }, (_, i) => (i % 200 === 100 ? escaped : PLAIN));
  decoder.open(Buffer.from(`[${some.join(',')}]`), 't.A');
  assert.equal(decoder.convert(0, 1000, 0, assert.fail), 1000);
  assert.deepEqual(
    parse.mock.calls.map(({ arguments: [content] }) => content),
    [escaped, escaped, escaped, escaped, escaped],
  );
  parse.mock.resetCalls();
  decoder.open(Buffer.from(`[${Array.from({ length: 1000 }, () => escaped).join(',')}]`), 't.A');
  assert.equal(decoder.convert(0, 1000, 0, assert.fail), 1000);
  assert.ok(parse.mock.callCount() < 12);
});

test('a message whose texts fill the dictionary makes it grow', () => {
  const all = Array.from({ length: 4000 }, (_, i) => PLAIN.replace('"X"', `"text ${i}"`));
  const messages = [`[${all.join(',')}]`, all.join('\n')].map((content) => ({
    payload: Buffer.from(content),
    subject: 't.S',
  }));
  const want = read(new Reading(oracle, 4096, messages), messages, 0);
  const decoder = new JsonMessages(COLUMNS, 4096, 0n);
  assert.deepEqual(read(new Reading(decoder, 4096, messages), messages, 0), want);
});
