/**
 * A rollout as the API shows it: what is kept of it, and what is measured now. Times are ISO 8601, durations milliseconds, weights percent.
 */
import type { ConditionResult, EvidenceReading } from '../analysis/verdict.ts';
import type { Decision, Pause, Phase, Risk, StepRecord, TimelineEntry, VersionSummary } from './rollout.ts';

/** Times as text, those within lists too; everything else as it is kept. */
export type Shown<T> = T extends number
  ? T
  : {
      readonly [Key in keyof T]: Key extends 'at' | `${string}At` | 'since' | 'expires'
        ? string | Extract<T[Key], null>
        : T[Key] extends readonly (infer Each)[]
          ? readonly (Each extends object ? Shown<Each> : Each)[]
          : T[Key];
    };

export interface SideView {
  readonly version: string;
  readonly weight: number;
  /** Now. */
  readonly inFlight: number;
  /** First attempts since the rollout began, and those that failed. */
  readonly requests: number;
  readonly failed: number;
  /** Of the last ten seconds: per second, percent, milliseconds; null where nothing was measured. */
  readonly throughput: number | null;
  readonly errorRate: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly userErrors: number;
  readonly shielded: number;
}

export interface StepView {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  /** One line: `20 % for 15 m`. */
  readonly summary: string;
  readonly state: 'done' | 'current' | 'skipped' | 'failed' | 'pending';
}

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
  /** What it waits for, one sentence; null where nothing holds it. */
  readonly waiting: string | null;
  /** Why it ended as it did, one sentence; null where that needs no reason. */
  readonly outcome: string | null;
}

export interface ApprovalView {
  readonly approver: string;
  readonly role: string;
  readonly at: string;
  readonly expires: string;
  readonly signed: boolean;
}

export interface RolloutView extends RolloutSummary {
  readonly reason: string;
  readonly digest: string;
  readonly risk: Risk;
  readonly steps: readonly StepView[];
  /** Of the present step; null where it has no time. */
  readonly soak: { readonly soaked: number; readonly for: number; readonly left: number } | null;
  readonly pause: Shown<Pause> | null;
  /** Of the present step, as they are now. */
  readonly conditions: readonly ConditionResult[];
  /** Of `rollbackWhen`, as they are now. */
  readonly rules: readonly ConditionResult[];
  readonly evidence: EvidenceReading;
  /** What a step with little traffic still needs; null where nothing is missing. */
  readonly needs: { readonly requests: number; readonly at: string | null; readonly message: string } | null;
  readonly canary: SideView;
  readonly baseline: SideView;
  readonly approvals: {
    readonly required: number;
    readonly given: readonly ApprovalView[];
    /** One sentence; null where nothing is missing. */
    readonly missing: string | null;
  };
  readonly pack: string | null;
  readonly rollback: {
    readonly mode: 'immediate' | 'gradual';
    readonly drained: boolean;
    readonly inFlight: number;
    readonly verified: { readonly ok: boolean; readonly differences: readonly string[] } | null;
  } | null;
  /** Newest last, at most 20. */
  readonly timeline: readonly Shown<TimelineEntry>[];
  readonly retryOf: string | null;
}

export interface RolloutReport extends Omit<RolloutSummary, 'step' | 'stepCount' | 'weight' | 'waiting'> {
  /** Milliseconds. */
  readonly duration: number | null;
  readonly risk: Risk;
  readonly steps: readonly Shown<StepRecord>[];
  /** Over the whole rollout. */
  readonly totals: { readonly canary: VersionSummary | null; readonly stable: VersionSummary | null };
  readonly decision: Shown<Decision> | null;
  readonly approvals: readonly ApprovalView[];
  readonly rollback: RolloutView['rollback'];
  readonly timeline: readonly Shown<TimelineEntry>[];
}

export interface RolloutWhy {
  readonly id: string;
  readonly phase: Phase;
  /** One sentence. */
  readonly answer: string;
  /** Null while nothing has been decided. */
  readonly decision: Shown<Decision> | null;
  /** What holds it at this moment, or what its way back waits for; sentences. */
  readonly holding: readonly string[];
}

export interface RollbackPackView {
  readonly id: string;
  readonly rollout: string;
  readonly service: string;
  readonly createdAt: string;
  /** Part by part: name, SHA-256, bytes. */
  readonly manifest: readonly { readonly part: string; readonly sha256: string; readonly bytes: number }[];
  readonly checksum: string;
  readonly intact: boolean;
}
