import assert from 'node:assert/strict';
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import type { SinkContext, SinkPast } from '../../engine/contract/connector.ts';
import { partNotes } from './part-notes.ts';

const root = mkdtempSync(join(tmpdir(), 'tidemark-notes-'));
after(() => rmSync(root, { recursive: true, force: true }));

const schema = { columns: [], time: '', key: '' };
const contextOf = (pipeline: string): SinkContext => ({ sink: 'bars', pipeline, schema });

function folderWith(...names: readonly string[]): string {
  const folder = mkdtempSync(join(root, 'out-'));
  for (const name of names) {
    mkdirSync(join(folder, 'date=2024-01-01'), { recursive: true });
    writeFileSync(join(folder, name), '');
  }
  return folder;
}

const notesOf = (folder: string, past?: SinkPast, pipeline = 'live'): readonly string[] =>
  partNotes(folder, '.parquet', contextOf(pipeline), past);

const FIRST = 'part-live.bars-0001-00001-0001.parquet';
const SECOND = 'date=2024-01-01/part-live.bars-0001-00002-0001.parquet';

test('where everything is in its place there is nothing to say', () => {
  const folder = folderWith(FIRST, SECOND);
  const target = join(folder, SECOND);
  const part = { kind: 'part', staged: 'x', target, bytes: 0, rows: 1 };
  assert.deepEqual(notesOf(folder, { epoch: 2, committables: [part], files: 2 }), []);
  assert.deepEqual(notesOf(folderWith(), { epoch: 2, committables: [], files: 0 }), []);
  assert.deepEqual(notesOf(folder), [], 'a run that begins anew finds its own');
  assert.deepEqual(notesOf(join(root, 'none')), []);
});

test('parts that are gone are named, with the ways out', () => {
  const folder = folderWith(FIRST);
  const targets = [SECOND, 'part-live.bars-0001-00002-0002.parquet'];
  const committables = targets.map((name) => {
    return { kind: 'part', staged: 'x', target: join(folder, name), bytes: 0, rows: 1 };
  });
  assert.deepEqual(notesOf(folder, { epoch: 2, committables, files: 3 }), [
    `sink bars: ${join(folder, SECOND)} and 1 more, of checkpoint 2, are gone; the run goes on ` +
      'behind those rows: put them back, or begin anew with --ignore-state to write all of them ' +
      'again',
  ]);
  const [note] = notesOf(join(root, 'none'), { epoch: 2, committables: [], files: 3 });
  assert.match(note!, /^sink bars: all 3 files that it wrote up to checkpoint 2 are gone from/);
});

test('the first run of a pipeline is told of the same sink of another, as after a new name', () => {
  const others = ['part-other.rows-0001-00001-0001.parquet', 'part-live.late-0001-00001-0001.csv'];
  const folder = folderWith(FIRST, SECOND, ...others);
  const [note, ...more] = notesOf(folder, undefined, 'live-2');
  assert.deepEqual(more, []);
  assert.match(note!, /holds 2 files of pipeline live, which live-2 leaves alone: if it was renam/);
  writeFileSync(join(folder, 'part-live-2.bars-0001-00001-0001.parquet'), '');
  assert.deepEqual(notesOf(folder, undefined, 'live-2'), [], 'two that share a folder');
});
