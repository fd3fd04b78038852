import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EngineError } from '../../engine/contract/error.ts';
import { type Label, type LabelNames, labelNames, parseLabels } from './labels.ts';
import { type FoundAnomaly, matchLabels } from './match.ts';

const second = (value: number): bigint => BigInt(value) * 1_000_000_000n;

function label(start: number, end = start, type?: string, key = 'A'): Label {
  return { key, start: second(start), end: second(end), type };
}

function anomaly(start: number, end = start, type = 'spike', key = 'A'): FoundAnomaly {
  const [windowStart, windowEnd] = [second(start), second(end)];
  return { key, type, time: windowStart, windowStart, windowEnd, score: 4 };
}

const overall = (labels: readonly Label[], found: readonly FoundAnomaly[], tolerance = 0) =>
  matchLabels(labels, found, second(tolerance)).overall;

test('a window matches what it overlaps; its end is not within it, that of a label is', () => {
  //  label        [10 ---- 20]
  //  window    [0, 10)         [20, 30)
  const hits = (start: number, end: number): boolean =>
    overall([label(10, 20)], [anomaly(start, end)]).found === 1;
  assert.deepEqual(
    [hits(0, 10), hits(0, 11), hits(12, 13), hits(20, 30), hits(21, 30), hits(10, 10)],
    [false, true, true, true, false, true],
  );
});

test('a tolerance makes labels longer at both ends', () => {
  const hits = (time: number): number => overall([label(10, 20)], [anomaly(time)], 5).found;
  assert.deepEqual([4, 5, 25, 26].map(hits), [0, 1, 1, 0]);
});

test('key and type must be the same; a label without a type takes any', () => {
  assert.equal(overall([label(10, 10, 'spike')], [anomaly(10, 10, 'gap')]).found, 0);
  assert.equal(overall([label(10, 10, 'spike', 'B')], [anomaly(10)]).found, 0);
  assert.equal(overall([label(10)], [anomaly(10, 10, 'gap')]).found, 1);
});

test('labels count once for recall, alerts each for precision, by type and over all', () => {
  const labels = [label(10, 20, 'spike'), label(50, 50, 'spike'), label(70)];
  const found = [
    ...[anomaly(11), anomaly(15), anomaly(30)],
    ...[anomaly(70, 70, 'gap'), anomaly(12, 12, 'gap')],
  ];
  const { types, overall: all, missed, falseAlarms } = matchLabels(labels, found, 0n);
  const short = ({ labels: of, alerts, found: n, correct, precision, recall, f1 }: typeof all) =>
    [of, n, alerts, correct, precision, recall, f1].map((value) => value && +value.toFixed(3));
  assert.deepEqual(short(types['spike']!), [3, 1, 3, 2, 0.667, 0.333, 0.444]);
  assert.deepEqual(short(types['gap']!), [1, 1, 2, 1, 0.5, 1, 0.667]);
  assert.deepEqual(short(all), [3, 2, 5, 3, 0.6, 0.667, 0.632]);
  assert.deepEqual(missed, [labels[1]]);
  assert.deepEqual(falseAlarms, [found[2], found[4]]);
});

test('a delay is from the start of the label to the end of the earliest window', () => {
  const labels = [label(10, 40), label(100), label(200)];
  const found = [anomaly(30, 35), anomaly(12, 15), anomaly(100), anomaly(180, 207)];
  const { delayMedian, delayMax } = overall(labels, found);
  assert.deepEqual([delayMedian, delayMax], [5, 7]);
});

test('what has no denominator is null', () => {
  const { precision, recall, f1, delayMedian } = overall([], []);
  assert.deepEqual([precision, recall, f1, delayMedian], [null, null, null, null]);
  assert.deepEqual(overall([label(10)], [anomaly(20)]).f1, 0);
});

test('labels are CSV, of moments or windows', () => {
  const moments = 'kind,symbol,event_time\n"a, b",A,2024-01-02T09:30:00Z\n\n';
  assert.deepEqual(parseLabels(moments, 'symbol', 'x.csv'), [
    { key: 'A', start: 1704187800000000000n, end: 1704187800000000000n, type: undefined },
  ]);
  const windows =
    'ticker,window_start,window_end,class\r\n' +
    '"a ""b""",2024-01-02T09:30:00Z,2024-01-02T09:31:00Z,spike\r\n' +
    'B,1704187800000000000,1704187800000000001,\r\n';
  assert.deepEqual(parseLabels(windows, 'ticker', 'x.csv'), [
    { key: 'a "b"', start: 1704187800000000000n, end: 1704187860000000000n, type: 'spike' },
    { key: 'B', start: 1704187800000000000n, end: 1704187800000000001n, type: undefined },
  ]);
});

test('empty cells keep their place, the first ones too', () => {
  const text =
    ',symbol,,event_time,type\n,A,,2024-01-02T09:30:00Z,\n7,"B,C",,2024-01-02T09:30:00Z,x\n';
  const found = parseLabels(text, 'symbol', 'x.csv').map(({ key, type }) => [key, type]);
  assert.deepEqual(found, [
    ['A', undefined],
    ['B,C', 'x'],
  ]);
});

test('labels that are none are refused with their line', () => {
  const refused = (text: string, message: RegExp): void =>
    assert.throws(
      () => parseLabels(text, 'symbol', 'x.csv'),
      (error) => error instanceof EngineError && message.test(error.message),
    );
  refused('', /x\.csv: expected columns symbol and event_time, or .*, got/);
  refused('symbol,time\n', /got symbol, time/);
  refused('symbol,event_time\nA,2024-01-02\nA,noon', /x\.csv:3: expected a time .* got "noon"/);
  refused(
    'symbol,window_start,window_end\nA,2024-01-02T10:00:00Z,2024-01-02T09:00:00Z',
    /x\.csv:2: expected window_end not before window_start/,
  );
});

test('labels of others are read by the names that they have there', () => {
  const text = 'symbol,bar_start,type,kind\nA,2024-01-02,x,split\nA,2024-01-03,y,crash\n';
  const names = labelNames('event_time=bar_start, type=kind', 'split=corporate_action', 'symbol');
  assert.deepEqual(
    parseLabels(text, 'symbol', 'x.csv', names as LabelNames).map(({ start, type }) => [
      start / 86_400_000_000_000n,
      type,
    ]),
    [
      [19724n, 'corporate_action'],
      [19725n, 'crash'],
    ],
  );
  const key = labelNames('ticker=symbol,event_time=bar_start', undefined, 'ticker');
  assert.equal(parseLabels(text, 'ticker', 'x.csv', key as LabelNames)[1]!.key, 'A');
});

test('names of labels that cannot be are refused', () => {
  const wrong: readonly [columns: string | undefined, types: string | undefined, RegExp][] = [
    ['bar_start', undefined, /--label-columns bar_start: expected pairs/],
    ['event_time=a,event_time=b', undefined, /expected pairs/],
    ['score=kind', undefined, /--label-columns score=: expected one of symbol, event_time, /],
    [undefined, 'split=', /--label-types split=: expected pairs/],
  ];
  for (const [columns, types, message] of wrong) {
    assert.match(labelNames(columns, types, 'symbol') as string, message);
  }
  const names = labelNames('event_time=day', undefined, 'symbol') as LabelNames;
  assert.throws(
    () => parseLabels('symbol,event_time\n', 'symbol', 'x.csv', names),
    /x\.csv: there is no column day, only symbol, event_time/,
  );
});
