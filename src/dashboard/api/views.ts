/**
 * What the admin API answers, as far as the dashboard looks at it: the parts of its JSON that are read here, and no more.
 *
 * Written down once more rather than imported, because the page speaks to Sluice over HTTP only and may be open while another version of it is started:
 * what is not in here cannot be relied upon by mistake. A test compiles the types of the control plane against these, so they cannot drift apart.
 * Times are ISO 8601, durations milliseconds, weights and rates percent, latencies milliseconds.
 */

export type Lane = 'stable' | 'canary' | 'candidate';
export type Role = 'viewer' | 'operator' | 'approver' | 'admin';
export type Permission = 'read' | 'operate' | 'approve' | 'administer';
export type EventLevel = 'info' | 'warning' | 'critical';

export interface Identity {
  readonly name: string;
  readonly role: Role;
  /** Whether no token is configured, so that everybody is this. */
  readonly open: boolean;
  readonly permissions: readonly Permission[];
}

/** Percent, percent, per second, milliseconds, over the monitor's window of a minute; null where nothing was measured. */
export interface Values {
  readonly availability: number | null;
  readonly error_rate: number | null;
  readonly throughput: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

export interface EndpointView {
  readonly url: string;
  readonly weight: number;
  readonly state: string;
  readonly healthy: boolean;
  readonly ejected: boolean;
  readonly available: boolean;
  readonly inFlight: number;
  readonly attempts: number;
  readonly values: Values;
}

export interface Traffic {
  readonly requests: number;
  readonly inFlight: number;
  readonly attempts: Readonly<
    Record<'2xx' | '3xx' | '4xx' | '5xx' | 'connect' | 'reset' | 'timeout' | 'malformed', number>
  >;
  /** What users got. */
  readonly replies: Readonly<Record<'2xx' | '3xx' | '4xx' | '5xx', number>>;
  readonly retries: number;
  readonly failovers: number;
  readonly shield: { readonly requests: number; readonly saved: number };
}

export interface VersionView {
  readonly name: string;
  readonly lane: Lane | null;
  readonly weight: number;
  readonly attempts: number;
  readonly values: Values;
  readonly traffic: Traffic;
  readonly endpoints: readonly EndpointView[];
}

export interface Alert {
  readonly name: string;
  readonly service: string;
  readonly version: string;
  readonly endpoint?: string;
  readonly state: string;
  readonly metric: string;
  readonly value: number | null;
  readonly threshold: number;
}

export interface ServiceView {
  readonly name: string;
  readonly lanes: { readonly stable: string; readonly canary?: string; readonly candidate?: string };
  readonly weights: Readonly<Record<string, number>>;
  readonly etag: string;
  readonly strategy: string;
  readonly overrides: readonly string[];
  /** A gradual rollback under way. */
  readonly rollback: { readonly by: number; readonly everyMs: number; readonly reason: string } | null;
  /** Id of the rollout that has the traffic in hand; null where none has, or one only waits for its turn. */
  readonly rollout: string | null;
  readonly versions: readonly VersionView[];
  readonly alerts: readonly Alert[];
}

export interface WeightsView {
  readonly weights: Readonly<Record<string, number>>;
  readonly lanes: ServiceView['lanes'];
  readonly etag: string;
  /** What the file says. */
  readonly file: Readonly<Record<string, number>>;
}

export interface WeightsChanged extends WeightsView {
  readonly generation: number;
  readonly appliedInMs: number;
  readonly workers: number;
  /** Of a rollback: what there is to know about it. */
  readonly note?: string;
}

export interface ServerStatus {
  readonly version: string;
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly generation: number;
  readonly environment: string;
  readonly listen: readonly string[];
  readonly workers: { readonly configured: number; readonly listening: number };
  readonly connections: number;
  readonly inFlight: number;
  readonly store: { readonly path: string | null; readonly trouble: { readonly message: string } | null };
}

export type Phase =
  | 'Queued'
  | 'Preflight'
  | 'Progressing'
  | 'Paused'
  | 'Promoting'
  | 'Succeeded'
  | 'RollingBack'
  | 'RolledBack'
  | 'Failed';

export interface RolloutSummary {
  readonly id: string;
  readonly service: string;
  readonly version: string;
  readonly stable: string;
  readonly strategy: string;
  readonly phase: Phase;
  readonly createdAt: string;
  readonly startedAt: string | null;
  readonly endedAt: string | null;
  readonly startedBy: string;
  /** From 1; 0 before the first. */
  readonly step: number;
  readonly stepCount: number;
  readonly weight: number;
  readonly waiting: string | null;
  readonly outcome: string | null;
}

export interface StepView {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  /** `20 % for 15m` */
  readonly summary: string;
  readonly state: 'done' | 'current' | 'skipped' | 'failed' | 'pending';
}

export interface ConditionResult {
  readonly condition: string;
  readonly metric: string;
  readonly status: 'pass' | 'fail' | 'inconclusive' | 'error';
  readonly value: number | null;
  readonly limit: number | null;
  readonly baseline: number | null;
  readonly samples: number;
  readonly message: string;
}

export interface TestReading {
  readonly test: 'errors' | 'slo' | 'latency' | 'ratio';
  readonly state: 'off' | 'blind' | 'watching' | 'crossed';
  /** Natural logarithm. */
  readonly logE: number;
  readonly threshold: number | null;
  readonly message: string;
}

export interface EvidenceReading {
  readonly tests: readonly TestReading[];
  readonly verdict: TestReading | null;
  readonly mismatch: TestReading | null;
  /** That it fails more seldom than the SLO; null where that is not asked. `needs`: requests, null where it cannot be proved. */
  readonly proof: { readonly proved: boolean; readonly needs: number | null } | null;
  readonly budget: { readonly used: number; readonly max: number; readonly spent: boolean } | null;
  readonly bothFail: boolean;
}

export interface SideView {
  readonly version: string;
  readonly weight: number;
  readonly inFlight: number;
  readonly requests: number;
  readonly failed: number;
  /** Of the last ten seconds. */
  readonly throughput: number | null;
  readonly errorRate: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly userErrors: number;
  readonly shielded: number;
}

export interface TimelineEntry {
  readonly at: string;
  readonly kind: string;
  readonly message: string;
}

export interface ApprovalView {
  readonly approver: string;
  readonly role: string;
  readonly at: string;
  readonly expires: string;
  readonly signed: boolean;
}

export interface Risk {
  readonly score: number;
  readonly items: readonly { readonly name: string; readonly points: number; readonly message: string }[];
}

export interface RollbackView {
  readonly mode: 'immediate' | 'gradual';
  readonly drained: boolean;
  readonly inFlight: number;
  readonly verified: { readonly ok: boolean; readonly differences: readonly string[] } | null;
}

export interface RolloutView extends RolloutSummary {
  readonly reason: string;
  /** SHA-256 of what is to be done; what approvals sign. */
  readonly digest: string;
  readonly risk: Risk;
  readonly steps: readonly StepView[];
  /** Of the present step; null where it has no time. */
  readonly soak: { readonly soaked: number; readonly for: number; readonly left: number } | null;
  readonly pause: {
    readonly by: 'step' | 'operator' | 'incident';
    readonly reason: string;
    readonly since: string;
    readonly until: 'manual' | 'approval' | 'time';
  } | null;
  readonly conditions: readonly ConditionResult[];
  readonly rules: readonly ConditionResult[];
  readonly evidence: EvidenceReading;
  readonly needs: { readonly requests: number; readonly at: string | null; readonly message: string } | null;
  readonly canary: SideView;
  readonly baseline: SideView;
  readonly approvals: {
    readonly required: number;
    readonly given: readonly ApprovalView[];
    readonly missing: string | null;
  };
  readonly rollback: RollbackView | null;
  /** Newest last. */
  readonly timeline: readonly TimelineEntry[];
  readonly retryOf: string | null;
}

export interface StrategyView {
  readonly name: string;
  readonly preset: boolean;
  readonly steps: readonly { readonly name: string; readonly kind: string; readonly summary: string }[];
}

/** Something critical that somebody has to acknowledge, or has. */
export interface NotificationView {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly severity: EventLevel;
  readonly service: string | null;
  readonly message: string;
  readonly acknowledged: { readonly by: string; readonly at: string } | null;
}

export interface SluiceEvent {
  readonly id: number;
  readonly at: string;
  readonly type: string;
  readonly level: EventLevel;
  readonly service?: string;
  readonly version?: string;
  readonly endpoint?: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

export interface AuditRow {
  readonly seq: number;
  readonly at: string;
  readonly actor: string;
  readonly role: string;
  readonly address: string;
  readonly action: string;
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly reason: string;
  readonly hash: string;
}

export interface AuditVerdict {
  readonly ok: boolean;
  readonly rows: number;
  readonly head: string;
  readonly fault?: { readonly seq: number; readonly message: string };
}

export interface HistoryPoint {
  /** Milliseconds since 1970. */
  readonly at: number;
  readonly version: string;
  readonly values: Readonly<Record<string, number | null>>;
}

/** What the live stream sends once a second. */
export interface LiveState {
  readonly at: string;
  readonly status: ServerStatus;
  readonly services: readonly ServiceView[];
  /** Those under way, and those that ended within the last minute. */
  readonly rollouts: readonly RolloutView[];
}

/** RFC 9457. */
export interface Problem {
  readonly title: string;
  readonly status: number;
  readonly detail: string;
  readonly code: string;
  readonly errors: readonly { readonly field: string; readonly message: string }[];
}
