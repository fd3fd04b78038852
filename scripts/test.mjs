/**
 * `node scripts/test.mjs [PART…]`: runs every compiled test (or those whose path contains one of
 * the parts) with Node's own runner, a process for each file and as many at once as there are
 * cores, and closes with a summary. Tests run on the output of the build, because threads, kernels
 * and stack traces are then those that ship. What was skipped is listed with its reason, and a file
 * in which no test ran has failed: neither may look like a test that passed.
 */
import { spawn } from 'node:child_process';
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs';
import { availableParallelism, tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { findOrUnpackServer } from './nats-server.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
const FILE_TIMEOUT_MS = 300_000;
const SLOWEST = 5;

const sourceName = (file) => file.replace(/^dist\//, '').replace(/\.js$/, '.ts');
const seconds = (milliseconds) => `${(milliseconds / 1000).toFixed(1)} s`;

function testFiles(parts) {
  const outputs = existsSync(`${root}dist`) ? readdirSync(`${root}dist`, { recursive: true }) : [];
  return outputs
    .filter((file) => file.endsWith('.test.js'))
    .map((file) => `dist/${file}`)
    .filter((file) => parts.length === 0 || parts.some((part) => sourceName(file).includes(part)))
    .sort();
}

/** Runs one file; resolves to its tests and to what it printed. */
function runFile(file, eventsPath) {
  const start = Date.now();
  const reporter = ['--test-reporter=./scripts/test-events.mjs'];
  const isRepeatable = process.env.CI !== undefined && process.env.CI !== '';
  const seed = isRepeatable ? ['--import', './dist/engine/testing/fixed-seed.js'] : [];
  const destination = [`--test-reporter-destination=${eventsPath}`];
  const child = spawn(
    process.execPath,
    ['--enable-source-maps', ...seed, ...reporter, ...destination, file],
    { cwd: root, stdio: ['ignore', 'pipe', 'pipe'] },
  );
  let output = '';
  for (const stream of [child.stdout, child.stderr]) {
    stream.setEncoding('utf8').on('data', (text) => {
      output += text;
    });
  }
  let timedOut = false;
  const timer = setTimeout(() => {
    timedOut = true;
    child.kill('SIGKILL');
  }, FILE_TIMEOUT_MS);
  return new Promise((resolve, reject) => {
    child.on('error', reject);
    child.on('close', (code, signal) => {
      clearTimeout(timer);
      const tests = existsSync(eventsPath)
        ? readFileSync(eventsPath, 'utf8')
            .split('\n')
            .filter((line) => line !== '')
            .map((line) => JSON.parse(line))
        : [];
      const result = { name: sourceName(file), tests, output, milliseconds: Date.now() - start };
      const failure = fileFailure(tests, code, signal, timedOut);
      if (failure !== undefined) tests.push({ title: 'the file', outcome: 'failed', failure });
      resolve(result);
    });
  });
}

/** What is wrong with a file though none of its tests says so. */
function fileFailure(tests, code, signal, timedOut) {
  if (timedOut) return `took longer than ${seconds(FILE_TIMEOUT_MS)}`;
  if (signal !== null) return `was ended by ${signal}`;
  if (tests.length === 0) return `no test ran (exit code ${code})`;
  const failed = tests.some((test) => test.outcome === 'failed');
  return code !== 0 && !failed ? `exit code ${code} although no test failed` : undefined;
}

const count = (result, outcome) => result.tests.filter((test) => test.outcome === outcome).length;

function printFile(result) {
  const failed = count(result, 'failed');
  const skipped = count(result, 'skipped');
  const counts = [`${count(result, 'passed')} passed`];
  if (failed > 0) counts.push(`${failed} FAILED`);
  if (skipped > 0) counts.push(`${skipped} skipped`);
  const mark = failed > 0 ? '✗' : '✓';
  console.log(
    `${mark} ${result.name.padEnd(60)} ${counts.join(', ')}, ${seconds(result.milliseconds)}`,
  );
  if (failed === 0) return;
  for (const { title, outcome, failure } of result.tests) {
    if (outcome !== 'failed') continue;
    console.log(`    ✗ ${title}\n${String(failure).replace(/^/gm, '      ')}`);
  }
  if (result.output.trim() !== '') {
    console.log(`    printed:\n${result.output.trimEnd().replace(/^/gm, '      ')}`);
  }
}

function printSummary(results, milliseconds) {
  const total = (outcome) => results.reduce((sum, result) => sum + count(result, outcome), 0);
  const slowest = results.toSorted((a, b) => b.milliseconds - a.milliseconds).slice(0, SLOWEST);
  const list = slowest.map((result) => `${result.name} ${seconds(result.milliseconds)}`);
  console.log(`\nslowest: ${list.join(', ')}`);
  for (const outcome of ['skipped', 'failed']) {
    if (total(outcome) === 0) continue;
    console.log(`${outcome}:`);
    for (const { name, tests } of results) {
      for (const { title, reason } of tests.filter((test) => test.outcome === outcome)) {
        console.log(`  ${name} › ${title}${reason === undefined ? '' : `: ${reason}`}`);
      }
    }
  }
  console.log(
    `${total('failed') === 0 ? 'ok' : 'FAILED'}: ${results.length} files, ` +
      `${total('passed')} tests passed, ${total('failed')} failed, ${total('skipped')} skipped, ` +
      seconds(milliseconds),
  );
}

async function main() {
  const parts = process.argv.slice(2);
  const files = testFiles(parts);
  if (files.length === 0) {
    const which = parts.length > 0 ? ` matches ${parts.join(', ')}` : '';
    console.error(`no compiled test${which}: expected some in dist, after npm run build`);
    return 1;
  }
  const server = findOrUnpackServer();
  if (server !== undefined) process.env.NATS_SERVER = server;
  else console.error('no nats-server here, and apt-get could not fetch it: its tests will fail');
  const start = Date.now();
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-test-'));
  const results = [];
  let next = 0;
  const worker = async () => {
    while (next < files.length) {
      const index = next++;
      const result = await runFile(files[index], join(folder, `${index}.ndjson`));
      printFile(result);
      results.push(result);
    }
  };
  await Promise.all(Array.from({ length: availableParallelism() }, worker));
  rmSync(folder, { recursive: true });
  printSummary(results, Date.now() - start);
  return results.some((result) => count(result, 'failed') > 0) ? 1 : 0;
}

process.exitCode = await main();
