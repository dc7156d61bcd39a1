/**
 * What an exchange knows of the two connections it stands between.
 *
 * An exchange carries one request and does not care which protocol brings it or takes it away: it speaks to a ServerStream (the client
 * side) and a ClientStream (the upstream side). The HTTP/1.1 engine implements both with its connections, since a connection has one
 * exchange at a time there; HTTP/2 will implement them with its streams. Heads travel as {@link FieldBlock}s and field-line text,
 * the cheapest common form.
 *
 * Back pressure. Data is queued and leaves with `flush`, which the reading side calls once per read event. FULL means: stop reading the
 * source until the drain call comes. Anything but FLUSHED means that the buffer handed over is still in use.
 */
import type { ReplyCode } from '../model/local-reply.ts';
import type { ClientFacts } from './http1/field-rules.ts';
import type { RequestHead } from './http1/request-head.ts';
import type { ResponseHead } from './http1/response-head.ts';

export const FLUSHED = 0;
export const PENDING = 1;
export const FULL = 2;
/** FLUSHED, PENDING or FULL. */
export type FlushState = 0 | 1 | 2;

/** An answer that Sluice gives itself. Text is latin1, as it goes on the wire. */
export interface LocalAnswer {
  readonly status: number;
  readonly reason: string;
  /** Complete field lines, Content-Length among them; Date and Connection are added. */
  readonly lines: string;
  readonly body: string;
}

/** One request on the client side. */
export interface ServerStream {
  readonly client: ClientFacts;
  pauseRequest(): void;
  resumeRequest(): void;
  sendInformational(head: ResponseHead, fields: string): void;
  sendHead(head: ResponseHead, fields: string): void;
  /** @param shared whether `buf` will be overwritten by the next read of any socket. */
  sendData(buf: Buffer, start: number, end: number, shared: boolean): void;
  sendEnd(trailers: string): void;
  /** Takes back a response of which no byte has left; false where that is too late. */
  retract(): boolean;
  /** Answers 101 and lets raw bytes through from here on. */
  startTunnel(head: ResponseHead, fields: string): void;
  sendReply(answer: LocalAnswer): void;
  flush(): FlushState;
  /** Nothing more will be sent for this request; the next may be read. */
  finish(): void;
  /** Cuts the connection or stream, so that the client sees an incomplete response as what it is. */
  abort(): void;
}

/** One attempt on the upstream side. */
export interface ClientStream {
  /** Whether this attempt runs on a connection that has carried others. */
  readonly reused: boolean;
  /** Whether any byte of a response has come. */
  readonly answered: boolean;
  sendHead(request: OutgoingRequest): void;
  sendText(text: string): void;
  sendData(buf: Buffer, start: number, end: number, shared: boolean): void;
  sendEnd(trailers: string): void;
  flush(): FlushState;
  pauseResponse(): void;
  resumeResponse(): void;
  /** Gives the connection back for further attempts. */
  release(): void;
  /** Closes behind what is still to be sent; both sides of the tunnel have ended. */
  closeTunnel(): void;
  abort(): void;
}

/** A request as an attempt sends it. */
export interface OutgoingRequest {
  readonly method: string;
  readonly target: string;
  readonly fields: string;
  readonly chunked: boolean;
  readonly teTrailers: boolean;
  /** Protocol to upgrade to, or empty. */
  readonly upgrade: string;
}

/** What the client side tells its exchange. */
export interface RequestEvents {
  /** There is no request, because its head is not one; an answer is sent. */
  onHeadFault(code: ReplyCode): void;
  begin(head: RequestHead): void;
  onRequestData(buf: Buffer, start: number, end: number, shared: boolean): void;
  onRequestEnd(trailers: string): void;
  onRequestFault(code: ReplyCode): void;
  onDownstreamDrain(): void;
  onDownstreamClosed(): void;
  flushUpstream(): FlushState;
}

/** What the upstream side tells its exchange. */
export interface ResponseEvents {
  onResponseHead(head: ResponseHead): void;
  onResponseData(buf: Buffer, start: number, end: number, shared: boolean): void;
  onResponseEnd(trailers: string): void;
  onAttemptFailed(code: ReplyCode): void;
  onUpstreamDrain(): void;
  flushDownstream(): FlushState;
}

/** Who keeps the client side's connections. */
export interface ConnectionOwner<Connection> {
  /** No response may promise that its connection goes on. */
  readonly draining: boolean;
  /** Connections end as soon as nothing is in flight. */
  readonly ending: boolean;
  connectionClosed(connection: Connection): void;
}
