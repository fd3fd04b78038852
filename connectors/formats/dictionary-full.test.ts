/** A string column of too many different texts: the rows before are given, then an error. */

import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import test, { after } from 'node:test';
import * as arrow from 'apache-arrow';
import { ColumnStore } from './column-store.ts';
import { openCsv } from './csv-decoder.ts';
import type { Decoder, FileColumn } from './decoder.ts';
import { openIpc } from './ipc-decoder.ts';
import { JsonColumns } from './json-columns.ts';
import { openNdjson } from './ndjson-decoder.ts';
import { makeRecordStore } from './records-decoder.ts';

const folder = mkdtempSync(join(tmpdir(), 'tidemark-dictionary-'));
after(() => {
  rmSync(folder, { recursive: true, force: true });
});

const TEXTS = 5000;
const columns: FileColumn[] = [{ name: 'id', type: 'string', from: 'id', isRequired: true }];
const texts = Array.from({ length: TEXTS }, (_, i) => `id-${i}`);

function put(name: string, content: string | Uint8Array): string {
  const path = join(folder, name);
  writeFileSync(path, content);
  return path;
}

const csv = put('ids.csv', `id\n${texts.join('\n')}\n`);
const ndjson = put('ids.ndjson', texts.map((id) => `{"id":"${id}"}\n`).join(''));
const table = new arrow.Table({ id: arrow.vectorFromArray(texts, new arrow.Utf8()) });
const ipc = put('ids.arrow', arrow.tableToIPC(table, 'stream'));

const format = { delimiter: ',', hasHeader: true, timeUnit: 0n };
const decoders: readonly [name: string, open: (textsMax?: number) => Promise<Decoder>][] = [
  ['csv', (textsMax) => openCsv(csv, new ColumnStore(columns, 512, textsMax), format)],
  ['ndjson', (textsMax) => openNdjson(ndjson, new JsonColumns(columns, 512, 0n, textsMax))],
  [
    'arrow',
    (textsMax) => openIpc(ipc, makeRecordStore(new ColumnStore(columns, 512, textsMax), 0n)),
  ],
];

for (const [name, open] of decoders) {
  test(`${name}: within the limit every text has its code`, async () => {
    const decoder = await open();
    const found: string[] = [];
    for (let rows = await decoder.next(); rows !== undefined; rows = await decoder.next()) {
      const [ids] = rows.columns;
      assert.ok(ids?.type === 'string');
      for (const code of ids.codes) found.push(ids.dictionary[code]!);
    }
    assert.deepEqual(found, texts);
    await decoder.close();
  });

  test(`${name}: beyond the limit`, async () => {
    const decoder = await open(1000);
    let count = 0;
    const read = async (): Promise<void> => {
      for (let rows = await decoder.next(); rows !== undefined; rows = await decoder.next()) {
        count += rows.rowCount;
      }
    };
    await assert.rejects(read(), {
      code: 'source/dictionary-full',
      message: /column id has more than \d+ different texts/,
    });
    assert.ok(count >= 512 && count < TEXTS, `${count} rows`);
    await decoder.close();
  });
}
