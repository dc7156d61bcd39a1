/** A stage for the metrics of a rollout: two versions whose workers' memory is filled by hand, a clock that stands still, evidence. */
import { RolloutMetrics, type RolloutMetricsOptions } from '../../src/control/analysis/rollout-metrics.ts';
import type { MetricValue } from '../../src/control/analysis/verdict.ts';
import { VersionMeter } from '../../src/control/analysis/version-meter.ts';
import {
  ENDPOINT_SLOTS,
  endpointSlot,
  latencyRow,
  newWorkerMemory,
  VERSION_SLOTS,
  versionSlot,
  type WorkerMemory,
} from '../../src/model/counters.ts';
import { type ShareCounts, SIDE_SLOTS, type SideCounts } from '../../src/model/evidence-table.ts';
import { latencyBucket } from '../../src/model/latency-buckets.ts';
import type { Condition, StrategyConfig } from '../../src/model/rollout-config.ts';
import type { Snapshot } from '../../src/model/snapshot.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { compile, TWO_VERSIONS } from './metrics-stage.ts';

export const WALL = Date.parse('2026-01-01T12:00:00Z');

export const condition = (
  metric: string,
  operator: Condition['operator'],
  value: number,
  window?: number,
): Condition => ({
  ...{ text: `${metric} ${operator} ${value}`, metric, operator },
  ...{ operand: { kind: 'value', value }, window: window ?? null },
});

export const againstBaseline = (
  metric: string,
  operator: Condition['operator'],
  change: '+' | '-' | '*',
  by: number,
  window: number | null = null,
): Condition => ({
  ...{ text: `${metric} ${operator} baseline ${change} ${by}`, metric, operator },
  ...{ operand: { kind: 'baseline', operator: change, by }, window },
});

type Strategy = Pick<StrategyConfig, 'healthScore' | 'minRequests' | 'steps' | 'rollbackWhen'>;

export const STRATEGY: Strategy = {
  healthScore: { success: 0.4, latency: 0.3, metric: null, latencyLimit: 100 },
  minRequests: 20,
  steps: [{ kind: 'weight', name: 'step-1', weight: 10, for: 600_000, pass: [condition('error_rate', '<', 1)] }],
  rollbackWhen: [],
};

const NOTHING = Object.fromEntries(Object.keys(SIDE_SLOTS).map((name) => [name, 0])) as SideCounts;

export class RolloutStage {
  readonly clock = new FakeClock();
  readonly memories: readonly WorkerMemory[] = [newWorkerMemory(), newWorkerMemory()];
  snapshot: Snapshot = compile(TWO_VERSIONS);
  shares: ShareCounts[] = [];
  readonly pushed: Record<string, Record<string, { value: number; at: string }>> = {};

  apply(text: string): void {
    this.snapshot = compile(text, this.snapshot);
  }

  meter(version: string): VersionMeter {
    return new VersionMeter(this.memories, () => this.snapshot, 'shop', version);
  }

  metrics(strategy: Partial<Strategy> = {}, options: Partial<RolloutMetricsOptions> = {}): RolloutMetrics {
    return new RolloutMetrics({
      names: { service: 'shop', canary: 'v2', stable: 'v1' },
      ...{ canary: this.meter('v2'), stable: this.meter('v1'), clock: this.clock },
      evidence: () => this.shares,
      pushed: (version) => this.pushed[version] ?? {},
      providers: { knows: () => false, follow: () => ({ read: () => NO_VALUE, stop: () => {} }) },
      strategy: { ...STRATEGY, ...strategy },
      wallClock: () => WALL + this.clock.now(),
      ...options,
    });
  }

  /** Seconds pass, with a look at each. */
  pass(metrics: RolloutMetrics, seconds: number, each: (second: number) => void = () => {}): void {
    for (let second = 1; second <= seconds; second++) {
      each(second);
      this.clock.advance(1_000);
      metrics.tick();
    }
  }

  /** Answered attempts. */
  answer(version: string, ms: number, count = 1, slot: keyof typeof ENDPOINT_SLOTS = 'success', worker = 0): void {
    this.count(version, slot, count, worker);
    const { latencies } = this.memories[worker]!;
    const at = latencyRow(this.endpointOf(version)) + latencyBucket(Math.round(ms * 1_000));
    latencies[at] = latencies[at]! + count;
  }

  count(version: string, slot: keyof typeof ENDPOINT_SLOTS, by = 1, worker = 0): void {
    const { endpoints } = this.memories[worker]!;
    const at = endpointSlot(this.endpointOf(version)) + ENDPOINT_SLOTS[slot];
    endpoints[at] = endpoints[at]! + by;
  }

  countVersion(version: string, slot: keyof typeof VERSION_SLOTS, by = 1, worker = 0): void {
    const { counters } = this.memories[worker]!;
    const at = versionSlot(this.#version(version).id) + VERSION_SLOTS[slot];
    counters[at] = counters[at]! + by;
  }

  /** Decided requests at a share, and those of them that failed. */
  trials(side: 'canary' | 'stable', trials: number, failed = 0, share = 0.1): void {
    const found = this.shares.find((each) => each.share === share) ?? { share, canary: NOTHING, stable: NOTHING };
    const before = found[side];
    const after = {
      ...before,
      trials: before.trials + trials,
      ended: before.ended + trials,
      failed: before.failed + failed,
    };
    this.shares = [...this.shares.filter((each) => each.share !== share), { ...found, [side]: after }];
  }

  push(version: string, metric: string, value: number): void {
    this.pushed[version] ??= {};
    this.pushed[version][metric] = { value, at: new Date(WALL + this.clock.now()).toISOString() };
  }

  endpointOf(version: string, index = 0): number {
    return this.#version(version).endpoints[index]!.id;
  }

  #version(name: string): Snapshot['services'][number]['versions'][number] {
    const found = this.snapshot.services[0]?.versions.find((version) => version.name === name);
    if (found === undefined) throw new Error(`no version ${name}`);
    return found;
  }
}

export const NO_VALUE: MetricValue = { value: null, samples: 0, error: null };
