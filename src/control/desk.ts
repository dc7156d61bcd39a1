/** The operations (operations.ts) over the parts that do the work: one line each, and nothing decided here. */
import type { ChangeCore } from './change/change-core.ts';
import type { EndpointOperations } from './change/endpoint-state.ts';
import { findService, findVersion } from './change/find.ts';
import type { FlagOperations } from './change/flags.ts';
import type { GradualRollback } from './change/gradual-rollback.ts';
import type { PushedMetrics } from './change/pushed-metrics.ts';
import type { ConfigOperations } from './change/reload.ts';
import type { VersionOperations } from './change/versions.ts';
import type { WeightOperations } from './change/weights.ts';
import type { NotificationOperations } from './notify/notification-operations.ts';
import type { Actor, ChangeOptions, Operations, ServerStatus, ServiceView } from './operations.ts';
import type { RolloutOperations } from './rollout/rollout-operations.ts';
import { strategyViews } from './rollout/strategy-views.ts';
import type { Supervisor } from './supervisor.ts';
import { serviceView, serviceViews, type ViewSources } from './views.ts';

export interface DeskParts {
  readonly core: ChangeCore;
  readonly supervisor: Supervisor;
  readonly pushed: PushedMetrics;
  readonly weights: WeightOperations;
  readonly versions: VersionOperations;
  readonly flags: FlagOperations;
  readonly endpoints: EndpointOperations;
  readonly config: ConfigOperations;
  readonly rollbacks: GradualRollback;
  readonly rollouts: RolloutOperations;
  readonly notifications: NotificationOperations;
  readonly status: () => ServerStatus;
  readonly drain: (actor: Actor, options: ChangeOptions) => Promise<void>;
}

type Call<Key extends keyof Operations> = Operations[Key];

export class Desk implements Operations {
  readonly #parts: DeskParts;

  constructor(parts: DeskParts) {
    this.#parts = parts;
  }

  status: Call<'status'> = () => this.#parts.status();
  services: Call<'services'> = () => serviceViews(this.#sources());

  service: Call<'service'> = (name) => {
    return serviceView(findService(this.#parts.core.state.config, name), this.#sources());
  };

  weights: Call<'weights'> = (service) => this.#parts.weights.view(service);
  setWeights: Call<'setWeights'> = (...args) => this.#parts.weights.set(...args);
  setRelativeWeights: Call<'setRelativeWeights'> = (...args) => this.#parts.weights.setRelative(...args);
  resetWeights: Call<'resetWeights'> = (...args) => this.#parts.weights.reset(...args);

  rollback: Call<'rollback'> = async (actor, service, mode, options) => {
    const { weights, rollbacks, rollouts, core } = this.#parts;
    // A rollout that has the traffic in hand is ended; its way back is the one that it was begun with.
    const ended = await rollouts.rollBackService(actor, service, mode, options);
    if (ended !== null) {
      const { generation } = core.state;
      return { ...weights.view(service), generation, appliedInMs: 0, workers: 0, mode, note: ended };
    }
    const idle = rollouts.nothingToTakeBack(service);
    const changed =
      mode === 'immediate'
        ? await weights.rollBack(actor, service, options)
        : await rollbacks.start(actor, service, options);
    return { ...changed, mode, ...(idle !== null && { note: idle }) };
  };

  putVersion: Call<'putVersion'> = async (actor, service, version, endpoints, options) => {
    const applied = await this.#parts.versions.put(actor, service, version, endpoints, options);
    return { ...applied, version: versionOf(this.service(service), version) };
  };

  deleteVersion: Call<'deleteVersion'> = (...args) => this.#parts.versions.remove(...args);
  setLanes: Call<'setLanes'> = (...args) => this.#parts.versions.setLanes(...args);

  setEndpointState: Call<'setEndpointState'> = async (actor, service, url, state, options) => {
    await this.#parts.endpoints.set(actor, service, url, state, options);
    return this.service(service).versions.flatMap(({ endpoints }) => endpoints.filter((each) => each.url === url));
  };

  pushMetrics: Call<'pushMetrics'> = (_actor, service, version, values) => {
    const { core, pushed } = this.#parts;
    findVersion(findService(core.state.config, service), version);
    return pushed.push(service, version, values, new Date().toISOString());
  };

  flags: Call<'flags'> = () => this.#parts.flags.list();
  setFlag: Call<'setFlag'> = (...args) => this.#parts.flags.set(...args);
  resetFlag: Call<'resetFlag'> = (...args) => this.#parts.flags.reset(...args);
  strategies: Call<'strategies'> = () => strategyViews(this.#parts.core.state.config);
  startRollout: Call<'startRollout'> = (...args) => this.#parts.rollouts.start(...args);
  rolloutRisk: Call<'rolloutRisk'> = (...args) => this.#parts.rollouts.risk(...args);
  rollouts: Call<'rollouts'> = (filter) => this.#parts.rollouts.list(filter);
  rollout: Call<'rollout'> = (id) => this.#parts.rollouts.get(id);
  rolloutReport: Call<'rolloutReport'> = (id) => this.#parts.rollouts.report(id);
  rolloutWhy: Call<'rolloutWhy'> = (id) => this.#parts.rollouts.why(id);
  changeRollout: Call<'changeRollout'> = (...args) => this.#parts.rollouts.change(...args);
  approveRollout: Call<'approveRollout'> = (...args) => this.#parts.rollouts.approve(...args);
  rollbackPack: Call<'rollbackPack'> = (id) => this.#parts.rollouts.pack(id);
  notifications: Call<'notifications'> = () => this.#parts.notifications.list();
  acknowledge: Call<'acknowledge'> = (...args) => this.#parts.notifications.acknowledge(...args);
  config: Call<'config'> = () => this.#parts.config.view();
  validate: Call<'validate'> = (text) => this.#parts.config.validate(text);
  reload: Call<'reload'> = (...args) => this.#parts.config.reload(...args);

  drain: Call<'drain'> = (...args) => this.#parts.drain(...args);

  #sources(): ViewSources {
    const { core, supervisor, pushed, rollouts } = this.#parts;
    const { rolloutOf } = rollouts;
    const { memories, endpoints: table, watch } = supervisor;
    return { state: core.state, memories, table, states: watch.states, monitor: watch.monitor, pushed, rolloutOf };
  }
}

const versionOf = (service: ServiceView, name: string): ServiceView['versions'][number] =>
  service.versions.find((version) => version.name === name)!;
