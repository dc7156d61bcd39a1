/**
 * One try to have a request answered by one endpoint: the connection it uses, how long it takes, and how it ended.
 *
 *     IDLE ─launch─▶ SENT ─response head─▶ ANSWERED ─complete─▶ IDLE
 *                      │                      │
 *                      └── failed, abandoned ─┴──▶ IDLE
 *
 * Every attempt ends in exactly one count of its endpoint and version: by the status of its answer, by the failure that cut it short, or as
 * abandoned, which says nothing about the endpoint (the client left, or another attempt was faster). Latency is the time from the last byte
 * of the request to the response head. What follows from an end is for the exchange to judge; nothing here decides.
 *
 * An exchange has one of these for all its requests and a second one for hedging; none is made per request.
 *
 * @hotpath bench/micro/exchange.ts
 */
import { ENDPOINT_SLOTS, failureKind } from '../../model/counters.ts';
import type { ReplyCode } from '../../model/local-reply.ts';
import { type ClientStream, FLUSHED, type FlushState, type OutgoingRequest, type ResponseEvents } from '../codec.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { NOT_MEASURED } from '../record/log-entry.ts';
import type { TracedAttempt, TracedRequest } from '../record/tracing-request.ts';
import type { Trial } from '../record/trial.ts';
import type { Version } from '../route/version.ts';
import type { WorkerContext } from '../worker-context.ts';
import type { DispatchOwner } from './dispatch-owner.ts';
import type { Endpoint } from './endpoint.ts';

/** Who made the attempt and judges what comes of it. */
export interface AttemptOwner {
  readonly request: OutgoingRequest & {
    readonly body: string;
    readonly resendable: boolean;
    readonly trace: TracedRequest | null;
    fields: string;
    attempts: number;
  };
  readonly trial: Trial;
  /** The version in whose place stable answers, or null. */
  readonly shieldedFrom: Version | null;
  onAnswer(attempt: Attempt, head: ResponseHead): void;
  onAnswerData(attempt: Attempt, buf: Buffer, start: number, end: number, shared: boolean): void;
  onAnswerEnd(attempt: Attempt, trailers: string): void;
  onFailure(attempt: Attempt, code: ReplyCode): void;
  /** The client side of the exchange. */
  readonly client: Pick<DispatchOwner, 'resumeRequest' | 'flushDownstream'>;
}

export class Attempt implements ResponseEvents {
  /**
   * Whether it failed because a pooled connection may have been closed by the upstream before the request came. If sending it again does
   * no harm, that is nobody's failure.
   */
  stale = false;
  /** Milliseconds to the response head, NOT_MEASURED where none has come. */
  latency = NOT_MEASURED;
  readonly #context: WorkerContext;
  readonly #owner: AttemptOwner;
  #up: ClientStream | null = null;
  #version: Version | null = null;
  #endpoint: Endpoint | null = null;
  #started = 0;
  #status = 0;
  /** Whether it is the one that counts for the version it is on. */
  #onTrial = false;
  /** Null where the request is not traced, and where nothing runs. */
  #traced: TracedAttempt | null = null;

  constructor(context: WorkerContext, owner: AttemptOwner) {
    this.#context = context;
    this.#owner = owner;
  }

  /** Whether it runs. */
  get live(): boolean {
    return this.#up !== null;
  }

  /** Of the attempt that runs or ran last. */
  get version(): Version {
    return this.#version!;
  }

  /** Of the attempt that runs or ran last. */
  get endpoint(): Endpoint {
    return this.#endpoint!;
  }

  /** Of its answer, 0 where there is none. */
  get status(): number {
    return this.#status;
  }

  /** Sends the head and what is kept of the body. @param fresh whether a connection that has been used before will not do. */
  launch(version: Version, endpoint: Endpoint, fresh: boolean, now: number): void {
    this.#version = version;
    this.#endpoint = endpoint;
    this.#started = now;
    this.#status = 0;
    this.stale = false;
    this.latency = NOT_MEASURED;
    // What is sent again because its connection was closed goes on being the same attempt.
    if (!fresh) this.#onTrial = this.#owner.trial.takes(version.id);
    endpoint.attemptStarted();
    const { request } = this.#owner;
    request.attempts++;
    if (request.trace !== null) this.#beginTrace(request.trace, fresh, now);
    const up = endpoint.pool.acquire(fresh);
    up.assign(this, request.method === 'HEAD');
    this.#up = up;
    up.sendHead(request);
    if (request.body !== '') up.sendText(request.body);
  }

  sendText(text: string): void {
    this.#up?.sendText(text);
  }

  sendData(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#up?.sendData(buf, start, end, shared);
  }

  /** @param now clock time, from which the latency counts. */
  sendEnd(trailers: string, now: number): void {
    this.#started = now;
    if (this.#onTrial && this.#status === 0) this.#owner.trial.sent(now);
    this.#up?.sendEnd(trailers);
  }

  flush(): FlushState {
    return this.#up === null ? FLUSHED : this.#up.flush();
  }

  resume(): void {
    this.#up?.resumeResponse();
  }

  onResponseHead(head: ResponseHead): void {
    if (head.status < 200 && head.status !== 101) {
      this.#owner.onAnswer(this, head);
      return;
    }
    const now = this.#context.clock.now();
    this.#status = head.status;
    this.latency = now - this.#started;
    this.#endpoint!.answered(this.latency, now);
    this.#context.requests.attemptAnswered(this.#version!.id, this.latency);
    // A server error is one from its head on; whether an answer is good shows at its end.
    if (head.status >= 500) this.#version!.detector?.answered(this.#endpoint!.id, head.status);
    if (this.#onTrial) this.#judge(null, now);
    this.#owner.onAnswer(this, head);
  }

  onResponseData(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#owner.onAnswerData(this, buf, start, end, shared);
  }

  onResponseEnd(trailers: string): void {
    this.#owner.onAnswerEnd(this, trailers);
  }

  onUpstreamDrain(): void {
    this.#owner.client.resumeRequest();
  }

  flushDownstream(): FlushState {
    return this.#owner.client.flushDownstream();
  }

  onAttemptFailed(code: ReplyCode): void {
    // Nothing is called back of a connection that has been given up.
    const up = this.#up!;
    this.#up = null;
    const silent = up.reused && !up.answered;
    const stale = silent && code === 'upstream_closed' && this.#owner.request.resendable;
    this.stale = stale;
    if (!stale) this.#fail(code);
    else {
      this.#endpoint!.attemptEnded(ENDPOINT_SLOTS.abandoned);
      if (this.#traced !== null) this.#endTrace(this.#traced, code);
    }
    const version = this.#version!;
    this.#owner.onFailure(this, code);
    // What goes out once more takes the place that it had; only behind that may others have what is left.
    if (stale) version.connectionFreed();
  }

  /** The answer is complete. @param reusable whether the connection may carry more. */
  complete(reusable: boolean): void {
    const up = this.#up!;
    this.#up = null;
    if (reusable) up.release();
    else up.abort();
    this.#answered();
  }

  /** Both sides of a tunnel have ended. */
  closeTunnel(): void {
    if (this.#up === null) return;
    this.#up.closeTunnel();
    this.#up = null;
    this.#answered();
  }

  /** Gives up an attempt that no verdict is wanted on; one that has been answered with an error has its verdict. */
  abandon(): void {
    if (this.#onTrial) this.#owner.trial.givenUp();
    this.#onTrial = false;
    if (this.#status >= 500) return this.passOver();
    if (this.#up === null) return;
    this.#up.abort();
    this.#up = null;
    this.#settle(ENDPOINT_SLOTS.abandoned);
  }

  /** Gives up an attempt in favour of another although it has been answered: it counts as what the answer is. */
  passOver(): void {
    if (this.#up === null) return;
    this.#up.abort();
    this.#up = null;
    this.#answered();
  }

  /** The answer breaks the protocol in a way that the codec cannot see. */
  refuse(code: ReplyCode): void {
    if (this.#up === null) return;
    this.#up.abort();
    this.#up = null;
    this.#fail(code);
    this.#owner.onFailure(this, code);
  }

  /** The exchange has waited long enough. */
  timeOut(): void {
    if (this.#up === null) return;
    this.#up.abort();
    this.#up = null;
    this.#fail('upstream_timeout');
  }

  #answered(): void {
    const status = this.#status;
    this.#context.counters.attemptAnswered(this.#version!.id, status);
    if (this.#traced !== null) this.#traced.judged = true;
    if (status < 500) {
      this.#version!.detector?.answered(this.#endpoint!.id, status);
      this.#settle(ENDPOINT_SLOTS.success);
    } else this.#settle(status >= 502 && status <= 504 ? ENDPOINT_SLOTS.gateway : ENDPOINT_SLOTS.error5xx);
  }

  #fail(code: ReplyCode): void {
    const version = this.#version!;
    const endpoint = this.#endpoint!;
    this.#context.counters.attemptFailed(version.id, code);
    if (code === 'upstream_timeout' && this.#status === 0) {
      const now = this.#context.clock.now();
      endpoint.timedOut(now - this.#started, now);
    }
    version.detector?.failedLocally(endpoint.id);
    if (this.#onTrial) this.#judge(code, this.#context.clock.now());
    if (this.#traced !== null) this.#endTrace(this.#traced, code);
    this.#settle(ENDPOINT_SLOTS[failureKind(code)]);
  }

  /** Tells what the attempt says about its version. @param code of its failure, null where there is a response head. */
  #judge(code: ReplyCode | null, now: number): void {
    const { trial } = this.#owner;
    const status = this.#status;
    if (code === null && status < 500) trial.answered(now);
    else trial.failed(status, code, now - this.#started, this.#endpoint!.url, now);
  }

  #settle(end: number): void {
    if (this.#traced !== null) this.#endTrace(this.#traced, '');
    this.#endpoint!.attemptEnded(end);
    this.#version!.connectionFreed();
  }

  #beginTrace(trace: TracedRequest, fresh: boolean, now: number): void {
    const { request, shieldedFrom } = this.#owner;
    const traced = trace.attempt(this.#version!, this.#endpoint!.url, fresh, shieldedFrom !== null, now);
    this.#traced = traced;
    request.fields = trace.fieldsFor(traced);
  }

  /** @param failure code of the reply that it stands for, empty where it did not fail. */
  #endTrace(traced: TracedAttempt, failure: ReplyCode | ''): void {
    this.#traced = null;
    traced.failure = failure;
    this.#owner.request.trace?.attemptEnded(traced, this.#status, this.#context.clock.now());
  }
}
