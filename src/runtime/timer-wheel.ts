/**
 * A coarse, lazy timer wheel: one interval drives every timeout of a worker.
 *
 * Why. A proxied request starts and stops about five timeouts and almost none ever fires. A timer of Node's own costs an allocation
 * and list surgery each time; here starting one again is two stores, because a timer stays where it is linked when its deadline
 * moves *later*: the slot visit finds it not yet due and links it further on. Only a deadline that moves earlier pays for a move.
 *
 * Limits. A timer fires between its delay and two ticks after it, never early, unless it was started in a turn of the event loop that had
 * lasted longer than a tick already: time is what the last tick said it is. A stopped timer stays linked until its slot is
 * visited, so an owner that goes away calls {@link TimerWheel.remove}.
 *
 * @hotpath bench/micro/timer-wheel.ts
 */
import type { Clock, Interval } from './clock.ts';

export interface TimerOwner {
  onTimer(timer: Timer): void;
}

const NOT_LINKED = -1;
const STOPPED = 0;
const SLOTS = 512;
const MASK = SLOTS - 1;

/** One timeout of one owner; reused for the owner's whole life. */
export class Timer {
  readonly owner: TimerOwner;
  /** Tick at which it fires, or STOPPED. */
  due = STOPPED;
  /** Tick of the slot that it is linked in, or NOT_LINKED. */
  linked = NOT_LINKED;
  prev: Timer | null = null;
  next: Timer | null = null;
  /** The next timer to fire in the present visit; apart from `next`, because an owner may start this timer meanwhile. */
  firing: Timer | null = null;

  constructor(owner: TimerOwner) {
    this.owner = owner;
  }

  get running(): boolean {
    return this.due !== STOPPED;
  }
}

/** Stands for the interval of a wheel that turns no more. */
const CLOSED: Interval = { stop: () => {} };

export interface TimerWheelOptions {
  /** Is called once an interval, before timers fire. */
  readonly onTick?: () => void;
  /** Whether the interval stands still while no timer is linked; for wheels that are rarely used. Default false. */
  readonly resting?: boolean;
}

export class TimerWheel {
  readonly #clock: Clock;
  readonly #origin: number;
  readonly #resolution: number;
  readonly #resting: boolean;
  readonly #onTick: () => void;
  #interval: Interval | null = null;
  readonly #slots: (Timer | null)[] = new Array<Timer | null>(SLOTS).fill(null);
  #tick = 1;
  #linked = 0;

  /** @param resolution milliseconds per tick. */
  constructor(clock: Clock, resolution: number, options: TimerWheelOptions = {}) {
    this.#clock = clock;
    this.#origin = clock.now();
    this.#resolution = resolution;
    this.#resting = options.resting ?? false;
    this.#onTick = options.onTick ?? (() => {});
    if (!this.#resting) this.#run();
  }

  #run(): void {
    this.#interval = this.#clock.setInterval(() => this.#advance(), this.#resolution);
  }

  /** (Re)starts a timer to fire in `ms` milliseconds; a time that has passed is now. */
  start(timer: Timer, ms: number): void {
    if (this.#interval === null) {
      // No slot holds anything, so the time that was slept through needs no visits.
      this.#tick = this.#present();
      this.#run();
    }
    const due = this.#tick + (ms > 0 ? Math.ceil(ms / this.#resolution) : 0) + 1;
    timer.due = due;
    if (timer.linked === NOT_LINKED) {
      this.#link(timer, due);
    } else if (due < timer.linked) {
      this.#unlink(timer);
      this.#link(timer, due);
    }
  }

  /** Keeps a timer from firing; it may be started again. */
  stop(timer: Timer): void {
    timer.due = STOPPED;
  }

  /** Forgets a timer whose owner goes away. */
  remove(timer: Timer): void {
    timer.due = STOPPED;
    if (timer.linked !== NOT_LINKED) this.#unlink(timer);
  }

  close(): void {
    this.#interval?.stop();
    this.#interval = CLOSED;
  }

  #present(): number {
    return 1 + Math.floor((this.#clock.now() - this.#origin) / this.#resolution);
  }

  #link(timer: Timer, tick: number): void {
    this.#linked++;
    const slot = tick & MASK;
    const head = this.#slots[slot]!;
    timer.linked = tick;
    timer.prev = null;
    timer.next = head;
    if (head !== null) head.prev = timer;
    this.#slots[slot] = timer;
  }

  #unlink(timer: Timer): void {
    this.#linked--;
    if (timer.prev !== null) timer.prev.next = timer.next;
    else this.#slots[timer.linked & MASK] = timer.next;
    if (timer.next !== null) timer.next.prev = timer.prev;
    timer.prev = null;
    timer.next = null;
    timer.linked = NOT_LINKED;
  }

  #advance(): void {
    this.#onTick();
    const target = this.#present();
    while (this.#tick < target) {
      this.#tick++;
      this.#visit(this.#tick);
    }
    if (this.#resting && this.#linked === 0) {
      this.#interval?.stop();
      this.#interval = null;
    }
  }

  #visit(tick: number): void {
    // Due timers are collected before any fires, so that what their owners start, stop or remove cannot disturb the walk.
    let firing: Timer | null = null;
    let timer = this.#slots[tick & MASK] ?? null;
    while (timer !== null) {
      const next: Timer | null = timer.next;
      if (timer.linked === tick) {
        this.#unlink(timer);
        if (timer.due > tick) {
          this.#link(timer, timer.due);
        } else if (timer.due !== STOPPED) {
          timer.firing = firing;
          firing = timer;
        }
      }
      timer = next;
    }
    while (firing !== null) {
      const due: Timer = firing;
      firing = due.firing;
      due.firing = null;
      // An owner that fired earlier in this visit may have stopped or restarted this one.
      if (due.due !== STOPPED && due.due <= tick) {
        due.due = STOPPED;
        due.owner.onTimer(due);
      }
    }
  }
}
