/**
 * Rate limits of services and routes: a rate per second, and how many requests may come at once.
 *
 * The burst defaults to what a second brings, rounded up, so that a client that sends its second's share in one go is not refused.
 */
import type { RateLimitConfig } from '../../model/policy-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawRateLimit } from './raw-config.ts';
import { resolveKey } from './resolve-key.ts';
import { resolveSetting } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { RATE_LIMIT } from './settings.ts';
import { shown } from './structure.ts';
import { parseRate } from './units.ts';

const MOST_PER_SECOND = 1_000_000;
const LEAST_PER_SECOND = 1 / 3600;

/** Undefined where nothing is written or it has not its shape. */
export function resolveRateLimit(
  raw: RawRateLimit | undefined,
  path: ConfigPath,
  review: Review,
): RateLimitConfig | undefined {
  if (raw === undefined || !review.sound(path)) return undefined;
  const rate = parseRate(raw.rate) ?? 0;
  if (rate < LEAST_PER_SECOND || rate > MOST_PER_SECOND) {
    review.report([...path, 'rate'], `must be from 1/h to ${MOST_PER_SECOND}/s, not ${shown(raw.rate)}`);
  }
  const burst =
    raw.burst === undefined
      ? Math.max(1, Math.ceil(rate))
      : resolveSetting(RATE_LIMIT.burst, raw.burst, [...path, 'burst'], review);
  const key = raw.key === undefined ? {} : { key: resolveKey(raw.key, [...path, 'key'], review) };
  return { rate, burst, ...key };
}
