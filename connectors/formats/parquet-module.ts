/**
 * parquet-wasm, ready for use. Its variant for Node is a CommonJS module, whose text Node scans for
 * exports before it may be imported: a tenth of a second in every thread. This is its other
 * variant, with the module read here.
 */

import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { initSync } from 'parquet-wasm/esm';

export * from 'parquet-wasm/esm';

const path = createRequire(import.meta.url).resolve('parquet-wasm/esm/parquet_wasm_bg.wasm');
initSync({ module: readFileSync(path) });
