/** From where a run goes on, and what it is told, whatever is found. */

import assert from 'node:assert/strict';
import test from 'node:test';
import {
  decideRetention,
  decideStart,
  type FoundCheckpoint,
  type StartDecision,
  type StartRequest,
} from './decide-start.ts';

const newest: StartRequest = { kind: 'newest' };
const ignore: StartRequest = { kind: 'ignore' };
const epoch = (number: number): StartRequest => ({ kind: 'epoch', epoch: number });

const good = (number: number): FoundCheckpoint => ({ epoch: number });
const damaged = (number: number): FoundCheckpoint => ({
  epoch: number,
  problem: { code: 'checkpoint/damaged', message: `cannot read ${number}: it ends after 3 bytes` },
});
const newer = (number: number): FoundCheckpoint => ({
  epoch: number,
  problem: { code: 'checkpoint/newer-format', message: `cannot read ${number}: it has format 9` },
});

type Case = readonly [
  name: string,
  request: StartRequest,
  found: readonly FoundCheckpoint[],
  sinksThatKeep: readonly string[],
  want: StartDecision,
];

const begin = (...remove: number[]): StartDecision => ({ kind: 'begin', remove });
const resume = (at: number, remove: number[], ...warnings: string[]): StartDecision => ({
  kind: 'resume',
  epoch: at,
  remove,
  warnings,
});

const CASES: readonly Case[] = [
  ['nothing was there', newest, [], [], begin()],
  ['a good newest one', newest, [good(7), damaged(6)], ['alerts'], resume(7, [])],
  [
    'a newest one of a newer version is never passed over',
    newest,
    [newer(7), good(6)],
    [],
    { kind: 'refuse', code: 'checkpoint/newer-format', message: 'cannot read 7: it has format 9' },
  ],
  [
    'no good one at all',
    newest,
    [damaged(7), newer(6)],
    [],
    {
      kind: 'refuse',
      code: 'checkpoint/damaged',
      message:
        'cannot read 7: it ends after 3 bytes; no older one is good; start anew with ' +
        '--ignore-state',
    },
  ],
  [
    'an older good one, and outputs that can be taken back',
    newest,
    [damaged(9), newer(8), good(7), good(6)],
    [],
    resume(
      7,
      [9, 8],
      'cannot read 9: it ends after 3 bytes; going on from checkpoint 7, outputs after it taken ' +
        'back',
    ),
  ],
  [
    'an older good one, and one sink that keeps what it has',
    newest,
    [damaged(9), good(7)],
    ['alerts'],
    {
      kind: 'refuse',
      code: 'checkpoint/damaged',
      message:
        'cannot read 9: it ends after 3 bytes; checkpoint 7 is good, but sink alerts cannot take ' +
        'back what came after it; accept that it may come twice with --from-checkpoint 7, or ' +
        'start anew with --ignore-state',
    },
  ],
  [
    'several sinks that keep what they have are all named',
    newest,
    [damaged(9), good(7)],
    ['alerts', 'ticks'],
    {
      kind: 'refuse',
      code: 'checkpoint/damaged',
      message:
        'cannot read 9: it ends after 3 bytes; checkpoint 7 is good, but sinks alerts, ticks ' +
        'cannot take back what came after it; accept that it may come twice with ' +
        '--from-checkpoint 7, or start anew with --ignore-state',
    },
  ],
  ['anew, though nothing is there', ignore, [], [], begin()],
  ['anew, whatever is there', ignore, [newer(9), damaged(8), good(7)], ['alerts'], begin(9, 8, 7)],
  [
    'a certain one where there is none',
    epoch(3),
    [],
    [],
    {
      kind: 'refuse',
      code: 'checkpoint/not-found',
      message: 'cannot go on from checkpoint 3: it does not exist, there is none',
    },
  ],
  [
    'a certain one where there are others',
    epoch(3),
    [good(7), damaged(6)],
    [],
    {
      kind: 'refuse',
      code: 'checkpoint/not-found',
      message: 'cannot go on from checkpoint 3: it does not exist, there are 7, 6',
    },
  ],
  [
    'a certain one that cannot be read',
    epoch(6),
    [good(7), damaged(6)],
    [],
    {
      kind: 'refuse',
      code: 'checkpoint/damaged',
      message: 'cannot read 6: it ends after 3 bytes',
    },
  ],
  ['a certain one that is the newest', epoch(7), [good(7), good(6)], ['alerts'], resume(7, [])],
  [
    'back by one',
    epoch(6),
    [damaged(7), good(6)],
    [],
    resume(
      6,
      [7],
      'going back to checkpoint 6: 1 later one is removed, outputs after it taken back',
    ),
  ],
  [
    'back by two, with a sink that keeps what it has',
    epoch(5),
    [good(7), good(6), good(5), good(4)],
    ['alerts'],
    resume(
      5,
      [7, 6],
      'going back to checkpoint 5: 2 later ones are removed, outputs after it taken back',
      'sink alerts cannot take back what came after checkpoint 5: it may come twice, where ' +
        'nobody recognises its ids',
    ),
  ],
];

for (const [name, request, found, sinksThatKeep, want] of CASES) {
  test(`start: ${name}`, () => {
    assert.deepEqual(decideStart({ request, found, sinksThatKeep }), want);
  });
}

test('the newest checkpoints stay, and those after the newest are never touched', () => {
  const cases: readonly [epochs: number[], newest: number, keep: number, want: number[]][] = [
    [[5], 5, 1, []],
    [[5, 4, 3], 5, 1, [4, 3]],
    [[3, 5, 4], 5, 2, [3]],
    [[5, 4, 3], 5, 3, []],
    [[5, 4, 3], 5, 9, []],
    // `keep` below 1 still keeps the newest.
    [[5, 4], 5, 0, [4]],
    [[6, 5, 4, 3], 5, 2, [3]],
    [[], 5, 2, []],
  ];
  for (const [epochs, last, keep, want] of cases) {
    assert.deepEqual(decideRetention(epochs, last, keep), want, `${String(epochs)} keep ${keep}`);
  }
});
