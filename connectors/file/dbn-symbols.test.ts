/** Symbols of the instruments in DBN files: by day, and as live streams state them. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import { dbnEvent, dbnHead, dbnQuote, dbnSymbol } from './dbn.fixture.ts';
import { read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const T = 1381152600_000_000_000n;

function put(name: string, ...parts: readonly Buffer[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

test('symbols by the UTC day of the index time, both ways round, in every version', async () => {
  const days: [number, number, string][] = [
    [20131007, 20131008, '1'],
    [20131008, 20131010, '2'],
  ];
  const inverse = [
    { raw: '1', intervals: [[20131007, 20131009, 'ABC']] as [number, number, string][] },
  ];
  const midnight = 1381190400_000_000_000n;
  for (const version of [1, 2, 3]) {
    const path = put(
      'symbols.dbn',
      dbnHead({
        version,
        symbols: ['ABC'],
        mappings: [
          { raw: 'ABC', intervals: days },
          { raw: 'X', intervals: [[20131007, 20131008, '2']] },
        ],
      }),
      dbnEvent({ instrument: 1, event: midnight - 2n, received: midnight - 1n }),
      dbnEvent({ instrument: 2, event: midnight - 2n, received: midnight - 1n }),
      // Received on the next day.
      dbnEvent({ instrument: 2, event: midnight - 1n, received: midnight }),
      dbnEvent({ instrument: 1, event: midnight - 1n, received: midnight }),
      // Its time of receipt is wrong, so the event's counts.
      dbnEvent({ instrument: 1, event: midnight - 1n, received: midnight, flags: 0x08 }),
    );
    const { rows, rejected } = await read({
      path,
      columns: { symbol: 'symbol', event_time: 'ts_event' },
    });
    assert.deepEqual(
      rows.map((row) => row[0]),
      ['ABC', 'X', 'ABC', 'ABC'],
      `version ${version}`,
    );
    assert.deepEqual(
      rejected.map(({ line, reason }) => `${line} ${reason}`),
      ['4 symbol: instrument 1 has no symbol on 2013-10-08'],
    );
    const other = put(
      'inverse.dbn',
      dbnHead({ version, stypeIn: 0, stypeOut: 1, mappings: inverse }),
      dbnEvent(),
    );
    assert.deepEqual(
      (await read({ path: other })).rows.map((row) => row[0]),
      ['ABC'],
    );
  }
  const neither = put(
    'neither.dbn',
    dbnHead({ stypeIn: 3, stypeOut: 1, mappings: inverse }),
    dbnEvent(),
  );
  const { error } = await read({ path: neither });
  assert.match(error!.message, /mapped from type 3 to type 1, neither of which/);
  const ids = { symbol: 'instrument_id', event_time: 'ts_event' };
  assert.deepEqual((await read({ path: neither, columns: ids })).rows, [['1', T]]);
});

test('a live stream states its symbols, anew where they change', async () => {
  for (const version of [1, 2]) {
    const path = put(
      'live.dbn',
      dbnHead({ version, schema: 0xffff, stypeIn: 255 }),
      dbnEvent(),
      dbnSymbol(version, 1, 'FIRST'),
      dbnEvent(),
      dbnQuote({}, 1n, 2n),
      dbnSymbol(version, 2, 'OTHER'),
      dbnEvent(),
      dbnSymbol(version, 1, 'SECOND'),
      dbnEvent(),
      dbnEvent({ instrument: 2 }),
    );
    const columns = { symbol: 'symbol', event_time: 'ts_event' };
    const whole = await read({ path, columns });
    const symbols = whole.rows.map((row) => row[0]);
    assert.deepEqual(symbols, ['FIRST', 'FIRST', 'SECOND', 'OTHER'], `version ${version}`);
    assert.deepEqual(
      whole.rejected.map(({ line }) => line),
      [1],
    );
    assert.deepEqual(whole.status?.metrics, { records_passed_over: 1 });
    // A restart in the middle knows what was stated before.
    const one = await read({ path, columns }, { batchRows: 1 });
    for (const [index, position] of one.positions.entries()) {
      const rest = await read({ path, columns }, { batchRows: 1, resumeAt: position });
      const before = one.batchSizes.slice(0, index + 1).reduce((sum, size) => sum + size, 0);
      assert.deepEqual(
        rest.rows.map((row) => row[0]),
        symbols.slice(before),
      );
    }
  }
});
