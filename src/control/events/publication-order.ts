/**
 * Lets events out in the order of their numbers, although they become ready in another one.
 *
 *     given ──settled, nothing older is open──▶ out
 *       └─────settled, something older is open─▶ held ──the older one settles, or is given up──▶ out
 *
 * An event that belongs to a commit has its number before the commit and is ready behind it; events of other sources happen in between.
 * Told at once, these would overtake it, and a reader that resumes after the last number it saw would never hear of the one that was
 * overtaken. So they are held: for the length of one commit, which is a few milliseconds. A number that nobody settles (a bug, or a commit
 * that hangs) must not silence the log: after PATIENCE it is given up and the others go on. What settles after that is told late, out of order.
 *
 * Numbers are dense within one process, so the next one to go is always known and nothing is sorted.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { SluiceEvent } from './event.ts';

/** Milliseconds. */
export const PATIENCE = 5_000;

export interface PublicationOrderOptions {
  readonly clock: Clock;
  readonly logger: Logger;
  /** Number of the last event before the first of this process. */
  readonly last: number;
  readonly out: (event: SluiceEvent) => void;
}

export class PublicationOrder {
  readonly #options: PublicationOrderOptions;
  /** Settled and not yet out; null for a number that will have no event. */
  readonly #held = new Map<number, SluiceEvent | null>();
  #given: number;
  #last: number;
  #releasing = false;
  #patience: { readonly timer: Interval; readonly waitingFor: number } | null = null;

  constructor(options: PublicationOrderOptions) {
    this.#options = options;
    this.#given = options.last;
    this.#last = options.last;
  }

  /** Every event up to this number is out or will never be. */
  get last(): number {
    return this.#last;
  }

  /** The last number that was given. */
  get given(): number {
    return this.#given;
  }

  give(): number {
    return ++this.#given;
  }

  /** @param event null where the number will have no event. */
  settle(id: number, event: SluiceEvent | null): void {
    if (id > this.#last) this.#held.set(id, event);
    else if (event !== null) this.#tell(event);
    this.#release();
  }

  /** Gives up whatever is open, so that nothing is held any more. */
  end(): void {
    for (let id = this.#last + 1; id <= this.#given; id++) if (!this.#held.has(id)) this.#held.set(id, null);
    this.#release();
  }

  /** A listener may cause the next event; that one waits until everybody has heard this one. */
  #release(): void {
    if (this.#releasing) return;
    this.#releasing = true;
    for (let event = this.#held.get(this.#last + 1); event !== undefined; event = this.#held.get(this.#last + 1)) {
      this.#held.delete(++this.#last);
      if (event !== null) this.#tell(event);
    }
    this.#releasing = false;
    this.#watchOpen();
  }

  #tell(event: SluiceEvent): void {
    this.#options.out(event);
  }

  #watchOpen(): void {
    const next = this.#last + 1;
    if (this.#patience?.waitingFor === next && this.#held.size > 0) return;
    this.#patience?.timer.stop();
    this.#patience = null;
    if (this.#held.size === 0) return;
    const timer = this.#options.clock.setInterval(() => {
      this.#options.logger.warn('event_given_up', { id: next, held: this.#held.size });
      this.settle(next, null);
    }, PATIENCE);
    this.#patience = { timer, waitingFor: next };
  }
}
