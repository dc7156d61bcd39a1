/**
 * Metrics that are read elsewhere, for as long as a rollout asks for them.
 *
 * A condition is judged once a second and must not wait for anybody, so nothing is asked when it is: what a rollout uses is read in the
 * background, each metric at its own pace, and judging takes the latest. Only what some condition of a running rollout names is read,
 * for the canary and for stable; a query that does not mention the version is read once for both, and one that does not mention the window
 * once for all windows. Without any rollout nobody is asked and no timer runs.
 *
 * The number of readings is bounded by the conditions of the running rollouts, and each has one request under way at most.
 */
import type { MetricProviderConfig } from '../../../model/rollout-config.ts';
import type { Clock, Interval } from '../../../runtime/clock.ts';
import { type Random, systemRandom } from '../../../runtime/random.ts';
import type { MetricUse } from '../metric-uses.ts';
import type { MetricValue, Side } from '../verdict.ts';
import { ProviderClient } from './provider-client.ts';
import { ProviderReading } from './provider-reading.ts';
import { mentions, windowText } from './template.ts';

/** How often it is looked what is due. */
export const TICK = 1_000;

export interface ProviderReadingsOptions {
  /** Of the configuration that runs. */
  readonly providers: () => readonly MetricProviderConfig[];
  readonly clock: Clock;
  /** Where tokens are. */
  readonly env: NodeJS.ProcessEnv;
  readonly random?: Random;
}

/** Whom a rollout compares. */
export interface Subject {
  readonly service: string;
  readonly canary: string;
  readonly stable: string;
  /** Milliseconds since the step began; the window of what names none. */
  readonly sinceStep: () => number;
}

export interface Following {
  /** Never waits. */
  read(metric: string, side: Side, window: number | null): MetricValue;
  stop(): void;
}

const SIDES: readonly Side[] = ['canary', 'stable'];

export class ProviderReadings {
  readonly #options: ProviderReadingsOptions;
  readonly #client: ProviderClient;
  readonly #readings = new Set<ProviderReading>();
  #interval: Interval | null = null;
  #closed = false;

  constructor(options: ProviderReadingsOptions) {
    this.#options = options;
    this.#client = new ProviderClient(options.clock);
  }

  /** Whether the configuration has a provider of this name. */
  knows(metric: string): boolean {
    return this.#config(metric) !== null;
  }

  /** Reads what is used from now on, at once for the first time. */
  follow(subject: Subject, uses: readonly MetricUse[]): Following {
    const readings = new Map<string, ProviderReading>();
    const ending = new AbortController();
    const readingOf = ({ metric, window }: MetricUse, side: Side): ProviderReading => {
      const key = this.#keyOf(metric, side, window);
      let reading = readings.get(key);
      if (reading === undefined) {
        reading = this.#start(subject, { metric, window }, side, ending.signal);
        readings.set(key, reading);
      }
      return reading;
    };
    for (const use of uses) {
      if (this.knows(use.metric)) for (const side of SIDES) readingOf(use, side);
    }
    return {
      // What a reload has added or changed since is read from the moment at which it is asked for.
      read: (metric, side, window) => readingOf({ metric, window }, side).read(),
      stop: () => {
        ending.abort();
        for (const reading of readings.values()) this.#stop(reading);
      },
    };
  }

  /** Ends everything that is under way. */
  async close(): Promise<void> {
    this.#closed = true;
    for (const reading of this.#readings) this.#stop(reading);
    await this.#client.close();
  }

  #start(subject: Subject, { metric, window }: MetricUse, side: Side, ended: AbortSignal): ProviderReading {
    const { clock, env, random = systemRandom } = this.#options;
    const { service, stable } = subject;
    const reading = new ProviderReading({
      ...{ clock, env, random, client: this.#client, config: () => this.#config(metric) },
      placeholders: () => ({
        ...{ service, stable, version: subject[side], window: windowText(window ?? subject.sinceStep()) },
      }),
    });
    if (this.#closed || ended.aborted) return reading;
    this.#readings.add(reading);
    this.#interval ??= clock.setInterval(() => this.#tick(), TICK);
    reading.tick();
    return reading;
  }

  #stop(reading: ProviderReading): void {
    reading.stop();
    this.#readings.delete(reading);
    if (this.#readings.size > 0) return;
    this.#interval?.stop();
    this.#interval = null;
  }

  #tick(): void {
    for (const reading of this.#readings) reading.tick();
  }

  #keyOf(metric: string, side: Side, window: number | null): string {
    const texts = textsOf(this.#config(metric));
    return [metric, mentions(texts, 'version') && side, mentions(texts, 'window') && window].join('\n');
  }

  #config(metric: string): MetricProviderConfig | null {
    return this.#options.providers().find(({ name }) => name === metric) ?? null;
  }
}

/** Everything in which placeholders are filled in. */
function textsOf(config: MetricProviderConfig | null): readonly string[] {
  if (config === null) return [];
  const { source } = config;
  return source.kind === 'prometheus' ? [source.query] : [source.url, source.path, ...Object.values(source.headers)];
}
