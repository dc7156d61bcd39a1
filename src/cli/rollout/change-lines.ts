/**
 * What has changed since the last look at a rollout, a line each: for logs, where a page that is drawn again and again is of no use.
 *
 * The timeline has no numbers, so what is new is what stands behind the last entry that was told; where that one is no longer among the newest
 * twenty, all of them are. The sentence on what it waits for is told when its words change: its numbers do so with every look.
 */
import type { RolloutView } from '../../control/rollout/view.ts';
import { time } from '../client/format.ts';
import { printable } from '../client/printable.ts';
import type { Paint } from '../client/table.ts';

type Entry = RolloutView['timeline'][number];

export class ChangeLines {
  readonly #paint: Paint;
  #told: string | null = null;
  #waiting: string | null = null;

  constructor(paint: Paint) {
    this.#paint = paint;
  }

  /** Lines for what is new in `view`; of the first view, for all of its timeline. */
  of(view: RolloutView): string {
    const fresh = this.#fresh(view.timeline);
    const last = view.timeline.at(-1);
    if (last !== undefined) this.#told = keyOf(last);
    return fresh.map((entry) => entryLine(entry, this.#paint)).join('') + this.#waitingLine(view);
  }

  #fresh(timeline: readonly Entry[]): readonly Entry[] {
    return timeline.slice(timeline.findLastIndex((entry) => keyOf(entry) === this.#told) + 1);
  }

  #waitingLine({ waiting, timeline }: RolloutView): string {
    const words = waiting === null ? null : wordsOf(waiting);
    if (words === this.#waiting) return '';
    this.#waiting = words;
    const last = timeline.findLast(({ kind }) => kind === 'waiting');
    return waiting === null || (last !== undefined && wordsOf(last.message) === words)
      ? ''
      : `${this.#paint(`waits: ${printable(waiting)}`, 'faint')}\n`;
  }
}

const wordsOf = (sentence: string): string => sentence.replace(/[\d.,]+/g, '#');

const keyOf = ({ at, kind, message }: Entry): string => JSON.stringify([at, kind, message]);

export const entryLine = ({ at, kind, message }: Entry, paint: Paint): string =>
  `${paint(time(printable(at)), 'faint')}  ${printable(kind).padEnd(12)}  ${printable(message)}\n`;
