/**
 * Calls to slots and sinks that are under way, and the bytes they hold. They are bounded: while
 * there is no room, no source is polled.
 */

const BYTES_MAX = 32 << 20;
const CALLS_MAX = 64;

export class InFlight {
  #bytes = 0;
  #calls = 0;
  #wake: (() => void) | undefined;
  #broken: Error | undefined;
  readonly #failure: Promise<never>;
  #reject!: (error: Error) => void;

  constructor() {
    this.#failure = new Promise((_, reject) => {
      this.#reject = reject;
    });
    // It is met by whoever waits; where nobody does, it must not count as unhandled.
    this.#failure.catch(() => undefined);
  }

  /** First failure of a call: nothing may be committed after it. */
  get broken(): Error | undefined {
    return this.#broken;
  }

  /** Keeps count of a call and of the bytes it holds until it is answered. */
  track<T>(bytes: number, call: Promise<T>, done: (value: T) => void): void {
    this.#bytes += bytes;
    this.#calls++;
    call
      .then(done)
      .catch((error: unknown) => this.fail(error))
      .finally(() => {
        this.#bytes -= bytes;
        this.#calls--;
        this.#wake?.();
      });
  }

  fail(error: unknown): void {
    if (this.#broken === undefined) {
      this.#broken = error instanceof Error ? error : new Error(String(error));
      this.#reject(this.#broken);
    }
    this.#wake?.();
  }

  /** Waits until another batch may come; fails as soon as a call has. */
  async room(): Promise<void> {
    await this.#until(() => this.#bytes < BYTES_MAX && this.#calls < CALLS_MAX);
  }

  /** Waits until every call is answered; fails as soon as one has. */
  async drained(): Promise<void> {
    await this.#until(() => this.#calls === 0);
  }

  /** The value, or the failure of a call, whichever comes first. */
  unlessBroken<T>(value: Promise<T>): Promise<T> {
    return Promise.race([value, this.#failure]);
  }

  async #until(condition: () => boolean): Promise<void> {
    while (this.#broken === undefined && !condition()) {
      await new Promise<void>((resolve) => {
        this.#wake = resolve;
      });
    }
    if (this.#broken !== undefined) throw this.#broken;
  }
}
