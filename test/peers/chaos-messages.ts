/** What the processes of a chaos test say to each other. */

/** How an upstream answers; chaos-upstream.ts has the meaning of each. */
export type Manner = 'well' | 'reset' | 'error503' | 'garbage' | 'slow';

export type UpstreamNews =
  | { readonly type: 'listening'; readonly port: number }
  | { readonly type: 'failed'; readonly code: string }
  | { readonly type: 'manner'; readonly manner: Manner };

export interface Load {
  readonly port: number;
  readonly connections: number;
  /** Requests per second that are aimed at. */
  readonly rate: number;
  readonly method: 'GET' | 'PUT';
  /** Length of the body of a PUT. */
  readonly bodyBytes: number;
  /** Targets, one after the other; `*` is replaced by the number of the request. */
  readonly targets: readonly string[];
}

/** `report` is answered with what there is so far, `latency` with the latencies since the last time; `stop`: no more requests. */
export type ClientOrder =
  | { readonly type: 'start'; readonly load: Load }
  | { readonly type: 'report' }
  | { readonly type: 'latency' }
  | { readonly type: 'stop' };

/** Milliseconds from when a request was due to the end of its answer. */
export interface Latency {
  readonly p50: number;
  readonly p99: number;
  readonly max: number;
}

export interface ClientReport {
  /** Since the first request, milliseconds. */
  readonly elapsed: number;
  /** Requests sent. */
  readonly made: number;
  /** Sent and not over yet. */
  readonly inFlight: number;
  /** Requests that were due and not sent, because no connection was free for long. */
  readonly skipped: number;
  /** Right answers by the name of the upstream that gave them. */
  readonly answers: Readonly<Record<string, number>>;
  /** Everything that a user would have noticed, by kind. */
  readonly errors: Readonly<Record<string, number>>;
}

/** Counts of one version over all workers, by the names of VERSION_SLOTS. */
export type VersionCounts = Readonly<Record<string, number>>;

/** By `service/version`; `worker` has the counts by the names of WORKER_SLOTS. */
export type ProxyCounts = Readonly<Record<string, VersionCounts>>;
