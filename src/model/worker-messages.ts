/**
 * What the main thread and its workers say to each other; nothing of it is on the way of a request.
 */
import type { ListenConfig } from './config.ts';
import type { WorkerMemory } from './counters.ts';
import type { EndpointTable } from './endpoint-table.ts';
import type { EvidenceTable, FailedRequest, SwitchCause } from './evidence-table.ts';
import type { Snapshot } from './snapshot.ts';
import type { TraceRecord } from './trace-record.ts';
import type { WeightTable } from './weight-table.ts';

/** Handed to a worker at its start. */
export interface WorkerInit {
  readonly index: number;
  readonly snapshot: Snapshot;
  /** Addresses to listen on, with the port that the first worker was given where the file says 0. */
  readonly listen: readonly ListenConfig[];
  readonly reusePort: boolean;
  /** Counters of every worker, by index. */
  readonly memories: readonly WorkerMemory[];
  readonly endpoints: EndpointTable;
  readonly weights: WeightTable;
  readonly rates: SharedArrayBuffer;
  /** The worker's own block is the one of its index. */
  readonly evidence: EvidenceTable;
  readonly ledger: Int32Array;
  readonly ledgerSalt: number;
}

export type ToWorker =
  | { readonly type: 'apply'; readonly snapshot: Snapshot }
  /** Live weights have changed; whoever has no request to notice it by takes them up now. */
  | { readonly type: 'weigh'; readonly epoch: number }
  /** The access log has been moved away: go on in a new file. */
  | { readonly type: 'reopen' }
  /** The records that came last have been taken: more may come. */
  | { readonly type: 'traces-taken' }
  | { readonly type: 'drain'; readonly ms: number };

export type FromWorker =
  | { readonly type: 'listening'; readonly addresses: readonly ListenConfig[] }
  /** The worker could not start, or gave up. */
  | { readonly type: 'failed'; readonly code: string; readonly message: string }
  | { readonly type: 'applied'; readonly generation: number }
  /** The snapshot could not be run; the worker goes on with the one it had. */
  | { readonly type: 'refused'; readonly generation: number; readonly message: string }
  | { readonly type: 'weighed'; readonly epoch: number }
  | { readonly type: 'drained' }
  /** One of the requests that have failed on a version that a rollout compares; many at once are only counted. */
  | { readonly type: 'failed-request'; readonly request: FailedRequest }
  /** The worker has closed a version: so that nobody need wait until somebody looks. */
  | { readonly type: 'switched'; readonly row: number; readonly use: number; readonly cause: SwitchCause }
  /** Requests that were traced; the next ones come when these have been taken. */
  | { readonly type: 'traces'; readonly records: readonly TraceRecord[] }
  | { readonly type: 'log'; readonly event: string; readonly fields: Readonly<Record<string, unknown>> };
