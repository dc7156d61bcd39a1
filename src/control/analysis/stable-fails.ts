/**
 * Does stable fail as well? Then it is an incident and not (only) a bad canary: a rollout is held, and a limit that the canary broke
 * does not take it back, since the way back would lead to a version that breaks it too.
 *
 * Rates since the beginning must not simply be compared. If stable had its bad minutes while the canary had 1 % and the canary has its own at 50 %,
 * each version's rate is of another time. So the canary is compared with what it would have failed, had it been stable: at each share, its
 * requests times stable's rate at that share (an indirectly standardised rate). Stable fails too when
 *
 *     it has at least 5 failures                                          fewer may be chance
 *     expected ≥ ½ · the canary's failures                                the canary is not to blame for most of it
 *     expected ≥ limit · the canary's requests                            and it is much: the SLO, or 1 % without one
 *
 * Failures are counted once per session, as in every test: one client that can only fail is not an outage. At a share of 1 nobody is there to
 * compare with: nothing is expected, and an outage that begins there looks like the canary's own. No requests: false.
 *
 * Since the beginning of a long rollout a young outage is a small part of everything, so whoever asks gives counts of the last minute as
 * well; `countedSince` makes them out of two readings.
 */
import type { ShareCounts, SideCounts } from '../../model/evidence-table.ts';
import { SIDE_SLOTS } from '../../model/evidence-table.ts';

const LEAST_FAILURES = 5;
const PART = 0.5;
/** Without an SLO. */
const MUCH = 0.01;

/** @param slo failure rate to be kept, a fraction; null: none. */
export function stableFailsToo(counts: readonly ShareCounts[], slo: number | null): boolean {
  let expected = 0;
  let requests = 0;
  let canaryFailures = 0;
  let stableFailures = 0;
  for (const { canary, stable } of counts) {
    requests += canary.trials;
    canaryFailures += canary.counted;
    stableFailures += stable.counted;
    if (stable.trials > 0) expected += (canary.trials * stable.counted) / stable.trials;
  }
  if (stableFailures < LEAST_FAILURES || requests === 0) return false;
  return expected >= PART * canaryFailures && expected >= (slo ?? MUCH) * requests;
}

/** Failure rate of either from which nobody should go on, whatever else is asked for. */
const OUTAGE = 0.1;

/** Whether both versions fail so much that the rollout has to wait, with or without an SLO. */
export function bothAreDown(counts: readonly ShareCounts[]): boolean {
  let failures = 0;
  let requests = 0;
  for (const { canary } of counts) {
    failures += canary.counted;
    requests += canary.trials;
  }
  return failures >= LEAST_FAILURES && failures >= OUTAGE * requests && stableFailsToo(counts, OUTAGE);
}

/** What was counted between two readings of one rollout; share slots are only ever added. */
export function countedSince(now: readonly ShareCounts[], before: readonly ShareCounts[]): ShareCounts[] {
  return now.map((counts, index) => {
    const older = before[index];
    if (older === undefined) return counts;
    const { share, canary, stable } = counts;
    return { share, canary: difference(canary, older.canary), stable: difference(stable, older.stable) };
  });
}

const NAMES = Object.keys(SIDE_SLOTS) as (keyof SideCounts)[];

function difference(now: SideCounts, before: SideCounts): SideCounts {
  const counts = {} as Record<keyof SideCounts, number>;
  for (const name of NAMES) counts[name] = Math.max(0, now[name] - before[name]);
  return counts;
}
