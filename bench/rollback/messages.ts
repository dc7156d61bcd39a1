/** What the processes of a rollback run say to each other. Times are milliseconds since 1970, to the microsecond; durations milliseconds. */

export type Fault = 'none' | 'error' | 'slow' | 'hang' | 'reset' | 'garbage';

/** How an upstream answers from now on; upstream.ts has the meaning of each fault. */
export interface Behaviour {
  readonly fault: Fault;
  /** How many of the requests that it is about are spoilt, 0 to 1. */
  readonly share: number;
  /** Only paths that end so; empty: all. */
  readonly path: string;
  /** What a good answer takes in the middle. */
  readonly latency: number;
}

export const WELL: Behaviour = { fault: 'none', share: 0, path: '', latency: 5 };

/** Since the behaviour was set; health checks are not counted. */
export interface UpstreamCounts {
  readonly requests: number;
  /** Requests that were spoilt. */
  readonly spoilt: number;
  /** When the first of them came in, and when the last request of any kind; 0: none did. */
  readonly firstSpoiltAt: number;
  readonly lastAt: number;
}

export type UpstreamOrder = { readonly type: 'behave'; readonly behaviour: Behaviour } | { readonly type: 'counts' };

export type UpstreamNews =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly code: string }
  | ({ readonly type: 'counts' } & UpstreamCounts);

/** What the client asks for, from now on. */
export interface Aim {
  readonly service: string;
  readonly method: 'GET' | 'POST';
  /** Users whose names are sent as `X-User-Id`; null: none are. Every request is of one of them, by the dice. */
  readonly users: { readonly prefix: string; readonly count: number; readonly bad: number } | null;
}

export interface Load {
  readonly port: number;
  /** Requests per second, by the clock, over so many keep-alive connections. */
  readonly rate: number;
  readonly connections: number;
  readonly aim: Aim;
}

export type ClientOrder =
  | { readonly type: 'start'; readonly load: Load }
  | { readonly type: 'aim'; readonly aim: Aim }
  | { readonly type: 'stop' }
  | { readonly type: 'report' };

/** Something that a user would have noticed. */
export interface UserError {
  readonly at: number;
  /** `500`, `cut`, `timeout`, `connect`. */
  readonly kind: string;
  /** Who answered, as the answer says; empty where it does not. */
  readonly version: string;
}

/** All counts are since the start. */
export interface ClientReport {
  readonly made: number;
  /** Sent, or due, and not over yet. */
  readonly open: number;
  /** Due, and not sent, because no connection was free for long. */
  readonly skipped: number;
  /** By status and version, such as `200 v1`. */
  readonly answers: Readonly<Record<string, number>>;
  /** Errors in all, and the newest of them. */
  readonly errors: number;
  readonly latest: readonly UserError[];
}

export const wall = (): number => performance.timeOrigin + performance.now();
