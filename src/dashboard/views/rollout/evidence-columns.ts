/**
 * The evidence of a rollout as columns for a chart: per test how much of what is needed is there, in percent of the way.
 *
 * Each test has its own threshold, so the logarithms themselves would need a dashed line for each. As a part of the threshold one line at 100 is right for all,
 * and "how far is it" is read off the axis. Evidence in favour of the canary is below 0 and drawn as 0; what goes far beyond the line is drawn at its end,
 * since nothing more follows from it. A test that was off at a moment has a gap there.
 */
import type { TestReading } from '../../api/views.ts';
import type { EvidencePoint } from '../../state/evidence-series.ts';

export const MOST = 150;

export interface EvidenceColumns {
  /** Seconds since 1970. */
  readonly times: readonly number[];
  readonly lines: readonly { readonly test: TestReading['test']; readonly values: readonly (number | null)[] }[];
}

export function evidenceColumns(points: readonly EvidencePoint[], tests: readonly TestReading[]): EvidenceColumns {
  const shown = tests.filter(({ state, threshold }) => state !== 'off' && threshold !== null && threshold > 0);
  return {
    times: points.map(({ at }) => at / 1000),
    lines: shown.map(({ test, threshold }) => ({
      test,
      values: points.map(({ logE }) => (test in logE ? percentOf(logE[test], threshold ?? 1) : null)),
    })),
  };
}

function percentOf(logE: number | null | undefined, threshold: number): number {
  if (logE === null || logE === undefined || !Number.isFinite(logE)) return MOST;
  return Math.min(MOST, Math.max(0, (100 * logE) / threshold));
}
