import assert from 'node:assert/strict';
import { test } from 'node:test';
import { type Environment, paletteFor, terminalWidth } from './palette.ts';

test('colours only on a terminal that wants them', () => {
  const table: readonly [isTTY: boolean, environment: Environment, isColored: boolean][] = [
    [true, {}, true],
    [false, {}, false],
    [true, { NO_COLOR: '1' }, false],
    [true, { NO_COLOR: '' }, true],
    [true, { TERM: 'dumb' }, false],
    [true, { TERM: 'xterm-256color', CI: 'true' }, true],
    [false, { FORCE_COLOR: '1' }, true],
    [false, { FORCE_COLOR: '1', NO_COLOR: '1' }, true],
    [true, { FORCE_COLOR: '0' }, false],
  ];
  for (const [isTTY, environment, isColored] of table) {
    const palette = paletteFor({ isTTY }, environment);
    assert.equal(palette.isColored, isColored, JSON.stringify([isTTY, environment]));
    assert.equal(palette.red('x') === 'x', !isColored);
  }
});

test('the width of a line', () => {
  assert.equal(terminalWidth({ isTTY: true, columns: 100 }, {}), 100);
  assert.equal(terminalWidth({ isTTY: true }, {}), 80);
  assert.equal(terminalWidth({ isTTY: false }, {}), 120);
  assert.equal(terminalWidth({ isTTY: true, columns: 100 }, { COLUMNS: '60' }), 60);
  assert.equal(terminalWidth({ isTTY: true, columns: 100 }, { COLUMNS: 'wide' }), 100);
  assert.equal(terminalWidth({ isTTY: true, columns: 3 }, {}), 20);
});
