/**
 * What happens when an attempt fails: retries and their budget, shield, hedging.
 *
 * Each is off unless written: repeating a request is a promise that doing it twice is harmless, and only the user can give it.
 * The budget is there always, because it bounds whichever of the three is on.
 */
import type {
  HedgeConfig,
  MethodSet,
  RetryBudgetConfig,
  RetryConfig,
  ShieldConfig,
} from '../../model/policy-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawHedge, RawMethods, RawRetry, RawShield } from './raw-config.ts';
import { resolveSetting, resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { HEDGE, PLAIN_DEFAULTS, RETRY, RETRY_BUDGET, SHIELD } from './settings.ts';
import { shown } from './structure.ts';

export function resolveRetry(raw: RawRetry | undefined, path: ConfigPath, review: Review): RetryConfig | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const numbers = resolveSettings(RETRY, raw, path, review);
  if (!review.sound(path)) return undefined;
  if (raw.maxBackoff !== undefined && numbers.maxBackoff < numbers.backoff) {
    const message = `${shown(raw.maxBackoff)} is less than backoff; raise it, or lower backoff`;
    review.report([...path, 'maxBackoff'], message);
  }
  return {
    ...numbers,
    // The default gives way to a long first pause, a written value does not.
    maxBackoff: Math.max(numbers.maxBackoff, numbers.backoff),
    on: [...(raw.on ?? PLAIN_DEFAULTS.retryOn)],
    methods: resolveMethods(raw.methods ?? PLAIN_DEFAULTS.retryMethods),
  };
}

/** The budget bounds shielded attempts and hedges too, so there is one even without retries. */
export function resolveRetryBudget(raw: RawRetry | undefined, path: ConfigPath, review: Review): RetryBudgetConfig {
  const budget = raw?.budget;
  const place = [...path, 'budget'];
  if (typeof budget === 'object') return resolveSettings(RETRY_BUDGET, budget ?? {}, place, review);
  const defaults = resolveSettings(RETRY_BUDGET, {}, place, review);
  return { ...defaults, percent: resolveSetting(RETRY_BUDGET.percent, budget, place, review) };
}

export function resolveShield(raw: RawShield | undefined, path: ConfigPath, review: Review): ShieldConfig | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const numbers = resolveSettings(SHIELD, raw, path, review);
  if (!review.sound(path)) return undefined;
  return {
    ...numbers,
    on: [...(raw.on ?? PLAIN_DEFAULTS.shieldOn)],
    methods: resolveMethods(raw.methods ?? PLAIN_DEFAULTS.shieldMethods),
    forced: raw.forced ?? PLAIN_DEFAULTS.shieldForced,
  };
}

export function resolveHedge(raw: RawHedge | undefined, path: ConfigPath, review: Review): HedgeConfig | undefined {
  if (typeof raw !== 'object' || raw === null) return undefined;
  const numbers = resolveSettings(HEDGE, raw, path, review);
  if (!review.sound(path)) return undefined;
  return { ...numbers, methods: resolveMethods(raw.methods ?? PLAIN_DEFAULTS.hedgeMethods) };
}

/** The schema has admitted no other word than those of {@link MethodSet}. */
function resolveMethods(raw: RawMethods): MethodSet {
  return typeof raw === 'string' ? (raw as MethodSet) : [...raw];
}
