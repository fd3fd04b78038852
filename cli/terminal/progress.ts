/**
 * Live progress on stderr. On a terminal it is one line that is drawn over at most ten times a
 * second; elsewhere (a file, a pipe, a build server) a plain line every five seconds; nothing
 * when quiet. Time comes from the clock, so a test can drive it.
 *
 *   ━━━━━━━━━────────  52 %  2.61 M rows  1.25 M rows/s  2026-01-02 12:41:05  42 anomalies
 */

import { BEGINNING_OF_TIME, END_OF_TIME, formatTime } from '../../engine/contract/time.ts';
import type { Clock, EventTime } from '../../engine/contract/time.ts';
import { formatCount, formatElapsed, formatMagnitude } from './numbers.ts';
import {
  type Environment,
  type Palette,
  paletteFor,
  type TerminalStream,
  terminalWidth,
} from './palette.ts';
import { displayWidth, fit } from './text.ts';

/** What the engine says of a run that goes on; a `RunProgress` is one. */
export interface ProgressSnapshot {
  readonly elapsedMs: number;
  readonly accounts: { readonly read: number };
  readonly watermark: EventTime;
  readonly anomalies: number;
  readonly bytesRead: number;
  /** Undefined where a source does not know its size. */
  readonly bytesTotal: number | undefined;
  /** Of live sources: in what state they are, and how far behind. */
  readonly sources?: readonly {
    readonly source: string;
    readonly state?: string;
    readonly pendingMessages?: number;
  }[];
}

export interface ProgressOptions {
  readonly stream: TerminalStream;
  readonly clock: Clock;
  readonly environment?: Environment;
  readonly isQuiet?: boolean;
}

const REDRAW_MS = 100;
const PLAIN_LINE_MS = 5_000;
/** Rows a second are those of the last moments, so that a stall shows. */
const RATE_WINDOW_MS = 3_000;
const ERASE_LINE = '\r\x1b[2K';

export class Progress {
  readonly #stream: TerminalStream;
  readonly #clock: Clock;
  readonly #environment: Environment;
  readonly #palette: Palette;
  readonly #mode: 'line' | 'plain' | 'quiet';
  readonly #rate = new RecentRate();
  #drawnAtMs: number;
  #isDrawn = false;

  constructor({ stream, clock, environment = process.env, isQuiet = false }: ProgressOptions) {
    this.#stream = stream;
    this.#clock = clock;
    this.#environment = environment;
    this.#palette = paletteFor(stream, environment);
    const isLive =
      stream.isTTY === true && environment['TERM'] !== 'dumb' && !isSet(environment['CI']);
    this.#mode = isQuiet ? 'quiet' : isLive ? 'line' : 'plain';
    // The first plain line comes after its interval: a short run says nothing on its way.
    this.#drawnAtMs = isLive ? Number.NEGATIVE_INFINITY : clock.nowMs();
  }

  /** Shows how far the run is, unless it did so a moment ago. Call it as often as you like. */
  update(snapshot: ProgressSnapshot): void {
    if (this.#mode === 'quiet') return;
    this.#rate.add(snapshot.elapsedMs, snapshot.accounts.read);
    const nowMs = this.#clock.nowMs();
    const interval = this.#mode === 'line' ? REDRAW_MS : PLAIN_LINE_MS;
    if (nowMs - this.#drawnAtMs < interval) return;
    this.#drawnAtMs = nowMs;
    const parts = progressParts(snapshot, this.#rate.perSecond());
    if (this.#mode === 'plain') {
      this.#stream.write(`${plainLine(parts)}\n`);
      return;
    }
    // One cell stays free: a full line would make some terminals go to the next.
    const width = terminalWidth(this.#stream, this.#environment) - 1;
    this.#stream.write(`${ERASE_LINE}${liveLine(parts, snapshot, width, this.#palette)}`);
    this.#isDrawn = true;
  }

  /** Prints a line of its own, above the live one. Also when quiet: a note is not progress. */
  note(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
    this.#drawnAtMs = this.#mode === 'line' ? Number.NEGATIVE_INFINITY : this.#drawnAtMs;
  }

  /** Takes the live line away; the next update draws it again. Twice is harmless. */
  clear(): void {
    if (!this.#isDrawn) return;
    this.#stream.write(ERASE_LINE);
    this.#isDrawn = false;
  }
}

/** Rows a second over the last moments. */
class RecentRate {
  readonly #samples: { readonly atMs: number; readonly rows: number }[] = [];

  add(atMs: number, rows: number): void {
    const last = this.#samples.at(-1);
    if (last !== undefined && atMs <= last.atMs) return;
    this.#samples.push({ atMs, rows });
    while (this.#samples.length > 2 && this.#samples[1]!.atMs <= atMs - RATE_WINDOW_MS) {
      this.#samples.shift();
    }
  }

  /** Undefined until there is something to measure. */
  perSecond(): number | undefined {
    const first = this.#samples[0];
    const last = this.#samples.at(-1);
    if (first === undefined || last === undefined) return undefined;
    // A run starts with no rows, so one sample is already a rate.
    const from = this.#samples.length === 1 ? { atMs: 0, rows: 0 } : first;
    const elapsedMs = last.atMs - from.atMs;
    return elapsedMs <= 0 ? undefined : ((last.rows - from.rows) / elapsedMs) * 1000;
  }
}

interface Parts {
  /** 0 to 1, undefined where the total is unknown. */
  readonly done: number | undefined;
  readonly rows: string;
  readonly rate: string | undefined;
  readonly watermark: string | undefined;
  readonly anomalies: string;
  readonly left: string | undefined;
  readonly status: string | undefined;
}

function progressParts(snapshot: ProgressSnapshot, perSecond: number | undefined): Parts {
  const { accounts, watermark, anomalies, bytesRead, bytesTotal, elapsedMs } = snapshot;
  const done =
    bytesTotal === undefined || bytesTotal === 0 ? undefined : Math.min(1, bytesRead / bytesTotal);
  // Too early, a guess jumps; the last percent is the sinks' and not the sources'.
  const isGuessable = done !== undefined && done >= 0.02 && done < 1 && elapsedMs >= 1000;
  return {
    done,
    rows: `${formatMagnitude(accounts.read)} rows`,
    rate: perSecond === undefined ? undefined : `${formatMagnitude(perSecond)} rows/s`,
    watermark: watermarkText(watermark),
    anomalies: `${formatCount(anomalies)} ${anomalies === 1 ? 'anomaly' : 'anomalies'}`,
    status: statusText(snapshot),
    left: isGuessable ? `${formatElapsed((elapsedMs / done) * (1 - done))} left` : undefined,
  };
}

/** The first source that is not connected, or else what all are behind by. */
function statusText({ sources = [] }: ProgressSnapshot): string | undefined {
  const away = sources.find(({ state }) => state !== undefined && state !== 'connected');
  if (away !== undefined) return `${away.source} ${away.state}`;
  const known = sources.flatMap(({ pendingMessages }) => pendingMessages ?? []);
  if (known.length === 0) return undefined;
  const pending = known.reduce((sum, own) => sum + own, 0);
  return pending === 0 ? 'up to date' : `${formatMagnitude(pending)} messages behind`;
}

/** To the second: nobody reads more while it runs. */
function watermarkText(watermark: EventTime): string | undefined {
  if (watermark === BEGINNING_OF_TIME) return undefined;
  if (watermark === END_OF_TIME) return 'all read';
  return formatTime(watermark).slice(0, 19).replace('T', ' ');
}

function plainLine({ done, rows, rate, watermark, anomalies, left, status }: Parts): string {
  const parts = [
    ...(done === undefined ? [] : [`${percent(done)} done`]),
    rows,
    rate,
    watermark === undefined || watermark === 'all read' ? watermark : `watermark ${watermark}`,
    anomalies,
    status,
    left,
  ];
  return parts.filter((part) => part !== undefined).join(', ');
}

const BAR_MIN = 8;
const BAR_MAX = 28;
const GAP = '  ';

/** As many parts as fit, the ones that say least left out first; the bar takes what is left. */
function liveLine(
  parts: Parts,
  snapshot: ProgressSnapshot,
  width: number,
  palette: Palette,
): string {
  const { done, rows, rate, watermark, anomalies, left, status } = parts;
  const share = done === undefined ? undefined : percent(done).padStart(5);
  const texts = { share, rows, rate, watermark, anomalies, status, left };
  const order = Object.keys(texts) as (keyof typeof texts)[];
  const expendable: (keyof typeof texts)[] = [
    'left',
    'watermark',
    'rate',
    'share',
    'anomalies',
    'status',
  ];
  let shown = order.filter((name) => texts[name] !== undefined);
  const taken = (): number =>
    shown.reduce((sum, name) => sum + displayWidth(texts[name]!) + GAP.length, -GAP.length);
  for (const name of expendable) {
    if (taken() <= width) break;
    shown = shown.filter((candidate) => candidate !== name);
  }
  const colored: Partial<Record<keyof typeof texts, (text: string) => string>> = {
    rows: palette.bold,
    watermark: palette.dim,
    left: palette.dim,
    status: palette.dim,
    ...(snapshot.anomalies > 0 ? { anomalies: palette.yellow } : {}),
  };
  const room = width - taken() - GAP.length;
  const line = shown.map((name) => {
    const text = fit(texts[name]!, width);
    return colored[name]?.(text) ?? text;
  });
  if (done !== undefined && shown.includes('share') && room >= BAR_MIN) {
    line.unshift(bar(done, Math.min(BAR_MAX, room), palette));
  }
  return line.join(GAP).trimStart();
}

function bar(done: number, width: number, palette: Palette): string {
  const filled = Math.round(done * width);
  return palette.cyan('━'.repeat(filled)) + palette.dim('─'.repeat(width - filled));
}

/** Whole percent, rounded down: 100 % means all. */
function percent(done: number): string {
  return `${Math.floor(done * 100)} %`;
}

function isSet(value: string | undefined): boolean {
  return value !== undefined && value !== '' && value !== '0' && value !== 'false';
}
