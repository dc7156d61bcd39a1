/**
 * Everything that the conditions of one rollout may ask for: counts of its two versions, health score, pushed metrics and providers.
 *
 *     meters, evidence ─tick, once a second─▶ marks ─▶ a window, a step: the difference of two marks ─▶ value
 *     pushed metrics, providers ───────────────────────────────────────────────────────────────────▶ value
 *
 * All counts that conditions see at one moment come from one reading, that of the last tick, so they belong together; what has to be faster
 * than a second (evidence, the budget) does not go this way. Nothing here is kept over a restart: windows then begin anew, and so does
 * "since the step began", which holds a step for a moment and passes nothing.
 *
 * Throughput never looks back beyond the beginning of its step, because the share of the traffic was another one there, and is not judged
 * on less than ten seconds. Stable's values come from its last busy stretch where it has no traffic now (baselines.ts).
 */
import { isBuiltIn } from '../../model/built-in-metrics.ts';
import type { ShareCounts, SideCounts } from '../../model/evidence-table.ts';
import type { StrategyConfig } from '../../model/rollout-config.ts';
import type { Clock } from '../../runtime/clock.ts';
import { Baselines } from './baselines.ts';
import { type CountedMetric, type Measured, measure, type SideReading } from './built-in-metrics.ts';
import { healthScore } from './health-score.ts';
import { complianceBetween } from './latency-counts.ts';
import { type Mark, MetricMarks } from './metric-marks.ts';
import { longestWindow, type MetricUse, metricUses } from './metric-uses.ts';
import type { Following, ProviderReadings } from './providers/provider-readings.ts';
import { PushedReadings, type PushedValues } from './pushed-readings.ts';
import type { MetricReader, MetricValue, Side } from './verdict.ts';
import type { VersionMeter } from './version-meter.ts';

/** Milliseconds that live values look back, and that throughput needs at least. */
const SHORT = 10_000;
/** Marks go back so far at least, for whoever asks besides the strategy. */
const LEAST_HORIZON = 10 * 60_000;
/** Older baselines are said to be so. */
const OLD_BASELINE = 30_000;

export interface RolloutMetricsOptions {
  readonly names: { readonly service: string; readonly canary: string; readonly stable: string };
  readonly canary: Pick<VersionMeter, 'read'>;
  readonly stable: Pick<VersionMeter, 'read'>;
  /** Since the rollout began; empty where nothing is compared. */
  readonly evidence: () => readonly ShareCounts[];
  /** By version name. */
  readonly pushed: (version: string) => PushedValues;
  readonly providers: Pick<ProviderReadings, 'knows' | 'follow'>;
  readonly clock: Clock;
  readonly strategy: Pick<StrategyConfig, 'healthScore' | 'minRequests' | 'steps' | 'rollbackWhen'>;
  /** Milliseconds since 1970. Default: the system's. */
  readonly wallClock?: () => number;
}

/** The last ten seconds: per second, percent, milliseconds; null where nothing was measured. */
export interface LiveValues {
  readonly throughput: number | null;
  readonly errorRate: number | null;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
}

type Moment = Readonly<Record<Side, SideReading>>;

export class RolloutMetrics implements MetricReader {
  readonly #options: RolloutMetricsOptions;
  readonly #marks: MetricMarks<Moment>;
  readonly #baselines: Baselines<Moment>;
  readonly #windows: readonly (number | null)[];
  readonly #pushed: PushedReadings;
  readonly #following: Following;
  #step: Mark<Moment>;

  constructor(options: RolloutMetricsOptions) {
    const { names, providers, strategy } = options;
    const uses: readonly MetricUse[] = metricUses(strategy);
    this.#options = options;
    this.#step = this.#look();
    this.#marks = new MetricMarks(this.#step, Math.max(longestWindow(uses), LEAST_HORIZON));
    this.#windows = [...new Set(uses.map(({ window }) => window))];
    this.#baselines = new Baselines(
      ({ stable }) => (this.#byTrials ? stable.trials : stable.totals.attempts),
      strategy.minRequests,
    );
    this.#pushed = new PushedReadings({ pushed: options.pushed, wallClock: options.wallClock ?? Date.now });
    const sinceStep = (): number => options.clock.now() - this.#step.at;
    this.#following = providers.follow({ ...names, sinceStep }, uses);
  }

  /** Call once a second. */
  tick(): void {
    const before = this.#marks.latest;
    const to = this.#look();
    this.#marks.keep(to);
    for (const window of this.#windows) this.#baselines.note(window, before, { from: this.#beginning(window), to });
    this.#pushed.note([this.#options.names.canary, this.#options.names.stable]);
  }

  /** What was measured so far does not count for what looks back to the beginning of its step. */
  stepBegan(): void {
    this.#step = this.#look();
    this.#marks.keep(this.#step);
  }

  read(metric: string, side: Side, window: number | null): MetricValue {
    if (!isBuiltIn(metric)) return this.#readElsewhere(metric, side, window);
    const now = { from: this.#beginning(window), to: this.#marks.latest };
    const latest = this.#measure(metric, side, window, now.from, now.to);
    const kept = side === 'stable' ? this.#baselines.of(window) : null;
    if (kept === null || kept.to === now.to) return latest;
    const age = now.to.at - kept.to.at;
    const isEnough = latest.samples >= Math.max(1, this.#options.strategy.minRequests);
    if (isEnough && age <= OLD_BASELINE) return latest;
    const baseline = this.#measure(metric, side, window, kept.from, kept.to);
    if (baseline.value === null || age <= OLD_BASELINE) return baseline;
    return { ...baseline, note: `measured ${agoText(age)} ago, when ${this.#options.names.stable} had traffic` };
  }

  live(side: Side): LiveValues {
    const from = this.#marks.back(SHORT);
    const value = (metric: CountedMetric): number | null => this.#counted(metric, side, from, this.#marks.latest).value;
    return {
      throughput: value('throughput'),
      errorRate: value('error_rate'),
      ...{ p50: value('p50'), p95: value('p95'), p99: value('p99') },
    };
  }

  /** Nothing is read elsewhere any more. */
  close(): void {
    this.#following.stop();
  }

  get #byTrials(): boolean {
    const { canary, stable } = this.#marks.latest.value;
    return canary.trials + stable.trials > 0;
  }

  #look(): Mark<Moment> {
    const { canary, stable, clock, evidence } = this.#options;
    const counts = evidence();
    return {
      at: clock.now(),
      value: {
        canary: { totals: canary.read(), ...trialsOf(counts.map((share) => share.canary)) },
        stable: { totals: stable.read(), ...trialsOf(counts.map((share) => share.stable)) },
      },
    };
  }

  #beginning(window: number | null): Mark<Moment> {
    return window === null ? this.#step : this.#marks.back(window);
  }

  #counted(metric: CountedMetric, side: Side, from: Mark<Moment>, to: Mark<Moment>): Measured {
    const stretch = { from: from.value[side], to: to.value[side], ms: to.at - from.at };
    return measure(metric, stretch, this.#byTrials);
  }

  #measure(
    metric: CountedMetric | 'health_score',
    side: Side,
    window: number | null,
    from: Mark<Moment>,
    to: Mark<Moment>,
  ): MetricValue {
    if (metric === 'health_score') return this.#score(side, window, from, to);
    if (metric !== 'throughput') return { ...this.#counted(metric, side, from, to), error: null };
    const begin = to.at >= this.#step.at && from.at < this.#step.at ? this.#step : from;
    const { value, samples } = this.#counted(metric, side, begin, to);
    if (value === null || to.at - begin.at >= SHORT) return { value, samples, error: null };
    return { value: null, samples, error: null, note: `it takes ${SHORT / 1_000} s to measure it` };
  }

  #score(side: Side, window: number | null, from: Mark<Moment>, to: Mark<Moment>): MetricValue {
    const { healthScore: config } = this.#options.strategy;
    const success = this.#counted('success_rate', side, from, to);
    const latencies = [from.value[side].totals.latencies, to.value[side].totals.latencies] as const;
    const name = config.metric?.name;
    const named = name === undefined || name === 'health_score' ? null : this.#named(name, side, window, from, to);
    const parts = {
      success: success.value,
      latency: complianceBetween(...latencies, config.latencyLimit),
      metric: named?.value ?? null,
    };
    const missing = named !== null && named.value === null;
    return {
      ...{ value: healthScore(parts, config), samples: success.samples, error: null },
      ...(missing && { note: `without ${name}: ${named.error ?? named.note ?? 'it has no value'}` }),
    };
  }

  /** Percent; what is measured elsewhere is a share from 0 to 1. */
  #named(name: string, side: Side, window: number | null, from: Mark<Moment>, to: Mark<Moment>): MetricValue {
    if (isBuiltIn(name)) return this.#measure(name, side, window, from, to);
    const read = this.#readElsewhere(name, side, window);
    return read.value === null ? read : { ...read, value: 100 * read.value };
  }

  #readElsewhere(metric: string, side: Side, window: number | null): MetricValue {
    const { names, providers } = this.#options;
    if (providers.knows(metric)) return this.#following.read(metric, side, window);
    return this.#pushed.read(metric, names[side]);
  }
}

function trialsOf(counts: readonly SideCounts[]): Omit<SideReading, 'totals'> {
  let [trials, decided, failed] = [0, 0, 0];
  for (const share of counts) {
    trials += share.trials;
    decided += share.ended - share.aborted;
    failed += share.failed;
  }
  return { trials, decided, failed };
}

function agoText(ms: number): string {
  if (ms < 120_000) return `${Math.round(ms / 1_000)} s`;
  return ms < 7_200_000 ? `${Math.round(ms / 60_000)} minutes` : `${Math.round(ms / 3_600_000)} hours`;
}
