/**
 * What the counts of a rollout say: the four tests, the proof of the SLO, the budget, and which of them is enough.
 *
 *     errors    whose failures are they?                         attribution over `counted`
 *     slo       does the canary fail more often than it may?     its own totals; the only one that sees at 100 %
 *     latency   whose slow requests are they?                    attribution over `slow`
 *     ratio     whose requests do clients give up?               attribution over `left`
 *
 * Each is an e-process, so all of them may be looked at after every request, for as long as one likes, and the chance that a canary which is no
 * worse is ever taken back is at most alpha: test i is enough at ln(1/(alpha·share_i)), and the shares of alpha sum to at most 1. No
 * test knows the others; the strongest of those that are enough is the verdict.
 *
 * Counts of requests that are still under way must not lean to either side. Against the canary (`slo`) those are taken as clean, or else quick
 * failures beside slow successes would look like an outage. For it (the proof) only what has ended counts, failures are counted again and
 * again for the same session, and what hangs on the canary beyond what hangs on stable is taken as failed: a version that never answers must
 * not prove itself with the part that it does answer.
 *
 * Pure: the same counts give the same answer, on every machine and after a restart. Without data every test is 0 and nothing is enough;
 * no data is not failure. `measureEvidence` is the numbers alone, for whoever looks often.
 */
import { Attribution } from '../../model/attribution.ts';
import type { ShareCounts } from '../../model/evidence-table.ts';
import type { EvidenceConfig } from '../../model/rollout-config.ts';
import { messageOf, mismatchMessage } from './evidence-message.ts';
import { mixed, type Start } from './fresh-starts.ts';
import { misdealtLogE, swallowedLogE } from './ratio.ts';
import { requestsToProve, sloBad, sloGood } from './slo.ts';
import type { SlowWindows } from './slow-windows.ts';
import { countedSince, stableFailsToo } from './stable-fails.ts';
import type { EvidenceReading, SideTotals, TestName, TestReading } from './verdict.ts';

export const TESTS = ['errors', 'slo', 'latency', 'ratio'] as const satisfies readonly TestName[];

export interface EvidenceOptions {
  /** Share of the canary now, 0 to 1. Default: the one that came last. */
  readonly share?: number;
  /** From how many milliseconds requests are slow; 0: not known yet. Left out, it is not spoken of. */
  readonly slowLimit?: number;
  /** Whether to find out how many requests the proof still needs, the most expensive part. Default true. */
  readonly needs?: boolean;
  /** Where evidence was begun anew; left out, it is from the beginning alone. */
  readonly starts?: readonly Start<readonly ShareCounts[]>[];
  /** What windows of time say of slow requests; left out, their number alone is asked. */
  readonly windows?: Pick<SlowWindows, 'logE' | 'won' | 'lost'>;
  /** Counts of the moment from which on the SLO and the split are looked at: an incident before it is over. */
  readonly since?: readonly ShareCounts[];
  /** Counts of a minute ago or so, by which an outage that has just begun is seen. */
  readonly before?: readonly ShareCounts[];
}

/** Natural logarithm of the e-value at which a test is enough; Infinity where it is off. */
export function thresholdOf(config: EvidenceConfig, test: TestName): number {
  const asked = test === 'slo' ? config.slo !== null : test === 'latency' ? config.latency !== null : true;
  return asked ? -Math.log(config.alpha * config.shares[test]) : Number.POSITIVE_INFINITY;
}

/** ln E of every test, 0 for those that are off, and of a mismatch of the split. */
export type MeasuredEvidence = { readonly [Test in TestName]: number } & { readonly mismatch: number };

export function measureEvidence(
  counts: readonly ShareCounts[],
  config: EvidenceConfig,
  { windows, since, starts = [] }: Pick<EvidenceOptions, 'windows' | 'since' | 'starts'> = {},
): MeasuredEvidence {
  const recent = since === undefined ? counts : countedSince(counts, since);
  const isOn = (test: TestName): boolean => thresholdOf(config, test) < Number.POSITIVE_INFINITY;
  const latency = config.latency?.tolerance ?? 1;
  const later = starts.map(({ from, cost }) => ({ from: countedSince(counts, from), cost }));
  /** A test from the beginning and from every start. */
  const both = (test: (counts: readonly ShareCounts[]) => number, all = counts): number =>
    mixed(test(all), later, test);
  return {
    errors: isOn('errors') ? both((each) => attributionOf(each, 'counted', config.tolerance)) : 0,
    slo: isOn('slo') ? both((each) => sloLogE(each, config.slo!), recent) : 0,
    latency: isOn('latency')
      ? least(
          both((each) => attributionOf(each, 'slow', latency)),
          windows,
        )
      : 0,
    ratio: isOn('ratio') ? both(swallowedLogE) : 0,
    mismatch: isOn('ratio') ? misdealtLogE(recent) : 0,
  };
}

/** @param failures failed first attempts of the canary, which the budget is about. */
export function judgeEvidence(
  counts: readonly ShareCounts[],
  config: EvidenceConfig,
  failures: number,
  options: EvidenceOptions = {},
): EvidenceReading {
  const measured = measureEvidence(counts, config, options);
  const canary = totalsOf(counts, 'canary');
  const stable = totalsOf(counts, 'stable');
  const share = options.share ?? counts.at(-1)?.share ?? 0;
  const slo = config.slo === null ? null : config.slo / 100;
  const bothFail =
    stableFailsToo(counts, slo) ||
    (options.before !== undefined && stableFailsToo(countedSince(counts, options.before), slo));
  const said = { counts, config, canary, share, bothFail, slowLimit: options.slowLimit };

  const tests = TESTS.map((test): TestReading => {
    const threshold = thresholdOf(config, test);
    if (threshold === Number.POSITIVE_INFINITY)
      return { test, state: 'off', logE: 0, threshold: null, message: 'not asked for' };
    const logE = measured[test];
    const state = logE >= threshold ? 'crossed' : isBlind(test, share, options.slowLimit) ? 'blind' : 'watching';
    return { test, state, logE, threshold, message: messageOf({ test, state, logE, threshold }, said) };
  });

  const ratioThreshold = thresholdOf(config, 'ratio');
  const mismatch: TestReading | null =
    measured.mismatch < ratioThreshold
      ? null
      : {
          test: 'ratio',
          state: 'crossed',
          logE: measured.mismatch,
          threshold: ratioThreshold,
          message: mismatchMessage(measured.mismatch, ratioThreshold, counts),
        };
  return {
    tests,
    verdict: strongest(tests.filter(({ test, state }) => state === 'crossed' && !(test === 'slo' && bothFail))),
    mismatch,
    proof: slo === null ? null : proofOf(canary, stable, slo, config.proof, options.needs ?? true),
    budget:
      config.maxFailures > 0
        ? { used: failures, max: config.maxFailures, spent: failures >= config.maxFailures }
        : null,
    bothFail,
    canary,
    stable,
  };
}

function attributionOf(counts: readonly ShareCounts[], slot: 'counted' | 'slow', tolerance: number): number {
  const evidence = new Attribution();
  for (const { share, canary, stable } of counts) evidence.add(share, canary[slot], stable[slot], tolerance);
  return evidence.logE;
}

/** The less of two e-values is one, if either is. */
const least = (byRequests: number, windows: EvidenceOptions['windows']): number =>
  windows === undefined ? byRequests : Math.min(byRequests, windows.logE);

/** Shares that a test of the SLO is begun at anew. */
const FRESH_STARTS = 8;

/**
 * The SLO is tested from the beginning, and anew from each share: a version that begins to fail at 100 % must not be covered by all that went well
 * before. A mean of e-values, with weights 1/(i(i+1)) that sum to 1, is one again, so nothing of alpha is spent by it; of many shares the first
 * and the last few are enough.
 */
function sloLogE(counts: readonly ShareCounts[], slo: number): number {
  const capital: number[] = [];
  let counted = 0;
  let requests = 0;
  for (let i = counts.length - 1; i >= 0; i--) {
    const { canary } = counts[i]!;
    counted += canary.counted;
    requests += canary.trials - canary.aborted;
    if (i > 0 && i < counts.length - FRESH_STARTS) continue;
    capital.push(sloBad(counted, Math.max(requests, counted), slo / 100) - Math.log((i + 1) * (i + 2)));
  }
  const most = Math.max(...capital);
  return capital.length === 0 ? 0 : most + Math.log(capital.reduce((sum, each) => sum + Math.exp(each - most), 0));
}

function proofOf(canary: SideTotals, stable: SideTotals, p0: number, alpha: number, wantsNeeds: boolean) {
  const underWay = Math.max(0, canary.trials - canary.ended);
  const usual = stable.trials === 0 ? 0 : (Math.max(0, stable.trials - stable.ended) * canary.trials) / stable.trials;
  const failures = canary.failed + Math.ceil(Math.max(0, underWay - usual));
  const requests = Math.max(canary.ended - canary.aborted, failures);
  const logE = sloGood(failures, requests, p0);
  const threshold = -Math.log(alpha);
  const proved = logE >= threshold;
  const needs = proved ? 0 : wantsNeeds ? requestsToProve(failures, requests, p0, alpha) : null;
  return { logE, threshold, proved, needs };
}

/** Whether a test cannot see anything at present, whatever it saw before. */
function isBlind(test: TestName, share: number, slowLimit: number | undefined): boolean {
  if (test === 'slo') return false;
  return share <= 0 || share >= 1 || (test === 'latency' && slowLimit === 0);
}

function strongest(tests: readonly TestReading[]): TestReading | null {
  let best: TestReading | null = null;
  let margin = Number.NEGATIVE_INFINITY;
  for (const test of tests) {
    if (test.logE - test.threshold! <= margin) continue;
    margin = test.logE - test.threshold!;
    best = test;
  }
  return best;
}

export function totalsOf(counts: readonly ShareCounts[], side: 'canary' | 'stable'): SideTotals {
  const totals = { trials: 0, failed: 0, counted: 0, slow: 0, ended: 0, aborted: 0, userErrors: 0 };
  for (const entry of counts) {
    const from = entry[side];
    totals.trials += from.trials;
    totals.failed += from.failed;
    totals.counted += from.counted;
    totals.slow += from.slow;
    totals.ended += from.ended;
    totals.aborted += from.aborted;
    totals.userErrors += from.userErrors;
  }
  return totals;
}
