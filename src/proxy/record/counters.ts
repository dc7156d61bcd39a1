/**
 * The counters of one worker: additions to slots of a shared block (model/counters.ts), nothing else.
 *
 * @hotpath bench/micro/exchange.ts
 */
import { failureKind, VERSION_SLOTS, versionSlot, WORKER_SLOTS } from '../../model/counters.ts';
import type { ReplyCode } from '../../model/local-reply.ts';

const W = WORKER_SLOTS;
const V = VERSION_SLOTS;

/** How a request ended: an answer from upstream or from the configuration, an injected fault, or one of Sluice's own refusals. */
export type RequestEnd = 'done' | 'cut' | 'aborted' | 'fault' | ReplyCode;

export class Counters {
  readonly #block: Float64Array;

  constructor(block: Float64Array) {
    this.#block = block;
  }

  get inFlight(): number {
    return this.#block[W.inFlight]!;
  }

  connectionOpened(): void {
    this.#add(W.accepted, 1);
    this.#add(W.open, 1);
  }

  connectionClosed(): void {
    this.#add(W.open, -1);
  }

  connectionRejected(): void {
    this.#add(W.rejected, 1);
  }

  requestStarted(): void {
    this.#add(W.requests, 1);
    this.#add(W.inFlight, 1);
  }

  requestRefused(): void {
    this.#add(W.refused, 1);
  }

  requestEnded(how: RequestEnd): void {
    this.#add(W.inFlight, -1);
    if (how === 'done') return;
    this.#add(how === 'cut' ? W.cut : how === 'aborted' ? W.clientAborts : W.localReplies, 1);
  }

  rateLimited(): void {
    this.#add(W.rateLimited, 1);
  }

  faultInjected(): void {
    this.#add(W.faultsInjected, 1);
  }

  requestAssigned(versionId: number): void {
    this.#add(versionSlot(versionId) + V.requests, 1);
  }

  logLinesDropped(count: number): void {
    this.#add(W.logLinesDropped, count);
  }

  spansDropped(count: number): void {
    this.#add(W.spansDropped, count);
  }

  /** @param by connections that begin or cease to carry an exchange. */
  upstreamActive(by: number): void {
    this.#add(W.upstreamActive, by);
  }

  /** @param by connections that come to or leave the idle ones. */
  upstreamIdle(by: number): void {
    this.#add(W.upstreamIdle, by);
  }

  attemptAnswered(versionId: number, status: number): void {
    this.#add(versionSlot(versionId) + ((status / 100) | 0) - 1, 1);
  }

  attemptFailed(versionId: number, code: ReplyCode): void {
    this.#add(versionSlot(versionId) + V[failureKind(code)], 1);
  }

  retried(versionId: number): void {
    this.#add(versionSlot(versionId) + V.retries, 1);
  }

  retryDenied(versionId: number): void {
    this.#add(versionSlot(versionId) + V.retriesDenied, 1);
  }

  /** @param delay milliseconds that the request had spent on the version. */
  shielded(versionId: number, delay: number): void {
    this.#add(versionSlot(versionId) + V.shielded, 1);
    this.#add(versionSlot(versionId) + V.shieldDelay, delay);
  }

  shieldSaved(versionId: number): void {
    this.#add(versionSlot(versionId) + V.shieldSaved, 1);
  }

  hedged(versionId: number): void {
    this.#add(versionSlot(versionId) + V.hedges, 1);
  }

  hedgeWon(versionId: number): void {
    this.#add(versionSlot(versionId) + V.hedgeWins, 1);
  }

  failedOver(versionId: number): void {
    this.#add(versionSlot(versionId) + V.failovers, 1);
  }

  overflowed(versionId: number): void {
    this.#add(versionSlot(versionId) + V.overflows, 1);
  }

  affinityHit(versionId: number): void {
    this.#add(versionSlot(versionId) + V.affinityHits, 1);
  }

  affinityMiss(versionId: number): void {
    this.#add(versionSlot(versionId) + V.affinityMisses, 1);
  }

  #add(slot: number, by: number): void {
    this.#block[slot] = this.#block[slot]! + by;
  }
}
