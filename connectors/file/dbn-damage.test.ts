/** Damaged DBN files: every record before the damage, then an error that names the place. */

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import test from 'node:test';
import fc from 'fast-check';
import { EngineError } from '../../engine/contract/error.ts';
import { dbnEvent, dbnHead, type DbnHead, dbnSymbol } from './dbn.fixture.ts';
import { readShared } from './read-dbn.fixture.ts';
import { read, temporaryFolder } from './read-file.fixture.ts';

const folder = temporaryFolder();
const mappings: DbnHead['mappings'] = [{ raw: 'ABC', intervals: [[20131007, 20131009, '1']] }];

function put(name: string, ...parts: readonly Buffer[]): string {
  const path = join(folder, name);
  writeFileSync(path, Buffer.concat(parts));
  return path;
}

test('damage: every record before it, and its place', async () => {
  const head = dbnHead({ mappings });
  const good = [dbnEvent(), dbnEvent()];
  const place = head.length + 96;
  const zero = Buffer.from(dbnEvent());
  zero[0] = 0;
  const short = dbnEvent({ bytes: 16 });
  for (const [name, tail, code, message] of [
    ['zero.dbn', zero, 'source/corrupt', `at byte ${place} (record 3) is said to be 0 bytes long`],
    ['short.dbn', short, 'source/corrupt', `at byte ${place} (record 3) is said to be 16 bytes`],
    [
      'half.dbn',
      dbnEvent().subarray(0, 20),
      'source/truncated',
      `ends within the record at byte ${place}`,
    ],
    [
      'byte.dbn',
      dbnEvent().subarray(0, 1),
      'source/truncated',
      `ends within the record at byte ${place}`,
    ],
  ] as const) {
    const path = put(name, head, ...good, tail);
    const { rows, error } = await read({ path });
    assert.equal(rows.length, 2, name);
    assert.equal(error?.code, code, name);
    assert.ok(error.message.includes(message) && error.message.includes(path), error.message);
  }
  const bad = Buffer.from(head);
  bad.writeUInt32LE(2 ** 31, head.length - 170);
  for (const [bytes, code, message] of [
    [Buffer.alloc(0), 'source/truncated', /it is empty, expected DBN/],
    [head.subarray(0, 40), 'source/truncated', /it ends in its metadata/],
    [Buffer.from('symbol,ts\n'), 'source/format', /it begins with "sym", expected DBN/],
    [Buffer.concat([Buffer.from('DBN\u0004'), head.subarray(4)]), 'source/format', /version is 4/],
    [
      dbnHead({ schema: 1 }),
      'source/format',
      /its records are mbp-1, expected trades; set schema: mbp-1/,
    ],
    [dbnHead({ schema: 0 }), 'source/format', /its records are schema 0, expected trades/],
  ] as const) {
    const { error } = await read({ path: put('head.dbn', bytes) });
    assert.equal(error?.code, code);
    assert.match(error.message, message);
  }
});

test('any bytes at all end in rows, rejects or an error that names the file', async () => {
  const whole = Buffer.concat([
    dbnHead({ mappings }),
    dbnEvent(),
    dbnSymbol(3, 1, 'A'),
    dbnEvent(),
  ]);
  const change = fc.record({ at: fc.nat(whole.length - 1), to: fc.nat(255) });
  await fc.assert(
    fc.asyncProperty(
      fc.array(change, { maxLength: 4 }),
      fc.nat(whole.length),
      async (changes, cut) => {
        const bytes = Buffer.from(whole.subarray(0, whole.length - (cut % 64)));
        for (const { at, to } of changes) if (at < bytes.length) bytes[at] = to;
        const path = put('any.dbn', bytes);
        const { error } = await readShared(path);
        if (error === undefined) return;
        assert.ok(
          error instanceof EngineError && error.message.includes(path),
          String(error as Error),
        );
      },
    ),
    { numRuns: 300 },
  );
});
