/**
 * Reads the messages of a stream from a sequence on: every one of them, once, in order, whatever
 * happens to connection, server and consumer.
 *
 * The server's part is an ephemeral pull consumer without acknowledgements: it may vanish at any
 * time, because all that it knows is where it was started. Whenever something is not as it should
 * be (a gap in the delivery numbers, silence, a heartbeat that is ahead, a lost connection), it is
 * thrown away and made again behind the last message that has arrived. Before that the stream is
 * looked at: an answer from another stream, or from one that has lost messages, ends the reading.
 * It is looked at too when sequences jump: the limits of the stream, or somebody by hand, may have
 * removed messages that were still to be read, and what lies behind them is held back until it is
 * known that they did not. With a subject filter sequences always jump; there it is looked every
 * few seconds whether the stream still begins before the earliest jump, and nothing is held back.
 *
 * Messages are asked for in pulls of a bounded number and size, and only while there is room, so
 * that neither this queue nor the server's fills up however slowly they are taken. Asking happens
 * here rather than in the client's `consume`, which cannot bound both, takes its own slowness for
 * a lost consumer, and loses messages when a connection breaks.
 */

import { randomUUID } from 'node:crypto';
import { AckPolicy, DeliverPolicy } from '@nats-io/jetstream';
import { errors, type Msg, type Subscription } from '@nats-io/transport-node';
import { EngineError } from '../../engine/contract/error.ts';
import { backOffMs, isDenied, newInbox, sleep } from './connection.ts';
import { checkPosition, refuseLoss } from './check-position.ts';
import type { StreamPosition } from './judge-position.ts';
import { MessageQueue } from './message-queue.ts';
import { messageInfo } from './message-info.ts';
import type { PullOptions, PullState } from './pull-options.ts';
import { PullSize } from './pull-size.ts';
import { ServerSilence, WATCH_MS } from './server-silence.ts';
import { apiFailure, isPassing, readFacts } from './stream-facts.ts';
import { StreamMessage } from './stream-message.ts';

const PULL_EXPIRES_MS = 5_000;
const HEARTBEAT_MS = 1_000;
/** Heartbeats in succession that speak of messages which never came. */
const AHEAD_MAX = 2;
/** After so long without a pull the server forgets the consumer; it is made again then. */
const INACTIVE_MS = 60_000;
const NS_OF_MS = 1_000_000;

/** How often a reader looks at the ends of the stream, in ticks of the watch. */
const LOOK_TICKS = 6;

class Broken extends Error {}

export class PullReader {
  readonly #options: PullOptions;
  readonly #queue = new MessageQueue();
  /** The last sequence before the earliest jump that has not been looked into. */
  #jumpFrom: number | undefined;
  #maySkip: boolean;
  /** The last message that has arrived, and its stream. */
  #sequence: number;
  #time: string;
  #stream: string;
  #failure: EngineError | undefined;
  #wake: (() => void) | undefined;
  #isClosed = false;
  #isLinked = true;
  state: PullState = 'connecting';
  sinceMs = Date.now();
  /** Times that the consumer had to be made again. */
  recreates = 0;
  /** Why the last time. */
  lastBreak: string | undefined;

  // Of the consumer at hand.
  #subscription: Subscription | undefined;
  #inbox = '';
  #pullSubject = '';
  #delivered = 0;
  #ahead = 0;
  readonly #silence = new ServerSilence();
  #ticks = 0;
  #wanted = 0;
  #lastBatch = 0;
  #pulls = 0;
  #break: ((reason: Error) => void) | undefined;
  /** Messages that the server has told are pending for the consumer. */
  #pending = Number.POSITIVE_INFINITY;
  readonly #size: PullSize;
  readonly #loop: Promise<void>;
  readonly #watch: NodeJS.Timeout;

  constructor(options: PullOptions) {
    this.#options = options;
    const { sequence, time, stream } = options.position;
    this.#sequence = sequence;
    this.#time = time;
    this.#stream = stream;
    this.#maySkip = options.maySkip !== undefined;
    this.#size = new PullSize(options);
    this.#watch = setInterval(() => this.#tick(), WATCH_MS);
    void this.#followConnection();
    this.#loop = this.#run();
  }

  /** The next message where one is here; throws, behind the last message, why none will come. */
  take(): StreamMessage | undefined {
    return this.takeSome(1, 0)[0];
  }

  /**
   * The next messages: at least one where one is here, at most `count`, of about `bytes` bytes.
   * Throws, behind the last message, why none will come.
   */
  takeSome(count: number, bytes: number): StreamMessage[] {
    const messages = this.#queue.take(count, bytes);
    if (messages.length === 0) {
      if (this.#failure !== undefined) throw this.#failure;
      return messages;
    }
    this.#pull();
    return messages;
  }

  /** Resolves when a message is here, or nothing more will come, or the time is over. */
  async arrival(timeoutMs: number): Promise<void> {
    if (!this.#queue.isEmpty || this.#failure !== undefined) return;
    await new Promise<void>((resolve) => {
      const timer = setTimeout(resolve, timeoutMs);
      this.#wake = () => {
        clearTimeout(timer);
        resolve();
      };
    });
    this.#wake = undefined;
  }

  /** Whether enough is here to make it worth a batch at once. */
  get hasPlenty(): boolean {
    return this.#queue.hasPlenty;
  }

  /**
   * Where reading would go on if everything here were taken: behind messages of other subjects too,
   * which may be gone by then.
   */
  get reached(): StreamPosition {
    return { sequence: this.#sequence, time: this.#time, stream: this.#stream };
  }

  /** Nothing is here, and the consumer has nothing more to give at this time. */
  get isDrained(): boolean {
    return this.#queue.count === 0 && this.#pending === 0;
  }

  /** Drained, and what the server says is heard: the next message would be here at once. */
  get isListening(): boolean {
    return this.isDrained && this.state === 'connected' && this.#silence.isHeard;
  }

  async close(): Promise<void> {
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#break?.(new Broken('closed'));
    await this.#loop;
    this.#become('closed');
  }

  #become(state: PullState): void {
    if (this.state === state) return;
    this.state = state;
    this.sinceMs = Date.now();
  }

  #fail(error: EngineError): void {
    this.#failure ??= error;
    this.#isClosed = true;
    clearInterval(this.#watch);
    this.#become('closed');
    this.#break?.(new Broken(error.message));
    this.#wake?.();
  }

  #cannot(error: unknown, attempt: string): EngineError {
    return apiFailure(error, this.#options.who, attempt);
  }

  async #followConnection(): Promise<void> {
    const { connection, who, stream } = this.#options;
    for await (const status of connection.status()) {
      if (this.#isClosed) return;
      if (status.type === 'disconnect') {
        this.#isLinked = false;
        this.#size.cutOff();
        this.#become('reconnecting');
        this.#break?.(new Broken('the connection was lost'));
      } else if (status.type === 'reconnect') {
        this.#isLinked = true;
      } else if (
        status.type === 'error' &&
        status.error instanceof errors.PermissionViolationError
      ) {
        this.#fail(apiFailure(status.error, who, `read stream ${stream}`));
      }
    }
    const reason = await connection.closed();
    if (this.#isClosed) return;
    const words = reason instanceof Error ? reason.message : 'the connection was closed';
    const code = isDenied(reason) ? 'nats/denied' : 'nats/unreachable';
    this.#fail(new EngineError(code, `${who}: cannot read on from stream ${stream}: ${words}`));
  }

  async #run(): Promise<void> {
    for (let attempt = 0; !this.#isClosed; ) {
      const before = this.#sequence;
      try {
        await this.#readOnce();
      } catch (error) {
        if (this.#isClosed) break;
        if (!(error instanceof Broken) && !isPassing(error)) {
          this.#fail(this.#cannot(error, `read stream ${this.#options.stream}`));
          break;
        }
        this.lastBreak = error instanceof Error ? error.message : String(error);
        this.recreates++;
        this.#become('reconnecting');
        attempt = this.#sequence > before ? 0 : attempt + 1;
      }
      if (!this.#isClosed) await sleep(attempt === 0 ? 10 : backOffMs(attempt - 1));
      while (!this.#isLinked && !this.#isClosed) await sleep(20);
    }
  }

  /** One life of a consumer; always ends with an error. */
  async #readOnce(): Promise<void> {
    const { connection, manager, stream, subject } = this.#options;
    const broken = new Promise<never>((_resolve, reject) => {
      this.#break = reject;
    });
    // It may break before anybody waits for it.
    broken.catch(() => undefined);
    if (!this.#isLinked || this.#isClosed) throw new Broken('the connection was lost');
    const verified = this.#verify();
    verified.catch(() => undefined);
    await Promise.race([verified, broken]);
    const name = `tidemark-${randomUUID()}`;
    this.#inbox = newInbox(connection);
    this.#pullSubject = `$JS.API.CONSUMER.MSG.NEXT.${stream}.${name}`;
    this.#delivered = 0;
    this.#ahead = 0;
    this.#silence.end();
    this.#wanted = 0;
    try {
      const added = manager.consumers.add(stream, {
        name,
        ack_policy: AckPolicy.None,
        deliver_policy: DeliverPolicy.StartSequence,
        opt_start_seq: this.#sequence + 1,
        ...(subject === undefined ? {} : { filter_subject: subject }),
        ...(this.#options.isHeadersOnly === true ? { headers_only: true } : {}),
        mem_storage: true,
        num_replicas: 1,
        inactive_threshold: INACTIVE_MS * NS_OF_MS,
      });
      added.catch(() => undefined);
      const { num_pending: pending } = await Promise.race([added, broken]);
      this.#pending = pending;
      this.#subscription = connection.subscribe(`${this.#inbox}.*`, {
        callback: (error, message) => {
          if (error !== null) this.#break?.(error);
          else this.#receive(message);
        },
      });
      this.#become('connected');
      this.#pull();
      await broken;
    } finally {
      this.#break = undefined;
      this.#wanted = 0;
      this.#subscription?.unsubscribe();
      this.#subscription = undefined;
      if (this.#isLinked && !connection.isClosed()) {
        // A courtesy: the server would forget it by itself.
        const gone = manager.consumers.delete(stream, name).then(
          () => undefined,
          () => undefined,
        );
        if (this.#isClosed) await Promise.race([gone, sleep(500)]);
      }
    }
  }

  async #verify(): Promise<void> {
    const { manager, stream, who } = this.#options;
    const arrived = { sequence: this.#sequence, time: this.#time, stream: this.#stream };
    const facts = await checkPosition(manager, stream, arrived, who, this.#maySkip);
    if (this.#maySkip) this.#sequence = Math.max(this.#sequence, facts.firstSequence - 1);
    this.#stream = facts.id;
  }

  /** Looks whether the stream still begins before the earliest jump, and lets go what is held. */
  async #judgeJump(): Promise<void> {
    const { manager, stream, who } = this.#options;
    const from = { sequence: this.#jumpFrom!, time: '', stream: this.#stream };
    for (let attempt = 0; !this.#isClosed; attempt++) {
      try {
        await checkPosition(manager, stream, from, who);
        break;
      } catch (error) {
        if (!isPassing(error)) this.#fail(this.#cannot(error, `read stream ${stream}`));
        else await sleep(backOffMs(attempt));
      }
    }
    if (this.#isClosed) return;
    this.#jumpFrom = undefined;
    this.#queue.release();
    this.#wake?.();
  }

  /** Asks for more messages where few are on their way and there is room for them. */
  #pull(): void {
    if (this.#subscription === undefined || this.#wanted * 2 > this.#lastBatch) return;
    const { pendingBytesMax, pendingMessagesMax, connection } = this.#options;
    const { bytes: waiting, count } = this.#queue;
    if (waiting * 2 > pendingBytesMax || count * 2 > pendingMessagesMax) return;
    const request = this.#size.next();
    this.#pulls++;
    this.#lastBatch = request.batch;
    this.#wanted += request.batch;
    this.#silence.begin();
    connection.publish(
      this.#pullSubject,
      JSON.stringify({
        ...request,
        expires: PULL_EXPIRES_MS * NS_OF_MS,
        idle_heartbeat: HEARTBEAT_MS * NS_OF_MS,
      }),
      { reply: `${this.#inbox}.${this.#pulls}` },
    );
  }

  #receive(message: Msg): void {
    this.#silence.end();
    const info = messageInfo(message.reply ?? '');
    if (info === undefined) {
      this.#status(message);
      return;
    }
    if (info.delivery !== this.#delivered + 1) {
      this.#break?.(new Broken(`message ${this.#delivered + 1} was lost on its way`));
      // What comes behind the gap comes again.
      this.#delivered = Number.POSITIVE_INFINITY;
      return;
    }
    this.#delivered = info.delivery;
    this.#ahead = 0;
    this.#wanted = Math.max(0, this.#wanted - 1);
    this.#pending = info.pending;
    const arrived = new StreamMessage(info, message);
    this.#size.arrived(arrived.payload.length);
    if (info.sequence !== this.#sequence + 1) this.#jumped();
    if (info.delivery === 1) this.#maySkip = this.#options.maySkip === 'always';
    const isHeld = this.#jumpFrom !== undefined && this.#options.subject === undefined;
    this.#queue.push(arrived, isHeld);
    this.#sequence = info.sequence;
    this.#time = info.time;
    this.#pull();
    this.#wake?.();
  }

  /** Sequences between the last message and this one are missing. */
  #jumped(): void {
    if (this.#maySkip || this.#jumpFrom !== undefined) return;
    this.#jumpFrom = this.#sequence;
    if (this.#options.subject === undefined) void this.#judgeJump();
  }

  /** A message without a payload that tells how a pull is doing. */
  #status(message: Msg): void {
    const code = message.headers?.code ?? 0;
    const description = message.headers?.description ?? '';
    if (code === 100) {
      const last = Number(message.headers?.get('Nats-Last-Consumer') || 0);
      this.#ahead = last > this.#delivered ? this.#ahead + 1 : 0;
      if (this.#ahead >= AHEAD_MAX) this.#break?.(new Broken('messages were lost on their way'));
      return;
    }
    const isOver = code === 404 || code === 408 || /MaxBytes|Batch Completed/i.test(description);
    if (!isOver) {
      const words = code === 503 ? 'the consumer is gone' : description || `status ${code}`;
      this.#break?.(new Broken(words.toLowerCase()));
      return;
    }
    this.#size.ended(/MaxBytes/i.test(description));
    const unused = Number(message.headers?.get('Nats-Pending-Messages') || this.#wanted);
    this.#wanted = Math.max(0, this.#wanted - unused);
    this.#pull();
  }

  /**
   * Looks at both ends of the stream. Where nothing of its subjects comes, the reader moves on to
   * the end: what the limits remove behind it is then not taken for a loss.
   */
  async #look(name: string): Promise<void> {
    const { manager, stream, who } = this.#options;
    const jumpFrom = this.#jumpFrom;
    const facts = await readFacts(manager, stream, who);
    const { num_pending: pending, delivered } = await manager.consumers.info(stream, name);
    const isSame = this.#pullSubject.endsWith(`.${name}`) && this.#subscription !== undefined;
    if (!isSame || facts.id !== this.#stream) return;
    // The stream was looked at first: up to there everything has been delivered, and is here.
    const isAll = pending === 0 && delivered.consumer_seq === this.#delivered;
    const sequence = this.#readUpTo(jumpFrom, isAll);
    // More may have arrived since the stream was looked at; only its beginning counts here.
    if (sequence !== undefined && sequence + 1 < facts.firstSequence && !this.#maySkip) {
      try {
        refuseLoss({ sequence, time: '', stream: '' }, facts, { who });
      } catch (error) {
        return this.#fail(this.#cannot(error, `read stream ${stream}`));
      }
    }
    if (!isAll) return;
    this.#pending = 0;
    if (facts.lastSequence <= this.#sequence || facts.lastTime === '') return;
    this.#sequence = facts.lastSequence;
    this.#time = facts.lastTime;
  }

  /** Behind which sequence the stream has to begin, if it is known. */
  #readUpTo(jumpFrom: number | undefined, isAll: boolean): number | undefined {
    const isFiltered = this.#options.subject !== undefined;
    if (isFiltered && jumpFrom !== undefined) {
      this.#jumpFrom = undefined;
      return jumpFrom;
    }
    // With a filter, others may have come and gone: something of its own must have been pending.
    return isAll && (!isFiltered || this.#pending > 0) ? this.#sequence : undefined;
  }

  #tick(): void {
    const isDue = this.#wanted > 0 && this.#subscription !== undefined;
    const isTooLong = this.#silence.tick(isDue);
    if (++this.#ticks % LOOK_TICKS === 0) {
      const name = this.#pullSubject.slice(this.#pullSubject.lastIndexOf('.') + 1);
      // What fails here will fail where it matters.
      if (this.#subscription !== undefined) this.#look(name).catch(() => undefined);
    }
    if (!isDue) this.#pull();
    else if (isTooLong) this.#break?.(new Broken('the server was silent'));
  }
}
