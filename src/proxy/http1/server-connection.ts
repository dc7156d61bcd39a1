/**
 * A connection from a client: the HTTP/1.1 codec of the client side.
 *
 *     HEAD ──head──▶ BODY ──end──▶ WAIT ──response sent──▶ HEAD …
 *      │  └──no body──────────────▲  │
 *      │                             └──101──▶ TUNNEL
 *      └── fault, close, drain ──▶ LINGER ──FIN or time──▶ CLOSED
 *
 * One request is in flight at a time. Bytes of pipelined requests wait in the backlog, and reading stops when they pile up, so answers
 * leave in order by construction. In LINGER everything is sent and the write side closed; the client's bytes are read and
 * dropped for a while, because closing with unread bytes would reset the connection and could take the answer with it.
 *
 * A client that sends FIN with a request in flight may have gone or may only be done sending; a short time (`timeouts.halfClose`)
 * decides, so that a slow answer is not computed for nobody.
 *
 * @hotpath bench/micro/exchange.ts
 */
import type { Socket } from 'node:net';
import type { DownstreamTimeoutsConfig } from '../../model/config.ts';
import type { ReplyCode } from '../../model/local-reply.ts';
import { Timer, type TimerOwner } from '../../runtime/timer-wheel.ts';
import { type ConnectionOwner, FLUSHED, type FlushState, FULL, type LocalAnswer, type ServerStream } from '../codec.ts';
import { Exchange } from '../exchange.ts';
import type { ByteSink, SocketReader } from '../socket-reader.ts';
import { SocketWriter } from '../socket-writer.ts';
import type { WorkerContext } from '../worker-context.ts';
import { Backlog } from './backlog.ts';
import { BodyDecoder } from './body-decoder.ts';
import type { ClientFacts } from './field-rules.ts';
import { FAULT, INCOMPLETE } from './fields.ts';
import { CR, LF } from './grammar.ts';
import { BODY_NONE, type RequestHead } from './request-head.ts';
import { ResponseFraming } from './response-framing.ts';
import type { ResponseHead } from './response-head.ts';

const HEAD = 0;
const BODY = 1;
const WAIT = 2;
const TUNNEL = 3;
const LINGER = 4;
const CLOSED = 5;

/** How long unread bytes are dropped before the connection is closed under them, milliseconds. */
const LINGER_TIME = 2_000;

export class ServerConnection implements ServerStream, ByteSink, TimerOwner {
  readonly client: ClientFacts;
  readonly #context: WorkerContext;
  readonly #owner: ConnectionOwner<ServerConnection>;
  readonly #socket: Socket;
  readonly #reader: SocketReader;
  readonly #writer: SocketWriter;
  readonly #exchange: Exchange;
  readonly #body: BodyDecoder;
  readonly #timer = new Timer(this);
  #state = HEAD;
  readonly #backlog = new Backlog();
  #consuming = false;
  #paused = false;
  #headStarted = false;
  #blankSkipped = false;
  #clientEnded = false;
  /** Bytes written when the patience with a client that has sent FIN was last renewed. */
  #written = 0;
  readonly #framing = new ResponseFraming();

  constructor(
    context: WorkerContext,
    owner: ConnectionOwner<ServerConnection>,
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
    this.#body = new BodyDecoder(context);
    socket.on('drain', () => this.#onDrain());
    socket.on('end', () => this.#onEnd());
    // An error is always followed by 'close', which says all that matters.
    socket.on('error', () => {});
    socket.on('close', () => this.#onClose());
    this.#startTimer(this.#timeouts.head);
    socket.resume();
  }

  onBytes(buf: Buffer, start: number, end: number, shared: boolean): void {
    if (this.#backlog.empty) {
      this.#reader.settle(this.#consume(buf, start, end, shared));
      return;
    }
    const headSize = this.#state === HEAD ? this.#context.current.snapshot.limits.headSize : 0;
    const joined = this.#backlog.join(buf, start, end, headSize);
    if (joined !== null) this.#reader.settle(this.#consume(joined, 0, joined.length, false));
  }

  /** @returns how far what was read has been written on. */
  #consume(buf: Buffer, start: number, end: number, shared: boolean): FlushState {
    this.#consuming = true;
    let pos = start;
    while (pos < end && this.#state <= BODY) {
      pos = this.#state === HEAD ? this.#readHead(buf, pos, end) : this.#readBody(buf, pos, end, shared);
    }
    if (pos < end && this.#state === TUNNEL) this.#exchange.onRequestData(buf, pos, end, shared);
    if (pos < end && this.#state === WAIT) {
      this.#backlog.keep(buf, pos, end);
      if (this.#backlog.isFull) this.pauseRequest();
    }
    this.#consuming = false;
    const state = this.#exchange.flushUpstream();
    if (state === FULL) this.pauseRequest();
    return state;
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
    this.#backlog.keep(buf, pos, end);
    if (this.#headStarted) return;
    this.#headStarted = true;
    this.#startTimer(this.#timeouts.head);
  }

  #refuse(code: ReplyCode, end: number): number {
    this.#framing.refuse();
    this.#exchange.onHeadFault(code);
    this.finish();
    return end;
  }

  #beginRequest(head: RequestHead): void {
    this.#framing.begin(head);
    this.#body.reset(head.body, head.contentLength);
    if (head.body === BODY_NONE) {
      this.#awaitAnswer();
    } else {
      this.#state = BODY;
      this.#startTimer(this.#timeouts.bodyIdle);
    }
    this.#exchange.begin(head);
  }

  /** The request is whole; a client that has sent FIN has a limited time to get its answer. */
  #awaitAnswer(): void {
    this.#state = WAIT;
    if (this.#clientEnded) this.#startTimer(this.#timeouts.halfClose);
    else this.#context.wheel.stop(this.#timer);
  }

  #readBody(buf: Buffer, pos: number, end: number, shared: boolean): number {
    const body = this.#body;
    const next = body.next(buf, pos, end);
    if (body.failed) return this.#bodyFault(body.oversized ? 'head_too_large' : 'bad_chunk', end);
    if (body.dataEnd > body.dataStart) {
      this.#startTimer(this.#timeouts.bodyIdle);
      this.#exchange.onRequestData(buf, body.dataStart, body.dataEnd, shared);
    }
    if (this.#state !== BODY) return end;
    if (body.done) this.#endRequest();
    return next;
  }

  #endRequest(): void {
    this.#awaitAnswer();
    if (this.#exchange.active) this.#exchange.onRequestEnd(this.#body.trailers);
    else this.#nextRequest();
  }

  #bodyFault(code: ReplyCode, end: number): number {
    this.#framing.giveUp();
    if (this.#exchange.active) this.#exchange.onRequestFault(code);
    else this.#close();
    return end;
  }

  pauseRequest(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    // While the upstream does not read, the client cannot be blamed for silence.
    if (this.#state === BODY && this.#writer.state !== FULL) this.#context.wheel.stop(this.#timer);
  }

  resumeRequest(): void {
    if (!this.#paused || this.#state === CLOSED) return;
    this.#paused = false;
    if (this.#state === BODY) this.#startTimer(this.#timeouts.bodyIdle);
    this.#socket.resume();
  }

  sendInformational(head: ResponseHead, fields: string): void {
    this.#writer.text(this.#framing.informational(head, fields, this.#body.done));
  }

  sendHead(head: ResponseHead, fields: string): void {
    this.#writer.mark();
    this.#writer.text(this.#framing.head(head, fields, this.#state === BODY, this.#isEnding));
  }

  retract(): boolean {
    return this.#writer.rewind();
  }

  /** Whether the connection ends behind this response whatever its messages say. */
  get #isEnding(): boolean {
    return this.#owner.draining || (this.#clientEnded && this.#backlog.empty);
  }

  sendData(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#writer.body(buf, start, end, shared, this.#framing.chunked);
  }

  sendEnd(trailers: string): void {
    this.#writer.text(this.#framing.end(trailers));
    if (this.#state !== TUNNEL) return;
    this.#writer.flush();
    this.#socket.end();
  }

  startTunnel(head: ResponseHead, fields: string): void {
    this.#state = TUNNEL;
    this.#context.wheel.stop(this.#timer);
    this.#writer.text(this.#framing.upgrade(head, fields));
    this.resumeRequest();
    this.#consumePending();
    if (this.#clientEnded) this.#exchange.onRequestEnd('');
  }

  sendReply(answer: LocalAnswer): void {
    const date = this.#context.current.dateLine();
    this.#writer.text(this.#framing.reply(answer, date, this.#state === BODY, this.#isEnding));
  }

  flush(): FlushState {
    if (this.#state === CLOSED) return FLUSHED;
    const state = this.#writer.flush();
    if (state === FULL && this.#isSending) this.#startTimer(this.#timeouts.bodyIdle);
    return state;
  }

  /** Whether the timer is free to watch the client read, because nothing is expected from it. */
  get #isSending(): boolean {
    return this.#state === WAIT || this.#state === TUNNEL || (this.#state === BODY && this.#paused);
  }

  finish(): void {
    if (this.#state === CLOSED) return;
    this.#reader.forget();
    this.resumeRequest();
    if (!this.#framing.persist || this.#state === TUNNEL) {
      this.#close();
      return;
    }
    if (this.#state === WAIT) this.#nextRequest();
    // In BODY the rest of a short upload is read and dropped; its end leads on.
    else this.flush();
  }

  /** Cuts with a reset: where the response ends with the connection, a FIN would make half of it look whole. */
  abort(): void {
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#socket.resetAndDestroy();
  }

  /** Closes at once; with a reset where the client would otherwise take an incomplete answer for a whole one. */
  destroy(): void {
    if (this.#exchange.active || this.#writer.state !== FLUSHED) return this.abort();
    if (this.#state === CLOSED) return;
    this.#state = CLOSED;
    this.#socket.destroy();
  }

  #nextRequest(): void {
    // An answer that the client does not read must not be joined by further ones.
    if (this.#writer.flush() === FULL) {
      this.#startTimer(this.#timeouts.bodyIdle);
      return;
    }
    this.#state = HEAD;
    this.#headStarted = false;
    this.#blankSkipped = false;
    this.#startTimer(this.#timeouts.keepAlive);
    this.resumeRequest();
    if (this.#consuming) return;
    this.#consumePending();
    if (this.#owner.ending) this.drain();
  }

  #consumePending(): void {
    const waiting = this.#backlog.take();
    if (waiting !== null) this.#consume(waiting, 0, waiting.length, false);
    if (!this.#clientEnded || this.#state > BODY) return;
    // Behind a FIN an unfinished request stays unfinished.
    this.#exchange.onDownstreamClosed();
    this.#close();
  }

  /** Closes when everything is sent; lingers where the client may still be sending (RFC 9112 9.6). */
  #close(): void {
    const silent = this.#state >= WAIT && this.#backlog.empty && this.#framing.clientCloses;
    const flushed = this.#writer.flush() === FLUSHED;
    this.#backlog.take();
    this.#state = LINGER;
    this.#startTimer(flushed ? LINGER_TIME : this.#timeouts.bodyIdle);
    // A client that announced its last request sends nothing that would turn an immediate close into a reset.
    if (silent && flushed) this.#socket.destroy();
    else if (silent || this.#clientEnded) this.#socket.destroySoon();
    else this.#socket.end();
  }

  /** Graceful end: now if nothing is in flight, else behind the present response. */
  drain(): void {
    if (this.#state === HEAD && this.#backlog.empty) this.#close();
  }

  onTimer(): void {
    if (this.#state === HEAD) {
      if (this.#backlog.empty) this.destroy();
      else this.#refuse('request_timeout', 0);
    } else if (this.#state === BODY) {
      this.#bodyFault('request_timeout', 0);
    } else if (this.#state === WAIT && this.#clientEnded && this.#socket.bytesWritten > this.#written) {
      // Had the client gone, what was written meanwhile would have brought a reset.
      this.#written = this.#socket.bytesWritten;
      this.#startTimer(this.#timeouts.halfClose);
    } else {
      this.destroy();
    }
  }

  #onDrain(): void {
    if (this.#state === WAIT) this.#awaitAnswer();
    else if (this.#isSending) this.#context.wheel.stop(this.#timer);
    if (this.#state === LINGER) this.#startTimer(LINGER_TIME);
    if (this.#state === WAIT && !this.#exchange.active) this.#nextRequest();
    else this.#exchange.onDownstreamDrain();
  }

  #onEnd(): void {
    this.#clientEnded = true;
    if (this.#state === TUNNEL) {
      this.#exchange.onRequestEnd('');
    } else if (this.#state === WAIT) {
      // Where an answer is stuck, what was pipelined behind it is looked at when it has been read.
      if (this.#exchange.active) this.#startTimer(this.#timeouts.halfClose);
    } else if (this.#state === BODY) {
      this.destroy();
    } else {
      // What is still on its way out may arrive; the timer that runs in these states bounds the wait.
      this.#socket.destroySoon();
    }
  }

  #onClose(): void {
    this.#state = CLOSED;
    this.#context.wheel.remove(this.#timer);
    this.#exchange.onDownstreamClosed();
    this.#exchange.dispose();
    this.#owner.connectionClosed(this);
  }

  get #timeouts(): DownstreamTimeoutsConfig {
    return this.#context.current.snapshot.timeouts;
  }

  #startTimer(ms: number): void {
    this.#context.wheel.start(this.#timer, ms);
  }
}
