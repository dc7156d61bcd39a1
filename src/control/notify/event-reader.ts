/**
 * One reader of the event log: takes the events from its cursor on and hands them to its recipient one by one, in order, each until it is accepted.
 *
 *     idle ──news──▶ sending ──2xx──▶ sending the next one, or idle
 *                     │  ▲
 *          410 ───────┤  └──pause is over, or a reload──┐
 *           ▼         └──anything else──▶ retrying ─────┘
 *          gone ──reload──▶ sending
 *
 *   idle       everything up to the log's end is done with; what the recipient repeats is sent from here
 *   sending    one request is open
 *   retrying   the last request failed; the pause says retry-pause.ts
 *   gone       the receiver does not want to be asked again: nothing is sent until the configuration is read again; the cursor stays
 *
 * It is a reader and not a listener: it holds one page of the log and no queue, whatever the receiver does. An event is given up, and counted, once
 * it is a day old (or as old as the log keeps events) and the receiver still fails: a dead receiver then finds the news of the last day
 * when it is back, not nothing. Being late alone loses nothing. Where people read, the manner sets more limits: how many may wait
 * (backlog.ts), and how often an event is tried that the receiver calls wrong, lest one bad message hold up those behind it.
 * Delivery is at least once: after a crash events of about a second come again, with the same id of delivery.
 *
 * Besides the log there are a few tellings that are put in by hand (`also`), which go before what is still to be read.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Random } from '../../runtime/random.ts';
import type { SluiceEvent } from '../events/event.ts';
import type { EventSource } from '../events/event-log.ts';
import type { Store } from '../store/store.ts';
import { Backlog } from './backlog.ts';
import type { Recipient, Telling } from './recipient.ts';
import { retryPause } from './retry-pause.ts';
import { WebhookCursor } from './webhook-cursor.ts';
import { WebhookSender } from './webhook-sender.ts';

export const TIMEOUT = 10_000;
/** Age from which an event is given up. */
export const GIVE_UP_AFTER = 24 * 3_600_000;
const PAGE = 100;
/** Of the log where it is only counted what waits. */
const COUNTED_PAGE = 1_000;
/** Before the log is read again when that failed. */
const READ_PAUSE = 1_000;
/** Statuses by which a receiver says that it will never take this content. */
const CALLED_WRONG = [400, 413, 415, 422];

export type ReaderState = 'idle' | 'sending' | 'retrying' | 'gone';

export interface ReaderCounts {
  readonly name: string;
  /** Scheme, host and port of the address. */
  readonly origin: string;
  readonly state: ReaderState;
  readonly delivered: number;
  /** Given up because of their age, or because the receiver calls them wrong. */
  readonly failed: number;
  /** Given up because too many waited. */
  readonly dropped: number;
  /** Tries of the present event that have failed. */
  readonly tries: number;
  /** What was wrong with the last try; null where it was accepted. */
  readonly fault: string | null;
  /** Number of the last event that is done with. */
  readonly cursor: number;
}

export interface ReaderContext {
  readonly log: EventSource;
  readonly store: Store;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly random: Random;
  readonly logger: Logger;
}

/** In what readers of one family are alike. */
export interface ReaderManner {
  /** Beginning of the names of what is logged. */
  readonly log: string;
  /** The field that the recipient's name is logged in. */
  readonly field: string;
  readonly userAgent: string;
  /** Where cursors are kept: behind it the recipient's name and `/cursor`. */
  readonly cursors: string;
  /** Between two times that a cursor is written, milliseconds. Default: a second. */
  readonly saveEvery?: number;
  /** Most events that may wait for a receiver that fails. */
  readonly most: number;
  /** Tries of an event that the receiver calls wrong. */
  readonly refusals: number;
}

export interface ReaderOptions {
  readonly recipient: Recipient;
  /** After which event a new subscription begins. */
  readonly start: number;
  /** How long the log keeps events, milliseconds. */
  readonly retention: number;
  readonly manner: ReaderManner;
}

/** A telling that is put in by hand. */
interface Extra {
  readonly event: Telling;
  /** Asked before each try. */
  readonly isWanted: () => boolean;
  /** Called once; not at all where the reader was closed before. */
  readonly onDone: (result: 'accepted' | 'given-up' | 'unwanted') => void;
}

type Result = Parameters<Extra['onDone']>[0] | 'closed';

export class EventReader {
  readonly #context: ReaderContext;
  readonly #manner: ReaderManner;
  readonly #sender: WebhookSender;
  readonly #cursor: WebhookCursor;
  readonly #running: Promise<void>;
  readonly #extras: Extra[] = [];
  #recipient: Recipient;
  #retention: number;
  #state: ReaderState = 'idle';
  #delivered = 0;
  #failed = 0;
  #dropped = 0;
  #tries = 0;
  /** Tries in a row by which the receiver has called the present event wrong. */
  #refused = 0;
  #fault: string | null = null;
  #retryAfter: string | null = null;
  /** The last try failed, and nobody has waited since. */
  #mustPause = false;
  /** Events have been given up because too many waited, and none has been accepted since. */
  #isDropping = false;
  /** What waited when the present tries began; null: to be counted. */
  #backlog: Backlog | null = null;
  #repeatedAt: number;
  #repeatFails = false;

  constructor({ recipient, start, retention, manner }: ReaderOptions, context: ReaderContext) {
    const { clock } = context;
    const { userAgent, cursors, saveEvery } = manner;
    const { name } = recipient;
    this.#context = context;
    this.#manner = manner;
    this.#recipient = recipient;
    this.#retention = retention;
    this.#repeatedAt = clock.now();
    this.#sender = new WebhookSender({ clock, timeout: TIMEOUT, userAgent });
    this.#cursor = new WebhookCursor({
      ...context,
      name,
      prefix: cursors,
      ...(saveEvery !== undefined && { saveEvery }),
    });
    this.#running = this.#run(start);
  }

  /** Holds from the next try on, which is made at once where the last one failed. */
  reconfigure(recipient: Recipient, retention: number): void {
    this.#recipient = recipient;
    this.#retention = retention;
    this.#refused = 0;
    this.#sender.wake();
  }

  /** The log has something new. */
  notice(): void {
    if (this.#state === 'idle') this.#sender.wake();
  }

  /** Sends something that is not in the log, or again what is. */
  also(extra: Extra): void {
    this.#extras.push(extra);
    this.notice();
  }

  counts(): ReaderCounts {
    const { name, origin } = this.#recipient;
    return {
      ...{ name, origin, state: this.#state, delivered: this.#delivered, failed: this.#failed },
      ...{ dropped: this.#dropped, tries: this.#tries, fault: this.#fault, cursor: this.#cursor.id },
    };
  }

  /** Ends the try in progress; it counts as not delivered. */
  async close(): Promise<void> {
    await this.#sender.close();
    await this.#running;
    await this.#cursor.close();
  }

  async #run(start: number): Promise<void> {
    const { log } = this.#context;
    await this.#cursor.load(start);
    while (!this.#sender.closed) {
      await this.#sendExtras();
      await this.#repeat();
      const last = log.lastId;
      const page = await this.#read(this.#cursor.id, PAGE);
      for (const event of page ?? []) {
        if (this.#extras.length > 0) break;
        const result = await this.#settle(event, `${this.#cursor.subscription}-${event.id}`);
        if (result === 'closed') break;
        this.#cursor.advance(event.id, this.#keptAfter(event, result));
      }
      this.#state = 'idle';
      if (page === null) await this.#sender.wait(READ_PAUSE);
      else if (page.length === 0 && log.lastId === last && this.#extras.length === 0) {
        await this.#sender.wait(this.#repeatIn());
      }
    }
  }

  async #sendExtras(): Promise<void> {
    for (let extra = this.#extras[0]; extra !== undefined; extra = this.#extras[0]) {
      const { event, isWanted, onDone } = extra;
      const result = await this.#settle(event, `${this.#cursor.subscription}-${event.id}-again`, isWanted);
      if (result === 'closed') return;
      this.#extras.shift();
      this.#cursor.advance(this.#cursor.id, this.#keptAfter(event, result));
      onDone(result);
    }
  }

  #keptAfter(event: Telling, result: Result): unknown {
    const { kept } = this.#cursor;
    return result === 'unwanted' ? kept : (this.#recipient.after?.(kept, event) ?? kept);
  }

  async #read(since: number, limit: number): Promise<readonly SluiceEvent[] | null> {
    const { log } = this.#context;
    try {
      return await log.since(since, limit);
    } catch (error) {
      this.#log('error', 'cannot_read', { message: (error as Error).message });
      return null;
    }
  }

  /** Sends until the event is accepted, given up, or not wanted any more: a reload may change that while it is tried. */
  async #settle(event: Telling, id: string, isWanted?: () => boolean): Promise<Result> {
    while (!this.#sender.closed) {
      if (!(isWanted?.() ?? this.#recipient.wants(event, this.#cursor.kept))) return 'unwanted';
      if (this.#mustPause) {
        if (this.#state !== 'gone' && this.#isHopeless(event)) return this.#giveUp(event);
        this.#mustPause = false;
        await this.#pause();
      } else if (isWanted === undefined && (await this.#isTooMuch(event))) {
        return this.#drop(event);
      } else if (await this.#isAccepted(event, id)) return 'accepted';
    }
    return 'closed';
  }

  async #pause(): Promise<void> {
    const { random, wallClock } = this.#context;
    this.#backlog = null;
    if (this.#state === 'gone') return this.#sender.wait(null);
    this.#state = 'retrying';
    await this.#sender.wait(retryPause(this.#tries, random, this.#retryAfter, wallClock()));
  }

  async #isAccepted(event: Telling, id: string): Promise<boolean> {
    const { origin } = this.#recipient;
    this.#state = 'sending';
    const { fault, status, retryAfter } = await this.#recipient.send(this.#sender, event, id, this.#cursor.kept);
    this.#fault = fault;
    this.#retryAfter = retryAfter;
    if (fault === null) {
      const dropped = this.#isDropping && { dropped: this.#dropped };
      if (this.#tries > 0) this.#log('info', 'recovered', { origin, tries: this.#tries, ...dropped });
      this.#isDropping = false;
      this.#tries = 0;
      this.#refused = 0;
      this.#delivered++;
      return true;
    }
    if (this.#sender.closed) return false;
    this.#mustPause = true;
    this.#refused = CALLED_WRONG.includes(status ?? 0) ? this.#refused + 1 : 0;
    // Once for each time of trouble; every further try would say the same.
    if (this.#tries++ === 0) this.#log('warn', 'fails', { origin, message: fault });
    if (status === 410) {
      this.#state = 'gone';
      this.#log('error', 'gone', { origin });
    }
    return false;
  }

  #isHopeless({ at }: SluiceEvent): boolean {
    const age = this.#context.wallClock() - Date.parse(at);
    return this.#refused >= this.#manner.refusals || age >= Math.min(GIVE_UP_AFTER, this.#retention);
  }

  #drop({ id }: SluiceEvent): 'given-up' {
    this.#dropped++;
    if (!this.#isDropping) this.#log('warn', 'dropped', { id, most: this.#manner.most });
    this.#isDropping = true;
    return 'given-up';
  }

  #giveUp({ id }: SluiceEvent): 'given-up' {
    this.#failed++;
    this.#log('error', 'failed', { id, message: this.#fault });
    if (this.#refused >= this.#manner.refusals) {
      // What is wrong is the message: the next one deserves a try of its own, at once.
      this.#refused = 0;
      this.#tries = 0;
      this.#mustPause = false;
    }
    return 'given-up';
  }

  async #isTooMuch({ level }: SluiceEvent): Promise<boolean> {
    if (this.#manner.most === Number.POSITIVE_INFINITY) return false;
    this.#backlog ??= await this.#count();
    return this.#backlog.givesUp(level);
  }

  /** Counted at the start and before each try that follows a failed one: a count that is kept up would be wrong after every reload. */
  async #count(): Promise<Backlog> {
    const { log } = this.#context;
    const backlog = new Backlog(this.#manner.most);
    for (let id = this.#cursor.id; id < log.lastId && !this.#sender.closed; ) {
      const page = await this.#read(id, COUNTED_PAGE);
      if (page === null || page.length === 0) break;
      for (const event of page) if (this.#recipient.wants(event, this.#cursor.kept)) backlog.add(event.level);
      id = page.at(-1)!.id;
    }
    return backlog;
  }

  /** Milliseconds until something is to be repeated; null where nothing is. */
  #repeatIn(): number | null {
    const { repeat } = this.#recipient;
    if (repeat?.isNeeded(this.#cursor.kept) !== true) return null;
    return Math.max(1, repeat.every - (this.#context.clock.now() - this.#repeatedAt));
  }

  /** A repetition that fails is not tried again: the next one says the same, and more. */
  async #repeat(): Promise<void> {
    const { repeat, origin } = this.#recipient;
    const { kept } = this.#cursor;
    const now = this.#context.clock.now();
    const isNeeded = repeat?.isNeeded(kept) === true;
    if (isNeeded && now - this.#repeatedAt < repeat.every) return;
    this.#repeatedAt = now;
    if (!isNeeded || this.#sender.closed) return;
    const { fault } = await repeat.send(this.#sender, kept);
    this.#fault = fault;
    if (fault !== null && !this.#repeatFails && !this.#sender.closed)
      this.#log('warn', 'fails', { origin, message: fault });
    this.#repeatFails = fault !== null;
  }

  #log(level: 'info' | 'warn' | 'error', what: string, fields: Readonly<Record<string, unknown>>): void {
    const { log, field } = this.#manner;
    this.#context.logger[level](`${log}_${what}`, { [field]: this.#recipient.name, ...fields });
  }
}
