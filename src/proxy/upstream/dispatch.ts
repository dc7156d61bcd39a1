/**
 * Phases 6 to 8 of a request: endpoint, attempt, judgement, until there is an answer that the client may have.
 *
 *     IDLE ─start─▶ HOLDING ─dispatch─▶ WAITING ─answer─▶ ANSWERED ─stop, complete─▶ IDLE
 *              │       (chunked only)    │  ▲ │
 *              └─delay─▶ PAUSED ◀─retry──┘  │ └─no connection free─▶ QUEUED ─freed─▶ WAITING
 *                          └────dispatch────┘
 *
 * HOLDING: a chunked request has sent nothing upstream yet. It is held until its body is whole, HOLD_LIMIT bytes of it came or
 * HOLD_TIME passed, so that a malformed chunk in a body of ordinary size reaches nobody, and so that such a body can be sent again.
 * PAUSED: nothing is under way until a timer says so, which is an injected delay or the pause before a retry. QUEUED: the version has as many
 * connections as it may. WAITING: an attempt runs, or two where one is a hedge, and the client has seen nothing. ANSWERED: one
 * attempt is left, and the client gets its answer.
 *
 * What follows a failed attempt is decided in recovery.ts and done here. The exchange above knows nothing of it: it is told of one answer, or
 * of the failure that is left when nothing more may be tried.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { ReplyCode } from '../../model/local-reply.ts';
import { Timer, type TimerOwner } from '../../runtime/timer-wheel.ts';
import { type FlushState, FULL } from '../codec.ts';
import type { ResponseHead } from '../http1/response-head.ts';
import { Trial } from '../record/trial.ts';
import type { Choice } from '../route/choice.ts';
import type { Service } from '../route/service.ts';
import type { Version, Waiter } from '../route/version.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Attempt, type AttemptOwner } from './attempt.ts';
import { CircuitPass } from './circuit-pass.ts';
import type { DispatchOwner } from './dispatch-owner.ts';
import type { Endpoint } from './endpoint.ts';
import { NOTHING, SHIELD } from './recovery.ts';
import { RequestCopy } from './request-copy.ts';

const IDLE = 0;
const HOLDING = 1;
const PAUSED = 2;
const QUEUED = 3;
const WAITING = 4;
const ANSWERED = 5;

/** Most bytes for which a chunked request is held, and least that are kept for a second attempt. */
export const HOLD_LIMIT = 16_384;
/** Longest that a chunked request is held, milliseconds. */
const HOLD_TIME = 100;
const NOT_SET = Number.POSITIVE_INFINITY;

export class Dispatch implements AttemptOwner, TimerOwner, Waiter {
  readonly request = new RequestCopy();
  /** The version whose failed attempt stable answers. */
  shieldedFrom: Version | null = null;
  readonly #context: WorkerContext;
  readonly client: DispatchOwner;
  /** What the request says about its version. */
  readonly trial: Trial;
  readonly #timer = new Timer(this);
  /** Pauses and hedges, which are short and rare, have a finer clock. */
  readonly #soon = new Timer(this);
  readonly #choice = { session: null as Choice['session'], sessionHash: 0, hash: 0 };
  readonly #tried: Endpoint[] = [];
  readonly #pass = new CircuitPass();
  #attempt: Attempt;
  #hedge: Attempt | null = null;
  #state = IDLE;
  #service: Service | null = null;
  #version: Version | null = null;
  #forced = false;
  #began = 0;
  /** Clock time by which the response head must be there; set when the request is whole. */
  #deadline = NOT_SET;
  #retries = 0;

  constructor(context: WorkerContext, client: DispatchOwner) {
    this.#context = context;
    this.client = client;
    this.trial = new Trial(context);
    this.#attempt = new Attempt(context, this);
  }

  /** The version that the answer comes from, or would; null where none was chosen. */
  get version(): Version | null {
    return this.#version;
  }

  /** The one that the answer comes from, or was hoped to; only where `request.attempts` is not 0. */
  get attempt(): Attempt {
    return this.#attempt;
  }

  /** Takes the request over. @returns false where the version's circuit breaker is open. */
  admit(service: Service, choice: Choice, now: number): boolean {
    const version = choice.version!;
    this.#service = service;
    this.#forced = choice.forced;
    this.#choice.session = choice.session;
    this.#choice.sessionHash = choice.sessionHash;
    this.#choice.hash = choice.hash;
    this.#began = now;
    this.#deadline = NOT_SET;
    this.#retries = 0;
    this.shieldedFrom = null;
    this.#context.counters.requestAssigned(version.id);
    this.trial.begin(choice);
    return this.#enter(version);
  }

  #enter(version: Version): boolean {
    this.#version = version;
    if (this.#pass.enter(version)) return true;
    this.#context.counters.overflowed(version.id);
    return false;
  }

  /** Sends the request, whose head and fields are in `request`. @param delay milliseconds to wait first. */
  start(delay: number, hold: boolean): void {
    this.#service!.recovery.budget.request(this.#began);
    if (delay > 0) return this.#pause(delay);
    if (!hold) return this.#dispatch(this.#began);
    this.#state = HOLDING;
    this.#context.wheel.start(this.#timer, HOLD_TIME);
  }

  #pause(ms: number): void {
    this.#state = PAUSED;
    this.#context.wheel.stop(this.#timer);
    this.#context.fineWheel.start(this.#soon, ms);
  }

  /** Starts an attempt with whatever of the request has come so far. */
  #dispatch(now: number): void {
    // 6. Endpoint; a version that has none to spare, or was closed after it was chosen, fails over to stable
    const service = this.#service!;
    const isClosed = this.#version !== service.stable && this.trial.closed(this.#version!.id);
    let endpoint = isClosed ? null : service.pick(this.#version!, this.#choice, now, this.#tried);
    if (endpoint === null && this.#version !== service.stable) {
      this.#context.counters.failedOver(this.#version!.id);
      if (!this.#enter(service.stable)) return this.client.onNoAnswer('overflow');
      this.#tried.length = 0;
      endpoint = service.pick(service.stable, this.#choice, now, this.#tried);
    }
    if (endpoint === null) {
      if (this.#version!.endpoints.size > 0) return this.#overflow();
      return this.client.onNoAnswer('no_endpoint');
    }
    if (!this.#version!.mayConnect(endpoint)) return this.#queue(now);
    // 7. Forward
    this.#launch(endpoint, false, now);
  }

  #queue(now: number): void {
    if (!this.#version!.wait(this)) return this.#overflow();
    this.#state = QUEUED;
    const left = Math.max(0, this.#deadline - now);
    this.#context.wheel.start(this.#timer, Math.min(left, this.#service!.timeouts.connect));
  }

  onConnectionFree(): void {
    this.#dispatchNow();
  }

  /** Dispatches outside of the client's read events, where nobody else flushes. */
  #dispatchNow(): void {
    this.#dispatch(this.#context.clock.now());
    this.#flushAttempt();
  }

  #flushAttempt(): void {
    if (this.#state === WAITING && this.#attempt.flush() !== FULL) this.client.resumeRequest();
  }

  #launch(endpoint: Endpoint, fresh: boolean, now: number): void {
    const { request } = this;
    this.#state = WAITING;
    this.#attempt.launch(this.#version!, endpoint, fresh, now);
    if (!request.whole) request.body = '';
    if (request.ended) this.#sendEnd(now);
    else this.#context.wheel.stop(this.#timer);
  }

  #sendEnd(now: number): void {
    this.#attempt.sendEnd(this.request.trailers, now);
    if (this.#state !== WAITING) return;
    const { timeouts, recovery } = this.#service!;
    if (this.#deadline === NOT_SET) this.#deadline = now + timeouts.request;
    // A timer may fire a little late, and an attempt may be repeated in between.
    this.#context.wheel.start(this.#timer, Math.max(0, this.#deadline - now));
    if (recovery.mayHedge(this.request.method)) this.#context.fineWheel.start(this.#soon, recovery.hedgeAfter);
  }

  /** The next piece of the body; `request.bytes` counts it already. */
  data(buf: Buffer, start: number, end: number, shared: boolean): void {
    const { request } = this;
    // What was kept before leaves first; this piece is not in it yet.
    if (this.#state === HOLDING && request.bytes > HOLD_LIMIT) this.#dispatch(this.#context.clock.now());
    if (this.#state === IDLE) return;
    if (this.#state === PAUSED || this.#state === QUEUED) {
      request.keep(buf, start, end, true);
      if (request.isOverLimit) this.client.pauseRequest();
      return;
    }
    const text = request.keep(buf, start, end, false);
    if (text === '') this.#attempt.sendData(buf, start, end, shared);
    else this.#attempt.sendText(text);
  }

  end(trailers: string): void {
    this.request.trailers = trailers;
    if (this.#state === HOLDING) this.#dispatch(this.#context.clock.now());
    else if (this.#state >= WAITING) this.#sendEnd(this.#context.clock.now());
  }

  /** Raw bytes of a tunnel. */
  tunnel(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#attempt.sendData(buf, start, end, shared);
  }

  flush(): FlushState {
    return this.#attempt.flush();
  }

  resumeAnswer(): void {
    this.#attempt.resume();
  }

  onAnswer(attempt: Attempt, head: ResponseHead): void {
    if (head.status < 200 && head.status !== 101) return this.client.onInformational(head);
    // 8. Judge
    if (this.#isRaced(attempt)) {
      // A server error is not worth winning with while the other attempt may still do better.
      if (head.status >= 500) return this.#drop(attempt);
      if (attempt !== this.#attempt) this.#context.counters.hedgeWon(this.#version!.id);
      this.#drop(attempt === this.#attempt ? this.#hedge! : this.#attempt);
    }
    const watched = head.status >= 400 && this.#service!.recovery.watchesStatus;
    if (watched && this.#recover(attempt, null, head.status)) return;
    this.#context.wheel.stop(this.#timer);
    this.#context.fineWheel.stop(this.#soon);
    this.#state = ANSWERED;
    if (this.#tried.length > 0) this.#service!.moveSession(this.#version!, this.#choice, attempt.endpoint);
    this.client.onAnswer(head);
  }

  onAnswerData(attempt: Attempt, buf: Buffer, start: number, end: number, shared: boolean): void {
    if (attempt === this.#attempt) this.client.onAnswerData(buf, start, end, shared);
  }

  onAnswerEnd(attempt: Attempt, trailers: string): void {
    if (attempt === this.#attempt) this.client.onAnswerEnd(trailers);
  }

  onFailure(attempt: Attempt, code: ReplyCode): void {
    // 8. Judge
    if (this.#isRaced(attempt)) return this.#drop(attempt);
    if (this.#state === WAITING) {
      if (attempt.stale) {
        this.#launch(attempt.endpoint, true, this.#context.clock.now());
        this.#flushAttempt();
      } else if (!this.#recover(attempt, code, 0)) this.client.onNoAnswer(code);
      return;
    }
    // Head and fault may have come in one packet: then the client has seen nothing of it.
    const again = this.#state === ANSWERED && this.client.retractAnswer() && this.#recover(attempt, code, 0);
    if (!again) this.client.onNoAnswer(code);
  }

  /** Starts what may follow a setback. @returns false where nothing may. */
  #recover(attempt: Attempt, code: ReplyCode | null, status: number): boolean {
    const { request } = this;
    if (!request.repeatable) return false;
    const { recovery, stable } = this.#service!;
    const version = this.#version!;
    const setback = this.#context.setback;
    const unshielded = version === stable || stable.endpoints.size === 0;
    setback.set(code, status, request, unshielded, this.#forced, this.#retries);
    const step = recovery.next(setback);
    if (step === NOTHING) return false;
    const now = this.#context.clock.now();
    this.#tried.push(attempt.endpoint);
    const pause = step === SHIELD ? 0 : recovery.pause(setback, version.endpoints.hasOther(this.#tried));
    if (now + pause >= this.#deadline) return false;
    if (!this.#mayRepeat(step === SHIELD ? stable : version, now)) return false;
    if (status !== 0) attempt.passOver();
    if (step === SHIELD) this.#moveToStable(version, stable, now);
    else {
      this.#retries++;
      this.#context.counters.retried(version.id);
    }
    if (pause > 0) this.#pause(pause);
    else this.#dispatchNow();
    return true;
  }

  #moveToStable(from: Version, stable: Version, now: number): void {
    this.#context.counters.shielded(from.id, now - this.#began);
    this.shieldedFrom = from;
    this.#tried.length = 0;
    this.#retries = 0;
    this.#version = stable;
  }

  #mayRepeat(target: Version, now: number): boolean {
    if (this.#pass.repeat(target, this.#service!.recovery.budget, now)) return true;
    this.#context.counters.retryDenied(this.#version!.id);
    return false;
  }

  /** Whether the other attempt runs. */
  #isRaced(attempt: Attempt): boolean {
    return this.#hedge !== null && (attempt === this.#attempt ? this.#hedge : this.#attempt).live;
  }

  /** Goes on with the other attempt alone. */
  #drop(attempt: Attempt): void {
    attempt.abandon();
    if (attempt !== this.#attempt) return;
    this.#attempt = this.#hedge!;
    this.#hedge = attempt;
  }

  #startHedge(): void {
    const now = this.#context.clock.now();
    const version = this.#version!;
    this.#tried.push(this.#attempt.endpoint);
    const endpoint = version.endpoints.pick(this.#choice.hash, now, this.#tried);
    if (endpoint === null || endpoint === this.#attempt.endpoint || !version.mayConnect(endpoint)) return;
    if (!this.#mayRepeat(version, now)) return;
    this.#context.counters.hedged(version.id);
    this.#hedge ??= new Attempt(this.#context, this);
    this.#tried.push(endpoint);
    this.#hedge.launch(version, endpoint, false, now);
    this.#hedge.sendEnd(this.request.trailers, now);
    this.#hedge.flush();
  }

  onTimer(timer: Timer): void {
    if (timer === this.#soon) {
      if (this.#state === PAUSED) this.#dispatchNow();
      else if (this.#state === WAITING && this.request.whole) this.#startHedge();
    } else if (this.#state === HOLDING) {
      this.#dispatchNow();
    } else if (this.#state === QUEUED) {
      this.#overflow();
    } else if (this.#state === WAITING) {
      this.#hedge?.abandon();
      this.#attempt.timeOut();
      this.client.onNoAnswer('upstream_timeout');
    }
  }

  #overflow(): void {
    this.#context.counters.overflowed(this.#version!.id);
    this.client.onNoAnswer('overflow');
  }

  /** The answer takes the session's cookie to the client. */
  cookieSent(): void {
    if (this.#choice.session !== null) this.#choice.session.cookieAt = this.#began;
  }

  /** The answer that has just been announced cannot be used. */
  refuseAnswer(code: ReplyCode): void {
    this.#state = WAITING;
    this.#attempt.refuse(code);
  }

  /** The answer has been passed on whole. */
  complete(reusable: boolean): void {
    const from = this.shieldedFrom;
    if (from !== null && this.#attempt.status < 500) this.#context.counters.shieldSaved(from.id);
    this.#attempt.complete(reusable);
  }

  closeTunnel(): void {
    this.#attempt.closeTunnel();
  }

  /** Abandons what still runs and forgets the request. */
  stop(): void {
    if (this.#state === QUEUED) this.#version!.stopWaiting(this);
    this.#state = IDLE;
    this.#attempt.abandon();
    this.#hedge?.abandon();
    this.#pass.leave();
    this.#version = null;
    this.#tried.length = 0;
    this.#choice.session = null;
    this.request.clear();
    this.#context.wheel.stop(this.#timer);
    this.#context.fineWheel.stop(this.#soon);
  }

  /** The connection goes away for good. */
  dispose(): void {
    this.#context.wheel.remove(this.#timer);
    this.#context.fineWheel.remove(this.#soon);
    this.trial.dispose();
  }
}
