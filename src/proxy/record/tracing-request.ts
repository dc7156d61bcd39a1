/**
 * A request that is traced, from its head to its end: what the main thread makes a server span and client spans of.
 *
 * It is the record itself (model/trace-record.ts), filled in while the request runs, so that handing it over is a push. What only the worker
 * needs is private and does not cross to the main thread. A traced request allocates this and an object per attempt; others have none.
 *
 * Ids. 48 hexadecimal digits stand for the request: 32 are the request's id, and the trace's where it begins here; 16 are the id of its
 * span. Each attempt draws a span id of its own, which is what its `traceparent` tells the upstream, so that the upstream's spans hang below
 * the attempt that caused them and not beside it.
 *
 * Time. Spans of several machines are looked at side by side, so they carry the time of day; the durations within them are those of the
 * monotonic clock. One difference between the two, taken when the request begins, serves for all of it.
 *
 * @hotpath bench/micro/tracing.ts
 */
import type { AttemptCause, AttemptRecord, TraceRecord } from '../../model/trace-record.ts';
import type { RequestIds, TraceIdentity } from '../http1/field-rules.ts';
import type { RequestHead } from '../http1/request-head.ts';
import type { Route } from '../route/route.ts';
import type { Version } from '../route/version.ts';
import type { RequestEnd } from './counters.ts';
import type { Forwarding } from './log-entry.ts';
import { logFlags } from './log-flags.ts';

/** Longest texts of a client's that are kept. */
const LONGEST_TEXT = 256;
const LONGEST_PATH = 1_024;
const LONGEST_STATE = 512;

export class TracedAttempt implements AttemptRecord {
  readonly spanId: string;
  readonly cause: AttemptCause;
  readonly start: number;
  readonly version: string;
  readonly lane: string;
  readonly url: string;
  /** 0 while it runs. */
  end = 0;
  status = 0;
  judged = false;
  failure = '';

  constructor(spanId: string, cause: AttemptCause, start: number, version: Version, url: string) {
    this.spanId = spanId;
    this.cause = cause;
    this.start = start;
    this.version = version.name;
    this.lane = version.lane ?? '';
    this.url = url;
  }
}

export class TracedRequest implements TraceRecord, TraceIdentity {
  readonly traceId: string;
  readonly spanId: string;
  readonly parentId: string;
  readonly state: string;
  readonly start: number;
  readonly method: string;
  readonly path: string;
  readonly authority: string;
  readonly protocol: string;
  readonly scheme: string;
  readonly client: string;
  readonly userAgent: string;
  readonly attempts: TracedAttempt[] = [];
  requestId = '';
  upstreamPath = '';
  end = 0;
  status = 0;
  cause = '';
  flags = '';
  cut = false;
  route = '';
  service = '';
  version = '';
  lane = '';
  shieldedFrom = '';
  readonly #ids: string;
  readonly #source: RequestIds;
  /** Trace flags of the attempts: sampled, and random where the parent says so. */
  readonly #flags: string;
  /** What must be added to the clock's time. */
  readonly #skew: number;
  /** Field lines that all attempts share. */
  #fields = '';

  /** @param parent a well-formed `traceparent`, or nothing. @param start milliseconds since 1970. @param began the clock's time then. */
  constructor(
    head: RequestHead,
    source: RequestIds,
    parent: string,
    state: string,
    start: number,
    began: number,
    scheme: string,
    client: string,
    userAgent: string,
  ) {
    const ids = source.next();
    const isRoot = parent === '';
    this.traceId = isRoot ? ids.slice(0, 32) : parent.slice(3, 35);
    this.spanId = ids.slice(32, 48);
    this.parentId = isRoot ? '' : parent.slice(36, 52);
    this.state = state.length > LONGEST_STATE ? '' : state;
    this.start = start;
    this.method = head.method;
    this.path = pathOf(head.target);
    this.authority = head.authority.slice(0, LONGEST_TEXT);
    this.protocol = head.minor === 0 ? '1.0' : '1.1';
    this.scheme = scheme;
    this.client = client;
    this.userAgent = userAgent.slice(0, LONGEST_TEXT);
    this.#ids = ids;
    this.#source = source;
    this.#flags = !isRoot && isRandom(parent) ? '03' : '01';
    this.#skew = start - began;
  }

  get ids(): string {
    return this.#ids;
  }

  /** @param fields and target of the request as attempts send it, but for `traceparent`. */
  prepared(id: string, fields: string, target: string): void {
    this.requestId = id;
    this.#fields = fields;
    this.upstreamPath = pathOf(target);
  }

  /** @param fresh whether the attempt before met a closed connection. @param shielded whether stable answers in place of another version. */
  attempt(version: Version, url: string, fresh: boolean, shielded: boolean, now: number): TracedAttempt {
    const spanId = this.#source.next().slice(0, 16);
    const attempt = new TracedAttempt(spanId, this.#causeOf(version, fresh, shielded), now + this.#skew, version, url);
    this.attempts.push(attempt);
    return attempt;
  }

  #causeOf(version: Version, fresh: boolean, shielded: boolean): AttemptCause {
    if (this.attempts.length === 0) return 'first';
    if (fresh) return 'resend';
    const before = this.attempts[this.attempts.length - 1]!;
    if (before.end === 0) return 'hedge';
    return shielded && before.version !== version.name ? 'shield' : 'retry';
  }

  /** Field lines of the attempt. */
  fieldsFor(attempt: TracedAttempt): string {
    return `${this.#fields}traceparent: 00-${this.traceId}-${attempt.spanId}-${this.#flags}\r\n`;
  }

  attemptEnded(attempt: TracedAttempt, status: number, now: number): void {
    attempt.status = status;
    attempt.end = now + this.#skew;
  }

  /** @param cause how it ended, for an answer that was cut why. @param duration milliseconds. @param route null where none matched. */
  ended(
    cause: RequestEnd,
    status: number,
    duration: number,
    cut: boolean,
    route: Route | null,
    done: Forwarding,
  ): void {
    const { version, request, shieldedFrom } = done;
    this.end = this.start + duration;
    this.status = status;
    this.cause = cause;
    this.cut = cut;
    this.flags = logFlags(
      cause,
      status,
      shieldedFrom !== null && version !== null,
      version === null ? 0 : request.attempts,
    );
    if (route !== null) this.route = route.name;
    if (version === null) return;
    this.service = route!.service!.name;
    this.version = version.name;
    this.lane = version.lane ?? '';
    if (shieldedFrom !== null) this.shieldedFrom = shieldedFrom.name;
  }
}

const isRandom = (parent: string): boolean => (Number.parseInt(parent.slice(53, 55), 16) & 2) !== 0;

function pathOf(target: string): string {
  const query = target.indexOf('?');
  const end = query < 0 ? target.length : query;
  return target.slice(0, end > LONGEST_PATH ? LONGEST_PATH : end);
}
