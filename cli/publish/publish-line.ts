/**
 * Progress of `publish` on stderr: one line on a terminal, written over itself; elsewhere a plain
 * line every five seconds. That a server does not answer is told once, and that it does again.
 */

import type { PublishProgress } from '../../connectors/nats/publish-source.ts';
import { formatCount, formatShare, plural } from '../terminal/numbers.ts';
import { paletteFor, type TerminalStream, terminalWidth } from '../terminal/palette.ts';
import { fit } from '../terminal/text.ts';

const LINE_MS = 200;
const PLAIN_LINE_MS = 5_000;
const ERASE_LINE = '\r\u001b[2K';

export class PublishLine {
  readonly #stream: TerminalStream;
  readonly #mode: 'line' | 'plain' | 'quiet';
  readonly #timeout: string;
  #lastMs = 0;
  #isDrawn = false;
  /** Messages confirmed when the server fell silent; undefined while it answers. */
  #silentAt: number | undefined;
  #messages = 0;

  /** @param timeout How long a message is tried, as the user wrote it. */
  constructor(stream: TerminalStream, isShown: boolean, timeout: string) {
    this.#stream = stream;
    const isLive = stream.isTTY === true && process.env['TERM'] !== 'dumb' && !process.env['CI'];
    this.#mode = !isShown ? 'quiet' : isLive ? 'line' : 'plain';
    this.#timeout = timeout;
  }

  update(at: PublishProgress, elapsedMs: number): void {
    this.#messages = at.messages;
    if (this.#silentAt !== undefined && at.messages > this.#silentAt) {
      this.#silentAt = undefined;
      this.note('the server confirms messages again');
    }
    if (this.#mode === 'quiet') return;
    const intervalMs = this.#mode === 'line' ? LINE_MS : PLAIN_LINE_MS;
    if (elapsedMs - this.#lastMs < intervalMs) return;
    this.#lastMs = elapsedMs;
    const text = progressText(at, elapsedMs);
    if (this.#mode === 'plain') {
      this.#stream.write(`${text}\n`);
      return;
    }
    // One cell stays free: a full line would make some terminals go to the next.
    const room = terminalWidth(this.#stream) - 1;
    this.#stream.write(`${ERASE_LINE}${fit(text, room)}`);
    this.#isDrawn = true;
  }

  /** A message has to be tried again. */
  retry(reason: string): void {
    if (this.#silentAt !== undefined) return;
    this.#silentAt = this.#messages;
    const { yellow } = paletteFor(this.#stream);
    this.note(
      `${yellow('warning')}: the server does not confirm a message (${reason}); ` +
        `trying again for ${this.#timeout}`,
    );
  }

  clear(): void {
    if (this.#isDrawn) this.#stream.write(ERASE_LINE);
    this.#isDrawn = false;
  }

  note(text: string): void {
    this.clear();
    this.#stream.write(`${text}\n`);
  }
}

function progressText(at: PublishProgress, elapsedMs: number): string {
  const { rows, messages, rowsSkipped, share } = at;
  const parts = [
    ...(share === undefined ? [] : [`${formatShare(share, 1)} read`]),
    `${plural(rows, 'row')} in ${plural(messages, 'message')}`,
    ...(rowsSkipped === 0 ? [] : [`${formatCount(rowsSkipped)} there already`]),
    `${formatCount(Math.round((rows / Math.max(1, elapsedMs)) * 1000))} rows/s`,
  ];
  return parts.join(', ');
}
