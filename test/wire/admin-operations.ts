/** A control plane for tests of the admin API: notes every call and answers with the examples of the documentation. */
import {
  appliedExample,
  auditExample,
  configExample,
  endpointExample,
  flagExample,
  serviceExample,
  statusExample,
  versionExample,
  weightsExample,
} from '../../src/control/admin/schemas/examples.ts';
import {
  notificationExample,
  packExample,
  reportExample,
  riskExample,
  rolloutExample,
  strategyExample,
  summaryExample,
  whyExample,
} from '../../src/control/admin/schemas/rollout-examples.ts';
import type { SluiceEvent } from '../../src/control/events/event.ts';
import type { Operations, ServerStatus, WeightsView } from '../../src/control/operations.ts';
import { OperationError } from '../../src/control/problems.ts';
import type { AuditQuery, Store } from '../../src/control/store/store.ts';

export interface Noted {
  readonly call: string;
  readonly args: readonly unknown[];
}

export class FakeOperations implements Operations {
  readonly noted: Noted[] = [];
  state: ServerStatus['state'] = 'serving';
  trouble: ServerStatus['store']['trouble'] = null;
  etag = weightsExample.etag;
  /** Thrown by the next change. */
  failure: Error | null = null;

  get last(): Noted | undefined {
    return this.noted.at(-1);
  }

  #note(call: string, ...args: unknown[]): void {
    this.noted.push({ call, args });
    const failure = this.failure;
    this.failure = null;
    if (failure !== null) throw failure;
  }

  #known(service: string): void {
    if (service !== 'demo') throw new OperationError('not_found', `There is no service ${service}; did you mean demo?`);
  }

  #knownRollout(id: string): void {
    if (id !== rolloutExample.id) throw new OperationError('not_found', `There is no rollout ${id}.`);
  }

  strategies = () => [strategyExample];
  async startRollout(...args: Parameters<Operations['startRollout']>) {
    this.#note('startRollout', ...args);
    this.#known(args[1]);
    return rolloutExample;
  }
  rolloutRisk(...args: Parameters<Operations['rolloutRisk']>) {
    this.#known(args[0]);
    this.#note('rolloutRisk', ...args);
    return riskExample;
  }
  rollouts(filter: Parameters<Operations['rollouts']>[0]) {
    this.#note('rollouts', null, filter);
    return [summaryExample];
  }
  rollout(id: string) {
    this.#knownRollout(id);
    return rolloutExample;
  }
  rolloutReport(id: string) {
    this.#knownRollout(id);
    return reportExample;
  }
  rolloutWhy(id: string) {
    this.#knownRollout(id);
    return whyExample;
  }
  async changeRollout(...args: Parameters<Operations['changeRollout']>) {
    this.#knownRollout(args[1]);
    this.#note('changeRollout', ...args);
    return args[2] === 'retry' ? { ...rolloutExample, id: 'demo-8', retryOf: rolloutExample.id } : rolloutExample;
  }
  async approveRollout(...args: Parameters<Operations['approveRollout']>) {
    this.#knownRollout(args[1]);
    this.#note('approveRollout', ...args);
    return rolloutExample;
  }
  async rollbackPack(id: string) {
    this.#knownRollout(id);
    return packExample;
  }
  notifications = () => [notificationExample];
  async acknowledge(...args: Parameters<Operations['acknowledge']>) {
    this.#note('acknowledge', ...args);
    if (args[1] !== notificationExample.id)
      throw new OperationError('not_found', `There is no notification ${args[1]}.`);
    return { ...notificationExample, acknowledged: { by: args[0].name, at: '2026-01-01T12:13:40.000Z' } };
  }

  status = (): ServerStatus => ({
    ...statusExample,
    state: this.state,
    store: { ...statusExample.store, trouble: this.trouble },
  });
  services = () => [serviceExample];
  service(name: string) {
    this.#known(name);
    return serviceExample;
  }
  weights(service: string): WeightsView {
    this.#known(service);
    return { ...weightsExample, etag: this.etag };
  }
  async setWeights(...args: Parameters<Operations['setWeights']>) {
    this.#note('setWeights', ...args);
    return { ...this.weights(args[1]), ...appliedExample };
  }
  async setRelativeWeights(...args: Parameters<Operations['setRelativeWeights']>) {
    this.#note('setRelativeWeights', ...args);
    return { service: 'demo', ...this.weights('demo'), ...appliedExample };
  }
  async resetWeights(...args: Parameters<Operations['resetWeights']>) {
    this.#note('resetWeights', ...args);
    return { ...this.weights(args[1]), ...appliedExample };
  }
  async rollback(...args: Parameters<Operations['rollback']>) {
    this.#note('rollback', ...args);
    return { mode: args[2], ...this.weights(args[1]), ...appliedExample };
  }
  async putVersion(...args: Parameters<Operations['putVersion']>) {
    this.#note('putVersion', ...args);
    return { version: versionExample(args[2], 0), created: args[2] === 'v3', ...appliedExample };
  }
  async deleteVersion(...args: Parameters<Operations['deleteVersion']>) {
    this.#note('deleteVersion', ...args);
    return appliedExample;
  }
  async setLanes(...args: Parameters<Operations['setLanes']>) {
    this.#note('setLanes', ...args);
    return { lanes: serviceExample.lanes, ...appliedExample };
  }
  async setEndpointState(...args: Parameters<Operations['setEndpointState']>) {
    this.#note('setEndpointState', ...args);
    return [endpointExample];
  }
  pushMetrics(...args: Parameters<Operations['pushMetrics']>) {
    this.#note('pushMetrics', ...args);
    return versionExample('v2', 10).metrics;
  }
  flags = () => [flagExample];
  async setFlag(...args: Parameters<Operations['setFlag']>) {
    this.#note('setFlag', ...args);
    return { flag: flagExample, ...appliedExample };
  }
  async resetFlag(...args: Parameters<Operations['resetFlag']>) {
    this.#note('resetFlag', ...args);
    return { flag: flagExample, ...appliedExample };
  }
  config = () => configExample;
  async validate(text: string | null) {
    this.#note('validate', text);
    return { services: 1, versions: 2, endpoints: 2, routes: 0 };
  }
  async reload(...args: Parameters<Operations['reload']>) {
    this.#note('reload', ...args);
    return { changed: true, ...appliedExample, dropped: [] };
  }
  async drain(...args: Parameters<Operations['drain']>) {
    this.#note('drain', ...args);
  }
}

/** An event log in memory; `hold` makes readings wait, so that a test can let events come meanwhile. */
export class FakeEvents {
  readonly all: SluiceEvent[] = [];
  readonly listeners = new Set<(event: SluiceEvent) => void>();
  readings = 0;
  hold: Promise<void> | null = null;

  get lastId(): number {
    return this.all.at(-1)?.id ?? 0;
  }

  async since(id: number, limit: number): Promise<readonly SluiceEvent[]> {
    this.readings++;
    const page = this.all.filter((event) => event.id > id).slice(0, limit);
    await this.hold;
    return page;
  }

  subscribe(listener: (event: SluiceEvent) => void): () => void {
    this.listeners.add(listener);
    return () => void this.listeners.delete(listener);
  }

  happen(changes: Partial<SluiceEvent> = {}): SluiceEvent {
    const event: SluiceEvent = {
      id: this.lastId + 1,
      at: '2026-01-01T12:00:00.000Z',
      type: 'weights.changed',
      level: 'info',
      message: 'changed',
      ...changes,
    };
    this.all.push(event);
    for (const listener of this.listeners) listener(event);
    return event;
  }
}

/** What the API reads of a store, and nothing else. */
export class FakeStore {
  readonly queries: unknown[] = [];
  verifications = 0;

  async audit(query: AuditQuery) {
    this.queries.push(query);
    return [auditExample];
  }

  async verifyAudit() {
    this.verifications++;
    await new Promise((resolve) => setImmediate(resolve));
    return { ok: true, rows: 12, head: auditExample.hash };
  }

  async history(service: string, version: string, since: number) {
    this.queries.push({ service, version, since });
    return [{ at: since + 1, service, version, values: { error_rate: 0.5, p95: null } }];
  }

  asStore(): Store {
    return this as unknown as Store;
  }
}
