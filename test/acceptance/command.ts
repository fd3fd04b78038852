/**
 * What acceptance tests share: the command as a child process, folders that go away, and the real
 * data that lies beside the project on some machines only.
 */

import { spawnSync } from 'node:child_process';
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after } from 'node:test';
import { fileURLToPath } from 'node:url';

const root = fileURLToPath(new URL('../../../', import.meta.url));

export const MAIN = join(root, 'dist/cli/main.js');
export const EQUITIES = join(root, 'config/pipelines/us-equities-5m.yaml');

/** Real trades, and what was made of them elsewhere; `TIDEMARK_SHARED` names another folder. */
const shared = process.env['TIDEMARK_SHARED'] ?? join(root, '../shared');
export const TRADES = data('us-equities/trades-*.csv.gz');
const missing = ['data/us-equities', 'oracle']
  .map((folder) => join(shared, folder))
  .find((folder) => !existsSync(folder));

/** The `skip` of a test that needs the real data: false where it is there, else the reason. */
export const withoutRealData =
  missing === undefined ? false : `there is no ${missing} (TIDEMARK_SHARED names another place)`;

/** A file, or a glob, of the real data. */
export function data(name: string): string {
  return join(shared, 'data', name);
}

export function oracle(name: string): string {
  return join(shared, 'oracle', name);
}

export function sharedData(name: string): string {
  return join(shared, 'data', name);
}

/** A folder for the tests of a file. */
export function temporaryFolder(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidemark-acceptance-'));
  after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

export interface Ended {
  readonly code: number | null;
  readonly stdout: string;
  readonly stderr: string;
}

/** The environment of a command: nothing of this machine but where programs are. */
export function environment(more: Readonly<Record<string, string>> = {}): NodeJS.ProcessEnv {
  return { PATH: process.env['PATH'], NO_COLOR: '1', COLUMNS: '100', ...more };
}

/** Runs the command in a folder to its end. */
export function tidemark(folder: string, ...values: readonly string[]): Ended {
  const { status, stdout, stderr } = spawnSync(process.execPath, [MAIN, ...values], {
    cwd: folder,
    encoding: 'utf8',
    env: environment(),
    maxBuffer: 1 << 28,
  });
  return { code: status, stdout, stderr };
}

export interface SummaryJson {
  readonly outcome: string;
  readonly failure?: { readonly code: string; readonly message: string };
  readonly accounts: Readonly<Record<string, number>>;
  readonly kept: { readonly late?: string; readonly rejected?: string };
  readonly steps: readonly {
    readonly name: string;
    readonly rowsIn: number;
    readonly rowsOut: number;
  }[];
  readonly outputs: readonly {
    readonly name: string;
    readonly rows: number;
    readonly files?: number;
  }[];
  readonly quality?: { readonly status: string };
}

/** The summary that `run --json` prints. */
export function summaryOf({ stdout }: Ended): SummaryJson {
  return JSON.parse(stdout) as SummaryJson;
}
