/**
 * A connection to NATS: tried with back-off until `connect_timeout`, then kept for ever. Failures
 * become EngineErrors that name the server and never a secret.
 */

import { readFile } from 'node:fs/promises';
import {
  connect,
  type ConnectionOptions,
  createInbox,
  credsAuthenticator,
  errors,
  type NatsConnection,
  nkeyAuthenticator,
} from '@nats-io/transport-node';
import { EngineError } from '../../engine/contract/error.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { type ConnectionConfig, serversOf } from './connection-fields.ts';

const RETRY_MS = 250;
const RETRY_MS_MAX = 2_000;
/** A dead peer is noticed after two unanswered pings. */
const PING_MS = 10_000;
const HANDSHAKE_MS = 5_000;
const HANDSHAKE_MS_MIN = 2_000;

export interface ConnectContext {
  /** Who connects, as messages say it: `source "trades"`. */
  readonly who: string;
  /** Says once that the server does not answer and that it is tried again. */
  readonly note?: (text: string) => void;
  /** Ends the tries early. */
  readonly signal?: AbortSignal | undefined;
}

/** Connects; `config` is one that the linter has accepted. */
export async function openConnection(
  config: ConnectionConfig,
  context: ConnectContext,
): Promise<NatsConnection> {
  const options = await optionsOf(config, context.who);
  const timeoutMs = Number(durationNs(config.connect_timeout) / 1_000_000n);
  const deadlineMs = performance.now() + timeoutMs;
  for (let attempt = 0; ; attempt++) {
    try {
      // The connection keeps it for reconnects: it must not become too short.
      const roomMs = Math.max(HANDSHAKE_MS_MIN, deadlineMs - performance.now());
      return await connect({ ...options, timeout: Math.min(HANDSHAKE_MS, roomMs) });
    } catch (error) {
      const failure = connectFailure(error, config, context.who);
      if (failure.code !== 'nats/unreachable') throw failure;
      const leftMs = deadlineMs - performance.now();
      const isStopped = context.signal?.aborted === true;
      if (leftMs <= 0 || isStopped) {
        const words = isStopped ? 'stopped' : `gave up after ${config.connect_timeout}`;
        throw new EngineError('nats/unreachable', `${failure.message}; ${words}`, {
          cause: error,
        });
      }
      if (attempt === 0) {
        context.note?.(`${failure.message}; trying again for ${config.connect_timeout}`);
      }
      // The last try is made when the time is over.
      await sleep(Math.min(backOffMs(attempt), leftMs), context.signal);
    }
  }
}

/** Grows to two seconds, with a quarter of chance so that many clients do not come at once. */
export function backOffMs(attempt: number): number {
  const base = Math.min(RETRY_MS_MAX, RETRY_MS * 2 ** Math.min(attempt, 8));
  return base * (0.75 + Math.random() / 2);
}

/** Resolves when the time is over, or at once when the signal comes. */
export function sleep(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    if (signal?.aborted === true) return resolve();
    const end = (): void => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', end);
      resolve();
    };
    const timer = setTimeout(end, milliseconds);
    signal?.addEventListener('abort', end);
  });
}

async function optionsOf(config: ConnectionConfig, who: string): Promise<ConnectionOptions> {
  const servers = serversOf(config).map((url) => url.replace(/\/$/, ''));
  const isTls = config.tls !== undefined || servers.some((url) => url.startsWith('tls://'));
  return {
    servers: servers.map((url) => url.replace(/^(?:nats|tls):\/\//, '')),
    name: `tidemark ${who}`,
    maxReconnectAttempts: -1,
    reconnectTimeWait: RETRY_MS,
    reconnectJitter: 100,
    pingInterval: PING_MS,
    noAsyncTraces: true,
    ...(config.inbox_prefix === undefined ? {} : { inboxPrefix: config.inbox_prefix }),
    ...(await authenticationOf(config, who)),
    ...(isTls ? { tls: await tlsOf(config, who) } : {}),
  };
}

async function authenticationOf(
  config: ConnectionConfig,
  who: string,
): Promise<Pick<ConnectionOptions, 'user' | 'pass' | 'authenticator'>> {
  const { user, password, nkey, credentials } = config;
  if (user !== undefined) return { user, pass: password ?? '' };
  try {
    if (nkey !== undefined) {
      const seed = nkey.startsWith('SU') ? nkey : await seedOf(nkey, who);
      const authenticator = nkeyAuthenticator(Buffer.from(seed));
      authenticator('probe');
      return { authenticator };
    }
    if (credentials !== undefined) {
      const authenticator = credsAuthenticator(await readSecret(credentials, who));
      authenticator('probe');
      return { authenticator };
    }
  } catch (error) {
    if (error instanceof EngineError) throw error;
    const what = nkey === undefined ? credentials : 'the seed in nkey';
    throw new EngineError(
      'nats/credentials',
      `${who}: cannot use ${what}: it is no ${nkey === undefined ? 'credentials file' : 'seed'}`,
    );
  }
  return {};
}

async function seedOf(file: string, who: string): Promise<string> {
  const seed = /^SU[A-Z2-7]+/m.exec((await readSecret(file, who)).toString('latin1'))?.[0];
  if (seed !== undefined) return seed;
  throw new EngineError('nats/credentials', `${who}: ${file} holds no seed of an NKey user (SU…)`);
}

async function tlsOf(
  { tls }: ConnectionConfig,
  who: string,
): Promise<NonNullable<ConnectionOptions['tls']>> {
  const { ca_file: ca, cert_file: cert, key_file: key } = tls ?? {};
  const read = async (file: string): Promise<string> => (await readSecret(file, who)).toString();
  return {
    ...(ca === undefined ? {} : { ca: await read(ca) }),
    ...(cert === undefined ? {} : { cert: await read(cert) }),
    ...(key === undefined ? {} : { key: await read(key) }),
    ...(tls?.handshake_first === true ? { handshakeFirst: true } : {}),
  };
}

async function readSecret(file: string, who: string): Promise<Buffer> {
  try {
    return await readFile(file);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const words = code === 'ENOENT' ? 'there is no such file' : String(code);
    throw new EngineError('nats/credentials', `${who}: cannot read ${file}: ${words}`, { cause });
  }
}

/** Codes of OpenSSL and Node for certificates and handshakes that fail. */
const TLS_FAILURE = /CERT|SSL|TLS|SELF_SIGNED|UNABLE_TO_|ALTNAME|EPROTO/;
const TLS_WORDS = /certificate|tls|ssl|alert/i;

function connectFailure(error: unknown, config: ConnectionConfig, who: string): EngineError {
  if (error instanceof EngineError) return error;
  const place = serversOf(config).join(', ');
  const message = error instanceof Error ? error.message : String(error);
  const code = (error as NodeJS.ErrnoException | undefined)?.code ?? '';
  if (isDenied(error)) {
    return new EngineError('nats/denied', `${who}: ${place} refuses the connection: ${message}`, {
      cause: error,
    });
  }
  if (TLS_FAILURE.test(code) || TLS_WORDS.test(message)) {
    return new EngineError('nats/tls', `${who}: no secure connection to ${place}: ${message}`, {
      cause: error,
    });
  }
  const words = code === 'ENOTFOUND' ? 'there is no such host' : message;
  return new EngineError(
    'nats/unreachable',
    `${who}: no NATS server answers at ${place} (${words})`,
    { cause: error },
  );
}

/** Whether the server does not want this client, or what it asks for. */
export function isDenied(error: unknown): boolean {
  if (
    error instanceof errors.AuthorizationError ||
    error instanceof errors.UserAuthenticationExpiredError ||
    error instanceof errors.PermissionViolationError
  ) {
    return true;
  }
  // A request whose answer may not be received fails with the refusal as its cause.
  return error instanceof errors.RequestError && error.cause !== undefined && isDenied(error.cause);
}

/** A subject for answers, under the prefix that permissions may ask for. */
export function newInbox(connection: NatsConnection): string {
  const { options } = connection as { readonly options?: ConnectionOptions };
  return createInbox(options?.inboxPrefix);
}

/** Waits for what is under way, but not for ever. */
export async function closeConnection(connection: NatsConnection): Promise<void> {
  await connection.close().catch(() => undefined);
}
