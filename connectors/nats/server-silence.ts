/** Whether a server that owes us heartbeats is heard, told by a watch that ticks regularly. */

/** Time between two ticks. */
export const WATCH_MS = 500;
/** Ticks of silence, while heartbeats are due, after which nobody knows what it has: two. */
const DEAF_TICKS_MAX = 4;
/** And after which it is given up: three heartbeats. */
const SILENT_TICKS_MAX = 6;

export class ServerSilence {
  #ticks = 0;
  #tickedMs = performance.now();
  /** Whether it has said anything since the process last stood still. */
  #isHeard = true;

  /** It has said something, or is new. */
  end(): void {
    this.#ticks = 0;
    this.#isHeard = true;
  }

  /** Heartbeats are due from now on, as a pull has been sent. */
  begin(): void {
    this.#ticks = 0;
  }

  /** Another tick of the watch; whether this is too long. */
  tick(isDue: boolean): boolean {
    const nowMs = performance.now();
    if (nowMs - this.#tickedMs >= 2 * WATCH_MS) this.#isHeard = false;
    this.#tickedMs = nowMs;
    return isDue && ++this.#ticks > SILENT_TICKS_MAX;
  }

  /** Whether what it sends at this moment would be here at once. */
  get isHeard(): boolean {
    const isAwake = performance.now() - this.#tickedMs < 2 * WATCH_MS;
    return isAwake && this.#isHeard && this.#ticks <= DEAF_TICKS_MAX;
  }
}
