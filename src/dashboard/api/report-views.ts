/**
 * The report of a rollout as the admin API answers it: step by step, and the decision with what was known at that moment. The rest of the API, and why it is
 * written down here once more, is in views.ts.
 */
import type {
  ApprovalView,
  ConditionResult,
  EvidenceReading,
  Phase,
  Risk,
  RollbackView,
  TimelineEntry,
} from './views.ts';

export interface VersionSummary {
  readonly version: string;
  readonly requests: number;
  readonly errors: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly userErrors: number;
  readonly shielded: number;
}

export interface StepRecord {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  readonly weight: number;
  readonly startedAt: string;
  readonly endedAt: string | null;
  readonly result: 'passed' | 'skipped' | 'promoted' | 'failed' | null;
  readonly canary: VersionSummary | null;
  readonly stable: VersionSummary | null;
  readonly conditions: readonly ConditionResult[];
  readonly evidence: EvidenceReading | null;
}

/** A failed first attempt of the version. */
export interface FailedRequest {
  readonly at: string;
  readonly method: string;
  /** Without query. */
  readonly path: string;
  /** Empty where it has no name. */
  readonly route: string;
  /** 0 where there was no answer. */
  readonly status: number;
  /** Such as UC; empty where there was an answer. */
  readonly flag: string;
  readonly duration: number;
  readonly requestId: string;
  readonly endpoint: string;
}

export interface Decision {
  readonly at: string;
  readonly cause: string;
  readonly reason: string;
  readonly by: string;
  readonly step: number;
  readonly weight: number;
  readonly evidence: EvidenceReading | null;
  readonly conditions: readonly ConditionResult[];
  /** Left out of older ones, which have them among `conditions`. */
  readonly rules?: readonly ConditionResult[];
  /** The last of them, newest last. */
  readonly failures: readonly FailedRequest[];
  readonly firstFailureAt: string | null;
  readonly closedAt: string | null;
  readonly acknowledgedAt: string | null;
}

export interface RolloutReport {
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
  readonly outcome: string | null;
  readonly duration: number | null;
  readonly risk: Risk;
  readonly steps: readonly StepRecord[];
  readonly totals: { readonly canary: VersionSummary | null; readonly stable: VersionSummary | null };
  readonly decision: Decision | null;
  readonly approvals: readonly ApprovalView[];
  readonly rollback: RollbackView | null;
  readonly timeline: readonly TimelineEntry[];
}
