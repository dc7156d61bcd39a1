/**
 * A rollout without processes: states and observations as a test writes them, and a control plane whose evidence, tasks and workers do what it says.
 *
 * The change core, the store (SQLite in memory), the controller and the operations are the real ones; time stands still until `pass`. A restart is
 * a new stage over the store of the old one, whose clock never goes on: what is not in the store is forgotten.
 */
import type { Test } from 'tap';
import { ProviderReadings } from '../../src/control/analysis/providers/provider-readings.ts';
import type { EvidenceReading } from '../../src/control/analysis/verdict.ts';
import { ChangeCore } from '../../src/control/change/change-core.ts';
import { FlagOperations } from '../../src/control/change/flags.ts';
import { PushedMetrics } from '../../src/control/change/pushed-metrics.ts';
import { VersionOperations } from '../../src/control/change/versions.ts';
import { WeightOperations } from '../../src/control/change/weights.ts';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { resolveStrategy } from '../../src/control/config/given-strategy.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import { EventLog } from '../../src/control/events/event-log.ts';
import { RolloutController } from '../../src/control/rollout/controller.ts';
import { EvidenceRows } from '../../src/control/rollout/evidence-rows.ts';
import { rolloutsIn } from '../../src/control/rollout/kept-rollouts.ts';
import { restarted } from '../../src/control/rollout/kept-state.ts';
import type { Observation } from '../../src/control/rollout/observation.ts';
import { isOver, type Rollout, type TaskResult } from '../../src/control/rollout/rollout.ts';
import { RolloutOperations } from '../../src/control/rollout/rollout-operations.ts';
import { RolloutTasks } from '../../src/control/rollout/rollout-tasks.ts';
import type { TaskTarget } from '../../src/control/rollout/tasks/task.ts';
import type { TaskRunner } from '../../src/control/rollout/tasks/task-runner.ts';
import { withOverrides } from '../../src/control/state/effective.ts';
import { OVERRIDES } from '../../src/control/state/overrides.ts';
import { StoreError } from '../../src/control/store/store.ts';
import { newWorkerMemory } from '../../src/model/counters.ts';
import { newEndpointTable } from '../../src/model/endpoint-table.ts';
import {
  CAUSES,
  CLOSED,
  newEvidenceTable,
  SIDE_SLOTS,
  SWITCH,
  type SwitchCause,
  sideSlot,
  switchSlot,
  TERMS,
  TIMES,
  termsSlot,
  timesSlot,
} from '../../src/model/evidence-table.ts';
import type { StrategyConfig } from '../../src/model/rollout-config.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { turns } from '../kit/signal.ts';
import { newStore, type StoreUnderTest } from '../kit/store.ts';
import { CI, FakeWorkers } from './change-stage.ts';

export { CI, refusal } from './change-stage.ts';

export const NOW = Date.parse('2026-01-01T00:00:00Z');

/** Three steps of a second, with nothing to hold them. */
export const QUICK = {
  steps: [
    { name: 'few', weight: 10, for: '1s' },
    { name: 'half', weight: 50, for: '1s' },
    { name: 'all', weight: 100, for: '1s' },
  ],
};

/** @param raw as a file would write it. */
export const strategyOf = (raw: object): StrategyConfig =>
  resolveStrategy('test', raw, { strategies: [], metrics: [], approvers: [] });

const TOTALS = { trials: 0, failed: 0, counted: 0, slow: 0, ended: 0, aborted: 0, userErrors: 0 };

export const CALM: EvidenceReading = {
  ...{ tests: [], verdict: null, mismatch: null, proof: null, budget: null, bothFail: false },
  ...{ canary: TOTALS, stable: TOTALS },
};

/** A crossed test. */
export const crossed = (test: 'errors' | 'slo' | 'latency' | 'ratio') =>
  ({ test, state: 'crossed', logE: 9, threshold: 7, message: `${test} are too many` }) as const;

export const health: Observation['health'] = { unavailable: 0, known: true, stableUnavailable: false };

/** Nothing speaks against anything. */
export const seenOf = (more: Partial<Observation> = {}): Observation => ({
  ...{ elapsed: 0, gone: null, blocked: null, frozen: null, unapproved: null, evidence: CALM },
  service: { lanes: { stable: 'v1' }, weights: { v1: 100, v2: 0 } },
  ...{ conditions: [], rules: [], health, switched: null, firstFailureAt: null, closedAt: null, inFlight: 0 },
  ...{ canary: null, stable: null, failures: [] },
  ...more,
});

export const resultOf = (ok: boolean, more: Partial<TaskResult> = {}): TaskResult => ({
  ...{ ok, message: ok ? 'fine' : 'it says no', at: NOW, output: '' },
  ...more,
});

export const rolloutOf = (strategy: StrategyConfig, more: Partial<Rollout> = {}): Rollout => ({
  ...{ id: 'shop-1', service: 'shop', version: 'v2', stable: 'v1', strategy, phase: 'Queued', createdAt: NOW },
  ...{ startedAt: null, endedAt: null, startedBy: { name: 'ci', role: 'operator' }, reason: '', notBefore: null },
  ...{ digest: 'd', risk: { score: 0, items: [] }, step: -1, stepStartedAt: NOW, soaked: 0, held: 0, weight: 0 },
  ...{ pause: null, waiting: null, approvals: [], tasks: {}, pack: null, before: null, rollback: null },
  ...{ decision: null, steps: [], timeline: [], counted: [], failures: [], forgiven: 0, retryOf: null },
  ...more,
});

/** Tasks that end when the test says so. */
export class FakeTasks {
  readonly begun: string[] = [];
  /** Rollouts whose tasks were cut short. */
  readonly cancelled: string[] = [];
  readonly #open = new Map<string, (result: TaskResult) => void>();

  get open(): string[] {
    return [...this.#open.keys()];
  }

  run(id: string, _task: unknown, target: Pick<TaskTarget, 'rollout'>): Promise<TaskResult> {
    this.begun.push(`${target.rollout} ${id}`);
    return new Promise((resolve) => this.#open.set(id, resolve));
  }

  async end(id: string, result: TaskResult): Promise<void> {
    const end = this.#open.get(id);
    if (end === undefined) throw new Error(`${id} is not under way; ${this.open.join(', ')}`);
    this.#open.delete(id);
    end(result);
    await turns(6);
  }

  async close(): Promise<void> {
    for (const id of this.open) await this.end(id, resultOf(false, { again: true }));
  }

  async cancel(rollout: string): Promise<void> {
    this.cancelled.push(rollout);
  }
}

const configText = (shop: object): string =>
  JSON.stringify({
    listen: '127.0.0.1:0',
    workers: 2,
    services: {
      shop: {
        versions: Object.fromEntries(
          ['v1', 'v2', 'v3'].map((name, index) => [name, { endpoints: [`http://127.0.0.1:${3001 + index}`] }]),
        ),
        lanes: { stable: 'v1' },
        ...shop,
      },
      blog: {
        versions: { b1: { endpoints: ['http://127.0.0.1:3009'] }, b2: { endpoints: ['http://127.0.0.1:3010'] } },
        lanes: { stable: 'b1' },
      },
    },
    routes: [
      { match: { host: 'blog.example.com' }, service: 'blog' },
      { match: { pathPrefix: '/' }, service: 'shop' },
    ],
    flags: { beta: { default: 'off', key: { header: 'X-User' } } },
  });

/** Tells the controller when weights begin to hold, as the supervisor does. */
class SettlingWorkers extends FakeWorkers {
  onWeights: (snapshot: Snapshot) => void = () => {};

  override async apply(config: unknown, snapshot: Snapshot) {
    this.onWeights(snapshot);
    try {
      return await super.apply(config, snapshot);
    } catch (error) {
      this.onWeights(this.snapshot);
      throw error;
    }
  }

  override weigh(snapshot: Snapshot) {
    this.onWeights(snapshot);
    return super.weigh(snapshot);
  }
}

interface Served {
  readonly canary?: Partial<Record<keyof typeof SIDE_SLOTS, number>>;
  readonly stable?: Partial<Record<keyof typeof SIDE_SLOTS, number>>;
}

type Kept = StoreUnderTest & { readonly disk: { trouble: 'full' | null } };

export type RolloutStage = Awaited<ReturnType<typeof newRolloutStage>>;

/** @param before a stage whose process is gone. */
export async function newRolloutStage(t: Test, options: { shop?: object; before?: Kept } = {}) {
  const { before } = options;
  const kept: Kept = before ?? {
    ...newStore(t, null),
    disk: { trouble: null },
  };
  const { store, wall, disk } = kept;
  if (before === undefined) breakable(kept);
  const clock = new FakeClock();
  const wallClock = (): number => wall.now;
  const journal: string[] = [];
  const told: SluiceEvent[] = [];
  const events = await EventLog.open({ store, clock, wallClock, logger: silentLogger });
  events.subscribe((event) => void told.push(event));
  const file = parseConfig(configText(options.shop ?? {}), 'sluice.yaml', {});
  const entries = new Map((await store.list(OVERRIDES)).map(({ key, value }) => [key, value]));
  const { config } = withOverrides(file, entries);
  const snapshot = compileSnapshot(config, 1);
  const workers = new SettlingWorkers(snapshot, journal);
  const core: ChangeCore = new ChangeCore({
    ...{ store, events, workers, logger: silentLogger },
    state: { file, entries, config, snapshot, generation: 1 },
    beforeSnapshot: () => {},
    afterChange: () => {},
    holder: (service, version) => operations.holderOf(service, version),
  });
  const table = newEvidenceTable(1);
  const endpoints = newEndpointTable();
  const tasks = new FakeTasks();
  const now = wallClock();
  const errors: string[] = [];
  const controller = new RolloutController(
    {
      ...{ core, store, clock, wallClock, endpoints },
      rows: new EvidenceRows(table),
      memories: [newWorkerMemory()],
      logger: { error: (event, fields) => void errors.push(`${event}: ${String(fields?.message)}`) },
      snapshot: () => workers.snapshot,
      config: () => core.state.config,
      pushed: new PushedMetrics(),
      providers: new ProviderReadings({ providers: () => [], clock, env: {} }),
      tasks: new RolloutTasks({
        runner: tasks as unknown as TaskRunner,
        target: ({ id }) => ({ rollout: id }) as TaskTarget,
        wallClock,
      }),
    },
    (await rolloutsIn(store)).map((each) =>
      isOver(each.phase) || each.startedAt === null ? each : restarted(each, now),
    ),
  );
  const operations: RolloutOperations = new RolloutOperations({
    ...{ core, store, wallClock, controller },
    context: () => ({
      inline: (raw) => resolveStrategy('test', raw, core.state.config.rollouts),
      health: () => 'known good',
      errorRate: () => null,
    }),
    views: () => ({ wallClock, weightOf: () => 0 }),
  });
  workers.onWeights = (next) => controller.settle(next);
  controller.start();

  const versionId = (name: string): number =>
    workers.snapshot.services.flatMap(({ versions }) => versions).find((version) => version.name === name)!.id;
  const rowOf = (id: string): number => controller.running(id)!.row;
  return {
    ...{
      store,
      wall,
      clock: kept.clock,
      disk,
      core,
      workers,
      controller,
      operations,
      table,
      endpoints,
      tasks,
      told,
      errors,
    },
    weights: new WeightOperations(core),
    versions: new VersionOperations(core),
    flags: new FlagOperations(core),
    versionId,
    rowOf,
    get: (id = 'shop-1'): Rollout => controller.running(id)?.rollout ?? controller.get(id)!,
    /** Lanes and weights that run: `stable v1 90, canary v2 10`. */
    traffic(service = 'shop'): string {
      const { lanes, weights } = core.state.config.services.find(({ name }) => name === service)!;
      const of = Object.entries(lanes).map(([lane, version]) => `${lane} ${version} ${weights[version]}`);
      return of.join(', ');
    },
    mark: (version: string): number => table.marks[versionId(version)]!,
    isClosed: (version: string): boolean => (table.marks[versionId(version)]! & CLOSED) !== 0,
    /** Time passes in small steps, and what it causes happens. */
    async pass(ms: number, step = 125): Promise<void> {
      for (let left = ms; left > 0; left -= step) {
        wall.now += Math.min(step, left);
        kept.clock.advance(Math.min(step, left));
        clock.advance(Math.min(step, left));
        await turns(4);
      }
    },
    start: (strategy: object = QUICK, version = 'v2', more: object = {}, service = 'shop') =>
      operations.start(CI, service, { version, strategy: strategy as Record<string, unknown>, ...more }, {}),
    verb: (verb: Parameters<RolloutOperations['change']>[2], id = 'shop-1', more: object = {}) =>
      operations.change(CI, id, verb, more),
    /** Workers count. Failures are counted once each, and against the budget. */
    serve({ canary = {}, stable = {} }: Served, id = 'shop-1'): void {
      const row = rowOf(id);
      const current = table.terms[termsSlot(row) + TERMS.current]!;
      [canary, stable].forEach((counts, side) => {
        const all = { ended: counts.trials ?? 0, counted: counts.failed ?? 0, ...counts };
        for (const [name, more] of Object.entries(all)) {
          table.totals[0]![sideSlot(row, current, side) + SIDE_SLOTS[name as keyof typeof SIDE_SLOTS]]! += more;
        }
      });
      Atomics.add(table.switches, switchSlot(row) + SWITCH.failures, canary.failed ?? 0);
    },
    /** A worker finds that it is enough. */
    throwSwitch(cause: SwitchCause, id = 'shop-1'): void {
      const row = rowOf(id);
      Atomics.store(table.switches, switchSlot(row) + SWITCH.cause, CAUSES.indexOf(cause) + 1);
      Atomics.or(table.marks, versionId(controller.get(id)!.version), CLOSED);
      table.times[timesSlot(row) + TIMES.firstFailure] = wall.now;
      table.times[timesSlot(row) + TIMES.thrown] = wall.now;
    },
    /** As it is in the store. */
    async stored(id = 'shop-1'): Promise<Rollout | null> {
      return ((await store.get(`rollout/${id}`))?.value as Rollout | undefined) ?? null;
    },
  };
}

/** Where the test says that the disk is full, everything that is written is refused. */
function breakable({ store, disk }: Kept): void {
  const { commit, state } = { commit: store.commit.bind(store), state: store.state.bind(store) };
  const since = new Date(NOW).toISOString();
  store.state = () => ({
    ...state(),
    trouble: disk.trouble === null ? null : { kind: disk.trouble, message: 'no space left', since },
  });
  store.commit = async (change) => {
    if (disk.trouble !== null) throw new StoreError(disk.trouble, 'no space left');
    return commit(change);
  };
}
