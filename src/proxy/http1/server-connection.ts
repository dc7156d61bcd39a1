/**
 * A connection from a client: the HTTP/1.1 codec of the client side.
 *
 *     HEAD ──head──▶ BODY ──end──▶ WAIT ──response sent──▶ HEAD …
 *      │  └──no body──────────────▲  │
 *      │                             └──101──▶ TUNNEL
 *      └── fault, close, drain ──▶ LINGER ──FIN or time──▶ CLOSED
 *
 * One request is in flight at a time. Bytes of pipelined requests wait in `#pending`, and reading stops when they pile up, so answers
 * leave in order by construction. In LINGER everything is sent and the write side closed; the client's bytes are read and
 * dropped for a while, because closing with unread bytes would reset the connection and could take the answer with it.
 *
 * A client that sends FIN with a request in flight may have gone or may only be done sending; a short time (`timeouts.halfClose`)
 * decides, so that a slow answer is not computed for nobody.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { Socket } from 'node:net';
import type { ReplyCode } from '../../model/local-reply.ts';
import { Timer, type TimerOwner } from '../../runtime/timer-wheel.ts';
import { FLUSHED, type FlushState, FULL, type ServerStream } from '../codec.ts';
import { Exchange } from '../exchange.ts';
import type { ByteSink, SocketReader } from '../socket-reader.ts';
import { SocketWriter } from '../socket-writer.ts';
import type { WorkerContext } from '../worker-context.ts';
import { BodyDecoder, readTrailers } from './body-decoder.ts';
import { chunkEnd, chunkStart, lastChunk } from './chunks.ts';
import { type ClientFacts, DROP_TRAILER } from './field-rules.ts';
import { FAULT, INCOMPLETE } from './fields.ts';
import { CR, LF } from './grammar.ts';
import { localReply } from './local-reply.ts';
import { BODY_CHUNKED, BODY_CLOSE, BODY_LENGTH, BODY_NONE, type RequestHead } from './request-head.ts';
import type { ResponseHead } from './response-head.ts';

const HEAD = 0;
const BODY = 1;
const WAIT = 2;
const TUNNEL = 3;
const LINGER = 4;
const CLOSED = 5;

/** Unparsed bytes of pipelined requests that may wait, and the largest unread body that is worth keeping a connection for. */
const PENDING_LIMIT = 65_536;
/** How long unread bytes are dropped before the connection is closed under them, milliseconds. */
const LINGER_TIME = 2_000;

export interface ConnectionOwner {
  readonly draining: boolean;
  connectionClosed(connection: ServerConnection): void;
}

export class ServerConnection implements ServerStream, ByteSink, TimerOwner {
  readonly client: ClientFacts;
  readonly #context: WorkerContext;
  readonly #owner: ConnectionOwner;
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #writer: SocketWriter;
  readonly #exchange: Exchange;
  readonly #body: BodyDecoder;
  readonly #timer = new Timer(this);
  #state = HEAD;
  #pending: Buffer | null = null;
  #consuming = false;
  #paused = false;
  #headStarted = false;
  #blankSkipped = false;
  #clientEnded = false;
  /** What the request says of the connection behind it. */
  #keepAlive = true;
  /** What the response has told the client. */
  #persist = true;
  #minor = 1;
  #toHead = false;
  #shortBody = false;
  #chunked = false;

  constructor(
    context: WorkerContext,
    owner: ConnectionOwner,
    client: ClientFacts,
    socket: Socket,
    reader: SocketReader,
  ) {
    this.#context = context;
    this.#owner = owner;
    this.client = client;
    this.#socket = socket;
    this.#reader = reader;
    reader.sink = this;
    this.#writer = new SocketWriter(socket);
    this.#exchange = new Exchange(context, this);
    this.#body = new BodyDecoder(context.current.snapshot.limits.headSize);
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    // An error is always followed by 'close', which says all that matters.
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    this.#startTimer(context.current.snapshot.timeouts.head);
    socket.resume();
  }

  get active(): boolean {
    return this.#exchange.active;
  }

  // --- Reading ---------------------------------------------------------------------------------------------------------------

  onBytes(buf: Buffer, start: number, end: number, shared: boolean): void {
    if (this.#pending === null) {
      this.#consume(buf, start, end, shared);
      return;
    }
    const fresh = buf.subarray(start, end);
    const joined = Buffer.concat([this.#pending, fresh]);
    // A head that grows without a line end cannot have become complete; parsing it again for each byte would be a gift to attackers.
    if (
      this.#state === HEAD &&
      fresh.indexOf(LF) < 0 &&
      joined.length < this.#context.current.snapshot.limits.headSize
    ) {
      this.#pending = joined;
      return;
    }
    this.#pending = null;
    this.#consume(joined, 0, joined.length, false);
  }

  #consume(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#consuming = true;
    let pos = start;
    while (pos < end) {
      if (this.#state === HEAD) {
        pos = this.#readHead(buf, pos, end);
      } else if (this.#state === BODY) {
        pos = this.#readBody(buf, pos, end, shared);
      } else if (this.#state === TUNNEL) {
        this.#exchange.onRequestData(buf, pos, end, shared);
        break;
      } else if (this.#state === WAIT) {
        this.#stash(buf, pos, end);
        break;
      } else {
        break;
      }
    }
    this.#consuming = false;
    const state = this.#exchange.flushUpstream();
    if (state === FLUSHED) return;
    this.#reader.taken = true;
    if (state === FULL) this.pauseRequest();
  }

  #stash(buf: Buffer, pos: number, end: number): void {
    this.#pending = Buffer.from(buf.subarray(pos, end));
    if (this.#pending.length >= PENDING_LIMIT) this.pauseRequest();
  }

  #readHead(buf: Buffer, from: number, end: number): number {
    let pos = from;
    // RFC 9112 2.2: one empty line before a request is tolerated.
    if (buf[pos] === CR && !this.#blankSkipped) {
      if (pos + 1 < end) {
        if (buf[pos + 1] !== LF) return this.#refuse('bad_request_line', end);
        this.#blankSkipped = true;
        pos += 2;
      } else {
        this.#awaitMore(buf, pos, end);
        return end;
      }
    }
    if (pos === end) return end;
    const head = this.#context.current.requestHead;
    const behind = head.parse(buf, pos, end);
    if (behind === FAULT) return this.#refuse(head.fault, end);
    if (behind === INCOMPLETE) {
      this.#awaitMore(buf, pos, end);
      return end;
    }
    this.#beginRequest(head);
    return behind;
  }

  #awaitMore(buf: Buffer, pos: number, end: number): void {
    this.#pending = Buffer.from(buf.subarray(pos, end));
    if (this.#headStarted) return;
    this.#headStarted = true;
    this.#startTimer(this.#context.current.snapshot.timeouts.head);
  }

  #refuse(code: ReplyCode, end: number): number {
    this.#keepAlive = false;
    this.#toHead = false;
    this.#context.counters.requestRefused();
    this.sendReply(code);
    this.finish();
    return end;
  }

  #beginRequest(head: RequestHead): void {
    this.#keepAlive = head.keepAlive;
    this.#minor = head.minor;
    this.#toHead = head.method === 'HEAD';
    this.#shortBody = head.body === BODY_LENGTH && head.contentLength <= PENDING_LIMIT && !head.expectContinue;
    this.#body.reset(head.body, head.contentLength);
    if (head.body === BODY_NONE) {
      this.#state = WAIT;
      this.#context.wheel.stop(this.#timer);
    } else {
      this.#state = BODY;
      this.#startTimer(this.#context.current.snapshot.timeouts.bodyIdle);
    }
    this.#exchange.begin(head);
  }

  #readBody(buf: Buffer, pos: number, end: number, shared: boolean): number {
    const body = this.#body;
    const next = body.next(buf, pos, end);
    if (body.failed) return this.#bodyFault('bad_chunk', end);
    if (body.dataEnd > body.dataStart) {
      this.#startTimer(this.#context.current.snapshot.timeouts.bodyIdle);
      this.#exchange.onRequestData(buf, body.dataStart, body.dataEnd, shared);
      if (this.#state !== BODY) return end;
    }
    if (body.done) this.#endRequest();
    return next;
  }

  #endRequest(): void {
    const { trailers } = this.#body;
    const { trailerBlock, names } = this.#context.current;
    const kept = trailers === null ? '' : readTrailers(trailerBlock, names, trailers, DROP_TRAILER);
    if (kept === null) {
      this.#bodyFault('bad_chunk', 0);
      return;
    }
    this.#context.wheel.stop(this.#timer);
    this.#state = WAIT;
    if (this.#exchange.active) this.#exchange.onRequestEnd(kept);
    else this.#nextRequest();
  }

  #bodyFault(code: ReplyCode, end: number): number {
    this.#keepAlive = false;
    if (this.#exchange.active) this.#exchange.onRequestFault(code);
    else this.#close();
    return end;
  }

  pauseRequest(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    // While the upstream does not read, the client cannot be blamed for silence.
    if (this.#state === BODY) this.#context.wheel.stop(this.#timer);
  }

  resumeRequest(): void {
    if (!this.#paused || this.#state === CLOSED) return;
    this.#paused = false;
    if (this.#state === BODY) this.#startTimer(this.#context.current.snapshot.timeouts.bodyIdle);
    this.#socket.resume();
  }

  // --- Writing ---------------------------------------------------------------------------------------------------------------

  sendInformational(head: ResponseHead, fields: string): void {
    if (this.#minor === 0) return;
    if (head.status === 100) this.#shortBody = this.#body.done;
    this.#writer.text(`HTTP/1.1 ${head.statusText}\r\n${fields}\r\n`);
  }

  sendHead(head: ResponseHead, fields: string): void {
    const streamed = head.body === BODY_CHUNKED || head.body === BODY_CLOSE;
    this.#chunked = streamed && this.#minor === 1;
    this.#decidePersistence(streamed && this.#minor === 0);
    const framing = this.#chunked ? 'Transfer-Encoding: chunked\r\n' : '';
    this.#writer.text(`HTTP/1.1 ${head.statusText}\r\n${fields}${framing}${this.#connectionLine()}\r\n`);
  }

  #decidePersistence(endsWithConnection: boolean): void {
    const unread = this.#state === BODY && !this.#shortBody;
    this.#persist = this.#keepAlive && !endsWithConnection && !unread && !this.#clientEnded && !this.#owner.draining;
  }

  #connectionLine(): string {
    if (!this.#persist) return 'Connection: close\r\n';
    return this.#minor === 1 ? '' : 'Connection: keep-alive\r\n';
  }

  sendData(buf: Buffer, start: number, end: number, shared: boolean): void {
    if (this.#chunked) this.#writer.text(chunkStart(end - start));
    this.#writer.data(buf, start, end, shared);
    if (this.#chunked) this.#writer.text(chunkEnd);
  }

  sendEnd(trailers: string): void {
    if (this.#state === TUNNEL) {
      this.#writer.flush();
      this.#socket.end();
    } else if (this.#chunked) {
      this.#writer.text(lastChunk(trailers));
    }
  }

  startTunnel(head: ResponseHead, fields: string): void {
    this.#state = TUNNEL;
    this.#chunked = false;
    this.#persist = false;
    this.#context.wheel.stop(this.#timer);
    this.#writer.text(
      `HTTP/1.1 ${head.statusText}\r\n${fields}Connection: upgrade\r\nUpgrade: ${head.upgrade}\r\n\r\n`,
    );
    if (this.#pending !== null) {
      const early = this.#pending;
      this.#pending = null;
      this.#consume(early, 0, early.length, false);
    }
    this.resumeRequest();
    if (this.#clientEnded) this.#exchange.onRequestEnd('');
  }

  sendReply(code: ReplyCode): void {
    this.#decidePersistence(false);
    const { rules } = this.#context.current;
    const date = this.#context.current.dateLine();
    this.#writer.text(localReply(code, rules.name, date, this.#connectionLine(), this.#toHead));
  }

  flush(): FlushState {
    if (this.#state === CLOSED) return FLUSHED;
    const state = this.#writer.flush();
    if (state === FULL && (this.#state === WAIT || this.#state === TUNNEL)) {
      this.#startTimer(this.#context.current.snapshot.timeouts.bodyIdle);
    }
    return state;
  }

  finish(): void {
    this.#chunked = false;
    if (this.#state === CLOSED) return;
    if (!this.#persist || this.#state === TUNNEL) {
      this.#close();
      return;
    }
    if (this.#state === WAIT) this.#nextRequest();
    // In BODY the rest of a short upload is read and dropped; its end leads on.
    else this.flush();
  }

  abort(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#socket.destroy();
  }

  #nextRequest(): void {
    // An answer that the client does not read must not be joined by further ones.
    if (this.#writer.flush() === FULL) {
      this.#startTimer(this.#context.current.snapshot.timeouts.bodyIdle);
      return;
    }
    this.#state = HEAD;
    this.#headStarted = false;
    this.#blankSkipped = false;
    this.#startTimer(this.#context.current.snapshot.timeouts.keepAlive);
    if (this.#clientEnded) {
      this.#close();
      return;
    }
    if (this.#pending !== null && !this.#consuming) {
      const next = this.#pending;
      this.#pending = null;
      this.#consume(next, 0, next.length, false);
    }
    if (this.#state !== BODY) this.resumeRequest();
  }

  /** Closes when everything is sent; lingers where the client may still be sending. */
  #close(): void {
    const unread = this.#state === BODY || this.#pending !== null || this.#state === HEAD;
    this.#writer.flush();
    this.#pending = null;
    this.#state = LINGER;
    this.#startTimer(unread ? LINGER_TIME : this.#context.current.snapshot.timeouts.bodyIdle);
    if (unread && !this.#clientEnded) {
      this.#socket.end();
      this.resumeRequest();
    } else {
      this.#socket.destroySoon();
    }
  }

  /** Graceful end: now if nothing is in flight, else behind the present response. */
  drain(): void {
    if (this.#state === HEAD && this.#pending === null) this.#close();
  }

  // --- Events ----------------------------------------------------------------------------------------------------------------

  onTimer(): void {
    if (this.#state === HEAD) {
      if (this.#pending === null) this.abort();
      else this.#refuse('request_timeout', 0);
    } else if (this.#state === BODY) {
      this.#bodyFault('request_timeout', 0);
      this.flush();
    } else {
      this.abort();
    }
  }

  #onDrain(): void {
    if (this.#state === WAIT || this.#state === TUNNEL) {
      if (!this.#clientEnded) this.#context.wheel.stop(this.#timer);
      if (this.#state === WAIT && !this.#exchange.active) {
        this.#nextRequest();
        return;
      }
    }
    this.#exchange.onDownstreamDrain();
  }

  #onEnd(): void {
    this.#clientEnded = true;
    if (this.#state === TUNNEL) {
      this.#exchange.onRequestEnd('');
    } else if (this.#state === WAIT && this.#exchange.active) {
      this.#startTimer(this.#context.current.snapshot.timeouts.halfClose);
    } else if (this.#state === BODY) {
      this.abort();
    } else {
      // What is still on its way out may arrive; the timer that runs in these states bounds the wait.
      this.#socket.destroySoon();
    }
  }

  #onClose(): void {
    this.#state = CLOSED;
    this.#pending = null;
    this.#context.wheel.remove(this.#timer);
    this.#exchange.onDownstreamClosed();
    this.#exchange.dispose();
    this.#owner.connectionClosed(this);
  }

  #startTimer(ms: number): void {
    this.#context.wheel.start(this.#timer, ms);
  }
}
