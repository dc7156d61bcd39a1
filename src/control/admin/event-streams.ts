/**
 * All open event streams, live ones included: how many there may be, and which of them end when tokens change or the server closes.
 *
 * A stream lives for hours on a token that was looked at once, so when the tokens change every stream is asked again whether its reader would
 * still be let in. One that would not no longer counts, though its connection stays until it has read what it was sent: slow readers with a token
 * that was withdrawn must not keep others out.
 */
import { OperationError } from '../problems.ts';
import { EventStream, type EventStreamOptions } from './event-stream.ts';

const MOST = 100;

export class EventStreams {
  /** By stream: whether its reader may go on. */
  readonly #open = new Map<EventStream, () => boolean>();

  get size(): number {
    return this.#open.size;
  }

  /** @throws OperationError busy, where there are too many */
  open(options: EventStreamOptions, mayGoOn: () => boolean): EventStream {
    if (this.#open.size >= MOST) {
      throw new OperationError('busy', `${MOST} event streams are open, and more are not allowed.`, [], 10);
    }
    const stream = new EventStream(options);
    this.#open.set(stream, mayGoOn);
    stream.once('close', () => this.#open.delete(stream));
    return stream;
  }

  /** Ends the streams whose readers would be refused now. */
  recheck(): void {
    for (const [stream, mayGoOn] of this.#open) {
      if (mayGoOn()) continue;
      this.#open.delete(stream);
      stream.end();
    }
  }

  close(): void {
    for (const stream of this.#open.keys()) stream.end();
  }
}
