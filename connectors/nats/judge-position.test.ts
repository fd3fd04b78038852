import assert from 'node:assert/strict';
import { test } from 'node:test';
import { judgePosition, type StreamPosition } from './judge-position.ts';
import { messageInfo } from './message-info.ts';
import { describeLayout, layoutOf, type StreamFacts } from './stream-facts.ts';
import { subjectsOverlap } from './subjects.ts';

test('a position is judged against the stream that is there', () => {
  const table: readonly [
    name: string,
    position: Partial<StreamPosition>,
    facts: Partial<StreamFacts>,
    storedTime: string | undefined,
    want: string | undefined,
  ][] = [
    ['in the middle', {}, {}, '9', undefined],
    ['at the end', { sequence: 20 }, {}, '9', undefined],
    ['before the first', { sequence: 9, time: '' }, {}, undefined, undefined],
    ['gone itself, the next one there', { sequence: 9 }, {}, undefined, undefined],
    ['removed by hand', {}, {}, undefined, undefined],
    ['beyond the end', { sequence: 21 }, {}, undefined, 'nats/stream-truncated'],
    ['its number used again', {}, {}, '10', 'nats/stream-truncated'],
    ['the next one gone', { sequence: 8 }, {}, undefined, 'nats/stream-expired'],
    ['all gone', {}, { firstSequence: 21 }, undefined, 'nats/stream-expired'],
    ['all gone, and all read', { sequence: 20 }, { firstSequence: 21 }, undefined, undefined],
    ['another stream', {}, { id: 'sid:b' }, '9', 'nats/stream-replaced'],
    ['a stream nobody has named', { stream: '' }, {}, '9', undefined],
    ['settings changed', { stream: 'created:1' }, { id: 'created:2' }, '9', undefined],
    ['made again', { stream: 'created:1' }, { id: 'created:2' }, '8', 'nats/stream-replaced'],
    [
      'made again and empty',
      { stream: 'created:1' },
      { id: 'created:2', firstSequence: 1, lastSequence: 0 },
      undefined,
      'nats/stream-replaced',
    ],
  ];
  for (const [name, position, facts, storedTime, want] of table) {
    const verdict = judgePosition(
      { sequence: 15, time: '9', stream: 'sid:a', ...position },
      {
        name: 'T',
        id: 'sid:a',
        layout: undefined,
        subjects: [],
        firstSequence: 10,
        lastSequence: 20,
        bytes: 0,
        lastTime: '',
        ...facts,
      },
      storedTime,
    );
    assert.equal(verdict?.code, want, name);
  }
});

test('deliveries are read from both forms of their subject', () => {
  const want = { sequence: 42, delivery: 7, time: '1700000000000000001', pending: 3 };
  assert.deepEqual(messageInfo('$JS.ACK.T.c1.1.42.7.1700000000000000001.3'), want);
  assert.deepEqual(messageInfo('$JS.ACK._.acc.T.c1.1.42.7.1700000000000000001.3.rnd'), want);
  for (const other of ['', '_INBOX.x', '$JS.ACK.T.c1', '$JS.ACK.T.c1.1.x.7.1.3']) {
    assert.equal(messageInfo(other), undefined, other);
  }
});

test('a layout is read from a description as it was written', () => {
  const layout = { partitions: 16, sid: '0b0c-1' };
  assert.deepEqual(layoutOf(describeLayout(layout)), layout);
  assert.deepEqual(layoutOf(`trades; ${describeLayout(layout)}; do not touch`)?.partitions, 16);
  assert.equal(layoutOf('tidemark partitions=16 hash=md5 sid=a'), undefined);
  assert.equal(layoutOf(undefined), undefined);
});

test('subjects overlap where one subject matches both', () => {
  for (const [a, b, want] of [
    ['t.>', 't.1.A', true],
    ['t.*.A', 't.1.*', true],
    ['t.*.>', 't.1', false],
    ['t.1', 't.2', false],
    ['>', 'a.b', true],
    ['a.b', 'a', false],
    ['a.*', 'a.b.c', false],
  ] as const) {
    assert.equal(subjectsOverlap(a, b), want, `${a} ${b}`);
    assert.equal(subjectsOverlap(b, a), want, `${b} ${a}`);
  }
});
