/**
 * The access log of one worker: which requests are logged, and how a line comes about.
 *
 * Whether a request is in the sample is decided when it begins, by dice, since nothing about it should make it likelier to be seen. Where
 * errors are logged whatever the sample says, every request is noted at its beginning, because which ones fail is only known at
 * their end; a request that may not be logged costs the throw of the dice, and with no log configured one comparison.
 *
 * There is one of these for as long as the worker lives. A new configuration changes it in place: requests that began under the old one are
 * logged as the new one says, and nothing is lost where the path changes (log-writer.ts).
 *
 * @hotpath bench/micro/access-log.ts
 */
import type { AccessLogConfig } from '../../model/admin-config.ts';
import { LOCAL_REPLIES, type ReplyCode } from '../../model/local-reply.ts';
import type { Random } from '../../runtime/random.ts';
import { FIELD, type FieldNames, UNKNOWN } from '../http1/field-names.ts';
import type { ClientFacts } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import { clientAddress, type IsTrusted } from '../route/key-reader.ts';
import { combinedLine } from './log-combined.ts';
import { LogEntry } from './log-entry.ts';
import { jsonLine } from './log-json.ts';
import { LogTime } from './log-time.ts';
import type { LogWriter } from './log-writer.ts';

const X_REQUEST_ID = FIELD['x-request-id'];

/** Lower-case names of the headers that the log reads. */
const USER_AGENT = 'user-agent';
const REFERER = 'referer';
export const loggedHeaders = (config: AccessLogConfig | null): readonly string[] =>
  config === null ? [] : [USER_AGENT, REFERER];

/** Most entries that are kept to be used again; more than are in use at once by far, but after a rush. */
const MAX_FREE = 1_024;

export interface AccessLogOptions {
  readonly writer: LogWriter;
  readonly random: Random;
  /** Milliseconds since 1970. */
  readonly wall: () => number;
  readonly isTrusted: IsTrusted;
}

export class AccessLog {
  readonly #writer: LogWriter;
  readonly #random: Random;
  readonly #wall: () => number;
  readonly #isTrusted: IsTrusted;
  readonly #free: LogEntry[] = [];
  #line = jsonLine;
  #time = new LogTime('iso');
  /** Percent. */
  #sample = 0;
  #errors = false;
  #userAgent = UNKNOWN;
  #referer = UNKNOWN;

  constructor(options: AccessLogOptions) {
    this.#writer = options.writer;
    this.#random = options.random;
    this.#wall = options.wall;
    this.#isTrusted = options.isTrusted;
  }

  /** @param names must have numbered `loggedHeaders`. @returns itself, null where nothing is to be logged. */
  configure(config: AccessLogConfig | null, names: FieldNames): AccessLog | null {
    if (config === null) {
      this.#writer.shut();
      return null;
    }
    const isJson = config.format === 'json';
    this.#line = isJson ? jsonLine : combinedLine;
    this.#time = new LogTime(isJson ? 'iso' : 'common');
    this.#sample = config.sample;
    this.#errors = config.errors;
    this.#userAgent = names.idOf(USER_AGENT);
    this.#referer = names.idOf(REFERER);
    this.#writer.open(config.path, config.buffer);
    return this;
  }

  /** @returns what must be given to `end`, null where the request is not logged whatever becomes of it. */
  begin(head: RequestHead, client: ClientFacts): LogEntry | null {
    const sampled = this.#isSampled();
    if (!sampled && !this.#errors) return null;
    const entry = this.#free.pop() ?? new LogEntry();
    entry.sampled = sampled;
    const id = client.trusted ? head.value(X_REQUEST_ID) : '';
    entry.begin(head, clientAddress(head, client, this.#isTrusted), id, this.#userAgent, this.#referer);
    return entry;
  }

  /** Never at 0 and always at 100, as dice fall in [0, 1). */
  #isSampled(): boolean {
    return this.#sample === 100 || (this.#sample !== 0 && this.#random.next() * 100 < this.#sample);
  }

  /** Logs a request whose head was refused. */
  refused(client: ClientFacts, code: ReplyCode, bytesOut: number): void {
    const entry = this.#free.pop() ?? new LogEntry();
    entry.sampled = this.#isSampled();
    entry.refused(client.address, code, LOCAL_REPLIES[code].status, bytesOut);
    this.end(entry);
  }

  /** Logs what `entry` says where it is to be logged, and takes the entry back. */
  end(entry: LogEntry): void {
    if (entry.sampled || (this.#errors && entry.isRemarkable)) {
      this.#writer.add(this.#line(entry, this.#time, this.#wall()));
    }
    entry.clear();
    if (this.#free.length < MAX_FREE) this.#free.push(entry);
  }

  /** The file has been moved away. */
  reopen(): void {
    this.#writer.reopen();
  }

  /** Writes what waits; resolves when it is done, or cannot be done soon. */
  close(): Promise<void> {
    return this.#writer.close();
  }
}
