/**
 * A rollout as it is kept: one value in the store under `rollout/ID`, written before anything is done that it speaks of.
 *
 * Plain JSON. Times are milliseconds since 1970; shares and weights percent. What is only measured is not in here, but what was decided on
 * it is: a decision record is never computed again.
 */

import type { ServiceConfig } from '../../model/config.ts';
import type { FailedRequest, ShareCounts } from '../../model/evidence-table.ts';
import type { StrategyConfig } from '../../model/rollout-config.ts';
import type { ConditionResult, EvidenceReading } from '../analysis/verdict.ts';
import type { MeteredSummary } from '../analysis/version-totals.ts';

export const ROLLOUTS = 'rollout/';
export const rolloutKey = (id: string): string => `${ROLLOUTS}${id}`;
export const PACKS = 'rollback-pack/';
export const packKey = (id: string): string => `${PACKS}${id}`;

export const PHASES = [
  /** Waits for its turn, for approvals, or for its time. */
  'Queued',
  /** The version is the candidate: no user gets it, checks do. */
  'Preflight',
  /** The version is the canary and has the weight of the present step. */
  'Progressing',
  /** As Progressing, but nothing moves until somebody says so. */
  'Paused',
  /** Everything passed: the version becomes stable. */
  'Promoting',
  'Succeeded',
  /** Traffic is being taken back. */
  'RollingBack',
  'RolledBack',
  /** It ended before any user got the version. */
  'Failed',
] as const;
export type Phase = (typeof PHASES)[number];

export const isOver = (phase: Phase): boolean => phase === 'Succeeded' || phase === 'RolledBack' || phase === 'Failed';

/** Why a version was taken back, or not begun with. */
export const CAUSES = [
  /** A sequential test. */
  'evidence',
  /** A condition of `rollbackWhen`. */
  'condition',
  'budget',
  /** No endpoint of the version is available. */
  'health',
  'hook',
  'gate',
  'preflight',
  /** Conditions held a step for longer than its deadline. */
  'deadline',
  /** Somebody said so. */
  'operator',
  'superseded',
  /** The version, the service or a lane is gone from the configuration. */
  'configuration',
] as const;
export type Cause = (typeof CAUSES)[number];

export interface Person {
  readonly name: string;
  readonly role: string;
}

export interface Pause {
  /** `step`: a pause step. `operator`: somebody. `incident`: stable fails as well, or the split cannot be trusted. */
  readonly by: 'step' | 'operator' | 'incident';
  readonly reason: string;
  readonly since: number;
  /** When it ends by itself, of a pause step with a duration that has soaked so far; null: not by itself. */
  readonly for: number | null;
  readonly until: 'manual' | 'approval' | 'time';
}

export interface Approval {
  readonly approver: string;
  readonly role: string;
  /** Base64; null where it was made with a token alone. */
  readonly signature: string | null;
  readonly at: number;
  readonly expires: number;
  /** Step index that it is for; −1: the start. */
  readonly step: number;
  readonly digest: string;
}

export interface RiskItem {
  readonly name: string;
  readonly points: number;
  readonly message: string;
}

export interface Risk {
  /** 0 to 100. */
  readonly score: number;
  readonly items: readonly RiskItem[];
}

/** Counts and latencies of one version while a step lasted. */
export interface VersionSummary extends MeteredSummary {
  readonly version: string;
  /** Requests that users got an error for. */
  readonly userErrors: number;
}

/** A step that has begun. */
export interface StepRecord {
  readonly index: number;
  readonly name: string;
  readonly kind: string;
  readonly weight: number;
  readonly startedAt: number;
  readonly endedAt: number | null;
  readonly result: 'passed' | 'skipped' | 'promoted' | 'failed' | null;
  readonly canary: VersionSummary | null;
  readonly stable: VersionSummary | null;
  /** As they were at its end. */
  readonly conditions: readonly ConditionResult[];
  readonly evidence: EvidenceReading | null;
}

export interface TimelineEntry {
  readonly at: number;
  /** `phase`, `step`, `weight`, `pause`, `approval`, `hook`, `gate`, `warning`, `incident`, `decision`, `verb`, `drained`, `restart` */
  readonly kind: string;
  readonly message: string;
  readonly data?: Readonly<Record<string, unknown>>;
}

/** A failed attempt of the version, as it is kept. */
export type FailedRequestRecord = Omit<FailedRequest, 'row' | 'use'>;

/** What was known at the moment in which it was decided to take the version back (or to fail, or to hold). */
export interface Decision {
  readonly at: number;
  readonly cause: Cause | 'incident';
  /** One sentence. */
  readonly reason: string;
  readonly by: string;
  readonly step: number;
  readonly weight: number;
  readonly evidence: EvidenceReading | null;
  /** Of the step; with those of `rollbackWhen` among them where `rules` is left out. */
  readonly conditions: readonly ConditionResult[];
  /** Of `rollbackWhen`: `pass` says that a rule was met. Left out of what was decided before they were told apart. */
  readonly rules?: readonly ConditionResult[];
  /** Newest last. */
  readonly failures: readonly FailedRequestRecord[];
  /** Of the canary: first failed attempt, switch thrown, weight 0 acknowledged; milliseconds since 1970, null where unknown. */
  readonly firstFailureAt: number | null;
  readonly closedAt: number | null;
  readonly acknowledgedAt: number | null;
}

export interface RollbackState {
  readonly mode: 'immediate' | 'gradual';
  readonly startedAt: number;
  /** Next step of a gradual one; when the last one was, where the weight is 0. */
  readonly nextAt: number;
  /** When nothing was in flight on the version any more. */
  readonly drainedAt: number | null;
  /** What the rollback pack says of the state afterwards: everything as before, or what is not. */
  readonly verified: { readonly ok: boolean; readonly differences: readonly string[] } | null;
}

export interface TaskResult {
  readonly ok: boolean;
  /** Gate: asked again later. */
  readonly again?: boolean;
  readonly message: string;
  readonly at: number;
  /** What a hook wrote, the last 4 KiB; what checks found. */
  readonly output: string;
}

/** Name, begun at, and what came of it (null while it runs). By task id, such as `preflight:0` or `hook:start:0`. */
export type Tasks = Readonly<Record<string, { readonly startedAt: number; readonly result: TaskResult | null }>>;

export interface Rollout {
  readonly id: string;
  readonly service: string;
  readonly version: string;
  /** The version that it is compared with and goes back to. */
  readonly stable: string;
  readonly strategy: StrategyConfig;
  readonly phase: Phase;
  readonly createdAt: number;
  readonly startedAt: number | null;
  readonly endedAt: number | null;
  readonly startedBy: Person;
  readonly reason: string;
  /** Not before, milliseconds since 1970; null: now. */
  readonly notBefore: number | null;
  /** SHA-256 of what is to be done, hexadecimal; what approvals sign. */
  readonly digest: string;
  readonly risk: Risk;
  /** Index into `strategy.steps`; −1 before the first. */
  readonly step: number;
  /** Of the present step: when it began, and how long it has been looked at; time spent down or paused is not in it. */
  readonly stepStartedAt: number;
  readonly soaked: number;
  /** How long the present step has been held beyond its time, milliseconds. */
  readonly held: number;
  /** Percent that the canary is to have now. */
  readonly weight: number;
  readonly pause: Pause | null;
  /** What a queued one waits for, or what holds the present step; null while nothing does. */
  readonly waiting: string | null;
  readonly approvals: readonly Approval[];
  /** Whether there were approvers with keys when it was started: then no approval counts without a signature. Left out: no. */
  readonly isSigned?: boolean;
  readonly tasks: Tasks;
  readonly pack: string | null;
  /** Lanes and weights from before the start; null before it. */
  readonly before: {
    readonly lanes: ServiceConfig['lanes'];
    readonly weights: Readonly<Record<string, number>>;
  } | null;
  readonly rollback: RollbackState | null;
  readonly decision: Decision | null;
  readonly steps: readonly StepRecord[];
  readonly timeline: readonly TimelineEntry[];
  /** What was counted until it was written last, for a restart. */
  readonly counted: readonly ShareCounts[];
  readonly failures: readonly FailedRequestRecord[];
  /** Failures from before somebody let it go on: the budget does not count them any more. */
  readonly forgiven: number;
  /** What had been counted then: the SLO and the split are looked at from there. */
  readonly pardoned?: readonly ShareCounts[];
  /** Warnings that have been told, as `STEP:RULE`. */
  readonly warned?: readonly string[];
  /** The rollout that this one tries again, or null. */
  readonly retryOf: string | null;
}
