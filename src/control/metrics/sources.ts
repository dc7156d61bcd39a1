/** What metrics are made of: the shared memory of the data plane, and what only the control plane knows. */
import type { WorkerMemory } from '../../model/counters.ts';
import type { EndpointTable } from '../../model/endpoint-table.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { TestReading } from '../analysis/verdict.ts';
import type { OpenAlert } from '../monitor/alert-watch.ts';
import type { Phase } from '../rollout/rollout.ts';
import type { StoreState } from '../store/store.ts';
import type { SpanCounts } from '../tracing/trace-export.ts';

export interface PushedMetric {
  readonly service: string;
  readonly version: string;
  /** Whoever takes pushes bounds the number of different names. */
  readonly metric: string;
  readonly value: number;
}

export interface RolloutReading {
  readonly service: string;
  readonly id: string;
  readonly phase: Phase;
  /** From 1; 0 before the first. */
  readonly step: number;
  /** Something holds it, a pause included. */
  readonly waiting: boolean;
  readonly tests: readonly TestReading[];
  /** Failed first attempts of the canary: what its budget counts. */
  readonly failures: number;
}

export interface RolloutsEnded {
  readonly service: string;
  readonly phase: Phase;
  /** Since the process started. */
  readonly count: number;
}

export interface MetricsSources {
  /** The one that runs at the start; `rowsChanged` tells of later ones. */
  readonly snapshot: Snapshot;
  /** One per configured worker. */
  readonly memories: readonly WorkerMemory[];
  readonly endpoints: EndpointTable;
  /** Of Sluice, `0.1.0`. */
  readonly release: string;
  /** Milliseconds since 1970. Default: the system's. */
  readonly wallClock?: () => number;
  /** Live weights in percent by version id; the snapshot's holds for those that are not in it. */
  weights(): ReadonlyMap<number, number>;
  /** See RateTable.overflows. */
  rateOverflows(): number;
  /** Null while the store can be written. */
  storeTrouble(): StoreState['trouble'];
  /** Alerts that are not ok. */
  alerts(): readonly OpenAlert[];
  pushed(): Iterable<PushedMetric>;
  /** Newest first; of those that are over the latest of each service is enough. Default: none. */
  rollouts?(): readonly RolloutReading[];
  /** Default: none. */
  rolloutsEnded?(): readonly RolloutsEnded[];
  /** Spans that the main thread had in hand. Default: none. */
  traceSpans?(): SpanCounts;
  /** Workers that listen now. */
  listening(): number;
}
