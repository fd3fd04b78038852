import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import { fileURLToPath } from 'node:url';
import { globPattern, pipelineFiles } from './pipeline-files.ts';
import { makeProgram } from './program.ts';

const main = fileURLToPath(new URL('./main.js', import.meta.url));
const folder = mkdtempSync(join(tmpdir(), 'tidemark-cli-'));
after(() => rmSync(folder, { recursive: true }));

interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

function tidemark(...values: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [main, ...values], {
    cwd: folder,
    encoding: 'utf8',
    env: { PATH: process.env['PATH'], NO_COLOR: '1', COLUMNS: '100' },
  });
  return { code: status, stdout, stderr };
}

function write(path: string, text: string): string {
  const file = join(folder, path);
  mkdirSync(join(file, '..'), { recursive: true });
  writeFileSync(file, text);
  return path;
}

const PIPELINE = `name: bars
sources:
  trades:
    type: file
    path: data/trades.csv
    columns: { symbol: symbol, event_time: ts_event, price: price, size: size }
operators:
  bars:
    type: tumbling_window
    input: trades
    size: \${SIZE:5m}
    aggregates: { high: max(price), volume: sum(size) }
sinks:
  bars: { type: parquet, input: bars, path: out/bars }
  late: { type: ndjson, input: bars.late, path: out/late.ndjson }
quality:
  - { dataset: bars, not_null: [high] }
tests:
  - name: the highest price
    input:
      trades: |
        event_time | symbol | price | size
        09:30:00   | AAPL   | 100   | 10
        09:31:00   | AAPL   | 104   | 30
    expect:
      bars: [{ symbol: AAPL, window_start: "09:30", high: 104, volume: 40 }]
      bars.late: []
`;
write('good/bars.yaml', PIPELINE);
const BROKEN = write('bad/broken.yaml', PIPELINE.replace('size: ${', 'sise: ${'));

test('--version and --help end well, and every command has examples and --json', () => {
  assert.match(tidemark('--version').stdout, /^\d+\.\d+\.\d+\n$/);
  const help = tidemark('--help');
  assert.equal(help.code, 0);
  for (const code of ['0 ', '1 ', '2 ', '3 ', '78', '130']) {
    assert.match(help.stdout, new RegExp(`^  ${code} +\\w`, 'm'));
  }
  for (const command of makeProgram().commands) {
    const { code, stdout } = tidemark(command.name(), '--help');
    assert.equal(code, 0, command.name());
    assert.match(stdout, /^Examples:\n  # .*\n  tidemark /m, command.name());
    assert.match(stdout, /--json/, command.name());
  }
});

const usage: readonly [values: readonly string[], told: RegExp][] = [
  [[], /^Usage: tidemark/],
  [['lnt'], /unknown command 'lnt'\n\(Did you mean lint\?\)/],
  [['lint'], /missing required argument 'path'/],
  [['lint', 'good', '--jsn'], /unknown option '--jsn'\n\(Did you mean --json\?\)/],
  [['lint', 'good', '-s', 'a'], /argument 'a' is invalid\. Expected path=value\./],
  [['lint', 'good', '--format', 'xml'], /Allowed choices are text, json, github/],
  [['run', 'good/bars.yaml', '-s', 'a..b=1'], /Expected names between the dots, got a\.\.b\./],
  [['lint', 'good/bars.yaml', '-s', '.a=1'], /Expected names between the dots, got \.a\./],
  [['explain', 'good/bars.yaml', '--slots', '0'], /Expected a whole number of at least 1/],
  [['list', 'opertors'], /nothing of kind 'opertors' \(did you mean operators\?\)/],
  [['create', 'fil/tumbling_window/parquet'], /there is no source fil; did you mean file\?/],
  [['create', 'file'], /expected at least a source and a sink/],
];

for (const [values, told] of usage) {
  test(`wrong usage: tidemark ${values.join(' ')}`, () => {
    const { code, stdout, stderr } = tidemark(...values);
    assert.deepEqual([code, stdout], [2, '']);
    assert.match(stderr, told);
  });
}

test('lint tells each problem with its place, and ends with 1', () => {
  assert.deepEqual(tidemark('lint', 'good'), {
    code: 0,
    stdout: '',
    stderr: '1 file: no problems\n',
  });
  const { code, stdout, stderr } = tidemark('lint', BROKEN);
  assert.equal(code, 1);
  assert.deepEqual(stdout.split('\n'), [
    'bad/broken.yaml:11:5: error[config/unknown-field]: tumbling_window has no option sise',
    '   11 |     sise: ${SIZE:5m}',
    '      |     ^',
    '  help: did you mean size?',
    '',
  ]);
  assert.equal(stderr, '1 file: 1 error, 0 warnings\n');
  const json = JSON.parse(tidemark('lint', 'good', 'bad', '--json').stdout) as {
    files: number;
    errors: number;
    lints: { file: string; line: number; code: string }[];
  };
  assert.deepEqual([json.files, json.errors, json.lints[0]!.line], [2, 1, 11]);
  assert.match(
    tidemark('lint', BROKEN, '--format', 'github').stdout,
    /^::error file=bad\/broken.yaml,line=11,col=5,title=config\/unknown-field::/,
  );
});

test('lint takes options, variables, globs, test files and Markdown pages', () => {
  const option = tidemark('lint', 'good/bars.yaml', '-s', 'operators.bars.size=soon');
  assert.equal(option.code, 1);
  assert.match(option.stdout, /^-s operators\.bars\.size=soon: error\[config\/invalid-value\]/);
  const env = write('wrong.env', 'SIZE=soon\n');
  assert.match(tidemark('lint', 'good/bars.yaml', '-e', env).stdout, /got "soon"/);
  assert.match(tidemark('lint', '{good,bad}/*.yaml').stderr, /^2 files: 1 error/);
  write(
    'good/other/bars.test.yaml',
    'pipeline: ../bars.yaml\ntests:\n  - { name: x, input: {} }\n',
  );
  const tests = tidemark('lint', 'good/other');
  assert.match(tests.stdout, /^good\/other\/bars\.test\.yaml:3:5: error\[config\/missing-field\]/);
  const page = `# Page\n\n\`\`\`yaml\n${PIPELINE.replace('max(price)', 'max(prise)')}\`\`\`\n`;
  write('docs/page.md', page);
  assert.match(tidemark('lint', 'docs').stdout, /^docs\/page\.md:15:29: error/);
  rmSync(join(folder, 'good/other'), { recursive: true });
});

test('a file that is not there is an error with its path', () => {
  for (const command of ['lint', 'explain', 'test']) {
    const { code, stderr } = tidemark(command, 'none.yaml');
    assert.equal(code, 1, command);
    assert.equal(
      stderr,
      'error[config/unreadable]: cannot read none.yaml: there is no such file\n',
    );
  }
  const { stdout } = tidemark('explain', 'none.yaml', '--json');
  assert.match(stdout, /"code": "config\/unreadable"/);
});

test('explain shows the plan, or the lints with 78', () => {
  const { code, stdout } = tidemark('explain', 'good/bars.yaml', '--slots', '3');
  assert.equal(code, 0);
  assert.match(stdout, /^bars {2}16 partitions by symbol, 5 or 6 on each of 3 slots\n/);
  assert.match(stdout, /\nstate {2}\d+ B for each symbol, [\d.]+ MiB for 10,000\n/);
  assert.match(stdout, /└─ bars {2}tumbling_window/);
  assert.match(stdout, / per symbol +\d+ B: 4 B \+ \d+ B for each open window \(at most \d\)\n/);
  assert.match(stdout, /late {2}sink ndjson of bars\.late/);
  const plan = JSON.parse(tidemark('explain', 'good/bars.yaml', '--json').stdout) as {
    operators: {
      outputs: { main: { columns: { name: string }[] } };
      stateSize: { bytesPerKey: number; key: number; parts: { bytes: number; atMost: number }[] };
    }[];
    stateSize: { bytesPerKey: number; unbounded: unknown[] };
  };
  const { bytesPerKey, key, parts } = plan.operators[0]!.stateSize;
  assert.equal(bytesPerKey, key + parts[0]!.bytes * parts[0]!.atMost);
  assert.deepEqual([plan.stateSize.bytesPerKey, plan.stateSize.unbounded], [bytesPerKey, []]);
  assert.deepEqual(
    plan.operators[0]!.outputs.main.columns.map(({ name }) => name),
    ['symbol', 'window_start', 'window_end', 'high', 'volume'],
  );
  const broken = tidemark('explain', BROKEN, '--json');
  assert.equal(broken.code, 78);
  assert.match(broken.stderr, /bad\/broken\.yaml:11:5: error/);
  assert.match(broken.stdout, /"code": "config\/unknown-field"/);
});

test('list tells what there is, and create makes pipelines that are valid', () => {
  const all = JSON.parse(tidemark('list', '--json').stdout) as Record<string, { name: string }[]>;
  assert.deepEqual(Object.keys(all), ['sources', 'operators', 'sinks', 'checks', 'functions']);
  const functions = all['functions']!.map(({ name }) => name);
  for (const name of ['abs', 'count', 'stddev_pop', 'zscore', 'lag']) {
    assert.equal(functions.filter((each) => each === name).length, 1, name);
  }
  const chains = [
    'file/parquet',
    'file/tumbling_window/ndjson',
    'file/tumbling_window/derive/rolling/threshold/parquet',
  ];
  for (const [index, chain] of chains.entries()) {
    const { code, stdout, stderr } = tidemark('create', chain);
    assert.deepEqual([code, stderr], [0, ''], chain);
    write(`created/${index}.yaml`, stdout);
  }
  assert.deepEqual(tidemark('lint', 'created'), {
    code: 0,
    stdout: '',
    stderr: `${chains.length} files: no problems\n`,
  });
  assert.match(tidemark('create').stdout, /^sources +.*file/);
});

test('test runs the cases, and shows what differs', () => {
  const passed = tidemark('test', 'good');
  assert.equal(passed.code, 0, passed.stdout);
  assert.match(passed.stdout, /^good\/bars\.yaml\n {2}ok {3}the highest price \([\d.]+ ms\)\n$/);
  assert.equal(passed.stderr, '1 passed, 0 failed\n');
  const failing = write('failing/bars.yaml', PIPELINE.replace('high: 104', 'high: 105'));
  const failed = tidemark('test', failing);
  assert.equal(failed.code, 1);
  assert.match(failed.stdout, /FAIL the highest price/);
  assert.match(failed.stdout, /missing \(1\):\n.*\n +AAPL .* 105/);
  const json = JSON.parse(tidemark('test', failing, '--json').stdout) as { failed: number };
  assert.equal(json.failed, 1);
  const wrong = write(
    'wrong/bars.yaml',
    PIPELINE.replace('high: 104', 'hihg: 104').replace('| 104   |', '| ten   |'),
  );
  const { code, stdout } = tidemark('test', wrong);
  assert.equal(code, 1);
  assert.match(
    stdout,
    /bars\.yaml:21:15: error\[config\/invalid-value\]: trades: price: not a number/,
  );
  assert.match(
    stdout,
    /bars\.yaml:26:53: error\[config\/unknown-column\]: bars has no column "hihg"/,
  );
  const none = tidemark('test', 'good', '--filter', 'lowest');
  assert.equal(none.code, 1);
  assert.equal(none.stderr, 'there is no test case with "lowest" in its name\n');
});

test('rows that cannot be read are rejected where a case expects that', () => {
  const notATime =
    'event_time: "yesterday", expected a time such as 2013-10-07T13:30:00Z or an epoch';
  const rejecting = write(
    'rejected/bars.yaml',
    PIPELINE.replace(/tests:[^]*$/, '') +
      `tests:
  - name: what cannot be read is rejected, with its line and why
    input:
      trades: |
        event_time | symbol | price
        09:30:00   | AAPL   | 104
        09:30:01   | AAPL   | ten
        yesterday  | AAPL   | 900
        09:30:02   |        | 901
        09:30:03   | AAPL
        09:30:04   | AAPL   | 103
    expect:
      bars: [{ symbol: AAPL, high: 104 }]
      trades.rejected: |
        source | origin | line | reason
        trades | test   | 2    | price: "ten", expected a number
        trades | test   | 3    | ${notATime}
        trades | test   | 4    | symbol: empty, expected a text
        trades | test   | 5    | 2 cells, expected 3
  - name: mappings too
    input:
      trades: [{ event_time: "09:30:00", symbol: A, price: 1 }, { symbol: A, price: x }]
    expect:
      bars: [{ symbol: A, high: 1 }]
      trades.rejected: [{ line: 2, raw: '{"symbol":"A","price":"x"}' }]
  - name: none is
    input: { trades: [{ event_time: "09:30:00", symbol: A, price: 1 }] }
    expect: { trades.rejected: [] }
`,
  );
  const { code, stdout, stderr } = tidemark('test', rejecting);
  assert.equal(stderr, '3 passed, 0 failed\n', stdout);
  assert.equal(code, 0);
});

test('test files beside a pipeline are found with it', () => {
  write('beside/bars.yaml', PIPELINE.replace(/tests:[^]*$/, ''));
  write(
    'beside/bars.test.yaml',
    '- name: nothing\n  input: { trades: [] }\n  expect: { bars: [] }\n',
  );
  const { code, stdout } = tidemark('test', 'beside/bars.yaml');
  assert.equal(code, 0);
  assert.match(stdout, /^beside\/bars\.test\.yaml\n {2}ok {3}nothing/);
});

test('schema prints a JSON Schema', () => {
  const schema = JSON.parse(tidemark('schema').stdout) as Record<string, unknown>;
  assert.equal(schema['$schema'], 'http://json-schema.org/draft-07/schema#');
});

test('a reader that has seen enough is no failure', () => {
  const { status, stderr } = spawnSync(
    'sh',
    ['-c', `"$0" "$1" schema | head -c 10`, process.execPath, main],
    {
      encoding: 'utf8',
    },
  );
  assert.deepEqual([status, stderr], [0, '']);
});

test('globs', async () => {
  const cases: readonly [glob: string, path: string, want: boolean][] = [
    ['*.yaml', 'a.yaml', true],
    ['*.yaml', 'a/b.yaml', false],
    ['**/*.yaml', 'a/b/c.yaml', true],
    ['**/*.yaml', 'c.yaml', true],
    ['a?[b-d].{yaml,yml}', 'axc.yml', true],
    ['a?[!b-d].{yaml,yml}', 'axc.yml', false],
    ['a.b+c(1).yaml', 'a.b+c(1).yaml', true],
    ['a.yaml', 'abyaml', false],
    ['[z-a].yaml', 'a.yaml', false],
    ['{[z-a],b}.yaml', 'a.yaml', false],
  ];
  for (const [glob, path, want] of cases) {
    assert.equal(globPattern(glob).test(path), want, `${glob} ${path}`);
  }
  const found = await pipelineFiles([`${folder}/goo*/**/*.yaml`, join(folder, 'good')]);
  assert.deepEqual(found, [join(folder, 'good/bars.yaml')]);
});
