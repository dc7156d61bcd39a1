/**
 * The configuration after parsing, validation and defaulting: what `sluice.yaml` means, with no optional value left open.
 *
 * Shapes only; the loader in `control/config` produces them, the compiler turns them into a {@link Snapshot}. Durations are
 * milliseconds, sizes are bytes, weights are percent with 0.01 resolution.
 */

import type { AccessLogConfig, AdminConfig, EventsConfig, FlagConfig, TracingConfig } from './admin-config.ts';
import type {
  AffinityConfig,
  BalanceConfig,
  CircuitConfig,
  ExperimentConfig,
  HealthConfig,
  HedgeConfig,
  MonitorConfig,
  OutlierConfig,
  RateLimitConfig,
  RetryBudgetConfig,
  RetryConfig,
  ShieldConfig,
  SplitConfig,
} from './policy-config.ts';
import type { RolloutsConfig } from './rollout-config.ts';
import type { RouteConfig } from './route-config.ts';

/** One bound address. `port` 0 asks the kernel for a free one. */
export interface ListenConfig {
  readonly host: string;
  readonly port: number;
}

/** Bounds on what one client, or all of them together, may make the proxy hold. */
export interface LimitsConfig {
  /** Largest request or response head, request line included. Default 16 KiB. */
  readonly headSize: number;
  /** Most header fields in one head. Default 100. */
  readonly headerCount: number;
  /** Longest request target. Default 8 KiB. */
  readonly targetLength: number;
  /** Largest request body; 0 is unlimited. Default 0. */
  readonly bodySize: number;
  /** Most downstream connections of the process; more are closed at accept. Default 20,000. */
  readonly connections: number;
  /** Most downstream connections from one address, trusted proxies excepted; 0 is unlimited. Default 5,000. */
  readonly connectionsPerAddress: number;
}

/** Downstream timeouts: how long a client may take. */
export interface DownstreamTimeoutsConfig {
  /** From the first byte of a request (or from accept) to the end of its head. Default 10 s. */
  readonly head: number;
  /** Longest silence of a client in the middle of a request body, or of a reader in the middle of a response. Default 30 s. */
  readonly bodyIdle: number;
  /** Longest wait for the next request on a kept-alive connection. Default 60 s. */
  readonly keepAlive: number;
  /** How long an answer may pause once the client has sent FIN. Default 1 s. */
  readonly halfClose: number;
  /** How long requests may finish after SIGTERM. Default 30 s. */
  readonly drain: number;
}

/** Upstream timeouts of one service. */
export interface ServiceTimeoutsConfig {
  /** To an established connection. Default 1 s. */
  readonly connect: number;
  /** From the end of the request to the head of the response, all attempts together. Default 30 s. */
  readonly request: number;
  /** From the end of the request to the head of the response, one attempt. Default 30 s. */
  readonly response: number;
  /** Longest silence of an upstream in the middle of a body. Default 60 s. */
  readonly idle: number;
  /** Longest silence of both sides of an upgraded connection. Default 1 h. */
  readonly tunnel: number;
}

/** Idle connections kept per endpoint and worker. */
export interface PoolConfig {
  /** Most idle connections. Default 1,024. */
  readonly maxIdle: number;
  /** Longest time a connection stays idle. Default 30 s. */
  readonly idle: number;
  /** Longest life of a connection; 0 is unlimited. Default 0. */
  readonly maxAge: number;
}

export interface EndpointConfig {
  /** `http://host:port`, no path. */
  readonly url: string;
  /** Relative share among the version's endpoints, 1 to 1000. Default 1. */
  readonly weight: number;
  /** Most attempts at once, over all workers; 0 is unlimited. Default 0. */
  readonly maxRequests: number;
}

export interface VersionConfig {
  readonly name: string;
  readonly endpoints: readonly EndpointConfig[];
}

/** In the order in which people name them. */
export const LANES = ['stable', 'canary', 'candidate'] as const;

export type Lane = (typeof LANES)[number];

export const isLane = (name: string): name is Lane => (LANES as readonly string[]).includes(name);

export interface ServiceConfig {
  readonly name: string;
  readonly versions: readonly VersionConfig[];
  /** `stable` is always assigned: a service with one version needs no `lanes`. */
  readonly lanes: { readonly stable: string; readonly canary?: string; readonly candidate?: string };
  /** Percent per version name, every version listed, sum 100. */
  readonly weights: Readonly<Record<string, number>>;
  readonly split: SplitConfig;
  readonly experiments: readonly ExperimentConfig[];
  /** Header or cookie whose value, a lane or a version name, forces the version. Header names are kept as written. */
  readonly override?: { readonly header?: string; readonly cookie?: string };
  readonly affinity?: AffinityConfig;
  readonly balance: BalanceConfig;
  readonly health?: HealthConfig;
  readonly outlier?: OutlierConfig;
  readonly retry?: RetryConfig;
  readonly retryBudget: RetryBudgetConfig;
  readonly shield?: ShieldConfig;
  readonly hedge?: HedgeConfig;
  readonly circuit: CircuitConfig;
  readonly rateLimit?: RateLimitConfig;
  readonly timeouts: ServiceTimeoutsConfig;
  readonly pool: PoolConfig;
  /** Adds `x-sluice-version` to responses. Default false. */
  readonly exposeVersion: boolean;
}

export interface ForwardedConfig {
  /** Also send RFC 7239 `Forwarded`. Default false. */
  readonly forwarded: boolean;
  /** Name used in `Via` and `Proxy-Status`. Default `sluice`. */
  readonly via: string;
}

export interface SluiceConfig {
  readonly listen: readonly ListenConfig[];
  /** Worker threads; `auto` in the file is the number of available cores. */
  readonly workers: number;
  readonly limits: LimitsConfig;
  readonly timeouts: DownstreamTimeoutsConfig;
  /** CIDR blocks whose `X-Forwarded-*`, `Forwarded` and `X-Request-Id` are believed. Default none. */
  readonly trustedProxies: readonly string[];
  readonly headers: ForwardedConfig;
  readonly services: readonly ServiceConfig[];
  readonly monitor: MonitorConfig;
  /** Empty only with one service, which then takes every request. */
  readonly routes: readonly RouteConfig[];
  /** Which of the values by environment hold. Default `default`. */
  readonly environment: string;
  /** Absolute path of the state directory; null: nothing is kept over a restart. Default: `data` beside the file where there is an admin API. */
  readonly data: string | null;
  /** Null: there is no admin API. */
  readonly admin: AdminConfig | null;
  readonly flags: readonly FlagConfig[];
  readonly events: EventsConfig;
  /** Null: requests are not logged. */
  readonly accessLog: AccessLogConfig | null;
  /** Null: no spans are made. */
  readonly tracing: TracingConfig | null;
  readonly rollouts: RolloutsConfig;
}
