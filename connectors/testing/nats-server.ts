/**
 * For tests: a real nats-server on a port of its own, with its own folder, ended with the test.
 * Where there is none the tests fail, because skipping them would prove nothing.
 */

import { type ChildProcess, spawn } from 'node:child_process';
import { accessSync, constants, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { delimiter, join } from 'node:path';
import { type JetStreamManager, jetstreamManager } from '@nats-io/jetstream';
import { connect, type ConnectionOptions, type NatsConnection } from '@nats-io/transport-node';

const START_MS_MAX = 10_000;

export interface ServerOptions {
  /** Further lines of the configuration, such as `authorization { … }`. */
  readonly config?: string;
  /** How the test itself connects. */
  readonly connect?: ConnectionOptions;
}

/** Path of nats-server: NATS_SERVER, then the PATH, then where Debian puts it. */
export function findServer(): string {
  const folders = [...(process.env['PATH'] ?? '').split(delimiter), '/usr/sbin', '/usr/local/bin'];
  const paths = folders.map((folder) => join(folder, 'nats-server'));
  for (const path of [process.env['NATS_SERVER'], ...paths]) {
    if (path === undefined || path === '') continue;
    try {
      accessSync(path, constants.X_OK);
      return path;
    } catch {
      // The next one, then.
    }
  }
  throw new Error(
    'no nats-server found: install the Debian package `nats-server`, or name one in NATS_SERVER',
  );
}

export async function freePort(): Promise<number> {
  return new Promise((resolve, reject) => {
    const server = createServer();
    server.once('error', reject);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address() as { port: number };
      server.close(() => resolve(port));
    });
  });
}

export class NatsServer {
  readonly port: number;
  readonly folder: string;
  #options: ServerOptions;
  #process: ChildProcess | undefined;

  private constructor(port: number, folder: string, options: ServerOptions) {
    this.port = port;
    this.folder = folder;
    this.#options = options;
  }

  static async start(options: ServerOptions = {}): Promise<NatsServer> {
    const folder = mkdtempSync(join(tmpdir(), 'tidemark-nats-'));
    // A fixed port, so that the server can come back where its clients look for it.
    const server = new NatsServer(await freePort(), folder, options);
    await server.resume();
    return server;
  }

  get url(): string {
    return `nats://127.0.0.1:${this.port}`;
  }

  /** Everything that the server has said. */
  get log(): string {
    return readFileSync(join(this.folder, 'server.log'), 'utf8');
  }

  /** Starts it (again), with what it has stored; with other options where they are given. */
  async resume(options = this.#options): Promise<void> {
    this.#options = options;
    const path = join(this.folder, 'server.conf');
    writeFileSync(
      path,
      [
        `listen: "127.0.0.1:${this.port}"`,
        `log_file: "${join(this.folder, 'server.log')}"`,
        `jetstream { store_dir: "${join(this.folder, 'store')}" }`,
        this.#options.config ?? '',
      ].join('\n'),
    );
    const child = spawn(findServer(), ['-c', path], { stdio: 'ignore' });
    this.#process = child;
    const end = (): void => void child.kill('SIGKILL');
    process.once('exit', end);
    child.once('exit', () => process.off('exit', end));
    const untilMs = Date.now() + START_MS_MAX;
    for (;;) {
      try {
        const connection = await this.connect({ reconnect: false });
        await connection.close();
        return;
      } catch (error) {
        if (child.exitCode !== null || Date.now() > untilMs) {
          throw new Error(`nats-server does not start:\n${this.log}`, { cause: error });
        }
        await new Promise((resolve) => setTimeout(resolve, 30));
      }
    }
  }

  async connect(options: ConnectionOptions = {}): Promise<NatsConnection> {
    const servers = `127.0.0.1:${this.port}`;
    return connect({ servers, ...this.#options.connect, ...options });
  }

  /** Runs `use` with a manager of its own. */
  async manage<T>(
    use: (manager: JetStreamManager, connection: NatsConnection) => Promise<T>,
  ): Promise<T> {
    const connection = await this.connect();
    try {
      return await use(await jetstreamManager(connection), connection);
    } finally {
      await connection.close();
    }
  }

  /** Ends the server, by default without warning. */
  async kill(signal: NodeJS.Signals = 'SIGKILL'): Promise<void> {
    const child = this.#process;
    this.#process = undefined;
    if (child === undefined || child.exitCode !== null || child.signalCode !== null) return;
    const gone = new Promise((resolve) => {
      child.once('exit', resolve);
    });
    child.kill(signal);
    await gone;
  }

  /** Lets the server stand still for a time; it hears later what was sent meanwhile. */
  async pause(ms: number): Promise<void> {
    const child = this.#process;
    child?.kill('SIGSTOP');
    await new Promise((resolve) => setTimeout(resolve, ms));
    child?.kill('SIGCONT');
  }

  async [Symbol.asyncDispose](): Promise<void> {
    await this.kill();
    rmSync(this.folder, { recursive: true, force: true });
  }
}
