/** `npm run reference`: writes the reference pages and the JSON Schema where they have changed. */

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { dirname } from 'node:path';
import { fileURLToPath } from 'node:url';
import { catalog } from '../catalog.ts';
import { makeProgram } from '../cli/program.ts';
import { referencePages } from './reference-pages.ts';

const root = fileURLToPath(new URL('../../', import.meta.url));

for (const [path, text] of referencePages(catalog, makeProgram())) {
  if (read(root + path) === text) continue;
  mkdirSync(dirname(root + path), { recursive: true });
  writeFileSync(root + path, text);
  process.stderr.write(`wrote ${path}\n`);
}

function read(path: string): string | undefined {
  try {
    return readFileSync(path, 'utf8');
  } catch {
    return undefined;
  }
}
