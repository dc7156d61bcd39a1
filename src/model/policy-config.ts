/**
 * The part of the configuration that says how a request gets its version and endpoint, and what happens when that goes wrong.
 *
 * Shapes only, like `config.ts`; nothing optional is left open but what may really be absent. Durations are milliseconds, sizes
 * bytes, shares percent.
 */

/** What identifies the user of a request. `name` of a header is lower case; `address` is the client's, as X-Forwarded-For would have it. */
export type KeySource =
  | { readonly from: 'header'; readonly name: string }
  | { readonly from: 'cookie'; readonly name: string }
  | { readonly from: 'query'; readonly name: string }
  | { readonly from: 'address' };

export type SplitStrategy = 'weighted' | 'hash' | 'latency' | 'header' | 'round_robin';

/** How a request gets its version where nothing else has decided; the weights stand beside it in {@link ServiceConfig}. */
export interface SplitConfig {
  readonly strategy: SplitStrategy;
  /** `hash`: what is hashed. Requests without it are split by weight. */
  readonly key?: KeySource;
  /** `header`: lower-case name, and the version of each of its values; other values are split by weight. */
  readonly header?: { readonly name: string; readonly values: Readonly<Record<string, string>> };
  /** `latency`: percent of the requests that each version with a weight gets at least. Default 5. */
  readonly floor: number;
}

/** A named A/B test: its users are split by key with a salt of its own, whatever the rollout does. */
export interface ExperimentConfig {
  readonly name: string;
  readonly key: KeySource;
  /** Default: the name. */
  readonly salt: string;
  /** Percent of the keys that take part, 0.01 resolution. Default 100. */
  readonly traffic: number;
  /** Percent per version name, sum 100. */
  readonly weights: Readonly<Record<string, number>>;
}

export interface AffinityConfig {
  /** A cookie is issued by Sluice to whoever has none. */
  readonly key: KeySource;
  /** Since the session's last request. Default 1 h. */
  readonly ttl: number;
  /** Most sessions remembered per worker. Default 100,000. */
  readonly max: number;
}

export type BalancingPolicyName =
  | 'round_robin'
  | 'weighted_round_robin'
  | 'random'
  | 'least_request'
  | 'peak_ewma'
  | 'ring_hash'
  | 'maglev';

export interface BalanceConfig {
  /** Default `weighted_round_robin`. */
  readonly policy: BalancingPolicyName;
  /** `ring_hash` and `maglev`: what is hashed. Default: the affinity's key, else the split's, else the client's address. */
  readonly key: KeySource;
  /** How long the share of an endpoint that is new or back grows to its full size; 0 turns it off. Default 0. */
  readonly slowStart: number;
  /** `ring_hash`: most load of an endpoint relative to the mean, percent; 0 is unbounded. Default 125. */
  readonly maxLoad: number;
  /** Time constant of the latency average of `peak_ewma` and of the `latency` split. Default 10 s. */
  readonly decay: number;
  /** Percent of available endpoints below which availability is ignored; 0 turns it off. Default 0. */
  readonly panicThreshold: number;
}

/** Active health checks. */
export interface HealthConfig {
  /** `http` where a path is given. */
  readonly type: 'http' | 'tcp';
  /** Default `/` for `http`. */
  readonly path: string;
  /** Host field of the probe. Default: the endpoint's authority. */
  readonly host?: string;
  /** Inclusive ranges of expected statuses. Default 200 to 299. */
  readonly status: readonly (readonly [from: number, to: number])[];
  /** Text that the first 64 KiB of the body must contain. */
  readonly body?: string;
  /** Default 2 s. */
  readonly interval: number;
  /** Between probes of an unhealthy endpoint. Default: a quarter of the interval, at least 100 ms. */
  readonly unhealthyInterval: number;
  /** Random share of the interval, percent, that is added or taken away. Default 10. */
  readonly jitter: number;
  /** Default 1 s. */
  readonly timeout: number;
  /** Successes in a row that make an endpoint healthy. Default 2. */
  readonly healthy: number;
  /** Failures in a row that make it unhealthy. Default 3. */
  readonly unhealthy: number;
}

/** Passive health: endpoints are ejected for how they answer users. Counts of 0 turn a detector off. */
export interface OutlierConfig {
  /** Answers 500 to 599 and local failures in a row. Default 5. */
  readonly consecutive5xx: number;
  /** Answers 502, 503, 504 and local failures in a row. Default 5. */
  readonly consecutiveGateway: number;
  /** Connections refused or reset, timeouts and malformed answers in a row. Default 5. */
  readonly consecutiveLocal: number;
  /** First ejection; the n-th takes n times as long. Default 30 s. */
  readonly baseEjection: number;
  /** Longest ejection. Default 5 min. */
  readonly maxEjection: number;
  /** Most endpoints of a version that are ejected at once, percent; one may be, where there are several. 0: none ever, 100: all. Default 50. */
  readonly maxEjectionPercent: number;
  /** Between looks at the success rates, and how long an endpoint must behave to be forgiven one ejection. Default 10 s. */
  readonly interval: number;
  /** Endpoints with enough requests in an interval that the success-rate detector needs; 0 turns it off. Default 3. */
  readonly successRateMinimumHosts: number;
  /** Requests in an interval that make an endpoint count. Default 100. */
  readonly successRateMinimumRequests: number;
  /** Standard deviations below the mean of the others that eject, in thousandths. Default 1,900. */
  readonly successRateStdevFactor: number;
}

/** How an attempt can fail in the eyes of retry and shield; a number is a status. */
export type FailureCondition = 'connect-failure' | 'reset' | 'timeout' | '5xx' | 'gateway-error' | number;

/** `safe`: GET, HEAD, OPTIONS, TRACE. `idempotent`: those, PUT and DELETE. */
export type MethodSet = 'safe' | 'idempotent' | 'all' | readonly string[];

export interface RetryConfig {
  /** Attempts after the first. Default 1. */
  readonly attempts: number;
  /** Default connect-failure, reset, 502, 503, 504. */
  readonly on: readonly FailureCondition[];
  /** Default `idempotent`. A request that no byte of was sent may be repeated whatever its method. */
  readonly methods: MethodSet;
  /** From the end of the request to the head of the response; 0: `timeouts.response`. Default 0. */
  readonly perTryTimeout: number;
  /** First pause before a retry; it doubles, with full jitter. A retry on another endpoint after a failed connect does not wait. Default 25 ms. */
  readonly backoff: number;
  /** Longest pause. Default 250 ms. */
  readonly maxBackoff: number;
  /** Largest request body that is kept to be sent again. Default 64 KiB. */
  readonly maxBody: number;
}

/** Bounds retries, shielded attempts and hedges together. */
export interface RetryBudgetConfig {
  /** Percent of the requests of the last ten seconds. Default 20. */
  readonly percent: number;
  /** Attempts per second that are always allowed. Default 10. */
  readonly minimum: number;
}

export interface ShieldConfig {
  /** Default connect-failure, reset, timeout, 5xx. */
  readonly on: readonly FailureCondition[];
  /** Default `idempotent`. */
  readonly methods: MethodSet;
  /** Default 64 KiB. */
  readonly maxBody: number;
  /** Whether requests that chose the canary by header are shielded too. Default false. */
  readonly forced: boolean;
}

export interface HedgeConfig {
  /** How long the first attempt may stay without an answer before a second one starts. */
  readonly after: number;
  /** Default `safe`. */
  readonly methods: MethodSet;
}

/** Bounds per version; 0 is unlimited, which is every default. */
export interface CircuitConfig {
  /** Requests in flight, over all workers. */
  readonly maxRequests: number;
  /** Upstream connections, divided among the workers. */
  readonly maxConnections: number;
  /** Requests that wait for a connection, divided among the workers. */
  readonly maxPending: number;
  /** Retries, shielded attempts and hedges in flight, over all workers. */
  readonly maxRetries: number;
}

/** Token bucket, shared by all workers. */
export interface RateLimitConfig {
  /** Requests per second, fractions allowed. */
  readonly rate: number;
  /** Requests that may come at once. Default: the rate, at least 1. */
  readonly burst: number;
  /** One bucket per value of the key; left out, one bucket for the route or service. Requests without the key share one. */
  readonly key?: KeySource;
}

/** Faults on purpose, for tests and drills. */
export interface FaultConfig {
  /** Only requests with this lower-case header are meant. */
  readonly header?: string;
  readonly delay?: { readonly by: number; readonly percent: number };
  readonly abort?: { readonly status: number; readonly percent: number };
}

/** Levels of a signal; the alert is raised above, cleared below `clear`. */
export interface AlertConfig {
  readonly name: string;
  /** `latency` is a percentile in milliseconds, `error_rate` and `availability` are percent, `throughput` is requests per second. */
  readonly metric: 'availability' | 'error_rate' | 'p50' | 'p95' | 'p99' | 'throughput';
  /** Which way is bad. */
  readonly when: 'above' | 'below';
  readonly threshold: number;
  /** Where the alert is cleared again. Default: the threshold, moved a tenth towards the good side. */
  readonly clear: number;
  /** How long the value must be bad before the alert is raised, milliseconds. Default 0. */
  readonly for: number;
  /** Attempts in the window below which there is no value to judge; `throughput` is judged from the first. Default 20. */
  readonly minimum: number;
  /** Also raise a warning when the trend will cross the threshold within this time, milliseconds; 0: never. Default 0. */
  readonly forecast: number;
}

export interface MonitorConfig {
  /** Length of the sliding window. Default 60 s. */
  readonly window: number;
  /** How long history is kept. Default 1 h. */
  readonly history: number;
  readonly alerts: readonly AlertConfig[];
  /** Where alerts are posted as JSON. */
  readonly webhooks: readonly string[];
}
