/**
 * The parts of the configuration as written: the shape that the schema admits, before defaults, units and cross-references.
 *
 * The `resolve-*` files read a part of it only after `Review.sound` has said that the part has this shape.
 */
import type { Lane, PoolConfig, ServiceTimeoutsConfig } from '../../model/config.ts';
import type {
  BalancingPolicyName,
  CircuitConfig,
  FailureCondition,
  RetryBudgetConfig,
  SplitStrategy,
} from '../../model/policy-config.ts';
import type {
  AFFINITY,
  ALERT,
  BALANCE,
  ENDPOINT,
  EXPERIMENT,
  HEALTH,
  HEDGE,
  MONITOR,
  OUTLIER,
  RETRY,
  SHIELD,
  SPLIT,
  SUCCESS_RATE,
} from './settings.ts';

/** Numbers of which each may be written, with its unit, or left out. */
export type Written<T> = { readonly [Key in keyof T]?: string | number };

/** Percent per version name. */
export type RawWeights = Readonly<Record<string, string | number>>;

export interface RawKey {
  readonly header?: string;
  readonly cookie?: string;
  readonly query?: string;
  readonly ip?: true;
}

export interface RawRateLimit {
  readonly rate: string | number;
  readonly burst?: number;
  readonly key?: RawKey;
}

export type RawListen = string | number | { readonly address: string | number };

export type RawEndpoint = string | ({ readonly url: string } & Written<typeof ENDPOINT>);

export interface RawSplit extends Written<typeof SPLIT> {
  readonly strategy?: SplitStrategy;
  readonly weights?: RawWeights;
  readonly key?: RawKey;
  readonly header?: string;
  readonly values?: Readonly<Record<string, string>>;
}

export interface RawExperiment extends Written<typeof EXPERIMENT> {
  readonly name: string;
  readonly key: RawKey;
  readonly salt?: string;
  readonly weights: RawWeights;
}

export type RawAffinity = 'none' | (RawKey & Written<typeof AFFINITY>);

export type RawBalance =
  | BalancingPolicyName
  | ({ readonly policy?: BalancingPolicyName; readonly key?: RawKey } & Written<typeof BALANCE>);

export type RawStatus = string | number;

export interface RawHealth extends Written<typeof HEALTH> {
  readonly path?: string;
  readonly tcp?: true;
  readonly host?: string;
  readonly status?: RawStatus | readonly RawStatus[];
  readonly body?: string;
}

export interface RawOutlier extends Written<typeof OUTLIER> {
  readonly successRate?: Written<typeof SUCCESS_RATE>;
}

export type RawMethods = string | readonly string[];

export interface RawRetry extends Written<typeof RETRY> {
  readonly on?: readonly FailureCondition[];
  readonly methods?: RawMethods;
  readonly budget?: string | number | Written<RetryBudgetConfig>;
}

export interface RawShield extends Written<typeof SHIELD> {
  readonly on?: readonly FailureCondition[];
  readonly methods?: RawMethods;
  readonly forced?: boolean;
}

export interface RawHedge extends Written<typeof HEDGE> {
  readonly methods?: RawMethods;
}

export interface RawService {
  readonly versions: Readonly<Record<string, { readonly endpoints: readonly RawEndpoint[] }>>;
  readonly lanes?: { readonly [Key in Lane]?: string };
  readonly split?: RawSplit;
  readonly experiments?: readonly RawExperiment[];
  readonly override?: { readonly header?: string; readonly cookie?: string };
  readonly affinity?: RawAffinity;
  readonly balance?: RawBalance;
  readonly health?: RawHealth;
  readonly outlier?: RawOutlier;
  readonly retry?: RawRetry;
  readonly shield?: RawShield;
  readonly hedge?: RawHedge;
  readonly circuit?: Written<CircuitConfig>;
  readonly rateLimit?: RawRateLimit;
  readonly timeouts?: Written<ServiceTimeoutsConfig>;
  readonly pool?: Written<PoolConfig>;
  readonly exposeVersion?: boolean;
}

export interface RawAlert extends Written<typeof ALERT> {
  readonly name: string;
  readonly when: string;
  readonly clear?: string | number;
}

export interface RawMonitor extends Written<typeof MONITOR> {
  readonly alerts?: readonly RawAlert[];
  readonly webhooks?: readonly string[];
}
