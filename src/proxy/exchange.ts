/**
 * One request and its answer. This file is the request's life; docs/life-of-a-request.md explains it under the same numbers.
 *
 *   1. Accept        listener.ts              connection limits
 *   2. Read the head http1/request-head.ts    strict parse, limits, timeouts
 *   3. Route         route/route-table.ts     host, path and predicates → route; redirects and fixed replies end here
 *   4. Version       route/service.ts         route → override → experiment → session → split
 *   5. Admit         admit/                   rate limits, injected faults, circuit breaker
 *   6. Endpoint      upstream/endpoint-set.ts session or policy among the available ones; else stable
 *   7. Forward       upstream/attempt.ts      pooled connection, rewritten fields, body
 *   8. Judge         upstream/recovery.ts     outcome; retry, shield, hedge within the budget
 *   9. Reply         here                     head, body, trailers, tunnel
 *  10. Record        record/                  counters, request table, evidence, access log, traces
 *
 *     IDLE ─begin─▶ WAITING ─answer─▶ STREAMING ─end─▶ IDLE
 *                     │  ▲ retract───────┘
 *                     └─101─▶ TUNNEL ─both ends─▶ IDLE        any ─fault, no answer, client gone─▶ IDLE
 *
 * WAITING: phases 6 to 8 are at work (upstream/dispatch.ts has states of its own for them) and no response byte has been passed on.
 * STREAMING: the response head is on its way to the client; once a byte of it has left, a failure can only cut the connection. In IDLE
 * nothing is attached.
 *
 * Nothing here throws, and a request allocates no object of its own: the exchange belongs to its connection and is used again.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { ReplyCode } from '../model/local-reply.ts';
import { NO_VERSION } from '../model/request-table.ts';
import { Timer, type TimerOwner } from '../runtime/timer-wheel.ts';
import type { FaultInjector } from './admit/fault.ts';
import type { RateGate } from './admit/rate-gate.ts';
import { faultAnswer, limitedAnswer } from './admit/refusals.ts';
import type { FlushState, LocalAnswer, RequestEvents, ServerStream } from './codec.ts';
import { NOMINATED } from './http1/field-names.ts';
import { schemeOf } from './http1/field-rules.ts';
import { BODY_CHUNKED, type RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';
import type { RequestEnd } from './record/counters.ts';
import type { LogEntry } from './record/log-entry.ts';
import { CLIENT_GONE } from './record/request-counts.ts';
import type { TracedRequest } from './record/tracing-request.ts';
import type { Route } from './route/route.ts';
import type { Service } from './route/service.ts';
import { Dispatch, HOLD_LIMIT } from './upstream/dispatch.ts';
import type { DispatchOwner } from './upstream/dispatch-owner.ts';
import type { RunningSnapshot, WorkerContext } from './worker-context.ts';

const IDLE = 0;
const WAITING = 1;
const STREAMING = 2;
const TUNNEL = 3;

export class Exchange implements RequestEvents, DispatchOwner, TimerOwner {
  readonly #context: WorkerContext;
  readonly #down: ServerStream;
  readonly #dispatch: Dispatch;
  /** Of a tunnel's silence, or of an injected fault that is to come late. */
  readonly #timer = new Timer(this);
  #state = IDLE;
  #running: RunningSnapshot;
  #route: Route | null = null;
  #began = 0;
  /** `Set-Cookie` line of a session that begins with this request. */
  #cookie = '';
  #downEnded = false;
  /** Status of an injected fault that is to come late. */
  #fault = 0;
  /** Of the answer that the client gets. */
  #status = 0;
  /** Bytes of its body so far. */
  #sent = 0;
  /** Null where the request is not logged. */
  #entry: LogEntry | null = null;
  /** Null where the request is not traced. */
  #trace: TracedRequest | null = null;

  constructor(context: WorkerContext, down: ServerStream) {
    this.#context = context;
    this.#running = context.current;
    this.#down = down;
    this.#dispatch = new Dispatch(context, this);
  }

  get active(): boolean {
    return this.#state !== IDLE;
  }

  onHeadFault(code: ReplyCode): void {
    const { counters, requests, log, current } = this.#context;
    const answer = current.answers[code];
    this.#down.sendReply(answer);
    counters.requestRefused();
    requests.requestEnded(NO_VERSION, answer.status, 0);
    if (log !== null) log.refused(this.#down.client, code, answer.body.length);
  }

  begin(head: RequestHead): void {
    this.#start();
    const { client } = this.#down;
    const { claims, flags } = this.#running;
    if (claims !== null && !client.trusted) head.renumberAll(claims, NOMINATED);
    if (flags !== null) flags.begin(head);
    const { log, tracing } = this.#context;
    if (log !== null) this.#entry = log.begin(head, client);
    if (tracing !== null) this.#trace = tracing.begin(head, client, this.#began);
    // 3. Route
    const route = this.#running.routes.match(head, client);
    if (route === null) return this.#answer('no_route');
    this.#route = route;
    const { service } = route;
    // 5. Admit, as far as the version does not matter: what is refused leaves no trace in splits and sessions.
    if (this.#isOverRate(route.rate, head) || (service !== null && this.#isOverRate(service.rate, head))) return;
    const delay = route.fault === null ? 0 : this.#injectFault(route.fault, head);
    if (delay < 0) return;
    if (service === null) return this.#reply(route.answer(head, schemeOf(head, client)), 'done');
    // 4. Version
    const { choice } = this.#context;
    service.choose(head, client, route.version, this.#began, choice);
    this.#cookie = choice.cookie;
    // 5. Admit
    if (!this.#dispatch.admit(service, choice, this.#began)) return this.#answer('overflow');
    // 6. to 8.
    this.#prepare(head, route, service);
    this.#dispatch.start(delay, head.body === BODY_CHUNKED && !head.expectContinue);
  }

  #start(): void {
    this.#context.counters.requestStarted();
    this.#running = this.#context.current;
    this.#began = this.#context.clock.now();
    this.#state = WAITING;
    this.#route = null;
    this.#downEnded = false;
    this.#sent = 0;
  }

  #isOverRate(rate: RateGate | null, head: RequestHead): boolean {
    if (rate === null) return false;
    const wait = rate.wait(head, this.#down.client, this.#began + this.#context.origin);
    if (wait === 0) return false;
    this.#context.counters.rateLimited();
    this.#reply(limitedAnswer(this.#running.answers.rate_limited, wait), 'rate_limited');
    return true;
  }

  /** @returns milliseconds to wait, or -1 where the request is answered here, now or later. */
  #injectFault(fault: FaultInjector, head: RequestHead): number {
    if (!fault.applies(head)) return 0;
    const status = fault.abortStatus();
    const delay = fault.delay();
    if (status === 0 && delay === 0) return 0;
    this.#context.counters.faultInjected();
    if (status === 0) return delay;
    this.#fault = status;
    if (delay === 0) this.#replyFault();
    else {
      this.#dispatch.request.stopped = true;
      this.#context.wheel.start(this.#timer, delay);
    }
    return -1;
  }

  #replyFault(): void {
    this.#reply(faultAnswer(this.#fault, this.#running.rules.name), 'fault');
  }

  #prepare(head: RequestHead, route: Route, service: Service): void {
    const { request, version, trial } = this.#dispatch;
    const { client } = this.#down;
    const { rules, names, flags } = this.#running;
    const { maxBody } = service.recovery;
    request.begin(head, maxBody > HOLD_LIMIT ? maxBody : HOLD_LIMIT);
    let added = flags === null ? '' : flags.lines(head, client);
    if (route.requestEdits !== null) added += route.requestEdits.apply(head, names);
    const trace = this.#trace;
    const fields = rules.request(head, client, version!.authority, route.host, trace);
    if (this.#entry !== null) this.#entry.id = rules.id;
    if (trial.active) trial.describe(head.method, head.target, route.name, rules.id);
    request.fields = added === '' ? fields : fields + added;
    if (route.rewrite !== null) request.target = route.rewrite.apply(head.target);
    request.trace = trace;
    if (trace !== null) trace.prepared(rules.id, request.fields, request.target);
  }

  onRequestData(buf: Buffer, start: number, end: number, shared: boolean): void {
    const dispatch = this.#dispatch;
    if (this.#state === IDLE || dispatch.request.stopped) return;
    dispatch.request.bytes += end - start;
    if (this.#state === TUNNEL) {
      dispatch.tunnel(buf, start, end, shared);
      this.#watchTunnel();
      return;
    }
    const limit = this.#running.snapshot.limits.bodySize;
    if (limit !== 0 && dispatch.request.bytes > limit) return this.onRequestFault('body_too_large');
    dispatch.data(buf, start, end, shared);
  }

  onRequestEnd(trailers: string): void {
    const dispatch = this.#dispatch;
    dispatch.request.ended = true;
    if (this.#state === IDLE || dispatch.request.stopped) return;
    dispatch.end(trailers);
    if (this.#state === TUNNEL && this.#downEnded) this.#endTunnel();
  }

  /** The client broke the protocol or stalled in the middle of its body. */
  onRequestFault(code: ReplyCode): void {
    if (this.#state === IDLE) return;
    if (this.#state < STREAMING) this.#answer(code);
    else this.#cut(code);
  }

  onDownstreamClosed(): void {
    if (this.#state === IDLE) return;
    this.#end(this.#state === TUNNEL ? 'done' : 'aborted');
  }

  onDownstreamDrain(): void {
    this.#dispatch.resumeAnswer();
  }

  flushUpstream(): FlushState {
    return this.#dispatch.flush();
  }

  flushDownstream(): FlushState {
    return this.#down.flush();
  }

  pauseRequest(): void {
    this.#down.pauseRequest();
  }

  resumeRequest(): void {
    this.#down.resumeRequest();
  }

  onInformational(head: ResponseHead): void {
    this.#down.sendInformational(head, this.#running.rules.response(head, this.#dispatch.version!.line, ''));
  }

  onAnswer(head: ResponseHead): void {
    this.#status = head.status;
    if (head.status === 101) return this.#switchProtocols(head);
    // 9. Reply
    this.#state = STREAMING;
    if (!this.#dispatch.request.ended && !head.keepAlive) this.#dispatch.request.stopped = true;
    this.#down.sendHead(head, this.#responseFields(head));
  }

  #responseFields(head: ResponseHead): string {
    const edits = this.#route!.responseEdits;
    const added = edits === null ? '' : edits.apply(head, this.#context.current.names);
    const fields = this.#running.rules.response(head, this.#dispatch.version!.line, this.#running.dateLine());
    if (this.#cookie !== '') this.#dispatch.cookieSent();
    return this.#cookie === '' && added === '' ? fields : fields + this.#cookie + added;
  }

  #switchProtocols(head: ResponseHead): void {
    const { request } = this.#dispatch;
    // Nobody asked, or the answer came before the request was whole: its rest could not be told from the new protocol.
    if (request.upgrade === '' || head.upgrade === '' || !request.ended) {
      this.#dispatch.refuseAnswer('upstream_malformed');
      return;
    }
    this.#state = TUNNEL;
    request.ended = false;
    this.#watchTunnel();
    this.#down.startTunnel(head, this.#responseFields(head));
  }

  #watchTunnel(): void {
    this.#context.wheel.start(this.#timer, this.#route!.service!.timeouts.tunnel);
  }

  onAnswerData(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#sent += end - start;
    this.#down.sendData(buf, start, end, shared);
    if (this.#state === TUNNEL) this.#watchTunnel();
  }

  onAnswerEnd(trailers: string): void {
    if (this.#state === TUNNEL) {
      this.#down.sendEnd('');
      this.#downEnded = true;
      if (this.#dispatch.request.ended) this.#endTunnel();
      return;
    }
    this.#down.sendEnd(trailers);
    this.#dispatch.complete(this.#dispatch.request.ended);
    this.#end('done');
    this.#down.finish();
  }

  #endTunnel(): void {
    this.#dispatch.closeTunnel();
    this.#end('done');
    this.#down.finish();
  }

  retractAnswer(): boolean {
    if (this.#state !== STREAMING || !this.#down.retract()) return false;
    this.#state = WAITING;
    this.#sent = 0;
    return true;
  }

  onNoAnswer(code: ReplyCode): void {
    if (this.#state === WAITING) this.#answer(code);
    else this.#cut(code);
  }

  onTimer(): void {
    if (this.#state === WAITING) return this.#replyFault();
    if (this.#state !== TUNNEL) return;
    this.#end('done');
    this.#down.abort();
  }

  /** Local reply. */
  #answer(code: ReplyCode): void {
    this.#reply(this.#running.answers[code], code);
  }

  #reply(answer: LocalAnswer, how: RequestEnd): void {
    this.#status = answer.status;
    this.#sent = answer.body.length;
    this.#down.sendReply(answer);
    this.#end(how);
    this.#down.finish();
  }

  /** Some of the answer has left, and there will be no more of it. */
  #cut(code: ReplyCode): void {
    this.#end('cut', code);
    this.#down.abort();
  }

  /** 10. Record. @param cause why an answer was cut, else how it ended. */
  #end(how: RequestEnd, cause: RequestEnd = how): void {
    const { counters, requests, clock, wheel } = this.#context;
    const { version, trial } = this.#dispatch;
    const status = how === 'aborted' ? CLIENT_GONE : this.#status;
    const duration = clock.now() - this.#began;
    this.#state = IDLE;
    counters.requestEnded(how);
    requests.requestEnded(version === null ? NO_VERSION : version.id, status, duration);
    if (trial.active) trial.end(how, status, cause);
    if (this.#entry !== null) this.#log(this.#entry, cause, status, duration);
    if (this.#trace !== null) this.#trace.ended(cause, status, duration, how === 'cut', this.#route, this.#dispatch);
    this.#dispatch.stop();
    wheel.stop(this.#timer);
    if (this.#trace !== null) this.#endTrace(this.#trace);
  }

  /** Attempts that were given up with the request have ended by now. */
  #endTrace(trace: TracedRequest): void {
    this.#trace = null;
    this.#context.tracing?.end(trace);
  }

  #log(entry: LogEntry, cause: RequestEnd, status: number, duration: number): void {
    const { log } = this.#context;
    this.#entry = null;
    if (log === null) return;
    entry.end(cause, status, duration, this.#sent, this.#route, this.#dispatch);
    log.end(entry);
  }

  /** The connection goes away for good. */
  dispose(): void {
    this.#dispatch.dispose();
    this.#context.wheel.remove(this.#timer);
  }
}
