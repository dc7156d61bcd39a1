/**
 * How a response is framed for the client at hand, and whether the connection outlives it (RFC 9112 sections 6.3 and 9.3).
 *
 * A body without a known length is chunked for an HTTP/1.1 client and ends with the connection for an HTTP/1.0 client. The connection
 * persists if the client wants it to, the end of the response can be seen, nobody is leaving, and what is left of the request body is
 * short enough to be read and dropped.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { LocalAnswer } from '../codec.ts';
import { lastChunk } from './chunks.ts';
import { localReply } from './local-reply.ts';
import { BODY_CHUNKED, BODY_CLOSE, BODY_LENGTH, type RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

/** Largest unread request body that is worth keeping a connection for, bytes. */
const SHORT_BODY = 65_536;

export class ResponseFraming {
  /** Whether the body of the response is being sent in chunks. */
  chunked = false;
  /** What the response has told the client. */
  persist = true;
  #keepAlive = true;
  #minor = 1;
  #toHead = false;
  #shortBody = false;

  /** Whether the client announced that this is its last request. */
  get clientCloses(): boolean {
    return !this.#keepAlive;
  }

  begin(head: RequestHead): void {
    this.chunked = false;
    this.#keepAlive = head.keepAlive;
    this.#minor = head.minor;
    this.#toHead = head.method === 'HEAD';
    this.#shortBody = head.body === BODY_LENGTH && head.contentLength <= SHORT_BODY && !head.expectContinue;
  }

  /** There was no head that could be understood: answer in full and close. */
  refuse(): void {
    this.#toHead = false;
    this.#minor = 1;
    this.giveUp();
  }

  giveUp(): void {
    this.#keepAlive = false;
  }

  informational(head: ResponseHead, fields: string, bodyDone: boolean): string {
    // HTTP/1.0 knows no interim responses.
    if (this.#minor === 0) return '';
    // Told to continue, the client may send a body of any size, so its rest cannot count as short any more.
    if (head.status === 100) this.#shortBody = bodyDone;
    return `HTTP/1.1 ${head.statusText}\r\n${fields}\r\n`;
  }

  head(head: ResponseHead, fields: string, unread: boolean, ending: boolean): string {
    const streamed = head.body === BODY_CHUNKED || head.body === BODY_CLOSE;
    this.chunked = streamed && this.#minor === 1;
    this.#decide(unread, ending || (streamed && this.#minor === 0));
    const framing = this.chunked ? 'Transfer-Encoding: chunked\r\n' : '';
    return `HTTP/1.1 ${head.statusText}\r\n${fields}${framing}${this.#connectionLine()}\r\n`;
  }

  /** What ends the body; trailers are lost where it is not chunked. */
  end(trailers: string): string {
    return this.chunked ? lastChunk(trailers) : '';
  }

  upgrade(head: ResponseHead, fields: string): string {
    this.chunked = false;
    this.persist = false;
    return `HTTP/1.1 ${head.statusText}\r\n${fields}Connection: upgrade\r\nUpgrade: ${head.upgrade}\r\n\r\n`;
  }

  reply(answer: LocalAnswer, date: string, unread: boolean, ending: boolean): string {
    this.chunked = false;
    this.#decide(unread, ending);
    return localReply(answer, date, this.#connectionLine(), this.#toHead);
  }

  #decide(unread: boolean, ending: boolean): void {
    this.persist = this.#keepAlive && !ending && (!unread || this.#shortBody);
  }

  #connectionLine(): string {
    if (!this.persist) return 'Connection: close\r\n';
    return this.#minor === 1 ? '' : 'Connection: keep-alive\r\n';
  }
}
