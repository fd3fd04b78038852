/**
 * Compiles each file of wasm/assembly to dist/wasm/kernels/<name>.wasm, where it is newer than its
 * output. The modules of a thread share one memory, so each gets a static-data range of its own
 * below the heap (1 MiB).
 */
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import asc from 'assemblyscript/asc';

const root = fileURLToPath(new URL('..', import.meta.url));
const STATIC_BYTES = 32 * 1024;
const modified = (file) => statSync(file, { throwIfNoEntry: false })?.mtimeMs ?? 0;

mkdirSync(`${root}dist/wasm/kernels`, { recursive: true });
const files = readdirSync(`${root}wasm/assembly`)
  .filter((file) => file.endsWith('.ts'))
  .sort();
const shared = Math.max(
  0,
  ...files
    .filter((file) => file.startsWith('_'))
    .map((file) => modified(`${root}wasm/assembly/${file}`)),
);
const names = files.filter((file) => !file.startsWith('_')).map((file) => file.slice(0, -3));
// A module keeps its place when another is added, or the two would share a range until both are
// compiled again. A fresh build gives places in name order.
const placesFile = `${root}dist/wasm/kernels/places.json`;
const arePlacesKnown = existsSync(placesFile);
const places = arePlacesKnown ? JSON.parse(readFileSync(placesFile, 'utf8')) : {};
for (const name of names) {
  if (name in places) continue;
  const taken = new Set(Object.values(places));
  places[name] = 0;
  while (taken.has(places[name])) places[name]++;
}
writeFileSync(placesFile, JSON.stringify(places));
let failed = false;
for (const name of names) {
  const source = `wasm/assembly/${name}.ts`;
  const output = `dist/wasm/kernels/${name}.wasm`;
  const isFresh = modified(root + output) > Math.max(shared, modified(root + source));
  if (arePlacesKnown && isFresh) continue;
  const { error, stderr } = await asc.main([
    source,
    '--outFile',
    output,
    '--baseDir',
    root,
    '-O3',
    '--noAssert',
    '--runtime',
    'stub',
    '--importMemory',
    '--enable',
    'simd',
    '--initialMemory',
    '32',
    '--maximumMemory',
    '65536',
    '--memoryBase',
    String(1024 + places[name] * STATIC_BYTES),
  ]);
  if (error) {
    console.error(`${source}: ${stderr.toString()}`);
    failed = true;
  }
}
process.exit(failed ? 1 : 0);
