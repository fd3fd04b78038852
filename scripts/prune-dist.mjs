/**
 * Removes from dist what no source makes any more: the compiler leaves the output of a deleted or
 * renamed file behind, and a stale test would still run. Everything else stays, so that a build is
 * only as long as what changed.
 */
import { existsSync, readdirSync, rmSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));
const OUTPUT = /\.(?:js|js\.map|d\.ts)$/;
const KERNEL = /^dist\/wasm\/kernels\/(.*)\.wasm$/;

/** The source of an output, or undefined where it is none that a build makes. */
function sourceOf(output) {
  const kernel = KERNEL.exec(output);
  if (kernel !== null) return `wasm/assembly/${kernel[1]}.ts`;
  if (!OUTPUT.test(output)) return undefined;
  return output.slice('dist/'.length).replace(OUTPUT, '.ts');
}

const outputs = existsSync(`${root}dist`)
  ? readdirSync(`${root}dist`, { recursive: true }).map((file) => `dist/${file}`)
  : [];
for (const output of outputs) {
  const source = sourceOf(output);
  if (source !== undefined && !existsSync(root + source)) rmSync(root + output, { force: true });
}
