/**
 * Waiting until every worker has taken something up.
 *
 * A worker answers a message in the turn of its event loop that finds it. One that dies meanwhile has nothing to acknowledge: its successor
 * starts with what is current. One that does not answer in time (a loop that hangs) is named as missing; the message is still in its
 * queue and takes effect when it comes to, so what is missing is the knowledge, not the change.
 */
import type { Worker } from 'node:worker_threads';
import type { FromWorker, ToWorker } from '../model/worker-messages.ts';

/** What became of one message. */
export interface Acknowledged {
  /** Workers that said yes. */
  readonly taken: number;
  /** What the workers that said no had to say. */
  readonly refusals: readonly string[];
  /** Names of those that said nothing in time. */
  readonly missing: readonly string[];
}

/** @returns whether the message answers, and how; null where it is about something else. */
export type Reading = (message: FromWorker) => 'taken' | { readonly refused: string } | null;

interface Wait {
  readonly read: Reading;
  readonly open: Map<Worker, string>;
  readonly refusals: string[];
  taken: number;
  settle(): void;
}

export class Acknowledgements {
  readonly #waits = new Set<Wait>();

  /** Sends `message` to these workers, by name, and waits for their answers for at most `ms` milliseconds. */
  ask(workers: ReadonlyMap<Worker, string>, message: ToWorker, read: Reading, ms: number): Promise<Acknowledged> {
    return new Promise((resolve) => {
      const wait: Wait = {
        read,
        open: new Map(workers),
        refusals: [],
        taken: 0,
        settle: () => {
          clearTimeout(late);
          this.#waits.delete(wait);
          resolve({ taken: wait.taken, refusals: wait.refusals, missing: [...wait.open.values()] });
        },
      };
      const late = setTimeout(() => wait.settle(), ms);
      this.#waits.add(wait);
      for (const worker of workers.keys()) worker.postMessage(message);
      if (wait.open.size === 0) wait.settle();
    });
  }

  /** Call with every message of a worker. */
  heard(worker: Worker, message: FromWorker): void {
    for (const wait of [...this.#waits]) {
      if (!wait.open.has(worker)) continue;
      const answer = wait.read(message);
      if (answer === null) continue;
      if (answer === 'taken') wait.taken++;
      else wait.refusals.push(answer.refused);
      this.#close(wait, worker);
    }
  }

  /** Call when a worker has ended. */
  gone(worker: Worker): void {
    for (const wait of [...this.#waits]) if (wait.open.has(worker)) this.#close(wait, worker);
  }

  #close(wait: Wait, worker: Worker): void {
    wait.open.delete(worker);
    if (wait.open.size === 0) wait.settle();
  }
}
