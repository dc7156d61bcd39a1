/**
 * One request and its answer. This file is the request's life; docs/life-of-a-request.md explains it under the same numbers.
 *
 *   1. Accept        listener.ts           connection limits
 *   2. Read the head http1/request-head.ts strict parse, limits, timeouts
 *   3. Route         route/route-table.ts  host and path → service
 *   4. Version       route/service.ts      override header → weighted split
 *   5. Admit         (circuit breakers and rate limits will stand here)
 *   6. Endpoint      route/service.ts      version → endpoint
 *   7. Forward       upstream/pool.ts      pooled connection, rewritten fields, body
 *   8. Judge         here                  outcome; once more where the pooled connection was dead
 *   9. Reply         here                  head, body, trailers, tunnel
 *  10. Record        record/counters.ts    counters
 *
 *     IDLE ─begin─▶ HOLDING ─launch─▶ WAITING ─response head─▶ STREAMING ─end─▶ IDLE
 *                      (chunked only)    │  ▲ retry     └─101─▶ TUNNEL ─both ends─▶ IDLE
 *                                        └──┘ any ─fault, failure, client gone─▶ IDLE
 *
 * HOLDING: a chunked request has sent nothing upstream yet. It is held until its body is whole, HOLD_LIMIT bytes of it came or
 * HOLD_TIME passed, so that a malformed chunk in a body of ordinary size reaches nobody, and so that such a body can be sent again.
 * WAITING: an attempt runs and no response byte has been passed on. STREAMING: the response head is on its way to the client; once a
 * byte of it has left, a failure can only cut the connection. In IDLE no stream is attached.
 *
 * Nothing here throws, and a request allocates no object of its own: the exchange belongs to its connection and is used again.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { ReplyCode } from '../model/local-reply.ts';
import { Timer, type TimerOwner } from '../runtime/timer-wheel.ts';
import {
  type ClientStream,
  FLUSHED,
  type FlushState,
  FULL,
  type OutgoingRequest,
  type RequestEvents,
  type ResponseEvents,
  type ServerStream,
} from './codec.ts';
import { BODY_CHUNKED, BODY_LENGTH, BODY_NONE, type RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { Service, Version } from './route/service.ts';
import type { EndpointPool } from './upstream/pool.ts';
import type { RunningSnapshot, WorkerContext } from './worker-context.ts';

const IDLE = 0;
const HOLDING = 1;
const WAITING = 2;
const STREAMING = 3;
const TUNNEL = 4;

/** Largest request body that is kept for a second attempt, and for which a chunked request is held, bytes. */
const HOLD_LIMIT = 16_384;
/** Longest that a chunked request is held, milliseconds. */
const HOLD_TIME = 100;

/** RFC 9110 9.2.2: sending these twice has the effect of sending them once. */
const IDEMPOTENT = new Set(['GET', 'HEAD', 'OPTIONS', 'PUT', 'DELETE', 'TRACE']);

export class Exchange implements RequestEvents, ResponseEvents, OutgoingRequest, TimerOwner {
  method = '';
  target = '';
  fields = '';
  chunked = false;
  teTrailers = false;
  upgrade = '';

  readonly #context: WorkerContext;
  readonly #down: ServerStream;
  readonly #timer = new Timer(this);
  #state = IDLE;
  #running: RunningSnapshot;
  #service: Service | null = null;
  #version: Version | null = null;
  #pool: EndpointPool | null = null;
  #up: ClientStream | null = null;
  /** The body so far as latin1 text while it is complete enough to be sent again. */
  #body = '';
  #replayable = false;
  #requestEnded = false;
  #trailers = '';
  #bodyBytes = 0;
  /** Whether the rest of the upload is dropped, because the upstream has said that it will not read it. */
  #uploadStopped = false;
  #downEnded = false;

  constructor(context: WorkerContext, down: ServerStream) {
    this.#context = context;
    this.#running = context.current;
    this.#down = down;
  }

  get active(): boolean {
    return this.#state !== IDLE;
  }

  begin(head: RequestHead): void {
    this.#start(head);
    // 3. Route
    const service = this.#running.routes.match(head.authority, head.target);
    if (service === null) return this.#answer('no_route');
    // 4. Version
    this.#service = service;
    const chosen = service.choose(head);
    // 6. Endpoint; a version that has none fails over to stable
    this.#version = chosen;
    this.#pool = chosen.pick() ?? this.#failOver(service);
    if (this.#pool === null) return this.#answer('no_endpoint');
    // 7. Forward
    this.#prepare(head, this.#pool);
    if (head.body === BODY_CHUNKED && !head.expectContinue) this.#hold();
    else this.#launch(false);
  }

  #start(head: RequestHead): void {
    this.#context.counters.requestStarted();
    this.#running = this.#context.current;
    this.#state = WAITING;
    this.#version = null;
    this.#requestEnded = head.body === BODY_NONE;
    this.#body = '';
    this.#bodyBytes = 0;
    this.#trailers = '';
    this.#uploadStopped = false;
    this.#downEnded = false;
  }

  #failOver(service: Service): EndpointPool | null {
    this.#version = service.stable;
    return service.stable.pick();
  }

  #prepare(head: RequestHead, pool: EndpointPool): void {
    this.method = head.method;
    this.target = head.target;
    this.chunked = head.body === BODY_CHUNKED;
    this.teTrailers = head.teTrailers;
    this.upgrade = head.upgrade;
    this.#replayable = head.body !== BODY_LENGTH || head.contentLength <= HOLD_LIMIT;
    this.fields = this.#running.rules.request(head, this.#down.client, pool.endpoint.authority);
  }

  #hold(): void {
    this.#state = HOLDING;
    this.#context.wheel.start(this.#timer, HOLD_TIME);
  }

  /** Starts an attempt with whatever of the request has come so far. */
  #launch(fresh: boolean): void {
    const pool = this.#pool!;
    this.#state = WAITING;
    const up = pool.acquire(fresh);
    up.assign(this, this.method === 'HEAD');
    this.#up = up;
    up.sendHead(this);
    if (this.#body !== '') up.sendText(this.#body);
    if (this.#requestEnded) this.#sendRequestEnd(up);
    else this.#context.wheel.stop(this.#timer);
  }

  #sendRequestEnd(up: ClientStream): void {
    up.sendEnd(this.#trailers);
    if (this.#state === WAITING) this.#context.wheel.start(this.#timer, this.#service!.timeouts.request);
  }

  onRequestData(buf: Buffer, start: number, end: number, shared: boolean): void {
    if (this.#state === IDLE || this.#uploadStopped) return;
    if (this.#state === TUNNEL) {
      this.#up!.sendData(buf, start, end, shared);
      this.#context.wheel.start(this.#timer, this.#service!.timeouts.tunnel);
      return;
    }
    const size = end - start;
    this.#bodyBytes += size;
    const limit = this.#running.snapshot.limits.bodySize;
    if (limit !== 0 && this.#bodyBytes > limit) return this.onRequestFault('body_too_large');
    if (this.#replayable) {
      if (this.#bodyBytes <= HOLD_LIMIT) {
        const text = buf.toString('latin1', start, end);
        this.#body += text;
        if (this.#up !== null) this.#up.sendText(text);
        return;
      }
      if (this.#state === HOLDING) this.#launch(false);
      this.#replayable = false;
      this.#body = '';
    }
    this.#up?.sendData(buf, start, end, shared);
  }

  onRequestEnd(trailers: string): void {
    this.#requestEnded = true;
    if (this.#state === IDLE || this.#uploadStopped) return;
    this.#trailers = trailers;
    if (this.#state === HOLDING) this.#launch(false);
    else if (this.#up !== null) this.#sendRequestEnd(this.#up);
    if (this.#state === TUNNEL && this.#downEnded) this.#endTunnel();
  }

  /** The client broke the protocol or stalled in the middle of its body. */
  onRequestFault(code: ReplyCode): void {
    if (this.#state === IDLE) return;
    const started = this.#state >= STREAMING;
    this.#up?.abort();
    this.#up = null;
    if (!started) return this.#answer(code);
    this.#end('cut');
    this.#down.abort();
  }

  onDownstreamClosed(): void {
    if (this.#state === IDLE) return;
    this.#up?.abort();
    this.#end(this.#state === TUNNEL ? 'done' : 'aborted');
  }

  onDownstreamDrain(): void {
    this.#up?.resumeResponse();
  }

  onUpstreamDrain(): void {
    this.#down.resumeRequest();
  }

  flushUpstream(): FlushState {
    return this.#up === null ? FLUSHED : this.#up.flush();
  }

  flushDownstream(): FlushState {
    return this.#down.flush();
  }

  onResponseHead(head: ResponseHead): void {
    const fields = this.#running.rules.response(head, this.#version!.line, this.#running.dateLine());
    if (head.status === 101) return this.#switchProtocols(head, fields);
    if (head.status < 200) return this.#down.sendInformational(head, fields);
    // 8. Judge
    this.#context.wheel.stop(this.#timer);
    this.#context.counters.attemptAnswered(this.#version!.id, head.status);
    // 9. Reply
    this.#state = STREAMING;
    if (!this.#requestEnded && !head.keepAlive) this.#uploadStopped = true;
    this.#down.sendHead(head, fields);
  }

  #switchProtocols(head: ResponseHead, fields: string): void {
    // Nobody asked, or the answer came before the request was whole: its rest could not be told from the new protocol.
    if (this.upgrade === '' || head.upgrade === '' || !this.#requestEnded) {
      this.#up?.abort();
      return this.onAttemptFailed('upstream_malformed');
    }
    this.#context.counters.attemptAnswered(this.#version!.id, head.status);
    this.#state = TUNNEL;
    this.#requestEnded = false;
    this.chunked = false;
    this.#context.wheel.start(this.#timer, this.#service!.timeouts.tunnel);
    this.#down.startTunnel(head, fields);
  }

  onResponseData(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#down.sendData(buf, start, end, shared);
    if (this.#state === TUNNEL) this.#context.wheel.start(this.#timer, this.#service!.timeouts.tunnel);
  }

  onResponseEnd(trailers: string): void {
    if (this.#state === TUNNEL) {
      this.#down.sendEnd('');
      this.#downEnded = true;
      if (this.#requestEnded) this.#endTunnel();
      return;
    }
    this.#down.sendEnd(trailers);
    const up = this.#up!;
    this.#up = null;
    if (this.#requestEnded) up.release();
    else up.abort();
    this.#end('done');
    this.#down.finish();
  }

  #endTunnel(): void {
    this.#up?.closeTunnel();
    this.#end('done');
    this.#down.finish();
  }

  onAttemptFailed(code: ReplyCode): void {
    const up = this.#up;
    this.#up = null;
    // 8. Judge
    this.#context.counters.attemptFailed(this.#version!.id, code);
    if (this.#state === WAITING) {
      if (up !== null && code === 'upstream_closed' && this.#isSafeToResend(up)) {
        this.#launch(true);
        if (this.#up!.flush() !== FULL) this.#down.resumeRequest();
        return;
      }
      return this.#answer(code);
    }
    // Head and fault may have come in one packet: then the client has seen nothing of it and can be told.
    if (this.#state === STREAMING && this.#down.retract()) return this.#answer(code);
    this.#end('cut');
    this.#down.abort();
  }

  /**
   * A pooled connection may have been closed by the upstream while our request was on its way. If no byte came back and sending twice
   * does no harm, the request goes out once more on a fresh connection; `reused` is false there, so it cannot loop.
   */
  #isSafeToResend(up: ClientStream): boolean {
    return up.reused && !up.answered && this.#replayable && IDEMPOTENT.has(this.method);
  }

  onTimer(): void {
    if (this.#state === HOLDING) {
      this.#launch(false);
      this.#up!.flush();
    } else if (this.#state === WAITING) {
      this.#up?.abort();
      this.onAttemptFailed('upstream_timeout');
    } else if (this.#state === TUNNEL) {
      this.#up?.abort();
      this.#end('done');
      this.#down.abort();
    }
  }

  /** Local reply. */
  #answer(code: ReplyCode): void {
    this.#down.sendReply(code);
    this.#end(code);
    this.#down.finish();
  }

  /** 10. Record */
  #end(how: 'done' | 'cut' | 'aborted' | ReplyCode): void {
    this.#state = IDLE;
    this.#up = null;
    this.#body = '';
    this.fields = '';
    this.#context.wheel.stop(this.#timer);
    this.#context.counters.requestEnded(how);
  }

  /** The connection goes away for good. */
  dispose(): void {
    this.#context.wheel.remove(this.#timer);
  }
}
