/**
 * The way of every change: one at a time, decided on what runs, made durable, then done, then told.
 *
 *     draft ──fits?──▶ commit ──▶ workers ──▶ events ──▶ answer
 *       │       │         │          └─ refused: taken back, with an audit row and an event of its own
 *       └───────┴─────────┴─ error: nothing has changed
 *
 * A draft says what changes in the store and who is told; whether it fits is decided by building the whole configuration with it
 * (state/effective.ts), the same way that the next start will. What is acknowledged is on disk and in every worker.
 *
 * A rollback is the exception, because it must not wait: its weights are stored in shared memory before it enters the queue, and a disk
 * that cannot be written does not keep it from happening, only from being remembered, which the answer then says. When the disk can be written
 * again, `reconcile` makes what is kept equal to what runs, and writes down who did it.
 */
import type { SluiceConfig } from '../../model/config.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Acknowledged } from '../acknowledgements.ts';
import { compileSnapshot } from '../config/compile.ts';
import type { NewEvent, SluiceEvent } from '../events/event.ts';
import type { Actor, Applied, ChangeOptions } from '../operations.ts';
import { OperationError } from '../problems.ts';
import { type Dropped, fitService, withOverrides } from '../state/effective.ts';
import { isEndpointKey, OVERRIDES, type OverrideEntries } from '../state/overrides.ts';
import type { Commit, NewAudit, Store } from '../store/store.ts';
import { RefusedError } from '../supervisor.ts';
import { checkCapacity, refuseMisfits, settled, storeProblem } from './refusals.ts';
import { Turnstile } from './turnstile.ts';
import { differenceOf, UnkeptAudit } from './unkept.ts';

/** A worker that hangs holds an answer up; it must not hold up what else is told, milliseconds. */
const TELL_WITHIN = 1_000;

/** What runs, and what it was made of. */
export interface RunningState {
  /** As the files say. */
  readonly file: SluiceConfig;
  readonly entries: OverrideEntries;
  /** With the runtime changes. */
  readonly config: SluiceConfig;
  readonly snapshot: Snapshot;
  readonly generation: number;
}

/** A change before it is made. */
export interface Draft {
  readonly puts?: readonly { readonly key: string; readonly value: unknown }[];
  readonly deletes?: readonly string[];
  /** Kept in the same commit, and no runtime change: the rollout that this is done for. */
  readonly records?: readonly { readonly key: string; readonly value: unknown }[];
  /** What workers have to be told: new weights of a service, a new snapshot, or nothing. */
  readonly scope: { readonly weights: string } | 'snapshot' | 'nothing';
  readonly action: string;
  /** `services/shop/weights` */
  readonly target: string;
  readonly before: unknown;
  readonly after: unknown;
  readonly events: readonly NewEvent[];
  /** Whether it is done even where it cannot be made durable. */
  readonly urgent?: boolean;
}

/** What the core needs of the supervisor. */
export interface Workers {
  readonly snapshot: Snapshot;
  apply(config: SluiceConfig, snapshot: Snapshot): Promise<Acknowledged>;
  weigh(snapshot: Snapshot): Promise<Acknowledged>;
}

/** What the core needs of the event log. */
export interface EventPublisher {
  prepare(event: NewEvent): SluiceEvent;
  publish(events: readonly SluiceEvent[]): void;
  /** For prepared events that were not stored. */
  discard(events: readonly SluiceEvent[]): void;
  emit(event: NewEvent): SluiceEvent;
}

export interface ChangeCoreOptions {
  readonly store: Store;
  readonly events: EventPublisher;
  readonly workers: Workers;
  readonly logger: Logger;
  readonly state: RunningState;
  /** Called before workers get a new snapshot. */
  readonly beforeSnapshot: (snapshot: Snapshot) => void;
  /** Called when something else runs than before. */
  readonly afterChange: (state: RunningState) => void;
  /** Who has the traffic of a service, or one of its versions, in hand, as a sentence; null where nobody has. Default: nobody. */
  readonly holder?: (service: string, version?: string) => string | null;
}

/** Weights that hold before the change that brings them has had its turn. */
interface Diversion {
  readonly service: string;
  /** Percent by version. */
  readonly weights: Readonly<Record<string, number>>;
}

export class ChangeCore {
  readonly #options: ChangeCoreOptions;
  readonly #turnstile = new Turnstile();
  /** Whose change has not had its turn yet. */
  readonly #diversions = new Set<Diversion>();
  readonly #unkept = new UnkeptAudit();
  #state: RunningState;
  #closed = false;

  constructor(options: ChangeCoreOptions) {
    this.#options = options;
    this.#state = options.state;
  }

  get state(): RunningState {
    return this.#state;
  }

  /** @throws OperationError conflict where a rollout has the traffic of the service, or the version, in hand. */
  refuseHeld(service: string, version?: string): void {
    const holder = this.#options.holder?.(service, version) ?? null;
    if (holder !== null) throw new OperationError('conflict', holder);
  }

  /** Makes a change. @param make decides on what runs at that moment; throws OperationError. */
  change(actor: Actor, options: ChangeOptions, make: (state: RunningState) => Draft): Promise<Applied> {
    return this.#turnstile.run(() => this.#change(actor, options, make));
  }

  /**
   * Gives a service these weights at once, before anybody else's turn; {@link change} has to follow. Changes that are in the queue already were
   * decided without it, so it holds over what they say.
   *
   * @returns what ends it; call when the change that follows has its turn.
   */
  divert(service: string, weights: Readonly<Record<string, number>>): () => void {
    const diversion: Diversion = { service, weights };
    this.#diversions.add(diversion);
    void this.#options.workers.weigh(reweighed(this.#options.workers.snapshot, service, weights));
    return () => void this.#diversions.delete(diversion);
  }

  #diverted(snapshot: Snapshot): Snapshot {
    return [...this.#diversions]
      .filter((each) => isPossible(each, snapshot))
      .reduce((before, { service, weights }) => reweighed(before, service, weights), snapshot);
  }

  /** Runs `task` when it is its turn, with nothing else changing meanwhile. */
  exclusively<T>(task: () => Promise<T>): Promise<T> {
    return this.#turnstile.run(async () => {
      this.#refuseWhenClosed();
      return task();
    });
  }

  /** Refuses changes from now on; resolves when those under way are through. */
  async close(): Promise<void> {
    this.#closed = true;
    await this.#turnstile.empty();
  }

  #refuseWhenClosed(): void {
    if (this.#closed) throw new OperationError('draining', 'Sluice is shutting down; nothing can be changed any more');
  }

  async #change(actor: Actor, options: ChangeOptions, make: (state: RunningState) => Draft): Promise<Applied> {
    this.#refuseWhenClosed();
    const state = this.#state;
    const draft = make(state);
    const { next, lost } = this.#next(state, draft, changed(state.entries, draft));
    return this.#carryOut(actor, options, { ...draft, deletes: [...(draft.deletes ?? []), ...lost] }, next);
  }

  /** Makes a change that fits durable, does it and tells of it. */
  async #carryOut(actor: Actor, options: ChangeOptions, draft: Draft, next: RunningState): Promise<Applied> {
    const { events: log } = this.#options;
    const before = this.#state;
    const { puts = [], deletes = [], records = [] } = draft;
    const events = draft.events.map((event) => log.prepare(event));
    const row = auditOf(actor, options, draft);
    const change = { puts: [...puts, ...records], deletes, audit: [row], events };
    const notKept = await this.#commit(change, draft.urgent === true);
    const tell = (): void => {
      if (notKept === null) log.publish(events);
      // Written down as soon as the store can be written again.
      else for (const event of draft.events) log.emit(event);
    };
    try {
      const applied = await within(tell, () => this.#run(next, draft, () => this.#takeBack(actor, draft, before)));
      if (notKept === null) return applied;
    } finally {
      // What workers refused is taken back, and was never done.
      if (notKept !== null && this.#state === next) this.#noteUnkept(row);
    }
    throw notKept;
  }

  /** In the log as well, which is all that is left of it where the process ends before the disk can be written. */
  #noteUnkept(row: NewAudit): void {
    const { actor, address, action, target, reason } = row;
    this.#options.logger.warn('change_not_kept', { actor, address, action, target, reason });
    this.#unkept.note(row);
  }

  /** Writes what runs but is not kept, and forgets what is kept but does not run; call when the store can be written again, and at the start. */
  reconcile(): Promise<void> {
    return this.#turnstile.run(async () => {
      const { store } = this.#options;
      const { keys, puts, deletes, ...values } = differenceOf(await store.list(OVERRIDES), this.#state.entries);
      const { rows } = this.#unkept;
      if (keys.length + rows.length === 0) return;
      const reason = 'what runs was not what is kept';
      const own = auditOf(SELF, { reason }, { action: 'state.reconcile', target: 'state', ...values });
      await store.commit({ puts, deletes, audit: keys.length === 0 ? rows : [...rows, own] });
      this.#unkept.forget(rows);
    });
  }

  /** @returns also keys that have become pointless: what was said of endpoints that are gone. */
  #next(state: RunningState, draft: Draft, wanted: OverrideEntries): { next: RunningState; lost: readonly string[] } {
    const generation = state.generation + 1;
    if (draft.scope === 'nothing') return { next: { ...state, entries: wanted, generation }, lost: [] };
    if (draft.scope !== 'snapshot') {
      return { next: reweighedState(state, draft.scope.weights, wanted, generation), lost: [] };
    }
    const { config, dropped } = withOverrides(state.file, wanted);
    const lost = dropped.map(({ key }) => key).filter(isEndpointKey);
    refuseMisfits(dropped.filter(({ key }) => !isEndpointKey(key)));
    checkCapacity(config);
    const entries = changed(wanted, { deletes: lost });
    const snapshot = compileSnapshot(config, generation, state.snapshot);
    return { next: { file: state.file, entries, config, snapshot, generation }, lost };
  }

  /** @returns why it could not be made durable, where that may be. */
  async #commit(change: Commit, urgent: boolean): Promise<OperationError | null> {
    try {
      await this.#options.store.commit(change);
      return null;
    } catch (error) {
      this.#options.events.discard(change.events ?? []);
      const refusal = storeProblem(error);
      if (!urgent) throw refusal;
      const why = `the state cannot be written (${(error as Error).message})`;
      const message = `it is done, but not kept: ${why}. Until it can be written again, a restart would bring the weights from before back`;
      return new OperationError(refusal.code, message);
    }
  }

  async #run(next: RunningState, draft: Draft, takeBack: () => Promise<void>): Promise<Applied> {
    const began = performance.now();
    const acknowledged = await this.#tell(next, draft, takeBack);
    this.#state = next;
    this.#options.afterChange(next);
    const appliedInMs = Math.round((performance.now() - began) * 1000) / 1000;
    return settled(acknowledged, next.generation, appliedInMs);
  }

  async #tell(next: RunningState, draft: Draft, takeBack: () => Promise<void>): Promise<Acknowledged> {
    const { workers } = this.#options;
    if (draft.scope === 'nothing') return { taken: 0, refusals: [], missing: [] };
    const snapshot = this.#diverted(next.snapshot);
    if (draft.scope !== 'snapshot') return workers.weigh(snapshot);
    try {
      this.#options.beforeSnapshot(snapshot);
      return await workers.apply(next.config, snapshot);
    } catch (error) {
      if (!(error instanceof RefusedError)) throw error;
      this.#options.beforeSnapshot(workers.snapshot);
      // What cannot be taken back now is found when the store can be written again.
      await takeBack().catch((failure: Error) => {
        this.#options.logger.error('change_not_taken_back', { target: draft.target, message: failure.message });
      });
      this.#options.events.emit({
        ...{ type: 'override.dropped', level: 'warning', data: { key: draft.target, reason: error.message } },
        message: `${draft.action} of ${draft.target} was taken back: the workers cannot run it`,
      });
      throw new OperationError('conflict', `the workers cannot run it: ${error.message}; nothing has changed`);
    }
  }

  async #takeBack(actor: Actor, draft: Draft, before: RunningState): Promise<void> {
    const keys = [...(draft.puts ?? []).map(({ key }) => key), ...(draft.deletes ?? [])];
    await this.#commit(
      {
        puts: keys.filter((key) => before.entries.has(key)).map((key) => ({ key, value: before.entries.get(key) })),
        deletes: keys.filter((key) => !before.entries.has(key)),
        audit: [
          auditOf(
            actor,
            { reason: 'the workers could not run it' },
            { ...draft, action: `${draft.action}.taken-back` },
          ),
        ],
      },
      false,
    );
  }

  /** Runs other files; called by the reload, within {@link exclusively}. */
  async adopt(
    actor: Actor,
    options: ChangeOptions,
    file: SluiceConfig,
    summary: { readonly before: unknown; readonly after: unknown; readonly events: readonly NewEvent[] },
  ): Promise<{ readonly applied: Applied; readonly dropped: readonly Dropped[] }> {
    const state = this.#state;
    const generation = state.generation + 1;
    const { config, dropped } = withOverrides(file, state.entries);
    checkCapacity(config);
    const snapshot = compileSnapshot(config, generation, state.snapshot);
    const deletes = dropped.map(({ key }) => key);
    const draft: Draft = {
      deletes,
      scope: 'snapshot',
      action: 'config.reload',
      target: 'config',
      before: summary.before,
      after: summary.after,
      events: [...summary.events, ...dropped.map(droppedEvent)],
    };
    const next = { file, entries: changed(state.entries, draft), config, snapshot, generation };
    return { applied: await this.#carryOut(actor, options, draft, next), dropped };
  }
}

/** Calls `tell` when `act` is through, or has taken so long that what others tell, which waits its turn behind it, should not wait longer. */
async function within<T>(tell: () => void, act: () => Promise<T>): Promise<T> {
  let told = false;
  const once = (): void => {
    if (!told) tell();
    told = true;
  };
  const late = setTimeout(once, TELL_WITHIN);
  try {
    return await act();
  } finally {
    clearTimeout(late);
    once();
  }
}

/** Who acts where nobody asked. */
export const SELF: Actor = { name: 'sluice', role: 'operator', address: '', requestId: '' };

export const droppedEvent = ({ key, reason }: Dropped): NewEvent => ({
  type: 'override.dropped',
  level: 'warning',
  message: `The runtime change ${key} was given up: ${reason}`,
  data: { key, reason },
});

export function auditOf(
  actor: Actor,
  options: ChangeOptions,
  { action, target, before, after }: Pick<Draft, 'action' | 'target' | 'before' | 'after'>,
): NewAudit {
  const { name, role, address, requestId } = actor;
  return { actor: name, role, address, requestId, action, target, before, after, reason: options.reason ?? '' };
}

function changed(entries: OverrideEntries, { puts, deletes }: Pick<Draft, 'puts' | 'deletes'>): OverrideEntries {
  const next = new Map(entries);
  for (const key of deletes ?? []) next.delete(key);
  for (const { key, value } of puts ?? []) next.set(key, value);
  return next;
}

/** Only the service is built anew: weights may change a hundred times a second, beside thousands of routes. */
function reweighedState(state: RunningState, name: string, entries: OverrideEntries, generation: number): RunningState {
  const file = state.file.services.find((service) => service.name === name)!;
  const { service, dropped } = fitService(file, state.file, entries);
  refuseMisfits(dropped);
  const services = state.config.services.map((each) => (each.name === name ? service : each));
  const snapshot = { ...reweighed(state.snapshot, name, service.weights), generation };
  return { file: state.file, entries, config: { ...state.config, services }, snapshot, generation };
}

/** Whether anybody would get traffic: the versions may be gone by a change that came in between. */
const isPossible = ({ service, weights }: Diversion, snapshot: Snapshot): boolean =>
  snapshot.services.some(
    ({ name, versions }) => name === service && versions.some((each) => (weights[each.name] ?? 0) > 0),
  );

/** @param weights percent by version name; versions left out get 0. */
function reweighed(snapshot: Snapshot, name: string, weights: Readonly<Record<string, number>>): Snapshot {
  const services = snapshot.services.map((service) => {
    if (service.name !== name) return service;
    const versions = service.versions.map((version) => ({
      ...version,
      weight: Math.round((weights[version.name] ?? 0) * 100),
    }));
    return { ...service, versions };
  });
  return { ...snapshot, services };
}
