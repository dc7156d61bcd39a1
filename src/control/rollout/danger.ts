/**
 * What speaks against going on: the one place that decides whether a version is taken back, or the rollout held.
 *
 *     a worker's switch, a sequential test, the failure budget, a rule of `rollbackWhen`, no endpoint, a hook  ─▶ take back
 *     stable fails as well, or has no endpoint either; the split is not what was set                            ─▶ hold
 *
 * Attribution has weighed stable's failures already, so what it says holds whatever stable does. Everything else looks at the canary alone,
 * and a canary that fails while stable fails too is an outage and not a bad canary: then the rollout is held, and taken back by nobody.
 * No data is no danger.
 */
import { SPARED } from '../analysis/evidence-message.ts';
import type { Observation } from './observation.ts';
import type { Cause, Rollout } from './rollout.ts';

export interface Danger {
  readonly cause: Cause | 'incident';
  /** One sentence. */
  readonly reason: string;
  readonly mode: 'immediate' | 'gradual';
}

export function dangerOf(rollout: Rollout, seen: Observation): Danger | null {
  if (seen.gone !== null) return { cause: 'configuration', reason: seen.gone, mode: 'immediate' };
  return provenDanger(seen) ?? suspectedDanger(rollout, seen) ?? splitDanger(seen) ?? outageDanger(rollout, seen);
}

/** Attribution has compared with stable. */
function provenDanger({ evidence, switched }: Observation): Danger | null {
  const { verdict, tests } = evidence;
  if (verdict !== null && verdict.test !== 'slo') {
    return { cause: 'evidence', reason: verdict.message, mode: 'immediate' };
  }
  if (switched === null || switched === 'budget') return null;
  const test = tests.find((each) => each.test === switched);
  const found = `a worker found enough evidence (${switched})`;
  // The sentence is of now: what stable has failed since may have made the evidence less.
  const reason = test === undefined ? found : test.state === 'crossed' ? test.message : `${found}; now ${test.message}`;
  return { cause: 'evidence', reason, mode: 'immediate' };
}

function suspectedDanger(rollout: Rollout, seen: Observation): Danger | null {
  const danger = sloDanger(seen) ?? budgetDanger(seen) ?? ruleDanger(rollout, seen) ?? healthDanger(rollout, seen);
  if (danger === null || danger.cause === 'incident') return danger;
  const { evidence, health } = seen;
  if (danger.cause === 'health' ? !health.stableUnavailable : !evidence.bothFail && !health.stableUnavailable)
    return danger;
  const why = health.stableUnavailable
    ? `no endpoint of ${rollout.stable} is available either`
    : `${rollout.stable} fails as well (${evidence.stable.failed} of ${evidence.stable.trials} requests)`;
  return {
    cause: 'incident',
    reason: `${danger.reason}; but ${why}, so this is not the canary's doing alone`,
    mode: 'immediate',
  };
}

/**
 * While stable fails too, the test is no verdict. That it would be one holds the rollout: conditions that compare with stable pass in an
 * outage, and the version would go on to everybody. What the test remembers of an outage that is over holds nothing.
 */
function sloDanger({ evidence, outage = false }: Observation): Danger | null {
  const { verdict, tests } = evidence;
  const crossed = tests.find(({ test, state }) => test === 'slo' && state === 'crossed') ?? null;
  const found = verdict ?? (outage ? crossed : null);
  // That stable fails as well is said behind it, with figures.
  return found === null ? null : { cause: 'evidence', reason: found.message.replace(SPARED, ''), mode: 'immediate' };
}

function budgetDanger({ evidence, switched }: Observation): Danger | null {
  const { budget } = evidence;
  if (budget?.spent !== true && switched !== 'budget') return null;
  const spent = budget === null ? '' : `: ${budget.used} failed attempts of at most ${budget.max}`;
  return { cause: 'budget', reason: `the failure budget is spent${spent}`, mode: 'immediate' };
}

function ruleDanger({ strategy, stable }: Rollout, { rules, stableRules = [] }: Observation): Danger | null {
  const applying = strategy.rollbackWhen
    .map((rule, index) => ({ rule, result: rules[index] }))
    .filter(({ rule, result }) => rule.level === 'critical' && result?.status === 'pass');
  const worst = applying.find(({ rule }) => rule.action === 'immediate') ?? applying[0];
  if (worst === undefined) return null;
  const { rule, result } = worst;
  const reason = `${rule.condition.text}: ${result!.message}`;
  const ofStable = stableRules[strategy.rollbackWhen.indexOf(rule)];
  if (ofStable?.status !== 'pass') return { cause: 'condition', reason, mode: rule.action };
  return {
    cause: 'incident',
    reason: `${reason}; but it applies to ${stable} as well: ${ofStable.message}`,
    mode: 'immediate',
  };
}

function healthDanger({ strategy, version }: Rollout, { health }: Observation): Danger | null {
  if (health.unavailable === 0 || health.unavailable < strategy.unavailableFor) return null;
  const seconds = Math.round(health.unavailable / 100) / 10;
  return {
    cause: 'health',
    reason: `no endpoint of ${version} has been available for ${seconds} s`,
    mode: 'immediate',
  };
}

function splitDanger({ evidence }: Observation): Danger | null {
  const { mismatch } = evidence;
  return mismatch === null ? null : { cause: 'incident', reason: mismatch.message, mode: 'immediate' };
}

/** Nothing was asked for that would notice it, and conditions that compare with stable pass: going on would be by chance. */
function outageDanger({ stable, version }: Rollout, { bothDown = false }: Observation): Danger | null {
  if (!bothDown) return null;
  return {
    cause: 'incident',
    reason: `${stable} and ${version} fail at once, one request in ten or more`,
    mode: 'immediate',
  };
}
