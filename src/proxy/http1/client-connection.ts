/**
 * A connection to an upstream: the HTTP/1.1 codec of the upstream side, one attempt at a time.
 *
 *     CONNECTING/IDLE ──sendHead──▶ HEAD ──head──▶ BODY ──end──▶ ENDED ──release──▶ IDLE
 *                                    │  ▲ 1xx       │                └─────────▶ CLOSED
 *                                    └──┘ 101 ──▶ TUNNEL
 *     any state ──FIN, error, timeout, malformed──▶ CLOSED, and the attempt fails where there is one
 *
 * In IDLE the exchange is null: a byte that arrives then belongs to nothing and closes the connection. In ENDED the response is
 * complete and the exchange decides between release and abort. Connecting is no state of its own: what is sent before the connection
 * stands waits in the socket.
 *
 * @hotpath bench/micro/exchange.ts
 */
import net from 'node:net';
import type { PoolConfig, ServiceTimeoutsConfig } from '../../model/config.ts';
import type { ReplyCode } from '../../model/local-reply.ts';
import type { EndpointSnapshot } from '../../model/snapshot.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Timer, type TimerOwner, type TimerWheel } from '../../runtime/timer-wheel.ts';
import {
  type ClientStream,
  FLUSHED,
  type FlushState,
  FULL,
  type OutgoingRequest,
  type ResponseEvents,
} from '../codec.ts';
import type { Counters } from '../record/counters.ts';
import { type ByteSink, SocketReader } from '../socket-reader.ts';
import { SocketWriter } from '../socket-writer.ts';
import { BodyDecoder, type TrailerContext } from './body-decoder.ts';
import { chunkEnd, chunkStart, lastChunk } from './chunks.ts';
import { FAULT, INCOMPLETE } from './fields.ts';
import type { ResponseHead } from './response-head.ts';

const IDLE = 0;
const HEAD = 1;
const BODY = 2;
const TUNNEL = 3;
const ENDED = 4;
const CLOSED = 5;

/** What a connection needs of the worker. */
export interface UpstreamContext {
  readonly clock: Clock;
  readonly wheel: TimerWheel;
  readonly readBuffer: Buffer;
  readonly counters: Pick<Counters, 'upstreamActive' | 'upstreamIdle'>;
  readonly current: TrailerContext['current'] & { readonly responseHead: ResponseHead };
}

/** Who owns a connection while it carries no attempt. */
export interface ConnectionHome {
  readonly endpoint: EndpointSnapshot;
  readonly context: UpstreamContext;
  readonly config: PoolConfig;
  readonly timeouts: ServiceTimeoutsConfig;
  /** A connection that carries an attempt goes away. */
  lose(): void;
  release(connection: ClientConnection): boolean;
  remove(connection: ClientConnection): void;
}

/** A final answer must come after this many interim ones. */
const MAX_INFORMATIONAL = 16;

export class ClientConnection implements ClientStream, ByteSink, TimerOwner {
  /** Time of creation on the context's clock, milliseconds. */
  readonly created: number;
  reused = false;
  answered = false;

  readonly #pool: ConnectionHome;
  readonly #socket: net.Socket;
  readonly #reader: SocketReader;
  readonly #writer: SocketWriter;
  readonly #timer = new Timer(this);
  readonly #body: BodyDecoder;
  #exchange: ResponseEvents | null = null;
  #state = IDLE;
  #connected = false;
  #paused = false;
  #toHead = false;
  #chunked = false;
  #requestEnded = false;
  #reusable = true;
  #hint = 0;
  #informational = 0;
  #pending: Buffer | null = null;

  constructor(pool: ConnectionHome) {
    const { context } = pool;
    this.#pool = pool;
    this.created = context.clock.now();
    this.#reader = new SocketReader(context.readBuffer, this);
    this.#body = new BodyDecoder(context);
    const { host, port } = pool.endpoint;
    this.#socket = net.connect({ host, port, noDelay: true, allowHalfOpen: true, onread: this.#reader.onread });
    this.#writer = new SocketWriter(this.#socket);
    this.#socket.on('connect', () => this.#onConnect());
    this.#socket.on('drain', () => this.#onDrain());
    this.#socket.on('end', () => this.#onEnd());
    // An error is always followed by 'close', which says all that matters.
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => this.#onClose());
    context.wheel.start(this.#timer, pool.timeouts.connect);
  }

  /** Gives the connection its next exchange; call before sendHead. */
  assign(exchange: ResponseEvents, toHead: boolean): void {
    this.#exchange = exchange;
    this.#reader.forget();
    this.#state = HEAD;
    this.#toHead = toHead;
    this.answered = false;
    this.#requestEnded = false;
    this.#informational = 0;
    if (this.#connected) this.#pool.context.wheel.stop(this.#timer);
  }

  sendHead(request: OutgoingRequest): void {
    this.#chunked = request.chunked;
    let text = `${request.method} ${request.target} HTTP/1.1\r\n${request.fields}`;
    if (request.chunked) text += 'Transfer-Encoding: chunked\r\n';
    if (request.upgrade !== '') text += `Connection: upgrade\r\nUpgrade: ${request.upgrade}\r\n`;
    else if (request.teTrailers) text += 'Connection: TE\r\nTE: trailers\r\n';
    this.#writer.text(`${text}\r\n`);
  }

  sendText(text: string): void {
    this.#writer.text(this.#chunked ? chunkStart(text.length) + text + chunkEnd : text);
  }

  sendData(buf: Buffer, start: number, end: number, shared: boolean): void {
    this.#writer.body(buf, start, end, shared, this.#chunked);
  }

  sendEnd(trailers: string): void {
    this.#requestEnded = true;
    if (this.#state === TUNNEL) {
      this.#writer.flush();
      this.#socket.end();
      return;
    }
    if (this.#chunked) this.#writer.text(lastChunk(trailers));
    if (this.#connected && this.#state === HEAD) this.#startTimer(this.#pool.timeouts.response);
  }

  flush(): FlushState {
    if (this.#state === CLOSED) return FLUSHED;
    const state = this.#writer.flush();
    // An upload that the upstream does not read is as stuck as an answer that does not come.
    if (state === FULL && this.#connected && !this.#requestEnded) this.#startTimer(this.#pool.timeouts.idle);
    return state;
  }

  pauseResponse(): void {
    if (this.#paused) return;
    this.#paused = true;
    this.#socket.pause();
    this.#pool.context.wheel.stop(this.#timer);
  }

  resumeResponse(): void {
    if (!this.#paused) return;
    this.#paused = false;
    this.#socket.resume();
    if (this.#state === BODY) this.#startTimer(this.#pool.timeouts.idle);
    // Interim answers alone may have filled the client's side; the final one is still due.
    else if (this.#state === HEAD && this.#requestEnded) this.#startTimer(this.#pool.timeouts.response);
  }

  release(): void {
    this.#exchange = null;
    this.#reader.forget();
    // An upstream that answered without reading all of the request would get the next one behind the rest of this.
    const sent = this.#requestEnded && this.#writer.state === FLUSHED;
    if (!this.#reusable || !sent || this.#state !== ENDED) {
      this.#pool.lose();
      this.destroy();
      return;
    }
    this.#state = IDLE;
    this.reused = true;
    this.resumeResponse();
    if (!this.#pool.release(this)) {
      this.destroy();
      return;
    }
    const { idle } = this.#pool.config;
    this.#startTimer(this.#hint > 0 && this.#hint < idle ? this.#hint : idle);
  }

  abort(): void {
    if (this.#exchange === null) return;
    this.#exchange = null;
    this.#pool.lose();
    this.destroy();
  }

  closeTunnel(): void {
    if (this.#exchange === null) return;
    this.#exchange = null;
    this.#pool.lose();
    this.#state = ENDED;
    this.#startTimer(this.#pool.timeouts.idle);
    this.#socket.destroySoon();
  }

  /** Closes the connection at once; an attempt on it is told nothing. */
  destroy(): void {
    if (this.#state === CLOSED) return;
    if (this.#state === IDLE) this.#pool.remove(this);
    this.#state = CLOSED;
    this.#pending = null;
    this.#pool.context.wheel.remove(this.#timer);
    this.#socket.destroy();
  }

  onTimer(): void {
    if (this.#exchange === null) this.destroy();
    else if (this.#connected) this.#fail('upstream_timeout');
    else this.#fail('connect_timeout');
  }

  onBytes(buf: Buffer, start: number, end: number, shared: boolean): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.destroy();
      return;
    }
    this.answered = true;
    if (this.#pending === null) {
      this.#consume(exchange, buf, start, end, shared);
    } else {
      const joined = Buffer.concat([this.#pending, buf.subarray(start, end)]);
      this.#pending = null;
      this.#consume(exchange, joined, 0, joined.length, false);
    }
    const state = exchange.flushDownstream();
    this.#reader.settle(state);
    if (state === FULL && this.#exchange === exchange) this.pauseResponse();
  }

  #startTimer(ms: number): void {
    this.#pool.context.wheel.start(this.#timer, ms);
  }

  #consume(exchange: ResponseEvents, buf: Buffer, start: number, end: number, shared: boolean): void {
    let pos = start;
    while (pos < end && this.#exchange === exchange) {
      if (this.#state === HEAD) {
        pos = this.#readHead(exchange, buf, pos, end);
      } else if (this.#state === BODY) {
        pos = this.#readBody(exchange, buf, pos, end, shared);
      } else if (this.#state === TUNNEL) {
        exchange.onResponseData(buf, pos, end, shared);
        return;
      } else {
        return;
      }
    }
  }

  #readHead(exchange: ResponseEvents, buf: Buffer, pos: number, end: number): number {
    const head = this.#pool.context.current.responseHead;
    const behind = head.parse(buf, pos, end, this.#toHead);
    if (behind === INCOMPLETE) {
      this.#pending = Buffer.from(buf.subarray(pos, end));
      return end;
    }
    if (behind === FAULT) return this.#malformed(end);
    if (head.status === 101) {
      this.#state = TUNNEL;
      this.#chunked = false;
      this.#reusable = false;
      this.#pool.context.wheel.stop(this.#timer);
      exchange.onResponseHead(head);
      return behind;
    }
    if (head.status < 200) {
      if (++this.#informational > MAX_INFORMATIONAL) return this.#malformed(end);
      exchange.onResponseHead(head);
      return behind;
    }
    this.#reusable = head.keepAlive;
    // A second less than the hint: the upstream counts from when it sent, and closes while our next request is on its way.
    this.#hint = head.keepAliveHint * 1000 - 1000;
    if (head.keepAliveHint === 1) this.#reusable = false;
    this.#body.reset(head.body, head.contentLength);
    this.#state = BODY;
    this.#startTimer(this.#pool.timeouts.idle);
    const ended = this.#body.done;
    if (ended && behind < end) this.#reusable = false;
    exchange.onResponseHead(head);
    if (ended && this.#exchange === exchange) this.#endResponse(exchange, '');
    return behind;
  }

  #readBody(exchange: ResponseEvents, buf: Buffer, pos: number, end: number, shared: boolean): number {
    const body = this.#body;
    const next = body.next(buf, pos, end);
    if (body.failed) return this.#malformed(end);
    if (body.dataEnd > body.dataStart) exchange.onResponseData(buf, body.dataStart, body.dataEnd, shared);
    if (this.#exchange !== exchange) return end;
    if (!body.done) {
      if (!this.#paused) this.#startTimer(this.#pool.timeouts.idle);
      return next;
    }
    if (next < end) this.#reusable = false;
    this.#endResponse(exchange, body.trailers);
    return next;
  }

  #endResponse(exchange: ResponseEvents, trailers: string): void {
    this.#state = ENDED;
    this.#pool.context.wheel.stop(this.#timer);
    exchange.onResponseEnd(trailers);
  }

  #malformed(end: number): number {
    this.#fail('upstream_malformed');
    return end;
  }

  /** Ends the attempt and the connection; the exchange decides what the client gets. */
  #fail(code: ReplyCode): void {
    const exchange = this.#exchange;
    this.#exchange = null;
    if (exchange !== null) this.#pool.lose();
    this.destroy();
    if (exchange !== null) {
      exchange.onAttemptFailed(code);
      exchange.flushDownstream();
    }
  }

  #onConnect(): void {
    this.#connected = true;
    if (this.#exchange === null) return;
    if (this.#requestEnded) this.#startTimer(this.#pool.timeouts.response);
    else if (this.#writer.state === FULL) this.#startTimer(this.#pool.timeouts.idle);
    else this.#pool.context.wheel.stop(this.#timer);
  }

  #onDrain(): void {
    if (this.#connected && this.#state === HEAD && !this.#requestEnded) this.#pool.context.wheel.stop(this.#timer);
    this.#exchange?.onUpstreamDrain();
  }

  #onEnd(): void {
    const exchange = this.#exchange;
    if (exchange === null) {
      this.destroy();
    } else if (this.#state === TUNNEL) {
      exchange.onResponseEnd('');
    } else if (this.#state === BODY && this.#body.endsWithConnection) {
      this.#endResponse(exchange, '');
      exchange.flushDownstream();
    } else {
      this.#fail('upstream_closed');
    }
  }

  #onClose(): void {
    if (this.#state !== CLOSED) this.#fail(this.#connected ? 'upstream_closed' : 'connect_failed');
  }
}
