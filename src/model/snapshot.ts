/**
 * The snapshot: the compiled routing table that the data plane runs.
 *
 * Plain data, so that it crosses to the worker threads by structured clone; every change is a new generation. Services,
 * versions and endpoints carry small numbers (`id`): their places in shared memory. Each worker turns the snapshot into
 * its own run-time tables once, when it arrives, and swaps one reference; requests only read.
 */
import type { AccessLogConfig, TracingConfig } from './admin-config.ts';
import type {
  DownstreamTimeoutsConfig,
  ForwardedConfig,
  Lane,
  LimitsConfig,
  PoolConfig,
  ServiceTimeoutsConfig,
} from './config.ts';
import type {
  AffinityConfig,
  BalanceConfig,
  CircuitConfig,
  ExperimentConfig,
  HedgeConfig,
  KeySource,
  OutlierConfig,
  RateLimitConfig,
  RetryBudgetConfig,
  RetryConfig,
  ShieldConfig,
  SplitConfig,
} from './policy-config.ts';
import type { RouteConfig } from './route-config.ts';

export interface EndpointSnapshot {
  /** Its row in shared memory; kept from snapshot to snapshot. */
  readonly id: number;
  /** `http://host:port` as configured. */
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /** `host:port` as a Host header has it; the port is left out where it is 80. */
  readonly authority: string;
  readonly weight: number;
  /** Most attempts at once, over all workers; 0 is unlimited. */
  readonly maxRequests: number;
}

export interface VersionSnapshot {
  /** Its place in the shared counters; kept from snapshot to snapshot. */
  readonly id: number;
  readonly name: string;
  readonly lane: Lane | null;
  /** Hundredths of a percent; a service's weights sum to 10,000. Live weights (weight-table.ts) take precedence. */
  readonly weight: number;
  readonly endpoints: readonly EndpointSnapshot[];
}

export interface ServiceSnapshot {
  /** Dense over the whole snapshot. */
  readonly id: number;
  readonly name: string;
  readonly versions: readonly VersionSnapshot[];
  /** Index into `versions`. */
  readonly stable: number;
  readonly split: SplitConfig;
  readonly experiments: readonly ExperimentConfig[];
  /** Lower-case name of the override header, or null. */
  readonly overrideHeader: string | null;
  readonly overrideCookie: string | null;
  readonly affinity: AffinityConfig | null;
  readonly balance: BalanceConfig;
  readonly outlier: OutlierConfig | null;
  readonly retry: RetryConfig | null;
  readonly retryBudget: RetryBudgetConfig;
  readonly shield: ShieldConfig | null;
  readonly hedge: HedgeConfig | null;
  readonly circuit: CircuitConfig;
  readonly rateLimit: RateLimitConfig | null;
  readonly timeouts: ServiceTimeoutsConfig;
  readonly pool: PoolConfig;
  readonly exposeVersion: boolean;
}

export interface FlagSnapshot {
  readonly name: string;
  /** Hundredths of a percent of the keys for which it is on: 0 is off, 10,000 is on for everyone. */
  readonly share: number;
  readonly key: KeySource | null;
  /** Request header for upstreams, name as written, or null. */
  readonly header: string | null;
}

/** Which requests are traced; where spans go is the control plane's business. */
export type TracingSnapshot = Pick<TracingConfig, 'sample' | 'parent' | 'maxPerSecond'>;

export interface Snapshot {
  readonly generation: number;
  readonly limits: LimitsConfig;
  readonly timeouts: DownstreamTimeoutsConfig;
  readonly trustedProxies: readonly string[];
  readonly headers: ForwardedConfig;
  readonly services: readonly ServiceSnapshot[];
  /** `service` names an entry of `services`. Empty: the only service takes every request. */
  readonly routes: readonly RouteConfig[];
  readonly flags: readonly FlagSnapshot[];
  readonly accessLog: AccessLogConfig | null;
  /** Null: no request is traced. */
  readonly tracing: TracingSnapshot | null;
}
