/**
 * The request as attempts send it, and as much of its body as is kept to be sent again.
 *
 * The body is kept as latin1 text while it is within the limit, which is small: a string that is appended to costs no copy, and leaves
 * together with the head in one write. Once a body outgrows the limit, nothing of it is kept and the attempt at hand is the last.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { OutgoingRequest } from '../codec.ts';
import { BODY_CHUNKED, BODY_LENGTH, BODY_NONE, type RequestHead } from '../http1/request-head.ts';
import type { TracedRequest } from '../record/tracing-request.ts';
import { IDEMPOTENT } from './method-set.ts';

export class RequestCopy implements OutgoingRequest {
  method = '';
  target = '';
  fields = '';
  chunked = false;
  teTrailers = false;
  upgrade = '';
  /** The body so far, while `whole`. */
  body = '';
  /** Bytes of body so far. */
  bytes = 0;
  /** How often it was sent, by retries, hedges and to stable too. */
  attempts = 0;
  /** Whether everything that came of the body is at hand. */
  whole = true;
  ended = false;
  /** Whether the rest of the upload is dropped, because the upstream has said that it will not read it. */
  stopped = false;
  trailers = '';
  /** Null where the request is not traced. */
  trace: TracedRequest | null = null;
  #limit = 0;

  /** @param limit most bytes of body that are kept. */
  begin(head: RequestHead, limit: number): void {
    this.method = head.method;
    this.target = head.target;
    this.chunked = head.body === BODY_CHUNKED;
    this.teTrailers = head.teTrailers;
    this.upgrade = head.upgrade;
    this.body = '';
    this.bytes = 0;
    this.whole = head.body !== BODY_LENGTH || head.contentLength <= limit;
    this.ended = head.body === BODY_NONE;
    this.stopped = false;
    this.trailers = '';
    this.#limit = limit;
  }

  get isIdempotent(): boolean {
    return IDEMPOTENT.has(this.method);
  }

  /** Whether it may be sent again on another connection without a second effect. */
  get resendable(): boolean {
    return this.repeatable && this.isIdempotent;
  }

  /** Whether all of it is at hand, or will be. */
  get repeatable(): boolean {
    return this.whole && !this.stopped;
  }

  /** Whether more is kept than should be; only where something was kept by force. */
  get isOverLimit(): boolean {
    return this.bytes > this.#limit;
  }

  /**
   * Keeps data that has been counted in `bytes` already. @param force whether it has nowhere else to go yet.
   * @returns the data as text, or nothing where it is too much to be kept; then nothing is.
   */
  keep(buf: Buffer, start: number, end: number, force: boolean): string {
    if (!force) {
      if (this.bytes > this.#limit) this.forget();
      if (!this.whole) return '';
    }
    const text = buf.toString('latin1', start, end);
    this.body += text;
    return text;
  }

  /** The body is not to be sent again. */
  forget(): void {
    this.whole = false;
    this.body = '';
  }

  clear(): void {
    this.body = '';
    this.fields = '';
    this.trace = null;
    this.bytes = 0;
    this.attempts = 0;
  }
}
