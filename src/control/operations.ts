/**
 * What an operator can see and do: the interface between the admin API, which speaks HTTP, and the control plane, which acts.
 *
 * Views are plain data, as they appear in JSON: weights are percent, times ISO 8601, durations milliseconds unless the name says otherwise.
 * Every method that changes something takes the {@link Actor}, is audited, and resolves when the change is durable and every worker runs
 * it. They throw {@link OperationError}.
 */
import type { Role } from '../model/admin-config.ts';
import type { Lane } from '../model/config.ts';
import type { ConfigContents } from './config/contents.ts';
import type { EndpointState } from './health/endpoint-states.ts';
import type { OpenAlert } from './monitor/alert-watch.ts';
import type { Values } from './monitor/metric.ts';
import type { Phase, Risk } from './rollout/rollout.ts';
import type { RollbackPackView, RolloutReport, RolloutSummary, RolloutView, RolloutWhy } from './rollout/view.ts';
import type { StoreState } from './store/store.ts';
import type { VersionTraffic } from './traffic-report.ts';

export interface Actor {
  readonly name: string;
  readonly role: Role;
  readonly address: string;
  readonly requestId: string;
}

/** What every change may carry. */
export interface ChangeOptions {
  readonly reason?: string;
  /** `etag` of the state that the change was decided on; it is refused where that is no longer so. */
  readonly ifMatch?: string;
}

/** A change that every worker has taken up. */
export interface Applied {
  /** Number of the state that runs now; every change has the next. */
  readonly generation: number;
  /** From the store of the change until the last worker had acknowledged it, milliseconds with three decimals. */
  readonly appliedInMs: number;
  readonly workers: number;
}

export interface EndpointView {
  readonly url: string;
  readonly weight: number;
  readonly state: EndpointState;
  readonly healthy: boolean;
  readonly ejected: boolean;
  readonly available: boolean;
  /** Attempts in flight. */
  readonly inFlight: number;
  /** Of the monitor's window. */
  readonly attempts: number;
  readonly values: Values;
}

export interface VersionView {
  readonly name: string;
  readonly lane: Lane | null;
  readonly weight: number;
  /** `file`, or `override` where the API registered it. */
  readonly source: 'file' | 'override';
  /** Attempts within the monitor's window, and what they were like. */
  readonly attempts: number;
  readonly values: Values;
  readonly traffic: VersionTraffic;
  readonly endpoints: readonly EndpointView[];
  /** Pushed metrics, by name. */
  readonly metrics: Readonly<Record<string, { readonly value: number; readonly at: string }>>;
}

export interface ServiceView {
  readonly name: string;
  readonly lanes: { readonly stable: string; readonly canary?: string; readonly candidate?: string };
  /** Percent by version name. */
  readonly weights: Readonly<Record<string, number>>;
  /** An opaque word for these lanes and weights. */
  readonly etag: string;
  readonly strategy: string;
  /** Keys of this service that differ from the file by a runtime change: `weights`, `lanes`, `versions/v3`, … */
  readonly overrides: readonly string[];
  /** A gradual rollback under way. */
  readonly rollback: { readonly by: number; readonly everyMs: number; readonly reason: string } | null;
  /** Id of the rollout that has the traffic in hand; null where none has, or one only waits for its turn. */
  readonly rollout: string | null;
  readonly versions: readonly VersionView[];
  readonly alerts: readonly OpenAlert[];
}

export interface WeightsView {
  readonly weights: Readonly<Record<string, number>>;
  readonly lanes: ServiceView['lanes'];
  readonly etag: string;
  /** What the file says. */
  readonly file: Readonly<Record<string, number>>;
}

export type WeightsChanged = WeightsView & Applied;

export interface FlagView {
  readonly name: string;
  /** Percent of the users for whom it is on now. */
  readonly value: number;
  readonly default: number;
  readonly environments: Readonly<Record<string, number>>;
  /** The runtime change, null where the file's value holds. */
  readonly override: number | null;
  /** `header x-user-id`, null where there is none. */
  readonly key: string | null;
  readonly header: string | null;
}

/** A value that the file and a runtime change both have a say in. */
export interface ConfigDifference {
  /** `services.shop.weights.v2` */
  readonly key: string;
  readonly file: unknown;
  readonly override: unknown;
  readonly effective: unknown;
}

export interface ConfigView {
  readonly generation: number;
  readonly environment: string;
  readonly files: readonly string[];
  /** When the running files were read. */
  readonly loadedAt: string;
  /** Of the last reload that was refused, null where the last one was fine. */
  readonly rejected: { readonly at: string; readonly problems: readonly unknown[] } | null;
  /** The files after defaults, without secrets. */
  readonly file: unknown;
  /** With runtime changes: what runs. */
  readonly effective: unknown;
  readonly differences: readonly ConfigDifference[];
}

export interface ReloadResult extends Partial<Applied> {
  readonly changed: boolean;
  readonly generation: number;
  /** Runtime changes that no longer fit and were given up. */
  readonly dropped: readonly { readonly key: string; readonly reason: string }[];
}

export interface ServerStatus {
  readonly version: string;
  readonly pid: number;
  readonly startedAt: string;
  readonly uptimeMs: number;
  readonly state: 'starting' | 'serving' | 'draining';
  readonly generation: number;
  readonly environment: string;
  readonly listen: readonly string[];
  readonly workers: { readonly configured: number; readonly listening: number };
  readonly connections: number;
  readonly inFlight: number;
  readonly store: StoreState;
  readonly alerts: readonly OpenAlert[];
}

/** What starts a rollout. */
export interface StartRollout {
  readonly version: string;
  /** Name of a strategy, or one written out as in the configuration. Default: `standard`. */
  readonly strategy?: string | Readonly<Record<string, unknown>>;
  /** Not before, ISO 8601. */
  readonly notBefore?: string;
  /** In place of what the strategy says. */
  readonly whenBusy?: 'refuse' | 'queue' | 'supersede';
}

export const ROLLOUT_VERBS = ['promote', 'pause', 'resume', 'skip', 'abort', 'rollback', 'retry'] as const;
export type RolloutVerb = (typeof ROLLOUT_VERBS)[number];

/** An approval; without a signature it counts only where the configuration names no approvers. */
export interface GivenApproval {
  /** Name of an approver of the configuration. */
  readonly approver?: string;
  /** Base64 of the Ed25519 signature over the payload of docs/approvals.md. */
  readonly signature?: string;
  /** When it was signed, ISO 8601; part of the payload. */
  readonly signedAt?: string;
}

export interface StrategyView {
  readonly name: string;
  readonly preset: boolean;
  readonly steps: readonly { readonly name: string; readonly kind: string; readonly summary: string }[];
  /** After defaults. */
  readonly definition: unknown;
}

/** Something critical that somebody has to acknowledge, or has. */
export interface NotificationView {
  readonly id: string;
  readonly at: string;
  readonly type: string;
  readonly severity: 'info' | 'warning' | 'critical';
  readonly service: string | null;
  readonly message: string;
  readonly acknowledged: { readonly by: string; readonly at: string } | null;
  readonly escalatedAt: string | null;
}

export interface Operations {
  strategies(): readonly StrategyView[];
  startRollout(actor: Actor, service: string, given: StartRollout, options: ChangeOptions): Promise<RolloutView>;
  /** What the risk score of such a start would be. */
  rolloutRisk(service: string, given: StartRollout): Risk;
  /** Newest first. */
  rollouts(filter: { readonly service?: string; readonly phase?: Phase }): readonly RolloutSummary[];
  /** @throws OperationError not_found */
  rollout(id: string): RolloutView;
  rolloutReport(id: string): RolloutReport;
  rolloutWhy(id: string): RolloutWhy;
  /** @param extra full: of promote; mode: of rollback. */
  changeRollout(
    actor: Actor,
    id: string,
    verb: RolloutVerb,
    options: ChangeOptions & { readonly full?: boolean; readonly mode?: 'immediate' | 'gradual' },
  ): Promise<RolloutView>;
  approveRollout(actor: Actor, id: string, given: GivenApproval, options: ChangeOptions): Promise<RolloutView>;
  /** @throws OperationError not_found */
  rollbackPack(id: string): Promise<RollbackPackView>;
  notifications(): readonly NotificationView[];
  acknowledge(actor: Actor, id: string, options: ChangeOptions): Promise<NotificationView>;
  status(): ServerStatus;
  services(): readonly ServiceView[];
  /** @throws OperationError not_found */
  service(name: string): ServiceView;
  weights(service: string): WeightsView;
  /** @param weights percent by version or lane name, sum 100; versions left out get 0. */
  setWeights(
    actor: Actor,
    service: string,
    weights: Readonly<Record<string, number>>,
    options: ChangeOptions,
  ): Promise<WeightsChanged>;
  /** The same in any unit. @param service null: the only one. */
  setRelativeWeights(
    actor: Actor,
    service: string | null,
    weights: Readonly<Record<string, number>>,
    options: ChangeOptions,
  ): Promise<WeightsChanged & { readonly service: string }>;
  /** Back to what the file says. */
  resetWeights(actor: Actor, service: string, options: ChangeOptions): Promise<WeightsChanged>;
  /**
   * @param options by: percentage points per step, everyMs: between steps; for `gradual`.
   * @returns note: what somebody has to know who takes traffic back, a sentence; left out where nothing is unusual.
   */
  rollback(
    actor: Actor,
    service: string,
    mode: 'immediate' | 'gradual',
    options: ChangeOptions & { readonly by?: number; readonly everyMs?: number },
  ): Promise<WeightsChanged & { readonly mode: 'immediate' | 'gradual'; readonly note?: string }>;
  putVersion(
    actor: Actor,
    service: string,
    version: string,
    endpoints: readonly { readonly url: string; readonly weight?: number; readonly maxRequests?: number }[],
    options: ChangeOptions,
  ): Promise<Applied & { readonly version: VersionView; readonly created: boolean }>;
  deleteVersion(actor: Actor, service: string, version: string, options: ChangeOptions): Promise<Applied>;
  /** @param lanes null takes a lane away. */
  setLanes(
    actor: Actor,
    service: string,
    lanes: { readonly [Key in Lane]?: string | null },
    options: ChangeOptions,
  ): Promise<Applied & { readonly lanes: ServiceView['lanes'] }>;
  setEndpointState(
    actor: Actor,
    service: string,
    url: string,
    state: 'enabled' | 'drain' | 'disabled',
    options: ChangeOptions & { readonly deadlineMs?: number },
  ): Promise<readonly EndpointView[]>;
  pushMetrics(
    actor: Actor,
    service: string,
    version: string,
    values: Readonly<Record<string, number>>,
  ): VersionView['metrics'];
  flags(): readonly FlagView[];
  /** @param value percent. */
  setFlag(
    actor: Actor,
    name: string,
    value: number,
    options: ChangeOptions,
  ): Promise<Applied & { readonly flag: FlagView }>;
  resetFlag(actor: Actor, name: string, options: ChangeOptions): Promise<Applied & { readonly flag: FlagView }>;
  config(): ConfigView;
  /** Checks the files on disk, or a text in their place. @throws OperationError config_invalid, busy */
  validate(text: string | null): Promise<ConfigContents>;
  /** Reads the files again. @throws OperationError config_invalid; nothing has changed then. */
  reload(actor: Actor, options: ChangeOptions): Promise<ReloadResult>;
  /** The process stops accepting, finishes what is under way and ends. Resolves at once. */
  drain(actor: Actor, options: ChangeOptions): Promise<void>;
}
