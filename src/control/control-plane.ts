/**
 * The control plane: everything that runs on the main thread, put together.
 *
 *     open ─▶ state read ─▶ start: admin API ─▶ workers ─▶ serving ─drain─▶ draining ─▶ closed
 *
 * It is the only one that changes anything: the admin API, signals, changed files and gradual rollbacks all come through the operations here,
 * and those through one queue (change/change-core.ts). The parts know each other by narrow interfaces only; who gets what is decided
 * in this file and nowhere else.
 *
 * The admin API answers before the workers listen, so that whoever watches the start sees it (`/readyz` says 503 until then), and until the
 * last request is done.
 */
import type { SluiceConfig } from '../model/config.ts';
import { WORKER_SLOTS } from '../model/counters.ts';
import { RateTable } from '../model/rate-table.ts';
import type { Snapshot } from '../model/snapshot.ts';
import { systemClock } from '../runtime/clock.ts';
import type { Logger } from '../runtime/logger.ts';
import { systemRandom } from '../runtime/random.ts';
import type { AdminServer } from './admin/admin-server.ts';
import { auditOf, ChangeCore, droppedEvent, type RunningState } from './change/change-core.ts';
import type { ConfigSource } from './change/config-source.ts';
import { EndpointOperations } from './change/endpoint-state.ts';
import { FlagOperations } from './change/flags.ts';
import { GradualRollback } from './change/gradual-rollback.ts';
import { PushedMetrics } from './change/pushed-metrics.ts';
import { ConfigOperations } from './change/reload.ts';
import { VersionOperations } from './change/versions.ts';
import { WeightOperations } from './change/weights.ts';
import { authority, localUrl } from './config/addresses.ts';
import { ConfigWatcher } from './config/config-watcher.ts';
import { resolveStrategy } from './config/given-strategy.ts';
import type { LoadedConfig } from './config/load.ts';
import { Desk } from './desk.ts';
import { EventLog } from './events/event-log.ts';
import { HistoryKeeper } from './events/history-keeper.ts';
import { EventSources } from './events/sources.ts';
import { Metrics } from './metrics/metrics.ts';
import { NotificationOperations } from './notify/notification-operations.ts';
import type { Actor, ChangeOptions, ServerStatus } from './operations.ts';
import { Outlets } from './outlets.ts';
import { OperationError } from './problems.ts';
import { Rollouts } from './rollout/assembly.ts';
import { rolloutsIn, tellUnreadable } from './rollout/kept-rollouts.ts';
import type { Rollout } from './rollout/rollout.ts';
import { withOverrides } from './state/effective.ts';
import { OVERRIDES } from './state/overrides.ts';
import { openStore } from './store/sqlite-store.ts';
import type { Store } from './store/store.ts';
import { ListenError, Supervisor } from './supervisor.ts';

/** How long open calls of the admin API may still take when everything else has ended. */
const ADMIN_GRACE = 1_000;

export interface ControlPlaneOptions {
  readonly source: ConfigSource;
  /** What the source said at the start. */
  readonly loaded: LoadedConfig;
  readonly logger: Logger;
  /** Of Sluice, such as 0.1.0. */
  readonly release: string;
  /** Somebody wants the process to end. */
  readonly onDrain: (actor: Actor) => void;
}

export class ControlPlane {
  readonly supervisor: Supervisor;
  /** Where the admin API is; null where there is none, or not yet. */
  adminUrl: string | null = null;
  readonly #admin: AdminServer | null;
  readonly #options: ControlPlaneOptions;
  readonly #store: Store;
  readonly #events: EventLog;
  readonly #sources: EventSources;
  readonly #core: ChangeCore;
  readonly #metrics: Metrics;
  readonly #outlets: Outlets;
  readonly #history: HistoryKeeper;
  readonly #rollbacks: GradualRollback;
  readonly #endpoints: EndpointOperations;
  readonly #config: ConfigOperations;
  readonly #watcher: ConfigWatcher;
  readonly #pushed = new PushedMetrics();
  readonly #rollouts: Rollouts;
  readonly #startedAt = new Date().toISOString();
  readonly #serving = Promise.withResolvers<void>();
  #state: ServerStatus['state'] = 'starting';

  /** Opens the state and puts everything together; nothing runs yet. @throws where the state cannot be used. */
  static async open(options: ControlPlaneOptions): Promise<ControlPlane> {
    const { logger, loaded } = options;
    const store = openStore({ directory: loaded.config.data, clock: systemClock, logger });
    const events = await EventLog.open({ store, clock: systemClock, logger });
    const entries = new Map((await store.list(OVERRIDES)).map(({ key, value }) => [key, value]));
    // A web framework and a documentation page that nobody can reach need not be in memory.
    const Admin = loaded.config.admin === null ? null : (await import('./admin/admin-server.ts')).AdminServer;
    const rollouts = await rolloutsIn(store, tellUnreadable(logger, events));
    return new ControlPlane(options, store, events, { entries, rollouts }, Admin);
  }

  private constructor(
    options: ControlPlaneOptions,
    store: Store,
    events: EventLog,
    kept: { readonly entries: Map<string, unknown>; readonly rollouts: readonly Rollout[] },
    Admin: typeof AdminServer | null,
  ) {
    const { logger, loaded, source } = options;
    const { entries } = kept;
    const file = loaded.config;
    const { config, dropped } = withOverrides(file, entries);
    for (const { key } of dropped) entries.delete(key);
    this.#options = options;
    this.#store = store;
    this.#events = events;
    this.#sources = new EventSources({ clock: systemClock, log: events });
    this.#sources.followStore(store);
    this.supervisor = new Supervisor({
      ...{ config, logger, listener: this.#sources },
      onReplaced: (worker, afterMs) => this.#replaced(worker, afterMs),
      onWeights: (next) => this.#rollouts.controller.settle(next),
      onFailedRequest: (request) => this.#rollouts.controller.noteFailure(request),
      onSwitched: (row) => this.#rollouts.controller.noteSwitched(row),
      onTraces: (records) => this.#outlets.traces.accept(records),
    });
    const { snapshot, watch } = this.supervisor;
    this.#metrics = this.#newMetrics(snapshot);
    this.#core = new ChangeCore({
      ...{ store, events, workers: this.supervisor, logger },
      state: { file, entries, config, snapshot, generation: snapshot.generation },
      beforeSnapshot: (next) => this.#metrics.rowsChanged(next),
      afterChange: (state) => this.#changed(state),
      holder: (service, version) => this.#rollouts.operations.holderOf(service, version),
    });
    const core = this.#core;
    this.#rollouts = this.#newRollouts(kept.rollouts);
    this.#rollbacks = new GradualRollback({ core, clock: systemClock, logger, wallClock: Date.now });
    this.#endpoints = new EndpointOperations({ core, states: watch.states, wallClock: Date.now });
    this.#config = new ConfigOperations({
      ...{ core, source, loaded, events, logger, wallClock: Date.now },
      observe: (result) => this.#metrics.observeReload(result),
      settled: (read) => this.#settled(read),
    });
    this.#outlets = new Outlets({
      ...{ log: events, store, clock: systemClock, wallClock: Date.now, random: systemRandom },
      ...{ logger, env: process.env, release: options.release },
    });
    this.#history = new HistoryKeeper({
      ...{ store, clock: systemClock, logger, retention: retentionOf(file) },
      readings: () => this.supervisor.watch.monitor.values(),
    });
    this.#watcher = new ConfigWatcher({
      ...{ clock: systemClock, logger, files: () => this.#config.watched },
      onChange: () => void this.reload('file', 'a file has changed'),
    });
    // Nothing is changed before everything runs.
    void this.#core.exclusively(() => this.#serving.promise);
    this.#admin = file.admin === null || Admin === null ? null : this.#newAdmin(file.admin, Admin);
    for (const each of dropped) events.emit(droppedEvent(each));
    if (dropped.length > 0) this.#reconcile();
    store.onTrouble((trouble) => {
      if (trouble === null) this.#reconcile();
    });
  }

  /** Resolves when every worker listens. @throws ListenError where an address cannot be bound. */
  async start(): Promise<void> {
    const { loaded } = this.#options;
    // From here on a change is noticed; it is read when everything runs.
    this.#watcher.start();
    const address = await this.#admin?.listen().catch(admitListenError);
    this.adminUrl = address?.url ?? null;
    if (address !== undefined)
      this.#options.logger.info('admin_listening', { url: address.url, dashboard: `${address.url}/` });
    this.#endpoints.settle(this.#core.state);
    await this.#outlets.traces.configure(loaded.config.tracing);
    await this.supervisor.start();
    this.#state = 'serving';
    this.#serving.resolve();
    await this.#outlets.configure(loaded.config);
    this.#rollouts.controller.start();
    this.#events.emit({
      ...{ type: 'server.started', level: 'info' },
      message: `Sluice ${this.#options.release} serves with ${this.supervisor.memories.length} workers`,
      data: { release: this.#options.release, pid: process.pid },
    });
  }

  /** Reads the configuration again for somebody who waits for no answer. @param by `signal` or `file`. */
  async reload(by: string, reason: string): Promise<void> {
    const actor: Actor = { name: by, role: 'admin', address: '', requestId: '' };
    await this.#serving.promise;
    if (this.#config.waiting) return;
    await this.#config.reload(actor, { reason }).catch((error: unknown) => {
      // What was wrong with the files is in the log and in the events already.
      if (error instanceof OperationError) return;
      const { message, stack } = error as Error;
      this.#options.logger.error('reload_failed', { message, stack });
    });
  }

  /** Log files have been moved away. */
  reopenLogs(): void {
    this.supervisor.reopenLogs();
  }

  /** Stops accepting, lets requests finish, ends everything. */
  async drain(): Promise<void> {
    this.#state = 'draining';
    this.#events.emit({
      type: 'server.draining',
      level: 'info',
      message: 'Sluice finishes what is under way and ends',
    });
    this.#stopChanges();
    await this.#rollouts.close();
    await this.#core.close();
    await this.supervisor.drain();
    await this.#close(ADMIN_GRACE);
  }

  /** Ends everything at once. */
  async kill(): Promise<void> {
    this.#state = 'draining';
    this.#serving.resolve();
    this.#stopChanges();
    // Nobody waits for what is under way, but nothing else may begin.
    void this.#rollouts.close();
    void this.#core.close();
    await this.supervisor.kill();
    await this.#close(0);
  }

  #stopChanges(): void {
    this.#watcher.close();
    this.#rollbacks.close();
  }

  async #close(adminGrace: number): Promise<void> {
    await this.#outlets.close();
    await this.#history.close();
    this.#sources.close();
    await this.#admin?.close(adminGrace);
    await this.#events.close();
    this.#metrics.close();
    await this.#store.close();
  }

  #newAdmin(config: NonNullable<SluiceConfig['admin']>, Admin: typeof AdminServer): AdminServer {
    const { logger } = this.#options;
    const operations = new Desk({
      ...{ core: this.#core, supervisor: this.supervisor, pushed: this.#pushed },
      ...{ weights: new WeightOperations(this.#core), versions: new VersionOperations(this.#core) },
      ...{
        flags: new FlagOperations(this.#core),
        endpoints: this.#endpoints,
        config: this.#config,
        rollbacks: this.#rollbacks,
        rollouts: this.#rollouts.operations,
        notifications: new NotificationOperations({
          ...{ notifications: this.#outlets.notifications, store: this.#store, events: this.#events },
        }),
      },
      status: () => this.#status(),
      drain: (actor, options) => this.#drainFor(actor, options),
    });
    return new Admin({
      ...{
        config,
        operations,
        events: this.#events,
        store: this.#store,
        metrics: this.#metrics,
        clock: systemClock,
        logger,
      },
      onDenied: ({ address, failures }) =>
        void this.#events.emit({
          ...{ type: 'access.denied', level: 'warning', data: { address, failures } },
          message: `${address} keeps trying wrong tokens on the admin API`,
        }),
    });
  }

  #newRollouts(kept: readonly Rollout[]): Rollouts {
    const { supervisor } = this;
    return new Rollouts({
      ...{ core: this.#core, store: this.#store, pushed: this.#pushed, kept, logger: this.#options.logger },
      ...{ evidence: supervisor.evidence, memories: supervisor.memories, endpoints: supervisor.endpoints },
      ...{ clock: systemClock, wallClock: Date.now, random: systemRandom, env: process.env },
      snapshot: () => supervisor.snapshot,
      monitor: () => supervisor.watch.monitor,
      health: supervisor.watch.health,
      proxy: () => localUrl(supervisor.addresses[0]),
      inline: (raw, config) => resolveStrategy('custom', raw, config.rollouts),
    });
  }

  /** Ending is not refused because it cannot be written down. */
  async #drainFor(actor: Actor, options: ChangeOptions): Promise<void> {
    const audit = auditOf(actor, options, {
      action: 'server.drain',
      target: 'server',
      before: this.#state,
      after: 'draining',
    });
    await this.#store.commit({ audit: [audit] }).catch((error: Error) => {
      this.#options.logger.warn('audit_not_written', {
        action: 'server.drain',
        actor: actor.name,
        message: error.message,
      });
    });
    this.#options.onDrain(actor);
  }

  #newMetrics(snapshot: Snapshot): Metrics {
    const { supervisor } = this;
    const rates = new RateTable(supervisor.rates);
    return new Metrics({
      ...{ snapshot, memories: supervisor.memories, endpoints: supervisor.endpoints, release: this.#options.release },
      weights: () => liveWeights(supervisor.snapshot),
      rateOverflows: () => rates.overflows,
      traceSpans: () => this.#outlets.traces.counts,
      storeTrouble: () => this.#store.state().trouble,
      alerts: () => supervisor.watch.monitor.alerts(),
      pushed: () => this.#pushed.all(),
      listening: () => supervisor.listening,
      rollouts: () => this.#rollouts.readings(),
      rolloutsEnded: () => this.#rollouts.controller.ended(),
    });
  }

  #status(): ServerStatus {
    const { supervisor } = this;
    const { generation, file } = this.#core.state;
    const sum = (slot: number): number =>
      supervisor.memories.reduce((total, { counters }) => total + counters[slot]!, 0);
    return {
      version: this.#options.release,
      pid: process.pid,
      startedAt: this.#startedAt,
      uptimeMs: Math.round(process.uptime() * 1000),
      state: this.#state,
      generation,
      environment: file.environment,
      listen: supervisor.addresses.map(authority),
      workers: { configured: supervisor.memories.length, listening: supervisor.listening },
      connections: sum(WORKER_SLOTS.open),
      inFlight: sum(WORKER_SLOTS.inFlight),
      store: this.#store.state(),
      alerts: supervisor.watch.monitor.alerts(),
    };
  }

  #changed(state: RunningState): void {
    this.#endpoints.settle(state);
    this.#pushed.keep(state.config);
  }

  async #settled({ config }: LoadedConfig): Promise<void> {
    this.#history.configure(retentionOf(config));
    await this.#outlets.configure(config);
    if (config.admin !== null) await this.#admin?.reconfigure(config.admin);
  }

  #replaced(worker: number, afterMs: number): void {
    this.#metrics.observeReplaced();
    this.#events.emit({
      ...{ type: 'worker.replaced', level: 'warning', data: { worker, afterMs } },
      message: `Worker ${worker} died; another takes its place in ${afterMs} ms`,
    });
  }

  /** Makes what is kept equal to what runs; where that cannot be written it is tried again when it can. */
  #reconcile(): void {
    this.#core.reconcile().catch((error: Error) => {
      this.#options.logger.warn('state_not_reconciled', { message: error.message });
    });
  }
}

const liveWeights = (snapshot: Snapshot): ReadonlyMap<number, number> =>
  new Map(snapshot.services.flatMap(({ versions }) => versions.map(({ id, weight }) => [id, weight / 100] as const)));

const retentionOf = (config: SluiceConfig) => ({ events: config.events.retention, history: config.monitor.history });

function admitListenError(error: NodeJS.ErrnoException): never {
  if (error.code === undefined) throw error;
  throw new ListenError(error.code, error.message);
}
