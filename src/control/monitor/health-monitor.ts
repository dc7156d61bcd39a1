/**
 * The health monitor: what every version and endpoint has been doing over the last minute, where it is going, and who must know.
 *
 *     counters of all workers ─read─▶ slice ─push─▶ sliding window ─value─▶ alerts ─▶ handlers
 *                                                        └──────── every 10 s ─▶ history
 *
 * It looks at the shared counters once a second and asks nobody: a worker under load or one that has just died costs it nothing and hides
 * nothing. It only observes; ejection and rollback have faster paths of their own. Forecasts, the dearest part, are renewed every
 * FORECAST_TICKS ticks, a different share of the versions each time, so that no tick is much longer than the others.
 *
 * A version that is new or begins anew has null for every value until its first attempt. Nothing here grows with traffic: memory is
 * bounded by the number of endpoints, the length of the window and that of the history.
 */
import type { WorkerMemory } from '../../model/counters.ts';
import type { MonitorConfig } from '../../model/policy-config.ts';
import type { Clock, Interval } from '../../runtime/clock.ts';
import type { Logger } from '../../runtime/logger.ts';
import { type AlertHandler, AlertHandlers, logHandler } from './alert-handlers.ts';
import type { Change, OpenAlert } from './alert-watch.ts';
import type { Metric, Values } from './metric.ts';
import { idleSlice } from './slice.ts';
import { type Point, type Trend, trendOf } from './trend.ts';
import { type MonitorTarget, VersionWatch } from './version-watch.ts';
import { type WebhookCounts, WebhookHandler } from './webhook.ts';

export const TICK = 1_000;
const FORECAST_TICKS = 20;

export interface HealthMonitorOptions {
  readonly clock: Clock;
  /** Milliseconds since 1970, for what people read. Default: the system's. */
  readonly wallClock?: () => number;
  /** One block per worker. */
  readonly memories: readonly WorkerMemory[];
  readonly logger: Logger;
  readonly config: MonitorConfig;
  /** Flags of the endpoint table; 0 is available. */
  readonly flagsOf: (endpointId: number) => number;
  /** Besides the log and the webhooks of the configuration. */
  readonly handlers?: readonly AlertHandler[];
}

export interface EndpointReading {
  readonly id: number;
  readonly url: string;
  readonly flags: number;
  readonly available: boolean;
  readonly attempts: number;
  readonly values: Values;
}

export interface VersionReading {
  readonly service: string;
  readonly version: string;
  /** Attempts within the window. */
  readonly attempts: number;
  readonly values: Values;
  readonly endpoints: readonly EndpointReading[];
}

export interface MonitorSnapshot {
  /** ISO 8601. */
  readonly at: string;
  /** Length of the sliding window, milliseconds. */
  readonly window: number;
  readonly versions: readonly VersionReading[];
  /** Alerts that are pending, warning or firing. */
  readonly alerts: readonly OpenAlert[];
  readonly webhooks: readonly WebhookCounts[];
}

export class HealthMonitor {
  readonly #options: HealthMonitorOptions;
  readonly #wallClock: () => number;
  readonly #handlers: AlertHandlers;
  readonly #webhooks: readonly WebhookHandler[];
  readonly #interval: Interval;
  #versions = new Map<string, VersionWatch>();
  #lastTick: number;
  #ticks = 0;

  constructor(options: HealthMonitorOptions) {
    const { clock, logger, config } = options;
    this.#options = options;
    this.#wallClock = options.wallClock ?? Date.now;
    this.#handlers = new AlertHandlers(logger);
    this.#webhooks = config.webhooks.map((url) => new WebhookHandler({ url, clock, logger }));
    for (const handler of [logHandler(logger), ...this.#webhooks, ...(options.handlers ?? [])]) this.register(handler);
    this.#lastTick = clock.now();
    this.#interval = clock.setInterval(() => this.#tick(), TICK);
  }

  /** What is watched from now on. Whatever stays keeps its windows, alerts and history; alerts of what goes are ended. */
  apply(targets: readonly MonitorTarget[]): void {
    const now = this.#options.clock.now();
    const versions = new Map<string, VersionWatch>();
    for (const target of targets) {
      const key = keyOf(target.service, target.version);
      const known = this.#versions.get(key);
      if (known?.sharesEndpointWith(target)) {
        known.apply(target, now);
        versions.set(key, known);
      } else {
        versions.set(key, this.#watch(target, now, known));
      }
    }
    for (const [key, before] of this.#versions) if (versions.get(key) !== before) before.end();
    this.#versions = versions;
  }

  /** @returns what takes the handler out again. */
  register(handler: AlertHandler): () => void {
    return this.#handlers.add(handler);
  }

  /** One version now; null for one that is not watched. */
  reading(service: string, version: string): VersionReading | null {
    const watched = this.#versions.get(keyOf(service, version));
    return watched === undefined ? null : this.#reading(watched);
  }

  /** What each version is like as a whole, without its endpoints. */
  values(): Pick<VersionReading, 'service' | 'version' | 'values'>[] {
    return Array.from(this.#versions.values(), ({ service, version, window }) => ({
      service,
      version,
      values: window.values(),
    }));
  }

  /** Alerts that are pending, warning or firing. */
  alerts(): readonly OpenAlert[] {
    const now = this.#options.clock.now();
    return [...this.#versions.values()].flatMap((version) => [
      ...version.alerts.open(now),
      ...version.endpoints.flatMap((endpoint) => endpoint.alerts?.open(now) ?? []),
    ]);
  }

  snapshot(): MonitorSnapshot {
    const watched = [...this.#versions.values()];
    return {
      at: new Date(this.#wallClock()).toISOString(),
      window: this.#options.config.window,
      versions: watched.map((version) => this.#reading(version)),
      alerts: this.alerts(),
      webhooks: this.#webhooks.map((webhook) => webhook.counts()),
    };
  }

  /** Points with the time in milliseconds since 1970, those later than `since`, oldest first; none for a version not watched. */
  history(service: string, version: string, metric: Metric, since?: number): readonly Point[] {
    return this.#versions.get(keyOf(service, version))?.history.points(metric, since) ?? [];
  }

  /** Trend of a version's metric over the window; null where there is too little data. */
  trend(service: string, version: string, metric: Metric): Trend | null {
    const watched = this.#versions.get(keyOf(service, version));
    return watched === undefined ? null : trendOf(watched.window.series(metric, this.#lastTick));
  }

  /** Stops looking; alerts on their way to a webhook are given up. */
  async close(): Promise<void> {
    this.#interval.stop();
    await Promise.all(this.#webhooks.map((webhook) => webhook.close()));
  }

  #tick(): void {
    const now = this.#options.clock.now();
    const wallNow = this.#wallClock();
    const idle = idleSlice((now - this.#lastTick) / 1000);
    this.#lastTick = now;
    this.#ticks++;
    let index = 0;
    for (const version of this.#versions.values()) {
      version.tick(idle, now, wallNow, (this.#ticks + index++) % FORECAST_TICKS === 0);
    }
  }

  #watch(target: MonitorTarget, now: number, predecessor: VersionWatch | undefined): VersionWatch {
    const { memories, config } = this.#options;
    const ticks = Math.max(1, Math.round(config.window / TICK));
    const tell = (change: Change): void =>
      this.#handlers.send({ ...change, at: new Date(this.#wallClock()).toISOString() });
    const history = predecessor?.history;
    return new VersionWatch(target, { memories, config, ticks, tell, now, ...(history !== undefined && { history }) });
  }

  #reading(version: VersionWatch): VersionReading {
    return {
      service: version.service,
      version: version.version,
      attempts: version.window.totals.attempts,
      values: version.window.values(),
      endpoints: version.endpoints.map(({ id, url, window }) => {
        const flags = this.#options.flagsOf(id);
        return { id, url, flags, available: flags === 0, attempts: window.totals.attempts, values: window.values() };
      }),
    };
  }
}

const keyOf = (service: string, version: string): string => `${service}\n${version}`;
