/**
 * Which of the events that wait for a failing receiver are not worth their place: the oldest of the least level, as many as there are too many.
 *
 *     surplus = waiting − most;  an event is given up ⇔ surplus > waiting behind it of lesser levels
 *
 * The events lie in the log and are met oldest first, so no queue is kept: what is counted are levels. An event is given up when it is met and
 * those of lesser levels that wait behind it would not make room enough; what a queue in memory that throws out its oldest `info` first would
 * keep is kept here, too. With nothing to count nothing is given up, nor is what came after the counting.
 */
import type { EventLevel } from '../events/event.ts';

export class Backlog {
  readonly #waiting: Record<EventLevel, number> = { info: 0, warning: 0, critical: 0 };
  #surplus: number;

  constructor(most: number) {
    this.#surplus = -most;
  }

  add(level: EventLevel): void {
    this.#waiting[level]++;
    this.#surplus++;
  }

  /** To be asked once for each event, oldest first, when all have been added. */
  givesUp(level: EventLevel): boolean {
    if (this.#surplus <= 0) return false;
    this.#waiting[level]--;
    const { info, warning } = this.#waiting;
    const lesser = level === 'info' ? 0 : level === 'warning' ? info : info + warning;
    if (this.#surplus <= lesser) return false;
    this.#surplus--;
    return true;
  }
}
