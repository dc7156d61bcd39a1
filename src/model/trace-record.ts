/**
 * What a worker tells of one traced request: plain data, which the main thread makes spans of.
 *
 * Times are milliseconds since 1970, with fractions. Empty texts are what the request does not have. Texts that a client chose are bounded.
 */

/** Why an attempt was made. */
export type AttemptCause =
  /** It is the first one. */
  | 'first'
  /** The one before it failed, and the request was repeated on the same version. */
  | 'retry'
  /** The one before it failed on another version, and stable answers in its place. */
  | 'shield'
  /** The one before it is slow and still runs. */
  | 'hedge'
  /** The one before it met a pooled connection that the upstream had closed. */
  | 'resend';

export interface AttemptRecord {
  readonly spanId: string;
  readonly cause: AttemptCause;
  readonly start: number;
  readonly end: number;
  /** Of the attempt's version. */
  readonly version: string;
  readonly lane: string;
  /** `http://host:port` of the endpoint. */
  readonly url: string;
  /** Of the response head; 0 where none came. */
  readonly status: number;
  /** Whether its answer was taken, or passed over in favour of another attempt; false where nobody waited for it any more. */
  readonly judged: boolean;
  /** Code of the local reply that its failure stands for, empty where it did not fail. */
  readonly failure: string;
}

export interface TraceRecord {
  readonly traceId: string;
  /** Of the request's own span. */
  readonly spanId: string;
  /** Of the span that the client named, empty where the trace begins here. */
  readonly parentId: string;
  /** `tracestate` as the client sent it. */
  readonly state: string;
  readonly requestId: string;
  readonly start: number;
  readonly end: number;
  readonly method: string;
  /** As the client sent it, without the query. */
  readonly path: string;
  /** As attempts send it, without the query. */
  readonly upstreamPath: string;
  readonly scheme: string;
  /** Host field, with its port where it has one. */
  readonly authority: string;
  /** `1.0` or `1.1`. */
  readonly protocol: string;
  readonly client: string;
  readonly userAgent: string;
  /** What the client got; 499 where it went away. */
  readonly status: number;
  /** How it ended: `done`, `aborted`, `fault`, or the code of a local reply, which is also why an answer was cut. */
  readonly cause: string;
  /** Flags of the access log. */
  readonly flags: string;
  /** Whether the answer broke off after its head. */
  readonly cut: boolean;
  readonly route: string;
  readonly service: string;
  /** Whose answer the client got, or that was tried last. */
  readonly version: string;
  readonly lane: string;
  readonly shieldedFrom: string;
  readonly attempts: readonly AttemptRecord[];
}

/** How many spans are made of it. */
export const spanCount = (record: { readonly attempts: readonly unknown[] }): number => 1 + record.attempts.length;
