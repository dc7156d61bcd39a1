/**
 * The end of a command that goes on until the user ends it, and waiting that ends with it.
 *
 * Ctrl-C and a reader that closed the pipe both count. It is an AbortSignal, so that a call under way ends as well.
 */
import type { Clock } from '../../runtime/clock.ts';
import type { Io } from '../command.ts';

export interface Interruption {
  readonly signal: AbortSignal;
  /** No longer listens; the next Ctrl-C ends the process as usual. */
  stop(): void;
}

export function listenForInterrupt(io: Io): Interruption {
  const controller = new AbortController();
  const stop = io.onInterrupt?.(() => controller.abort());
  return { signal: controller.signal, stop: () => stop?.() };
}

/** Resolves after `ms`, or as soon as the signal comes. */
export function pause(ms: number, clock: Clock, signal: AbortSignal): Promise<void> {
  if (signal.aborted) return Promise.resolve();
  return new Promise((resolve) => {
    const end = (): void => {
      timer.stop();
      signal.removeEventListener('abort', end);
      resolve();
    };
    const timer = clock.setInterval(end, ms);
    signal.addEventListener('abort', end);
  });
}

/** What `work` gives, or null as soon as the signal comes; what it gives later is nobody's business. */
export function unlessInterrupted<Value>(work: Promise<Value>, signal: AbortSignal): Promise<Value | null> {
  if (signal.aborted) {
    work.catch(() => {});
    return Promise.resolve(null);
  }
  return new Promise((resolve, reject) => {
    const end = (): void => resolve(null);
    signal.addEventListener('abort', end, { once: true });
    work.then(resolve, reject).finally(() => signal.removeEventListener('abort', end));
  });
}
