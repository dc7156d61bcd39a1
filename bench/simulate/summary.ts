/** Many runs of one kind of traffic, in two or three numbers. */
import { judgeEvidence, measureEvidence, thresholdOf } from '../../src/control/analysis/evidence.ts';
import type { TestName } from '../../src/control/analysis/verdict.ts';
import type { ShareCounts } from '../../src/model/evidence-table.ts';
import type { EvidenceConfig } from '../../src/model/rollout-config.ts';
import type { Random } from '../../src/runtime/random.ts';
import { type Run, simulate, type Traffic } from './traffic.ts';

/** Everything off; a simulation turns on what it is about. */
export const NO_EVIDENCE: EvidenceConfig = {
  alpha: 0.001,
  shares: { errors: 0, slo: 0, latency: 0, ratio: 0 },
  tolerance: 1,
  maxFailures: 0,
  earlyPass: false,
  slo: null,
  proof: 0.05,
  latency: null,
};

/** One test alone, with the whole of alpha. */
export function only(test: TestName, alpha: number, more: Partial<EvidenceConfig> = {}): EvidenceConfig {
  return { ...NO_EVIDENCE, alpha, shares: { ...NO_EVIDENCE.shares, [test]: 1 }, ...more };
}

/** All that is on by default. */
export const USUAL: EvidenceConfig = {
  ...NO_EVIDENCE,
  shares: { errors: 0.5, slo: 0, latency: 0.25, ratio: 0.25 },
  latency: { percentile: 95, floor: 10, tolerance: 2 },
};

export interface Summary {
  readonly runs: number;
  /** Runs in which the canary was taken back. */
  readonly stopped: number;
  /** Requests of both versions until then, of those that were; NaN where none was. */
  readonly median: number;
  readonly p95: number;
  /** Median of the canary's events until then. */
  readonly events: number;
}

export interface Plan {
  readonly traffic: Traffic;
  readonly config: EvidenceConfig;
  readonly runs: number;
}

/** @param decide whether the canary is taken back; default: the verdict of the product. */
export function summarise({ traffic, config, runs }: Plan, random: Random, decide = productDecides(config)): Summary {
  const stopped: Run[] = [];
  for (let i = 0; i < runs; i++) {
    const run = simulate(traffic, random, decide);
    if (run.stoppedAt !== null) stopped.push(run);
  }
  const requests = sorted(stopped.map((run) => run.stoppedAt!));
  const events = sorted(stopped.map((run) => run.canaryEvents));
  return {
    runs,
    stopped: stopped.length,
    median: quantile(requests, 0.5),
    p95: quantile(requests, 0.95),
    events: quantile(events, 0.5),
  };
}

/**
 * The product's tests after every event of the canary (those of stable only take evidence away, and the end of a step is looked at too),
 * and its whole judgement wherever one of them is enough.
 */
export function productDecides(config: EvidenceConfig) {
  const thresholds = (['errors', 'slo', 'latency', 'ratio'] as const).map(
    (test) => [test, thresholdOf(config, test)] as const,
  );
  return (counts: readonly ShareCounts[], fromCanary: boolean): boolean => {
    if (!fromCanary) return false;
    // At a share of 1 nothing can change but the SLO, which needs no comparison.
    if (config.slo === null && counts.at(-1)!.share >= 1) return false;
    const measured = measureEvidence(counts, config);
    if (!thresholds.some(([test, threshold]) => measured[test] >= threshold)) return false;
    return judgeEvidence(counts, config, 0, { needs: false }).verdict !== null;
  };
}

const sorted = (values: readonly number[]): number[] => values.toSorted((a, b) => a - b);
const quantile = (values: readonly number[], part: number): number =>
  values[Math.ceil(part * values.length) - 1] ?? Number.NaN;
