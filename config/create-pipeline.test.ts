import assert from 'node:assert/strict';
import test from 'node:test';
import { catalog } from '../catalog.ts';
import { planCatalog } from '../engine/testing/plan-catalog.ts';
import { createPipeline, pipelineYaml, UnknownTypesError } from './create-pipeline.ts';
import { lintText } from './lint.ts';
import { SourceText } from './source-text.ts';

function lints(types: readonly string[]): readonly string[] {
  const { document, problems } = createPipeline(types, catalog);
  const source = new SourceText('p.yaml', pipelineYaml(document));
  const result = lintText(source, { catalog, environment: {} });
  assert.equal(result.lints.length, problems.length);
  return result.lints.map(({ line, message }) => `${line}: ${message}`);
}

test('every chain of a source, up to two operators and a sink is valid as it is printed', () => {
  const sources = catalog.sources.map(({ name }) => name);
  const operators = catalog.operators.map(({ name }) => name);
  const sinks = catalog.sinks.map(({ name }) => name);
  // The rows of all detectors look alike, so behind them one stands for all.
  const firsts = operators.filter(
    (name) => name === 'limits_detector' || !name.endsWith('_detector'),
  );
  // Steps that add columns of fixed names are used once.
  const ONCE = ['alerts', 'classify_bars', 'trading_session'];
  const pairs = firsts
    .flatMap((first) => operators.map((next) => [first, next]))
    .filter(([first, next]) => first !== next || !ONCE.includes(first!));
  const chains = sources.flatMap((source, index) => [
    ...sinks.map((sink) => [source, sink]),
    ...operators.map((operator) => [source, operator, 'ndjson']),
    // Of each pair one chain, in turns over the sources, because there are many.
    ...pairs
      .filter((_, i) => i % sources.length === index)
      .map((pair) => [source, ...pair, 'parquet']),
    [source, 'tumbling_window', 'derive', 'rolling', 'threshold', 'parquet'],
  ]);
  assert.ok(chains.length > 20);
  for (const chain of chains) {
    // What reads anomalies says so where there are none.
    const found = lints(chain).filter((text) => !text.includes('expected anomalies, which have'));
    assert.deepEqual([chain.join('/'), found], [chain.join('/'), []]);
  }
  assert.deepEqual(lints(['file', 'threshold', 'alerts', 'ndjson']), []);
});

test('a type that does not exist is told with what was meant', () => {
  assert.throws(() => createPipeline(['tick', 'windw', 'files'], planCatalog), {
    name: 'UnknownTypesError',
    message:
      'there is no source tick; did you mean ticks?\n' +
      'there is no operator windw; did you mean window?',
  });
  assert.throws(() => createPipeline(['ticks'], planCatalog), UnknownTypesError);
});

test('columns that are not there are replaced by ones that are', () => {
  const { document, problems } = createPipeline(['ticks', 'window', 'pick', 'files'], planCatalog);
  assert.deepEqual(problems, []);
  const { pick } = document['operators'] as { pick: { columns: string[] } };
  assert.deepEqual(pick.columns, ['high']);
});

test('a printed pipeline makes sense: scores stay scores, a path is named after its step', () => {
  const created = (...types: readonly string[]): string =>
    pipelineYaml(createPipeline(types, catalog).document);
  const anomalies = created('file', 'tumbling_window', 'rolling', 'threshold', 'parquet');
  assert.match(anomalies, /z_price: zscore\(close\)/);
  assert.match(anomalies, /when: abs\(z_price\) > 3\n +value: close\n +score: z_price\n/);
  assert.match(anomalies, /path: out\/threshold\n/);
  const trades = created('file', 'dedupe', 'derive', 'filter', 'hopping_window', 'csv');
  assert.match(trades, /notional: price \* size\n/);
  assert.match(trades, /path: out\/hopping_window\.csv\n/);
});
