/**
 * Makes one file each of the compiled entries: the command line and the threads. Node takes about
 * half a millisecond to find, read and link a module; a thread would load some hundred of them, and
 * a run starts four threads.
 *
 * A bundle takes the place of the entry it was made of, so it is never out of step: the compiler
 * alone puts the modules back, which work as well and start more slowly. The rest of dist stays as
 * it is. What lies beside a module, such as kernels, is still found there.
 */
import { dirname, relative } from 'node:path';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('..', import.meta.url));

/** Lets every module of a bundle in `folder` know the place that it had alone. */
function keepPlaces(folder) {
  return {
    name: 'keep-places',
    transform: (code, path) => {
      if (!code.includes('import.meta.url')) return undefined;
      const url = `new URL(${JSON.stringify(relative(folder, path))}, import.meta.url).href`;
      return code.replaceAll('import.meta.url', url);
    },
  };
}

/**
 * @param external Packages with files of their own beside them.
 * @param isSplit What is imported on demand becomes a file of its own.
 */
async function bundle(build, entry, { external, isSplit }) {
  const folder = dirname(root + entry);
  await build({
    input: root + entry,
    platform: 'node',
    external,
    plugins: [keepPlaces(folder)],
    output: {
      dir: folder,
      format: 'esm',
      entryFileNames: '[name].js',
      chunkFileNames: 'chunk-[hash].js',
      codeSplitting: isSplit,
    },
    logLevel: 'warn',
  });
}

async function main() {
  const { build } = await import('rolldown').catch(() => ({}));
  if (build === undefined) {
    console.error('not bundled, so tidemark starts more slowly: rolldown is not installed');
    return;
  }
  await bundle(build, 'dist/cli/main.js', {
    external: ['@duckdb/node-api', 'piscina'],
    isSplit: true,
  });
  for (const thread of ['reader', 'slot', 'sink']) {
    await bundle(build, `dist/threads/${thread}.js`, { external: ['piscina'], isSplit: false });
  }
}

await main();
