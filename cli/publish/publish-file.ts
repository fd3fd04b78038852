/** Publishes what a file holds, with live progress, a clean end on a signal, and a summary. */

import type { PublishProgress, PublishRequest } from '../../connectors/nats/publish-source.ts';
import { encodeError, EngineError } from '../../engine/contract/error.ts';
import { byteCount } from '../../engine/contract/fields.ts';
import { durationNs } from '../../engine/contract/time.ts';
import { note, type PipelineFlags, print, toJson } from '../command.ts';
import { ExitCode } from '../exit-code.ts';
import { formatBytes, formatElapsed, plural } from '../terminal/numbers.ts';
import { paletteFor } from '../terminal/palette.ts';
import { renderError } from '../terminal/render-error.ts';
import { findRows } from './find-rows.ts';
import { PublishLine } from './publish-line.ts';

export interface PublishFlags extends PipelineFlags {
  /** By default that of the variable NATS_URL, or the local one. */
  readonly to?: string;
  readonly stream: string;
  readonly source?: string;
  readonly columns?: readonly string[];
  readonly key: string;
  readonly speed?: string;
  readonly format: PublishRequest['format'];
  readonly rowsPerMessage?: number;
  readonly subjectPrefix?: string;
  readonly partitions?: number;
  readonly maxAge: string;
  readonly maxBytes: string;
  readonly duplicateWindow: string;
  readonly replicas?: number;
  readonly timeout: string;
  readonly quiet?: boolean;
  readonly user?: string;
  readonly nkey?: string;
  readonly credentials?: string;
  readonly tlsCa?: string;
  readonly tlsCert?: string;
  readonly tlsKey?: string;
}

const ROWS_PER_MESSAGE = { arrow: 4096, json: 1, msgpack: 1 } as const;
const LOCAL = 'nats://localhost:4222';

export async function publishFile(file: string, flags: PublishFlags): Promise<number> {
  const rows = await findRows(file, flags);
  if ('exitCode' in rows) return rows.exitCode;
  const stop = new AbortController();
  const release = onSignals(stop);
  const line = new PublishLine(
    process.stderr,
    flags.quiet !== true && flags.json !== true,
    flags.timeout,
  );
  const startMs = performance.now();
  let wasMade = false;
  try {
    const { publishSource } = await import('../../connectors/nats/publish-source.ts');
    const progress = await publishSource({
      ...settingsOf(flags),
      source: rows.source,
      publisher: rows.publisher,
      signal: stop.signal,
      note: (text) => line.note(text),
      onFound: ({ isNew, facts, config }) => {
        wasMade = isNew;
        if (!isNew) return;
        line.note(
          `made stream ${facts.name}: ${facts.subjects.join(', ')}, ` +
            `${facts.layout!.partitions} partitions, keeps ${flags.maxAge} and ` +
            `${flags.maxBytes}, knows ids for ${flags.duplicateWindow}, ` +
            `${plural(config.num_replicas, 'replica')}`,
        );
      },
      onProgress: (at) => line.update(at, performance.now() - startMs),
      onRetry: (reason) => line.retry(reason),
    });
    line.clear();
    tell({ progress, elapsedMs: performance.now() - startMs, stop, wasMade, flags });
    return ExitCode.done;
  } catch (error) {
    line.clear();
    const { code, message } = encodeError(error);
    note(...renderError({ code, message }, paletteFor(process.stderr)));
    if (!(error instanceof EngineError) && error instanceof Error) note(error.stack ?? '');
    if (flags.json === true) print(toJson({ error: { code, message } }));
    return ExitCode.failed;
  } finally {
    release();
  }
}

function settingsOf(flags: PublishFlags) {
  const { speed } = flags;
  return {
    connection: connectionOf(flags),
    stream: flags.stream,
    prefix: flags.subjectPrefix ?? flags.stream.toLowerCase(),
    partitions: flags.partitions,
    maxAgeNs: durationNs(flags.maxAge),
    maxBytes: byteCount(flags.maxBytes),
    duplicateWindowNs: durationNs(flags.duplicateWindow),
    replicas: flags.replicas ?? 1,
    format: flags.format,
    rowsPerMessage: flags.rowsPerMessage ?? ROWS_PER_MESSAGE[flags.format],
    speed: speed === undefined || speed === 'max' ? undefined : Number.parseFloat(speed),
    giveUpMs: Number(durationNs(flags.timeout) / 1_000_000n),
  };
}

function connectionOf(flags: PublishFlags): PublishRequest['connection'] {
  const { user, nkey, credentials, tlsCa, tlsCert, tlsKey } = flags;
  const hasTls = tlsCa !== undefined || tlsCert !== undefined;
  return {
    servers: (flags.to ?? (process.env['NATS_URL'] || LOCAL)).split(','),
    connect_timeout: flags.timeout,
    ...(user === undefined ? {} : { user, password: process.env['NATS_PASSWORD'] ?? '' }),
    ...(nkey === undefined ? {} : { nkey }),
    ...(credentials === undefined ? {} : { credentials }),
    ...(hasTls
      ? {
          tls: {
            handshake_first: false,
            ...(tlsCa === undefined ? {} : { ca_file: tlsCa }),
            ...(tlsCert === undefined ? {} : { cert_file: tlsCert }),
            ...(tlsKey === undefined ? {} : { key_file: tlsKey }),
          },
        }
      : {}),
  };
}

/** The first signal asks for a clean end, the second ends at once. */
function onSignals(stop: AbortController): () => void {
  const signals = ['SIGINT', 'SIGTERM'] as const;
  const onSignal = (): void => {
    if (stop.signal.aborted) process.exit(ExitCode.interrupted);
    note('Stopping: what has been read is published. Again to quit at once.');
    stop.abort();
  };
  for (const signal of signals) process.on(signal, onSignal);
  return () => {
    for (const signal of signals) process.off(signal, onSignal);
  };
}

interface Outcome {
  readonly progress: PublishProgress;
  readonly elapsedMs: number;
  readonly stop: AbortController;
  readonly wasMade: boolean;
  readonly flags: PublishFlags;
}

function tell({ progress, elapsedMs, stop, wasMade, flags }: Outcome): void {
  const wasStopped = stop.signal.aborted;
  const { rows, rowsSkipped, rowsRejected, rowsWithoutKey } = progress;
  if (flags.json === true) {
    const { share: _share, ...counts } = progress;
    print(toJson({ stream: flags.stream, wasMade, wasStopped, elapsedMs, ...counts }));
    return;
  }
  const { bold } = paletteFor(process.stderr);
  note(
    `${bold(flags.stream)}  ${plural(rows, 'row')} in ${plural(progress.messages, 'message')}, ` +
      `${formatBytes(progress.bytes)}, ${formatElapsed(elapsedMs)}`,
    ...(rowsSkipped > 0 ? [`  ${plural(rowsSkipped, 'row')} stored already, passed over`] : []),
    ...(rowsRejected > 0 ? [`  ${plural(rowsRejected, 'row')} of the input not readable`] : []),
    ...(rowsWithoutKey > 0 ? [`  ${plural(rowsWithoutKey, 'row')} without a key`] : []),
    ...(progress.retries > 0 ? [`  ${plural(progress.retries, 'message')} tried again`] : []),
    ...(wasStopped
      ? ['  stopped before the end of the input; the same command goes on from there']
      : []),
  );
}
