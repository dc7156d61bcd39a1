/**
 * What analysis says: the closed vocabularies of its answers, and their shapes.
 *
 * `inconclusive` is neither pass nor fail: there is nothing to judge yet, and a step waits. `error` is not `fail`: somebody could not be
 * asked, which says nothing about the version.
 */

export type ConditionStatus = 'pass' | 'fail' | 'inconclusive' | 'error';

/** One metric of one side, over some window. */
export interface MetricValue {
  /** In the unit of conditions: shares percent, latencies milliseconds; null where there is nothing to tell. */
  readonly value: number | null;
  /** Requests, attempts or readings that it is made of. */
  readonly samples: number;
  /** Why it could not be read, else null. */
  readonly error: string | null;
  /** What must be said of the value, or of there being none: that it was measured earlier, that nothing was pushed. */
  readonly note?: string;
}

export type Side = 'canary' | 'stable';

export interface MetricReader {
  /** @param window milliseconds back from now; null: since the step began. */
  read(metric: string, side: Side, window: number | null): MetricValue;
}

export interface ConditionResult {
  /** As written. */
  readonly condition: string;
  readonly metric: string;
  readonly status: ConditionStatus;
  readonly value: number | null;
  /** What it was compared with, after the baseline was put in. */
  readonly limit: number | null;
  readonly baseline: number | null;
  readonly samples: number;
  /** One sentence: `error_rate is 0.4 % of 1,200 requests, must be < 1 %`. */
  readonly message: string;
}

export type TestName = 'errors' | 'slo' | 'latency' | 'ratio';

/**
 * `off`: not asked for. `blind`: asked for, but it cannot see anything now (at 100 % there is nobody to compare with). `watching`.
 * `crossed`: enough against the canary.
 */
export type TestState = 'off' | 'blind' | 'watching' | 'crossed';

export interface TestReading {
  readonly test: TestName;
  readonly state: TestState;
  /** Natural logarithm of the e-value, 0 where there is no evidence. */
  readonly logE: number;
  /** At which it is enough: ln(1/(alpha·share)); null where it is off. */
  readonly threshold: number | null;
  /** One sentence. */
  readonly message: string;
}

/** Sums over all shares. */
export interface SideTotals {
  readonly trials: number;
  readonly failed: number;
  readonly counted: number;
  readonly slow: number;
  readonly ended: number;
  readonly aborted: number;
  readonly userErrors: number;
}

export interface EvidenceReading {
  readonly tests: readonly TestReading[];
  /** The test that is enough to take the canary back, the strongest of them; null where none is. */
  readonly verdict: TestReading | null;
  /** Whether the split itself is not what was set: then nothing that was measured can be trusted. */
  readonly mismatch: TestReading | null;
  /** Whether the failure rate is proved to be below the SLO; null without one. */
  readonly proof: {
    readonly logE: number;
    readonly threshold: number;
    readonly proved: boolean;
    /** Requests without failure that are still needed; null where it cannot be proved (too many failures). */
    readonly needs: number | null;
  } | null;
  readonly budget: { readonly used: number; readonly max: number; readonly spent: boolean } | null;
  /** Whether stable fails as well, so that the canary alone is not to blame. */
  readonly bothFail: boolean;
  readonly canary: SideTotals;
  readonly stable: SideTotals;
}
