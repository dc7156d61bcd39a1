/**
 * What a rollout is to do, after parsing and defaulting: strategies with their steps, gates, evidence and rules.
 *
 * Shapes only. A running rollout keeps a copy of its strategy, so a reload never changes what is under way; therefore everything here is
 * plain JSON (a secret is named by its source and read when it is used). Durations are milliseconds, shares and weights percent, sizes bytes.
 */

/** The comparison of a condition. */
export type Operator = '<' | '<=' | '>' | '>=' | '==' | '!=';

/** What a metric is compared with: a value, or the stable version's value of the same metric, changed by `operator` and `by`. */
export type Operand =
  | { readonly kind: 'value'; readonly value: number }
  | { readonly kind: 'baseline'; readonly operator: '+' | '-' | '*'; readonly by: number };

/** `METRIC OP VALUE [over WINDOW]`. Values: shares percent (1 is 1 %), latencies milliseconds, throughput per second, others as they are. */
export interface Condition {
  /** As written, for people. */
  readonly text: string;
  readonly metric: string;
  readonly operator: Operator;
  readonly operand: Operand;
  /** Milliseconds; null: since the step began (a pass condition), or the last minute (a rule). */
  readonly window: number | null;
}

/** When traffic is taken back, or somebody is warned. */
export interface RollbackRule {
  readonly condition: Condition;
  /** `critical` acts, `warning` only tells. */
  readonly level: 'critical' | 'warning';
  readonly action: 'immediate' | 'gradual';
}

export interface HttpCheck {
  readonly name: string;
  readonly method: string;
  /** With query. */
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  /** Request body, or null. */
  readonly body: string | null;
  readonly expect: {
    /** Statuses that are right. */
    readonly status: readonly number[];
    /** Text that the answer's body must contain, or null. */
    readonly body: string | null;
    /** Longest that it may take, milliseconds; 0 is any within the timeout. */
    readonly latency: number;
  };
  readonly timeout: number;
  /** Further tries before it has failed. */
  readonly retries: number;
}

export interface PreflightConfig {
  /** Whether every endpoint of the version must be healthy and available. */
  readonly health: boolean;
  /** Requests before users come, so that the first of them does not meet a cold process; null: none. */
  readonly warmUp: { readonly path: string; readonly requests: number; readonly concurrency: number } | null;
  readonly smoke: readonly HttpCheck[];
  /** For everything together. */
  readonly timeout: number;
}

export type StepConfig = { readonly name: string } & (
  | {
      readonly kind: 'weight';
      /** Percent for the canary. */
      readonly weight: number;
      /** How long it is looked at. */
      readonly for: number;
      readonly pass: readonly Condition[];
    }
  | {
      readonly kind: 'ramp';
      readonly to: number;
      /** Percentage points. */
      readonly by: number;
      readonly every: number;
      readonly pass: readonly Condition[];
    }
  | { readonly kind: 'pause'; readonly until: 'manual' | 'approval' | { readonly ms: number } }
  | ({ readonly kind: 'preflight' } & PreflightConfig)
  | {
      readonly kind: 'webhook';
      /** Answers 2xx to go on, 202 or 409 to be asked again, anything else to take back. */
      readonly url: string;
      readonly timeout: number;
      readonly retries: number;
      /** Between two questions where the answer is "not yet". */
      readonly every: number;
      /** After which "not yet" is a failure. */
      readonly deadline: number;
      /** `env:NAME` or `file:/path`, which signs the request; null: it is not signed. */
      readonly secret: string | null;
    }
  | { readonly kind: 'analysis'; readonly for: number; readonly pass: readonly Condition[] }
  | {
      readonly kind: 'override';
      /** Whether the override header and cookie reach the version. */
      readonly on: boolean;
    }
);

export type StepKind = StepConfig['kind'];

/** What the proxy’s own measurements must show; the tests are explained in docs/evidence.md. */
export interface EvidenceConfig {
  /** Chance of a false rollback over the whole rollout, 0 to 1; 0 turns the tests off. Default 0.001. */
  readonly alpha: number;
  /** Parts of alpha by test; they sum to at most 1, a test with 0 is off. */
  readonly shares: { readonly errors: number; readonly slo: number; readonly latency: number; readonly ratio: number };
  /** Odds of errors against stable's that are still taken as equal. Default 1. */
  readonly tolerance: number;
  /** Failed first attempts after which the version gets nothing more; 0: no budget. */
  readonly maxFailures: number;
  /** Whether a step may end as soon as its SLO is proved. */
  readonly earlyPass: boolean;
  /** Failure rate to be kept, percent; null: none. */
  readonly slo: number | null;
  /** Chance of a false proof. Default 0.05. */
  readonly proof: number;
  /** Slower than stable: null is not looked at. */
  readonly latency: {
    /** 95 or 99: the percentile of stable that slow begins at. */
    readonly percentile: 95 | 99;
    /** No request faster than this is called slow, milliseconds. Default 10. */
    readonly floor: number;
    /** Odds of slow requests against stable's that are still taken as equal. Default 2. */
    readonly tolerance: number;
  } | null;
}

export interface HookConfig {
  readonly name: string;
  /** One of the two. */
  readonly run:
    | { readonly kind: 'webhook'; readonly url: string; readonly secret: string | null }
    | { readonly kind: 'command'; readonly command: readonly string[]; readonly env: Readonly<Record<string, string>> };
  readonly timeout: number;
  /** What a failure does: `rollback` takes the version back, `ignore` is only told. A hook of a rollback can only be ignored. */
  readonly onFailure: 'rollback' | 'ignore';
}

export type HookPoint = 'start' | 'step' | 'rollback' | 'success';

export type ApproverRole = 'human' | 'agent';

export interface ApprovalsConfig {
  readonly required: number;
  /** Roles of which each must be among those who approve. Empty: any. */
  readonly roles: readonly ApproverRole[];
  /** How long an approval holds. Default 1 h. */
  readonly expires: number;
}

/** Times of the week in which no rollout moves forward. */
export interface FreezeWindow {
  readonly name: string;
  /** 0 is Sunday. */
  readonly days: readonly number[];
  /** Minutes since midnight; `to` before `from` goes over midnight. */
  readonly from: number;
  readonly to: number;
  /** IANA name. Default UTC. */
  readonly timeZone: string;
}

export type WhenBusy = 'refuse' | 'queue' | 'supersede';

export interface StrategyConfig {
  readonly name: string;
  readonly steps: readonly StepConfig[];
  readonly evidence: EvidenceConfig;
  /** Attempts below which a condition is not judged. Default 20. */
  readonly minRequests: number;
  readonly rollbackWhen: readonly RollbackRule[];
  readonly gradual: { readonly by: number; readonly every: number };
  /** How long all endpoints of the version may be unavailable before it is taken back. Default 5 s. */
  readonly unavailableFor: number;
  /** Longest time that a step may be held by conditions that fail or cannot be judged; 0: for ever. Default 0. */
  readonly stepDeadline: number;
  readonly hooks: { readonly [Point in HookPoint]: readonly HookConfig[] };
  /** Null: pauses for approval take one approval of any approver. */
  readonly approvals: ApprovalsConfig | null;
  /** Risk score from which approvals are needed before the start; null: none is. */
  readonly approveAboveRisk: number | null;
  readonly whenBusy: WhenBusy;
  readonly freeze: readonly FreezeWindow[];
  /** How `health_score` is put together: weights sum to 1. */
  readonly healthScore: {
    readonly success: number;
    readonly latency: number;
    readonly metric: { readonly name: string; readonly weight: number } | null;
    /** A request slower than this does not comply, milliseconds. */
    readonly latencyLimit: number;
  };
}

/** A metric that is read elsewhere. `{{service}}`, `{{version}}`, `{{stable}}` and `{{window}}` in it are filled in. */
export interface MetricProviderConfig {
  readonly name: string;
  readonly source:
    | { readonly kind: 'prometheus'; readonly url: string; readonly query: string }
    | {
        readonly kind: 'http';
        readonly url: string;
        /** Where the number is in the answer: `data.value`, `items.0.rate`. */
        readonly path: string;
        readonly headers: Readonly<Record<string, string>>;
      };
  readonly timeout: number;
  readonly retries: number;
  /** Between two readings. */
  readonly every: number;
  /** `env:NAME` or `file:/path` of a bearer token, or null. */
  readonly token: string | null;
}

/** Whose signature counts. */
export interface ApproverConfig {
  readonly name: string;
  readonly role: ApproverRole;
  /** Ed25519 public key, PEM (SPKI). */
  readonly publicKey: string;
}

/** Who is told of what; beside the webhooks of `events`. */
export interface NotificationConfig {
  readonly name: string;
  readonly kind: 'webhook' | 'slack' | 'alertmanager';
  readonly url: string;
  /** Least severity that is sent. Default warning. */
  readonly severity: 'info' | 'warning' | 'critical';
  /** Event types, or prefixes that end in `*`. */
  readonly types: readonly string[];
  /** Text with `{{message}}`, `{{type}}`, `{{service}}`, `{{version}}`, `{{severity}}`, `{{at}}`, `{{data.NAME}}`; null: the usual one. */
  readonly template: string | null;
  /** `env:NAME` or `file:/path`; signs a webhook. */
  readonly secret: string | null;
  /** What is critical and not acknowledged after `after` is sent to the channel `to`. */
  readonly escalate: { readonly after: number; readonly to: string } | null;
}

/** The part of the configuration that is about rollouts. */
export interface RolloutsConfig {
  /** Presets included. */
  readonly strategies: readonly StrategyConfig[];
  readonly metrics: readonly MetricProviderConfig[];
  readonly approvers: readonly ApproverConfig[];
  readonly notifications: readonly NotificationConfig[];
}
