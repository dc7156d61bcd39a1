/**
 * Everything that rollouts are made of, put together: evidence rows, meters' sources, tasks, the controller, and what operators do with it.
 *
 * The control plane knows this one object; what belongs to whom among the parts is decided here.
 */
import type { SluiceConfig } from '../../model/config.ts';
import type { WorkerMemory } from '../../model/counters.ts';
import { type EndpointTable, flagsOf } from '../../model/endpoint-table.ts';
import type { EvidenceTable } from '../../model/evidence-table.ts';
import type { StrategyConfig } from '../../model/rollout-config.ts';
import type { Snapshot } from '../../model/snapshot.ts';
import type { Clock } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import type { Random } from '../../runtime/random.ts';
import { ProviderReadings } from '../analysis/providers/provider-readings.ts';
import type { ChangeCore } from '../change/change-core.ts';
import type { PushedMetrics } from '../change/pushed-metrics.ts';
import type { HealthChecker } from '../health/health-checker.ts';
import type { RolloutReading } from '../metrics/sources.ts';
import type { HealthMonitor } from '../monitor/health-monitor.ts';
import type { Store } from '../store/store.ts';
import { RolloutController } from './controller.ts';
import { EvidenceRows } from './evidence-rows.ts';
import { restarted } from './kept-state.ts';
import { isOver, type Rollout } from './rollout.ts';
import { RolloutOperations } from './rollout-operations.ts';
import { RolloutTasks } from './rollout-tasks.ts';
import { stepNumber } from './summary.ts';
import { type RouteToVersion, taskTarget } from './task-target.ts';
import { TaskRunner } from './tasks/task-runner.ts';

export interface RolloutsOptions {
  readonly core: ChangeCore;
  readonly store: Store;
  readonly evidence: EvidenceTable;
  readonly memories: readonly WorkerMemory[];
  readonly endpoints: EndpointTable;
  readonly snapshot: () => Snapshot;
  readonly monitor: () => HealthMonitor;
  readonly health: Pick<HealthChecker, 'states'>;
  readonly pushed: PushedMetrics;
  readonly clock: Clock;
  readonly wallClock: () => number;
  readonly random: Random;
  readonly logger: Logger;
  readonly env: NodeJS.ProcessEnv;
  /** Where Sluice itself is reached from this machine; null before it listens. */
  readonly proxy: () => string | null;
  readonly inline: (raw: Readonly<Record<string, unknown>>, config: SluiceConfig) => StrategyConfig;
  readonly kept: readonly Rollout[];
}

export class Rollouts {
  readonly operations: RolloutOperations;
  readonly controller: RolloutController;
  readonly #options: RolloutsOptions;
  readonly #providers: ProviderReadings;

  constructor(options: RolloutsOptions) {
    const { core, store, clock, wallClock, logger, env, snapshot, endpoints, memories, pushed, random, kept } = options;
    this.#options = options;
    const rows = new EvidenceRows(options.evidence);
    const config = (): SluiceConfig => core.state.config;
    const providers = () => config().rollouts.metrics;
    this.#providers = new ProviderReadings({ providers, clock, env, random });
    const tasks = new RolloutTasks({
      runner: new TaskRunner({ clock, logger, env, wallClock }),
      target: (rollout) => taskTarget(rollout, this.#routeTo(rollout)),
      wallClock,
    });
    const now = wallClock();
    this.controller = new RolloutController(
      {
        ...{ core, store, rows, tasks, clock, wallClock, logger, snapshot, endpoints, memories, pushed, config },
        providers: this.#providers,
        doubted: () => this.#doubted(),
      },
      kept.map((rollout) => (isOver(rollout.phase) || rollout.startedAt === null ? rollout : restarted(rollout, now))),
    );
    this.operations = new RolloutOperations({
      ...{ core, store, wallClock, controller: this.controller },
      context: () => ({
        inline: (raw) => options.inline(raw, config()),
        health: (service, version) => this.#health(service, version),
        errorRate: (service, version) => options.monitor().reading(service, version)?.values.error_rate ?? null,
      }),
      views: () => ({
        wallClock,
        weightOf: (service, version) => config().services.find(({ name }) => name === service)?.weights[version] ?? 0,
      }),
    });
  }

  /** Newest first, for metrics. */
  readings(): RolloutReading[] {
    return this.controller
      .all()
      .toReversed()
      .map((rollout) => {
        const { id, service, phase } = rollout;
        const running = this.controller.running(id);
        const reading = running?.evidence() ?? null;
        const held = rollout.waiting !== null || phase === 'Paused' || (running?.trouble ?? null) !== null;
        return {
          ...{ service, id, phase, step: stepNumber(rollout), waiting: held },
          ...{ tests: reading?.tests ?? [], failures: reading?.canary.failed ?? 0 },
        };
      });
  }

  async close(): Promise<void> {
    await this.controller.close();
    await this.#providers.close();
  }

  #routeTo({ service, version }: Rollout): RouteToVersion {
    const { core, endpoints, proxy } = this.#options;
    return {
      config: core.state.config,
      proxy: proxy(),
      endpoints: () => {
        const unchecked = this.#unchecked();
        return this.#endpointsOf(service, version).map(({ id, url }) => ({
          ...{ url, flags: flagsOf(endpoints, id) },
          unchecked: unchecked.has(id),
        }));
      },
    };
  }

  /** Endpoints with a check that has had no result yet. */
  #unchecked(): ReadonlySet<number> {
    const states = this.#options.health.states();
    return new Set(states.filter(({ probes }) => probes === 0).map(({ endpointId }) => endpointId));
  }

  /** After a start an endpoint counts as available until its checks say otherwise; to make a version stable that is not enough. */
  #doubted(): ReadonlySet<number> {
    const states = this.#options.health.states();
    const inDoubt = states.filter(({ probes, phase }) => probes === 0 || phase === 'failing');
    return new Set(inDoubt.map(({ endpointId }) => endpointId));
  }

  #health(service: string, version: string): 'known good' | 'unknown' | 'bad' {
    const all = this.#endpointsOf(service, version);
    if (all.some(({ id }) => flagsOf(this.#options.endpoints, id) !== 0)) return 'bad';
    const unchecked = this.#unchecked();
    if (all.some(({ id }) => unchecked.has(id))) return 'unknown';
    const checked = this.#options.core.state.config.services.find(({ name }) => name === service)?.health !== undefined;
    return checked && all.length > 0 ? 'known good' : 'unknown';
  }

  #endpointsOf(service: string, version: string) {
    const found = this.#options.snapshot().services.find(({ name }) => name === service);
    return found?.versions.find(({ name }) => name === version)?.endpoints ?? [];
  }
}
