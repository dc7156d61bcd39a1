/**
 * What the controller has seen of the world when a rollout is looked at, and what it is to do afterwards: the two sides of `reconcile`.
 */
import type { ServiceConfig } from '../../model/config.ts';
import type { SwitchCause } from '../../model/evidence-table.ts';
import type { HookConfig, HookPoint, StepConfig } from '../../model/rollout-config.ts';
import type { ConditionResult, EvidenceReading } from '../analysis/verdict.ts';
import type { NewEvent } from '../events/event.ts';
import type { FailedRequestRecord, VersionSummary } from './rollout.ts';

export interface Observation {
  /** Milliseconds since the rollout was looked at last by this process; 0 at the first time, so that time spent down is no soak time. */
  readonly elapsed: number;
  /** The service as it runs; null where it is gone. */
  readonly service: Pick<ServiceConfig, 'lanes' | 'weights'> | null;
  /** Why the rollout cannot be meant any more (a version is gone), else null. */
  readonly gone: string | null;
  /** What it has to wait for before it may begin: another rollout of the service, a time that has not come; null: nothing. */
  readonly blocked: string | null;
  /** A freeze window that is open, as a sentence; null: none is. */
  readonly frozen: string | null;
  /** Of the approvals that the present step (or the start) needs: what is missing, as a sentence; null: nothing. */
  readonly unapproved: string | null;
  readonly evidence: EvidenceReading;
  /** Whether stable fails as well, of late: in the last minute, and after an incident since somebody let it go on. Left out: no. */
  readonly outage?: boolean;
  /** Whether both fail at least one request in ten, of late. Left out: no. */
  readonly bothDown?: boolean;
  /** Of the present step. */
  readonly conditions: readonly ConditionResult[];
  /** In the order of `strategy.rollbackWhen`; `pass` says that the rule applies. */
  readonly rules: readonly ConditionResult[];
  /** The same, asked of stable: what applies to both is no fault of the canary. Left out: not known. */
  readonly stableRules?: readonly ConditionResult[];
  readonly health: {
    /** How long no endpoint of the version has been available, milliseconds. */
    readonly unavailable: number;
    /** Whether that can be said at all. */
    readonly known: boolean;
    readonly stableUnavailable: boolean;
  };
  /** Why a worker threw the switch, null where none did. */
  readonly switched: SwitchCause | null;
  readonly firstFailureAt: number | null;
  readonly closedAt: number | null;
  /** Requests in flight on the version. */
  readonly inFlight: number;
  readonly canary: VersionSummary | null;
  readonly stable: VersionSummary | null;
  readonly failures: readonly FailedRequestRecord[];
}

/** Lanes and weights that a service is to have. */
export interface Traffic {
  readonly lanes: ServiceConfig['lanes'];
  /** Percent by version, every version named. */
  readonly weights: Readonly<Record<string, number>>;
}

export type TaskSpec =
  | { readonly kind: 'preflight'; readonly config: Extract<StepConfig, { kind: 'preflight' }> }
  | { readonly kind: 'gate'; readonly step: Extract<StepConfig, { kind: 'webhook' }> }
  | { readonly kind: 'hook'; readonly hook: HookConfig; readonly point: HookPoint };

/** What is to be done when the next state is kept. Traffic is no action: it is derived from the state (traffic.ts) and made equal to it. */
export type Action =
  | { readonly do: 'tell'; readonly event: NewEvent }
  | { readonly do: 'task'; readonly id: string; readonly spec: TaskSpec }
  /** What has been measured so far does not count for conditions any more; with `step` not for the record of the step either. */
  | { readonly do: 'measure-anew'; readonly step: boolean }
  /** The switch may be open again, with a new budget. */
  | { readonly do: 'reopen' };
