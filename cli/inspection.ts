/**
 * The way to a run at work: a socket in the folder of its checkpoints, which only the user who runs
 * it can open. A line of JSON asks about a key, a line of JSON answers.
 */

import { chmodSync, rmSync } from 'node:fs';
import { createConnection, createServer, type Server, type Socket } from 'node:net';
import { join, relative } from 'node:path';
import type { RunnablePipeline } from '../index.ts';
import { toJson } from './command.ts';

const SOCKET = 'engine.sock';
/** What systems take for the path of a socket. */
const PATH_BYTES_MAX = 100;
/** Longest key that can be asked about; in JSON each of its bytes may take six. */
export const KEY_BYTES_MAX = 4096;
const REQUEST_CHARACTERS_MAX = 6 * KEY_BYTES_MAX + 100;
const ANSWER_MS_MAX = 5000;

function socketPath(folder: string): string {
  return relative('.', join(folder, SOCKET));
}

/** Answers until it is closed. A run goes on without it where the socket cannot be made. */
export function serveInspection(folder: string, pipeline: RunnablePipeline): { close(): void } {
  const path = socketPath(folder);
  if (Buffer.byteLength(path) > PATH_BYTES_MAX) return { close: () => undefined };
  let server: Server | undefined;
  const retry = setInterval(() => {
    // The folder is there once the run has it for itself, and nobody else's socket is in it then.
    if (server !== undefined || pipeline.progress().checkpoint === undefined) return;
    clearInterval(retry);
    server = createServer((socket) => answer(socket.unref(), pipeline));
    server.on('error', () => undefined);
    withoutFail(() => rmSync(path, { force: true }));
    server.listen(path, () => withoutFail(() => chmodSync(path, 0o600)));
    server.unref();
  }, 50);
  retry.unref();
  return {
    close: () => {
      clearInterval(retry);
      server?.close();
      if (server !== undefined) withoutFail(() => rmSync(path, { force: true }));
    },
  };
}

/** Whatever stands in the place of the socket, or has become of its folder: the run goes on. */
function withoutFail(act: () => void): void {
  try {
    act();
  } catch {
    // Nobody can ask this run then.
  }
}

function answer(socket: Socket, pipeline: RunnablePipeline): void {
  let request = '';
  socket.on('error', () => undefined);
  socket.setEncoding('utf8').on('data', (piece: string) => {
    request += piece;
    if (request.length > REQUEST_CHARACTERS_MAX) socket.destroy();
    if (!request.includes('\n')) return;
    const [line] = request.split('\n', 1);
    request = '';
    void respond(socket, line!, pipeline);
  });
}

async function respond(socket: Socket, line: string, pipeline: RunnablePipeline): Promise<void> {
  try {
    const { key } = JSON.parse(line) as { key: unknown };
    const inspection = typeof key === 'string' ? await pipeline.inspect(key) : undefined;
    socket.end(`${toJson(inspection ?? null).replaceAll('\n', '')}\n`);
  } catch {
    socket.destroy();
  }
}

/** Asks the run that has this folder; undefined where there is none to answer. */
export async function inspectRun(folder: string, key: string): Promise<unknown> {
  const socket = createConnection(socketPath(folder));
  return new Promise((resolve) => {
    let text = '';
    socket.setTimeout(ANSWER_MS_MAX, () => socket.destroy());
    socket.on('error', () => resolve(undefined));
    socket.setEncoding('utf8').on('data', (piece: string) => (text += piece));
    // A run that was killed while it answered has not told all.
    socket.on('close', () =>
      resolve(text.endsWith('\n') ? (JSON.parse(text) as unknown) : undefined),
    );
    socket.write(`${JSON.stringify({ key })}\n`);
  });
}
