/**
 * Which endpoint a request gets: session affinity and balancing policy.
 *
 * The key of a hashing policy falls back to what the service identifies its users by already, so that a session and its endpoint hang
 * on the same value without being told twice. Without any, it is the client's address, which every request has.
 */
import type { AffinityConfig, BalanceConfig, BalancingPolicyName, KeySource } from '../../model/policy-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawAffinity, RawBalance } from './raw-config.ts';
import { resolveKey } from './resolve-key.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { AFFINITY, BALANCE, PLAIN_DEFAULTS } from './settings.ts';

/** The policies that hash a key. */
const KEYED: readonly BalancingPolicyName[] = ['ring_hash', 'maglev'];

export function resolveAffinity(
  raw: RawAffinity | undefined,
  path: ConfigPath,
  review: Review,
): AffinityConfig | undefined {
  if (typeof raw !== 'object') return undefined;
  const numbers = resolveSettings(AFFINITY, raw, path, review);
  if (!review.sound(path)) return undefined;
  const { ttl: _ttl, max: _max, ...key } = raw;
  return { key: resolveKey(key, path, review), ...numbers };
}

/** @param keys what else of the service has a key, the first that has one before the others. */
export function resolveBalance(
  raw: RawBalance | undefined,
  keys: readonly (KeySource | undefined)[],
  path: ConfigPath,
  review: Review,
): BalanceConfig {
  const written = typeof raw === 'object' ? raw : {};
  const named = typeof raw === 'object' ? raw?.policy : raw;
  const numbers = resolveSettings(BALANCE, written, path, review);
  let policy: BalancingPolicyName = PLAIN_DEFAULTS.balancingPolicy;
  let key = keys.find((known) => known !== undefined) ?? ({ from: 'address' } as const);
  if (review.sound(path)) {
    policy = named ?? policy;
    if (written.key !== undefined) key = resolveKey(written.key, [...path, 'key'], review);
    if (written.key !== undefined && !KEYED.includes(policy)) {
      review.reportKey([...path, 'key'], `is not used by ${policy}; remove it, or write policy: ring_hash or maglev`);
    }
    if (written.maxLoad !== undefined && policy !== 'ring_hash') {
      review.reportKey([...path, 'maxLoad'], `is not used by ${policy}; remove it, or write policy: ring_hash`);
    }
    if (numbers.maxLoad > 0 && numbers.maxLoad < 100) {
      const message = 'no endpoint can have less than the mean for its most; write 0, or a percentage from 100';
      review.report([...path, 'maxLoad'], message);
    }
  }
  return { policy, key, ...numbers };
}
