import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import {
  existsSync,
  mkdirSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmSync,
  utimesSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import fc from 'fast-check';
import type { SinkContext, SinkDefinition, SinkWriter } from '../../engine/contract/connector.ts';
import { z } from '../../engine/contract/fields.ts';
import type { Schema } from '../../engine/contract/schema.ts';
import { parseIsoTime } from '../../engine/contract/time.ts';
import { REJECTED_SCHEMA } from '../../engine/plan/pipeline-plan.ts';
import { columnBatch, readBack, type Row, sortRows } from '../testing/rows.ts';
import { csv, ndjson } from './text-sinks.ts';

const schema: Schema = {
  columns: [
    { name: 'symbol', type: 'string' },
    { name: 'time', type: 'timestamp' },
    { name: 'price', type: 'float64' },
    { name: 'n', type: 'int64' },
    { name: 'a, "b"', type: 'boolean' },
  ],
  time: 'time',
  key: 'symbol',
};
const context: SinkContext = { sink: 'out', pipeline: 'test', schema };

const at = (text: string): bigint => parseIsoTime(text)!;
const ROWS: readonly Row[] = [
  ['AAPL', at('2013-10-07T13:30:00.000000001Z'), 487.5, 2n ** 53n + 1n, true],
  ['a,"b"\nü', at('1969-12-31T23:59:59.999999999Z'), -0, -(2n ** 63n) + 1n, false],
  ['', at('2013-10-07T13:30:00Z'), 1e300, 0n, null],
  [' x', null, 0.1, null, true],
  [null, at('2013-10-07T13:30:00.5Z'), null, -1n, false],
];

const NDJSON_TEXT = [
  '{"symbol":"AAPL","time":"2013-10-07T13:30:00.000000001Z","price":487.5,"n":9007199254740993,' +
    '"a, \\"b\\"":true}',
  '{"symbol":"a,\\"b\\"\\nü","time":"1969-12-31T23:59:59.999999999Z","price":-0.0,' +
    '"n":-9223372036854775807,"a, \\"b\\"":false}',
  '{"symbol":"","time":"2013-10-07T13:30:00.000000000Z","price":1e+300,"n":0,"a, \\"b\\"":null}',
  '{"symbol":" x","time":null,"price":0.1,"n":null,"a, \\"b\\"":true}',
  '{"symbol":null,"time":"2013-10-07T13:30:00.500000000Z","price":null,"n":-1,"a, \\"b\\"":false}',
  '',
].join('\n');

const CSV_TEXT = [
  'symbol,time,price,n,"a, ""b"""',
  'AAPL,2013-10-07T13:30:00.000000001Z,487.5,9007199254740993,true',
  '"a,""b""\nü",1969-12-31T23:59:59.999999999Z,-0.0,-9223372036854775807,false',
  '"",2013-10-07T13:30:00.000000000Z,1e+300,0,',
  '" x",,0.1,,true',
  ',2013-10-07T13:30:00.500000000Z,,-1,false',
  '',
].join('\n');

let folder: string;
before(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidemark-text-'));
});
after(() => rmSync(folder, { recursive: true, force: true }));

type Settings = Record<string, unknown>;

function config(sink: SinkDefinition, name: string, more: Settings = {}): Settings {
  return z.strictObject(sink.fields).parse({ path: join(folder, name), ...more });
}

async function commit(sink: SinkDefinition, settings: Settings, writer: SinkWriter, epoch = 0) {
  const { committables } = await writer.prepareCommit(epoch, true);
  await sink.commit(settings, committables, context);
  return committables;
}

async function run(sink: SinkDefinition, settings: Settings, ...batches: (readonly Row[])[]) {
  const writer = await sink.open(settings, context);
  for (const rows of batches) await writer.write(columnBatch(schema, rows));
  const committables = await commit(sink, settings, writer);
  await writer.close();
  return committables;
}

const KINDS: readonly (readonly [SinkDefinition, string])[] = [
  [ndjson, NDJSON_TEXT],
  [csv, CSV_TEXT],
];

for (const [sink, text] of KINDS) {
  const { name } = sink;

  test(`${name}: every type, null and special character as expected`, async () => {
    const settings = config(sink, `new/types.${name}`);
    await run(sink, settings, ROWS.slice(0, 2), [], ROWS.slice(2));
    assert.equal(readFileSync(join(folder, `new/types.${name}`), 'utf8'), text);
    assert.deepEqual(
      readdirSync(join(folder, 'new')).filter((each) => each.includes('.in')),
      [],
    );
  });

  test(`${name}: DuckDB reads back whatever is written`, async () => {
    const cell = fc.tuple(
      fc.option(
        fc.string({ unit: 'grapheme', maxLength: 6 }).filter((each) => !each.includes('\0')),
      ),
      fc.option(fc.bigInt({ min: -(2n ** 62n), max: 2n ** 62n })),
      fc.option(fc.oneof(fc.double({ noNaN: true }), fc.constantFrom(Infinity, -Infinity, -0))),
      fc.option(fc.bigInt({ min: -(2n ** 63n) + 1n, max: 2n ** 63n - 1n })),
      fc.option(fc.boolean()),
    );
    const settings = config(sink, `property.${name}`);
    const simple = { ...schema, columns: schema.columns.map(simpleName) };
    const simpleContext = { ...context, schema: simple };
    await fc.assert(
      fc.asyncProperty(
        fc.array(fc.array(cell, { minLength: 1 }), { minLength: 1 }),
        async (input) => {
          const writer = await sink.open(settings, simpleContext);
          for (const rows of input) await writer.write(columnBatch(simple, rows));
          await sink.commit(
            settings,
            (await writer.prepareCommit(0, true)).committables,
            simpleContext,
          );
          await writer.close();
          const found = await readBack(sink.dataset(settings, simpleContext)!, simple);
          assert.deepEqual(found, sortRows(input.flat()));
        },
      ),
      { numRuns: 30 },
    );
  });

  test(`${name}: nothing is visible before the commit, which may be repeated`, async () => {
    const settings = config(sink, `commit/a.${name}`);
    const path = join(folder, `commit/a.${name}`);
    const writer = await sink.open(settings, context);
    assert.ok(!existsSync(join(folder, 'commit')), 'nothing is created before there is a row');
    await writer.write(columnBatch(schema, ROWS));
    const { committables } = await writer.prepareCommit(0, true);
    assert.ok(!existsSync(path));
    await sink.commit(settings, committables, context);
    await sink.commit(settings, committables, context);
    await writer.close();
    assert.equal(readFileSync(path, 'utf8'), text);
    rmSync(join(folder, 'commit'), { recursive: true });
  });

  test(`${name}: later commits continue the file, and may be cut short and repeated`, async () => {
    const settings = config(sink, `epochs.${name}`);
    const path = join(folder, `epochs.${name}`);
    const writer = await sink.open(settings, context);
    await writer.write(columnBatch(schema, ROWS.slice(0, 1)));
    await commit(sink, settings, writer, 0);
    await commit(sink, settings, writer, 1);
    await writer.write(columnBatch(schema, ROWS.slice(1)));
    const { committables } = await writer.prepareCommit(2, true);
    const size = Number(committables[0]!['offset']);
    assert.equal(readFileSync(path).length, size);
    // As if the process had died after half of the bytes.
    writeFileSync(path, readFileSync(path, 'utf8') + text.slice(size, size + 20));
    await sink.commit(settings, committables, context);
    await sink.commit(settings, committables, context);
    await writer.close();
    assert.equal(readFileSync(path, 'utf8'), text);
  });

  test(`${name}: replace, append and fail`, async () => {
    const path = join(folder, `exists.${name}`);
    writeFileSync(path, 'older\n');
    await run(sink, config(sink, `exists.${name}`), ROWS.slice(0, 2));
    await run(sink, config(sink, `exists.${name}`, { if_exists: 'append' }), ROWS.slice(2));
    assert.equal(readFileSync(path, 'utf8'), text);
    const refusing = config(sink, `exists.${name}`, { if_exists: 'fail' });
    await assert.rejects(sink.open(refusing, context), { code: 'sink/exists' });
    await run(sink, config(sink, `exists.${name}`, { if_exists: 'append' }));
    assert.ok(existsSync(path));
    await run(sink, config(sink, `exists.${name}`));
    assert.ok(!existsSync(path), 'a run without rows replaces the older file too');
  });

  test(`${name}: a file that ends within a line is not continued`, async () => {
    const settings = config(sink, `torn.${name}`, { if_exists: 'append' });
    await run(sink, settings, ROWS);
    const path = join(folder, `torn.${name}`);
    const torn = readFileSync(path, 'utf8').slice(0, -1);
    writeFileSync(path, torn);
    await assert.rejects(sink.open(settings, context), {
      code: 'sink/unwritable',
      message: /cannot write .*torn.*: its last line has no end, expected a newline$/,
    });
    assert.equal(readFileSync(path, 'utf8'), torn);
  });

  test(`${name}: close without commit, and a crash, leave nothing`, async () => {
    mkdirSync(join(folder, `closed-${name}`));
    const settings = config(sink, `closed-${name}/a`);
    const dead = '2147483647-x-7.inprogress';
    for (const stale of [`a.${dead}`, 'a.b.inprogress', `b.${dead}`]) {
      writeFileSync(join(folder, `closed-${name}`, stale), '');
    }
    const writer = await sink.open(settings, context);
    await writer.write(columnBatch(schema, ROWS));
    await writer.close();
    const left = readdirSync(join(folder, `closed-${name}`)).sort();
    assert.deepEqual(left, ['a.b.inprogress', `b.${dead}`]);
    const live = join(folder, `closed-${name}`, `a.${process.ppid}-x-7.inprogress`);
    writeFileSync(live, '');
    await assert.rejects(sink.open(settings, context), {
      code: 'sink/busy',
      message: /^sink "\w+": cannot write .*a: process \d+ is writing there as well/,
    });
    // A process of that number that was started since is another one.
    utimesSync(live, 0, 0);
    if (existsSync('/proc/stat')) await (await sink.open(settings, context)).close();
    rmSync(live, { force: true });
  });

  test(`${name}: a folder, or a path below a file, is refused with path and cause`, async () => {
    await assert.rejects(sink.open(config(sink, '.'), context), {
      code: 'sink/unwritable',
      message: /cannot write .*: it is a folder/,
    });
    writeFileSync(join(folder, `plain-${name}`), '');
    await assert.rejects(run(sink, config(sink, `plain-${name}/below/a`), ROWS), {
      code: 'sink/unwritable',
      message: new RegExp(`sink "out": cannot .*plain-${name}.*ENOTDIR`),
    });
  });

  test(`${name}: a full device is an error that says so`, async () => {
    const settings = { ...config(sink, ''), path: '/dev/full' };
    await assert.rejects(run(sink, settings, ROWS), {
      code: 'sink/disk-full',
      message: 'sink "out": cannot write /dev/full: no space left on device (ENOSPC)',
    });
  });
}

function simpleName({ type }: Schema['columns'][number], index: number): Schema['columns'][number] {
  return { type, name: `c${index}` };
}

test('rejected rows can be written: no time, no key, no file before there is one', async () => {
  const settings = config(ndjson, 'rejected.ndjson');
  const deadLetter = { sink: 'rejected', pipeline: 'test', schema: REJECTED_SCHEMA };
  const writer = await ndjson.open(settings, deadLetter);
  await ndjson.commit(settings, (await writer.prepareCommit(0, true)).committables, deadLetter);
  assert.ok(!existsSync(join(folder, 'rejected.ndjson')));
  const row: Row = ['trades', 'a.csv', 3n, 'price: found abc, expected a number', 'X,abc'];
  await writer.write(columnBatch(REJECTED_SCHEMA, [row]));
  await ndjson.commit(settings, (await writer.prepareCommit(1, true)).committables, deadLetter);
  await writer.close();
  assert.equal(
    readFileSync(join(folder, 'rejected.ndjson'), 'utf8'),
    '{"source":"trades","origin":"a.csv","line":3,' +
      '"reason":"price: found abc, expected a number","raw":"X,abc"}\n',
  );
});

/** A process that writes `batches` batches of 1,000 rows to stdout and reports its error. */
function writerScript(batches: number): string {
  const module = new URL('./text-sinks.js', import.meta.url).href;
  return `
    const { ndjson } = await import(${JSON.stringify(module)});
    const schema = { columns: [{ name: 'x', type: 'float64' }], time: '', key: '' };
    const context = { sink: 'out', pipeline: 'test', schema };
    const writer = await ndjson.open({ path: '-', if_exists: 'replace' }, context);
    const values = Float64Array.from({ length: 1000 }, (_, i) => i);
    try {
      for (let i = 0; i < ${batches}; i++) {
        await writer.write({ rowCount: 1000, columns: [{ type: 'float64', values }] });
      }
      process.exitCode = (await writer.prepareCommit(0, true)).committables.length;
    } catch (error) {
      process.stderr.write(error.code + ': ' + error.message);
      process.exitCode = 1;
    }
  `;
}

test('stdout: every row arrives, however slowly it is read', async () => {
  const child = spawn(process.execPath, ['--input-type=module', '-e', writerScript(200)], {
    stdio: ['ignore', 'pipe', 'inherit'],
  });
  let text = '';
  for await (const piece of child.stdout) {
    text += String(piece);
    if (text.length < 1_000_000) await new Promise((resolve) => setTimeout(resolve, 5));
  }
  const lines = text.trimEnd().split('\n');
  assert.equal(lines.length, 200_000);
  assert.ok(lines.every((line, i) => line === `{"x":${i % 1000}}`));
});

test('stdout: a reader that goes away, and a full device, are coded errors', () => {
  const script = join(folder, 'script.mjs');
  writeFileSync(script, writerScript(2000));
  const command = `"${process.execPath}" "${script}" | head -n 1`;
  const gone = spawnSync('sh', ['-c', command], { encoding: 'utf8' });
  assert.equal(gone.stdout, '{"x":0}\n');
  assert.equal(
    gone.stderr,
    'sink/closed: sink "out": cannot write stdout: its reader has gone (EPIPE)',
  );
  const full = spawnSync(process.execPath, ['--input-type=module', '-e', writerScript(1)], {
    stdio: ['ignore', openSync('/dev/full', 'w'), 'pipe'],
    encoding: 'utf8',
  });
  assert.equal(
    full.stderr,
    'sink/disk-full: sink "out": cannot write stdout: no space left on device (ENOSPC)',
  );
});

test('csv: a file with another header is not continued', async () => {
  const settings = config(csv, 'header.csv', { if_exists: 'append' });
  writeFileSync(join(folder, 'header.csv'), 'symbol,price\r\nA,1\r\n');
  await assert.rejects(csv.open(settings, context), {
    code: 'sink/unwritable',
    message: /cannot write .*header\.csv: its header is symbol,price, expected symbol,/,
  });
});
