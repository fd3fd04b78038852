import assert from 'node:assert/strict';
import { test } from 'node:test';
import fc from 'fast-check';
import { displayWidth, fit, fitMiddle, pad, printable, wrap } from './text.ts';

test('cells that a text takes', () => {
  const table: readonly [text: string, width: number][] = [
    ['', 0],
    ['AAPL', 4],
    ['größe µ', 7],
    ['値段', 4],
    ['ｱ', 1],
    ['한국', 4],
    ['e\u0301', 1],
    ['\u200b', 0],
    ['📈', 2],
    ['⚠\ufe0f', 2],
    ['🇩🇪', 2],
    ['👨\u200d👩\u200d👧', 2],
    ['─│…✓●', 5],
    ['\x1b[1mbold\x1b[22m', 4],
    ['\x1b[31m値\x1b[39m', 2],
  ];
  for (const [text, width] of table) assert.equal(displayWidth(text), width, JSON.stringify(text));
});

test('a text is cut at its end, or in its middle, with one ellipsis', () => {
  assert.equal(fit('AAPL', 4), 'AAPL');
  assert.equal(fit('GOOGL', 4), 'GOO…');
  assert.equal(fit('GOOGL', 1), '…');
  assert.equal(fit('GOOGL', 0), '');
  assert.equal(fit('値段表', 5), '値段…');
  assert.equal(fit('値段表', 4), '値…');
  assert.equal(fitMiddle('out/bars/date=2013-10-07/part-1.parquet', 20), 'out/ba…art-1.parquet');
  assert.equal(fitMiddle('short', 20), 'short');
  assert.equal(fitMiddle('longer than that', 5), 'long…');
});

const texts = fc.string({ unit: 'grapheme', maxLength: 30 });

test('what is cut or filled up has the width that was asked for', () => {
  fc.assert(
    fc.property(texts.map(printable), fc.integer({ min: 1, max: 40 }), (text, width) => {
      for (const cut of [fit(text, width), fitMiddle(text, width)]) {
        assert.ok(displayWidth(cut) <= width, JSON.stringify(cut));
        if (displayWidth(text) <= width) assert.equal(cut, text);
        else assert.ok(cut.includes('…'));
      }
      for (const align of ['left', 'right', 'center'] as const) {
        assert.equal(displayWidth(pad(fit(text, width), width, align)), width);
      }
    }),
    { numRuns: 500 },
  );
});

test('control characters cannot reach the terminal', () => {
  assert.equal(printable('a\nb\tc\r'), 'a\\nb\\tc\\r');
  assert.equal(printable('\x1b[31mred\x07'), '\\u001b[31mred\\u0007');
  assert.equal(printable('abc\u202edef'), 'abc\\u202edef');
  assert.equal(printable('größe 値 📈'), 'größe 値 📈');
});

test('a text is broken at blanks', () => {
  assert.deepEqual(wrap('one two three', 7), ['one two', 'three']);
  assert.deepEqual(wrap('incomprehensible words', 5), ['incomprehensible', 'words']);
  assert.deepEqual(wrap('', 5), ['']);
});
