/**
 * The metrics that Sluice measures itself, each as a pure function of what two versions' counts were at both ends of a window.
 *
 *     error_rate     failed ÷ decided trials; percent                     trials: requests that the split assigned, first attempts only
 *     success_rate   what is left to 100
 *     availability   answered ÷ attempts; percent
 *     throughput     attempts per second
 *     p50 … p999     of the time to the response head of answered attempts; milliseconds
 *
 * The two rates compare the versions, so they count what evidence counts: the first attempt of each request that the split assigned, nothing
 * that was asked for by name and nothing that a retry or the shield made good. Where no such trials are counted at all, they are made of
 * attempts. A request that is still under way, or whose client left, is not decided. A failure may be counted a moment before
 * its request has ended; the rate is never above 100 for it.
 *
 * Without a sample every value is null, throughput too: a version that nobody was sent to is not a version with a throughput of 0.
 */
import type { BuiltInMetric } from '../../model/built-in-metrics.ts';
import { latenciesBetween, percentileBetween } from './latency-counts.ts';
import type { VersionTotals } from './version-totals.ts';

/** What is counted directly; the health score is put together of others (health-score.ts). */
export type CountedMetric = Exclude<BuiltInMetric, 'health_score'>;

/** One version at one moment. */
export interface SideReading {
  readonly totals: VersionTotals;
  /** Of evidence, all shares together. */
  readonly trials: number;
  readonly decided: number;
  readonly failed: number;
}

export interface Stretch {
  readonly from: SideReading;
  readonly to: SideReading;
  readonly ms: number;
}

export interface Measured {
  readonly value: number | null;
  readonly samples: number;
}

/** @param byTrials whether trials are counted for this rollout. */
export function measure(metric: CountedMetric, stretch: Stretch, byTrials: boolean): Measured {
  const { from, to, ms } = stretch;
  const attempts = to.totals.attempts - from.totals.attempts;
  switch (metric) {
    case 'error_rate':
      return share(...failures(stretch, byTrials));
    case 'success_rate': {
      const [failed, decided] = failures(stretch, byTrials);
      return share(decided - failed, decided);
    }
    case 'availability':
      return share(to.totals.answered - from.totals.answered, attempts);
    case 'throughput':
      return { value: attempts > 0 && ms > 0 ? (1_000 * attempts) / ms : null, samples: attempts };
    case 'p50':
      return percentile(stretch, 50);
    case 'p95':
      return percentile(stretch, 95);
    case 'p99':
      return percentile(stretch, 99);
    case 'p999':
      return percentile(stretch, 99.9);
  }
}

function failures({ from, to }: Stretch, byTrials: boolean): [failed: number, decided: number] {
  if (!byTrials) return [to.totals.errors - from.totals.errors, to.totals.attempts - from.totals.attempts];
  const failed = Math.max(0, to.failed - from.failed);
  return [failed, Math.max(failed, to.decided - from.decided)];
}

const share = (part: number, whole: number): Measured => ({
  value: whole > 0 ? (100 * part) / whole : null,
  samples: whole,
});

const percentile = ({ from, to }: Stretch, percent: number): Measured => ({
  value: percentileBetween(from.totals.latencies, to.totals.latencies, percent),
  samples: latenciesBetween(from.totals.latencies, to.totals.latencies),
});
