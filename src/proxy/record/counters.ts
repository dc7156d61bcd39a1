/**
 * The counters of one worker: additions to slots of a shared block (model/counters.ts), nothing else.
 *
 * @hotpath bench/micro/exchange.ts
 */
import { VERSION_SLOTS, versionSlot, WORKER_SLOTS } from '../../model/counters.ts';
import type { ReplyCode } from '../../model/local-reply.ts';

const { accepted, rejected, open, requests, refused, localReplies, cut, clientAborts, inFlight } = WORKER_SLOTS;

export class Counters {
  readonly #block: Float64Array;

  constructor(block: Float64Array) {
    this.#block = block;
  }

  get inFlight(): number {
    return this.#block[inFlight]!;
  }

  connectionOpened(): void {
    this.#add(accepted, 1);
    this.#add(open, 1);
  }

  connectionClosed(): void {
    this.#add(open, -1);
  }

  connectionRejected(): void {
    this.#add(rejected, 1);
  }

  requestStarted(): void {
    this.#add(requests, 1);
    this.#add(inFlight, 1);
  }

  requestRefused(): void {
    this.#add(refused, 1);
  }

  requestEnded(how: 'done' | 'cut' | 'aborted' | ReplyCode): void {
    this.#add(inFlight, -1);
    if (how === 'done') return;
    this.#add(how === 'cut' ? cut : how === 'aborted' ? clientAborts : localReplies, 1);
  }

  attemptAnswered(versionId: number, status: number): void {
    this.#add(versionSlot(versionId) + ((status / 100) | 0) - 1, 1);
  }

  attemptFailed(versionId: number, code: ReplyCode): void {
    this.#add(versionSlot(versionId) + failureSlot(code), 1);
  }

  #add(slot: number, by: number): void {
    this.#block[slot] = this.#block[slot]! + by;
  }
}

function failureSlot(code: ReplyCode): number {
  switch (code) {
    case 'connect_failed':
    case 'connect_timeout':
      return VERSION_SLOTS.connectFailures;
    case 'upstream_timeout':
      return VERSION_SLOTS.timeouts;
    case 'upstream_malformed':
      return VERSION_SLOTS.malformed;
    default:
      return VERSION_SLOTS.resets;
  }
}
