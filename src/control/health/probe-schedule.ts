/**
 * When whose turn is: one timer for all checks, and as few wake-ups as will do.
 *
 * What a probe costs is mostly the waking up for it: on the development machine a probe that goes out by itself takes about 300 µs of
 * processor time, one of a dozen that go out together about 90 (bench/probes.ts has the figures). So turns are moved to the nearest line of
 * a grid that is about an eighth of the pause, and checks that fall on one line go out together. At most BATCH of them at once: the
 * thread has more to do than to probe, and a thousand endpoints must not keep it for longer than a few milliseconds. The rest follows a
 * moment later, beginning where the last batch stopped, so that even too many checks are late rather than forgotten.
 *
 * The timer runs to the earliest turn and is set anew; who has his turn is found by looking at everybody. A heap or a timer wheel
 * would find them faster and would have to be told of every change; for a few thousand checks the look takes microseconds, a few times
 * a second. With no checks there is no timer.
 *
 * After a stall of the thread (or of the machine) timers fire before the answers that came meanwhile are read. Turns are then called with
 * `late`, and nobody may hold the silence against an endpoint.
 */
import type { Clock, Interval } from '../../runtime/clock.ts';

export interface Turn {
  /** Clock time of the next turn; call {@link ProbeSchedule.sooner} when it is moved. */
  dueAt: number;
  /** Sets `dueAt` to a later time. @param late the thread has been away for some time. */
  turn(now: number, late: boolean): void;
}

const BATCH = 32;
const BATCH_PAUSE = 10;
/** Node's timers are good to a millisecond; a turn that is due within it is taken along. */
const SLACK = 1;
const STALL = 100;
const LINES = [500, 250, 100, 50, 20, 10];
const LINES_PER_PAUSE = 8;

/** The line of the grid that is nearest to `at`, for turns that come every `pause` milliseconds. */
export function nearestLine(at: number, pause: number): number {
  const line = LINES.find((width) => width * LINES_PER_PAUSE <= pause) ?? 1;
  return Math.round(at / line) * line;
}

export class ProbeSchedule {
  readonly #clock: Clock;
  readonly #turns: Turn[] = [];
  #timer: Interval | null = null;
  #armedFor = Number.POSITIVE_INFINITY;
  #next = 0;

  constructor(clock: Clock) {
    this.#clock = clock;
  }

  add(turn: Turn): void {
    this.#turns.push(turn);
    this.sooner(turn.dueAt);
  }

  remove(turn: Turn): void {
    const at = this.#turns.indexOf(turn);
    if (at === -1) return;
    const last = this.#turns.pop()!;
    if (last !== turn) this.#turns[at] = last;
    if (this.#turns.length === 0) this.#disarm();
  }

  /** A turn is due at `at`, which may be before the timer fires. */
  sooner(at: number): void {
    if (at < this.#armedFor) this.#arm(at);
  }

  close(): void {
    this.#turns.length = 0;
    this.#disarm();
  }

  readonly #onTimer = (): void => {
    const now = this.#clock.now();
    const late = now - this.#armedFor > STALL;
    this.#timer?.stop();
    this.#timer = null;
    // Nothing is sooner than now: whatever is moved or added by the turns is found by the look at the end.
    this.#armedFor = Number.NEGATIVE_INFINITY;
    this.#callDue(now, late);
    this.#armedFor = Number.POSITIVE_INFINITY;
    let earliest = Number.POSITIVE_INFINITY;
    for (const { dueAt } of this.#turns) if (dueAt < earliest) earliest = dueAt;
    if (earliest !== Number.POSITIVE_INFINITY) this.#arm(Math.max(earliest, now + BATCH_PAUSE));
  };

  #callDue(now: number, late: boolean): void {
    const start = this.#next;
    let called = 0;
    // A turn may add and remove turns, so that a place is only looked up when it comes; who is skipped by that is due the next time.
    for (let i = 0; i < this.#turns.length && called < BATCH; i++) {
      const at = (start + i) % this.#turns.length;
      const turn = this.#turns[at]!;
      if (turn.dueAt > now + SLACK) continue;
      called++;
      this.#next = at + 1;
      turn.turn(now, late);
    }
  }

  #arm(at: number): void {
    this.#timer?.stop();
    this.#armedFor = at;
    this.#timer = this.#clock.setInterval(this.#onTimer, Math.max(1, Math.ceil(at - this.#clock.now())));
  }

  #disarm(): void {
    this.#timer?.stop();
    this.#timer = null;
    this.#armedFor = Number.POSITIVE_INFINITY;
  }
}
