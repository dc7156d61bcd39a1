/**
 * Checks configuration texts that somebody sends, away from the thread that runs the control plane.
 *
 *     waiting ──its turn──▶ starting ──started──▶ checking ──answer──▶ done
 *                                                    └─ limit ──▶ ended, a fault of the text
 *
 * What takes long to read is up to whoever wrote it: a MiB of YAML keeps a thread busy for seconds, and rollbacks would wait behind it. So it has a
 * thread of its own with bounded time and memory. One check runs at a time, a few may wait, and more are refused: otherwise many
 * small texts would do what a large one cannot. Who has waited for too long is refused as well, when its turn comes: on a busy machine to start a
 * thread takes seconds, and a caller who has gone meanwhile must not keep the next one waiting. A thread lives for one text, because checks are
 * rare and a thread costs memory.
 */
import { extname } from 'node:path';
import { Worker } from 'node:worker_threads';
import type { ConfigContents } from '../config/contents.ts';
import { ConfigError } from '../config/faults.ts';
import { OperationError } from '../problems.ts';
import type { FromCheck, TextToCheck } from './check-thread.ts';
import { Turnstile } from './turnstile.ts';

const LIMIT = 2_000;
/** Milliseconds that a thread may take to load what it needs. */
const START = 10_000;
const MOST_WAITING = 10;
/** Milliseconds behind which a caller has given up, or soon will. */
const PATIENCE = 10_000;
const MOST_MEMORY = 512;

export class TextChecker {
  readonly #limit: number;
  readonly #most: number;
  readonly #patience: number;
  readonly #turnstile = new Turnstile();
  #waiting = 0;

  /** @param limit milliseconds that a check may take. Default 2 s. @param most checks under way and waiting. Default 10. @param patience milliseconds to wait. Default 10 s. */
  constructor(limit = LIMIT, most = MOST_WAITING, patience = PATIENCE) {
    this.#limit = limit;
    this.#most = most;
    this.#patience = patience;
  }

  /** @throws ConfigError; OperationError busy where too many wait, or it has waited for too long */
  async check(text: TextToCheck): Promise<ConfigContents> {
    if (this.#waiting === this.#most) {
      throw new OperationError('busy', `${this.#most} configurations are being checked already.`, [], 5);
    }
    this.#waiting++;
    const since = performance.now();
    try {
      return await this.#turnstile.run(() => {
        if (performance.now() - since <= this.#patience) return this.#checkNow(text);
        throw new OperationError(
          'busy',
          `other configurations have been checked for ${this.#patience / 1000} s.`,
          [],
          5,
        );
      });
    } finally {
      this.#waiting--;
    }
  }

  async #checkNow(text: TextToCheck): Promise<ConfigContents> {
    const file = new URL(`./check-thread${extname(import.meta.url)}`, import.meta.url);
    const thread = new Worker(file, {
      workerData: text,
      name: 'sluice-check',
      resourceLimits: { maxOldGenerationSizeMb: MOST_MEMORY },
    });
    const answer = Promise.withResolvers<ConfigContents>();
    const refuse = (message: string): void =>
      answer.reject(new ConfigError([{ file: text.file, line: 0, column: 0, path: '', message }]));
    const tooLong = (): void => refuse(`takes longer than ${this.#limit / 1000} s to check; ${ELSEWHERE}`);
    let timer = setTimeout(tooLong, START);
    thread.on('message', (message: FromCheck) => {
      if (message.type === 'good') answer.resolve(message.contents);
      else if (message.type === 'faulty') answer.reject(new ConfigError(message.problems));
      else {
        clearTimeout(timer);
        timer = setTimeout(tooLong, this.#limit);
      }
    });
    thread.on('error', (error: NodeJS.ErrnoException) => {
      if (error.code === 'ERR_WORKER_OUT_OF_MEMORY')
        refuse(`takes more than ${MOST_MEMORY} MiB to check; ${ELSEWHERE}`);
      else answer.reject(error);
    });
    thread.on('exit', () => answer.reject(new Error('the thread that checks a configuration has ended')));
    try {
      return await answer.promise;
    } finally {
      clearTimeout(timer);
      await thread.terminate();
    }
  }
}

const ELSEWHERE = 'check it on the server with sluice check';
