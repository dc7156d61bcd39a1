/**
 * Everything the monitor keeps about one version: its endpoints with their windows, its own window, alerts and history.
 *
 * The version's window is fed with the sum of its endpoints' slices, not computed from their windows, so it keeps what an endpoint did that
 * has since been removed: users of the version met it. Where not one endpoint stays, window and alerts begin anew, because what was
 * measured says nothing about what runs there now; the history goes on.
 *
 * Endpoints have alerts of their own where there are several of them; with one, they would only say everything twice. Throughput is
 * judged for the version alone: a threshold for the whole means nothing for a part.
 */
import type { WorkerMemory } from '../../model/counters.ts';
import type { MonitorConfig } from '../../model/policy-config.ts';
import { AlertWatch, type Change, type Subject } from './alert-watch.ts';
import { EndpointReader } from './endpoint-reader.ts';
import { VersionHistory } from './history.ts';
import { type Slice, sumSlices } from './slice.ts';
import { SlidingWindow } from './sliding-window.ts';

export interface MonitorEndpoint {
  readonly id: number;
  readonly url: string;
}

export interface MonitorTarget {
  readonly service: string;
  readonly version: string;
  readonly endpoints: readonly MonitorEndpoint[];
}

export interface WatchedEndpoint extends MonitorEndpoint {
  readonly reader: EndpointReader;
  readonly window: SlidingWindow;
  alerts: AlertWatch | null;
}

export interface VersionWatchOptions {
  readonly memories: readonly WorkerMemory[];
  readonly config: MonitorConfig;
  /** Length of the windows in ticks. */
  readonly ticks: number;
  /** That of the version whose place this one takes. */
  readonly history?: VersionHistory;
  /** How handlers are told. */
  readonly tell: (change: Change) => void;
  readonly now: number;
}

export class VersionWatch {
  readonly service: string;
  readonly version: string;
  readonly window: SlidingWindow;
  readonly history: VersionHistory;
  readonly alerts: AlertWatch;
  endpoints: readonly WatchedEndpoint[] = [];
  readonly #options: VersionWatchOptions;
  #recorded: number;

  constructor(target: MonitorTarget, options: VersionWatchOptions) {
    this.service = target.service;
    this.version = target.version;
    this.window = new SlidingWindow(options.ticks);
    this.history = options.history ?? new VersionHistory(options.config.history);
    this.#options = options;
    this.#recorded = options.now;
    this.alerts = this.#watchAlerts({ service: this.service, version: this.version }, this.window, options.now);
    this.apply(target, options.now);
  }

  /** Whether an endpoint of the target is watched already. */
  sharesEndpointWith(target: MonitorTarget): boolean {
    return target.endpoints.some((endpoint) => this.#find(endpoint) !== undefined);
  }

  /** Endpoints that stay keep what is known about them; id and URL together say whether one stays. */
  apply(target: MonitorTarget, now: number): void {
    const before = this.endpoints;
    this.endpoints = target.endpoints.map((endpoint) => this.#find(endpoint) ?? this.#watch(endpoint));
    const staying = new Set(this.endpoints);
    for (const endpoint of before) if (!staying.has(endpoint)) endpoint.alerts?.end(this.#options.tell);
    const several = this.endpoints.length > 1;
    for (const endpoint of this.endpoints) {
      if (several) {
        const subject = { service: this.service, version: this.version, endpoint: endpoint.url };
        endpoint.alerts ??= this.#watchAlerts(subject, endpoint.window, now);
      } else {
        endpoint.alerts?.end(this.#options.tell);
        endpoint.alerts = null;
      }
    }
  }

  /** @param idle the slice of whoever did nothing since the last tick. @param wallNow milliseconds since 1970. */
  tick(idle: Slice, now: number, wallNow: number, renewForecasts: boolean): void {
    const active: Slice[] = [];
    for (const endpoint of this.endpoints) {
      const slice = endpoint.reader.read(idle);
      endpoint.window.push(slice);
      if (slice !== idle) active.push(slice);
    }
    this.window.push(active.length === 0 ? idle : sumSlices(active, idle.seconds));
    this.alerts.evaluate(now, renewForecasts, this.#options.tell);
    for (const endpoint of this.endpoints) endpoint.alerts?.evaluate(now, renewForecasts, this.#options.tell);
    // Half a second early counts, or a timer that runs a millisecond short would make every point eleven seconds apart.
    if (now - this.#recorded >= this.history.resolution - 500) {
      this.#recorded = now;
      this.history.record(wallNow, this.window);
    }
  }

  end(): void {
    this.alerts.end(this.#options.tell);
    for (const endpoint of this.endpoints) endpoint.alerts?.end(this.#options.tell);
  }

  #find(wanted: MonitorEndpoint): WatchedEndpoint | undefined {
    return this.endpoints.find((endpoint) => endpoint.id === wanted.id && endpoint.url === wanted.url);
  }

  #watch({ id, url }: MonitorEndpoint): WatchedEndpoint {
    const { memories, ticks } = this.#options;
    return { id, url, reader: new EndpointReader(memories, id), window: new SlidingWindow(ticks), alerts: null };
  }

  #watchAlerts(subject: Subject, window: SlidingWindow, now: number): AlertWatch {
    const { alerts, history } = this.#options.config;
    const judged = subject.endpoint === undefined ? alerts : alerts.filter((alert) => alert.metric !== 'throughput');
    return new AlertWatch({ alerts: judged, subject, window, expireAfter: history, now });
  }
}
