/**
 * Waiting without sleeping.
 *
 * A test waits for a fact, never for a time: an object that changes on events calls `notify`, and every waiter looks at its
 * condition again. The limit of each wait is only there to turn a hang into a failure that says what was awaited. `turns` is the other
 * tool: it lets the event loop go round, which is how two writes become two packets although no time passes.
 */
import { setImmediate as nextTurn } from 'node:timers/promises';

/** Long enough for a loaded machine; reached only by a test that fails. */
export const PATIENCE = 8000;

export interface Described {
  describe(): string;
}

interface Waiter {
  readonly condition: () => boolean;
  readonly settle: () => void;
}

export class Signal {
  readonly #waiters = new Set<Waiter>();
  readonly #owner: Described;

  constructor(owner: Described) {
    this.#owner = owner;
  }

  notify(): void {
    for (const waiter of this.#waiters) if (waiter.condition()) waiter.settle();
  }

  wait(what: string, condition: () => boolean, patience = PATIENCE): Promise<void> {
    if (condition()) return Promise.resolve();
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => {
        this.#waiters.delete(waiter);
        reject(new Error(`waited in vain for ${what}; ${this.#owner.describe()}`));
      }, patience);
      const waiter: Waiter = {
        condition,
        settle: () => {
          this.#waiters.delete(waiter);
          clearTimeout(timer);
          resolve();
        },
      };
      this.#waiters.add(waiter);
    });
  }
}

export async function turns(count: number): Promise<void> {
  for (let i = 0; i < count; i++) await nextTurn();
}

/** Polls a fact that nobody announces. */
export async function until(what: string, condition: () => boolean, patience = PATIENCE): Promise<void> {
  const end = performance.now() + patience;
  while (!condition()) {
    if (performance.now() > end) throw new Error(`waited in vain for ${what}`);
    await nextTurn();
  }
}

/** Waits until a number has not moved for `quiet` ms: the only way to see that somebody has stopped. */
export async function untilStill(what: string, read: () => number, quiet = 150, patience = 20_000): Promise<number> {
  const end = performance.now() + patience;
  let last = read();
  let since = performance.now();
  while (performance.now() - since < quiet) {
    await nextTurn();
    const now = read();
    if (now !== last) {
      last = now;
      since = performance.now();
    }
    if (performance.now() > end) throw new Error(`never still: ${what}`);
  }
  return last;
}

/** Bytes as a test report shows them: printable ASCII as it is, the rest escaped, the middle of long ones left out. */
export function show(bytes: string, most = 400): string {
  const short = bytes.length > most ? `${bytes.slice(0, most / 2)} … ${bytes.slice(-most / 2)}` : bytes;
  return JSON.stringify(short).replace(
    /[\x7f-\xff]/g,
    (char) => `\\x${char.charCodeAt(0).toString(16).padStart(2, '0')}`,
  );
}
