/**
 * What a test has seen, as one sentence with its numbers, for people who must believe a machine that took their release back.
 *
 * It names what was counted, what would have been fair, and the e-value beside the one that is enough: odds of that many to one, if the canary
 * were no worse. The e-value is shown and not its logarithm, as "3,318 of 2,000" needs no explanation; beyond a million million it is a power of ten.
 * Numbers are written in the English way wherever Sluice runs, so that the same counts give the same text.
 */
import type { ShareCounts } from '../../model/evidence-table.ts';
import type { EvidenceConfig } from '../../model/rollout-config.ts';
import type { SideTotals, TestReading } from './verdict.ts';

export interface MessageFacts {
  readonly counts: readonly ShareCounts[];
  readonly config: EvidenceConfig;
  readonly canary: SideTotals;
  /** Now, 0 to 1. */
  readonly share: number;
  readonly bothFail: boolean;
  /** Milliseconds; 0: not known yet; undefined: not to be spoken of. */
  readonly slowLimit: number | undefined;
  readonly windows?: { readonly won: number; readonly lost: number } | undefined;
}

/** Behind what a test of the canary alone has found while stable fails as well. */
export const SPARED = '; stable fails as well, so it is not taken back for this';

type Slot = 'counted' | 'slow' | 'left';
type Judged = Omit<TestReading, 'message' | 'threshold'> & { readonly threshold: number };

export function messageOf(judged: Judged, facts: MessageFacts): string {
  const { config, slowLimit } = facts;
  switch (judged.test) {
    case 'errors':
      return compared(judged, facts, 'counted', 'failures');
    case 'slo':
      return sloMessage(judged, facts);
    case 'latency': {
      if (slowLimit === 0 && judged.state !== 'crossed')
        return `stable's p${config.latency!.percentile} is not known yet, so nothing is called slow`;
      const slower = slowLimit === undefined ? 'slow requests' : `requests slower than ${number(slowLimit)} ms`;
      return compared(judged, facts, 'slow', slower) + windowsText(facts.windows);
    }
    case 'ratio':
      return compared(judged, facts, 'left', 'requests that clients gave up');
    default:
      return judged.test satisfies never;
  }
}

function windowsText(windows: MessageFacts['windows']): string {
  if (windows === undefined || windows.won + windows.lost === 0) return '';
  return `; slower than stable in ${number(windows.won)} of ${number(windows.won + windows.lost)} windows of time`;
}

export function mismatchMessage(logE: number, threshold: number, counts: readonly ShareCounts[]): string {
  let dealt = 0;
  let all = 0;
  let due = 0;
  for (const { share, canary, stable } of counts) {
    if (share <= 0 || share >= 1) continue;
    dealt += canary.keyless;
    all += canary.keyless + stable.keyless;
    due += share * (canary.keyless + stable.keyless);
  }
  const amount = `the canary was dealt ${number(dealt)} of ${number(all)} requests without a session`;
  return `${amount}, where ${number(Math.round(due))} were due: ${odds(logE, threshold)}`;
}

function compared(
  { state, logE, threshold }: Judged,
  { counts, share }: MessageFacts,
  slot: Slot,
  what: string,
): string {
  const blind =
    state !== 'blind'
      ? ''
      : share <= 0
        ? 'the canary has no traffic now; '
        : `at ${percent(share)} there is nobody to compare the canary with; `;
  // What came while there was nobody to compare with was not compared.
  const seen = counts.filter(
    (entry) => entry.share > 0 && entry.share < 1 && entry.canary[slot] + entry.stable[slot] > 0,
  );
  const fromCanary = seen.reduce((sum, entry) => sum + entry.canary[slot], 0);
  const all = seen.reduce((sum, entry) => sum + entry.stable[slot], fromCanary);
  if (all === 0) return `${blind}no ${what} so far`;
  const whose = `${number(fromCanary)} of ${number(all)} ${what} were the canary's`;
  return `${blind}${whose}, which had ${sharesOf(seen)} of the requests: ${odds(logE, threshold)}`;
}

/** "10 %", "5 to 50 %". */
function sharesOf(seen: readonly ShareCounts[]): string {
  const shares = seen.map(({ share }) => share);
  const least = Math.min(...shares);
  const most = Math.max(...shares);
  return least === most ? percent(most) : `${number(least * 100)} to ${percent(most)}`;
}

function sloMessage({ state, logE, threshold }: Judged, { canary, config, bothFail }: MessageFacts): string {
  const requests = Math.max(canary.trials - canary.aborted, canary.counted);
  const limit = percent(config.slo! / 100);
  if (requests === 0) return `no requests so far that could fail more often than ${limit}`;
  const rate = `${number(canary.counted)} of ${number(requests)} requests of the canary failed (${percent(canary.counted / requests)})`;
  const both = state === 'crossed' && bothFail ? SPARED : '';
  return `${rate}, at most ${limit} may: ${odds(logE, threshold)}${both}`;
}

const odds = (logE: number, threshold: number): string => `e-value ${eValue(logE)} of ${eValue(threshold)} needed`;

const FULL = new Intl.NumberFormat('en-US', { maximumFractionDigits: 2 });
const SHORT = new Intl.NumberFormat('en-US', { maximumSignificantDigits: 2 });
/** From here on only the power of ten is told. */
const MANY = 12 * Math.LN10;

function eValue(logE: number): string {
  if (logE >= MANY)
    return logE === Number.POSITIVE_INFINITY ? 'without end' : `10^${number(Math.floor(logE / Math.LN10))}`;
  const value = Math.exp(logE);
  if (value >= 10) return FULL.format(Math.floor(value + 1e-9));
  return value < 0.001 ? 'under 0.001' : SHORT.format(value);
}

const number = (value: number): string => FULL.format(value);
const percent = (share: number): string => `${share < 0.1 ? SHORT.format(share * 100) : FULL.format(share * 100)} %`;
