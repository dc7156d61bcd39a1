/**
 * What a version has done so far, as counts that only grow, and what two such states say about the time between them.
 *
 * All windows of a rollout are differences of two totals: no window keeps sums of its own, so any number of conditions with any windows cost
 * nothing beyond the marks in time that they share (metric-marks.ts). Counted are attempts on the version's endpoints, those of retries,
 * hedges and forced requests included; an attempt that was given up because the client left is none.
 */
import { type LatencyCounts, percentileBetween } from './latency-counts.ts';

export interface VersionTotals {
  /** Those that came to a verdict. */
  readonly attempts: number;
  /** Those that got a response head, whatever its status. */
  readonly answered: number;
  /** 5xx answers and attempts without an answer. */
  readonly errors: number;
  /** Failed attempts that were handed to stable. */
  readonly shielded: number;
  /** Requests under way now; the only one that falls. */
  readonly inFlight: number;
  /** Time to the response head of answered attempts. */
  readonly latencies: LatencyCounts;
}

/** One version between two points in time; milliseconds, null where nothing was answered. */
export interface MeteredSummary {
  readonly requests: number;
  readonly errors: number;
  readonly p50: number | null;
  readonly p95: number | null;
  readonly p99: number | null;
  readonly p999: number | null;
  readonly shielded: number;
}

export function summaryOf(from: VersionTotals, to: VersionTotals): MeteredSummary {
  const percentile = (percent: number): number | null => percentileBetween(from.latencies, to.latencies, percent);
  return {
    requests: to.attempts - from.attempts,
    errors: to.errors - from.errors,
    ...{ p50: percentile(50), p95: percentile(95), p99: percentile(99), p999: percentile(99.9) },
    shielded: to.shielded - from.shielded,
  };
}
