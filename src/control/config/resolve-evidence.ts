/**
 * What the proxy's own measurements must show: which tests are on, and how the chance of a false rollback is divided among them.
 *
 *     shares            errors   slo   latency   ratio
 *     without an SLO       0.5     0      0.25    0.25
 *     with one             0.4   0.3      0.15    0.15
 *
 * Errors get the most, because nearly every bad version shows there first, and a larger share is a lower threshold. The share of a latency test that
 * is off goes to them as well. A share that is written for a test that is off would be lost, so it is refused; what is written may sum to less than
 * 1, which only makes the whole stricter.
 */
import type { EvidenceConfig } from '../../model/rollout-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawEvidence, RawEvidenceParts } from './raw-rollouts.ts';
import { switchOf } from './resolve-flags.ts';
import { resolveSetting, resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { EVIDENCE, EVIDENCE_LATENCY, EVIDENCE_SHARES, EVIDENCE_SLO, ROLLOUT_DEFAULTS } from './rollout-settings.ts';

type Shares = EvidenceConfig['shares'];

const NONE: Shares = { errors: 0, slo: 0, latency: 0, ratio: 0 };

export const NO_EVIDENCE: EvidenceConfig = {
  alpha: 0,
  shares: NONE,
  tolerance: 1,
  maxFailures: 0,
  earlyPass: false,
  slo: null,
  proof: 0.05,
  latency: null,
};

/** What is shared out where nothing is written. */
export function usualShares(slo: boolean, latency: boolean): Shares {
  const shares: Shares = slo
    ? { errors: 0.4, slo: 0.3, latency: 0.15, ratio: 0.15 }
    : { errors: 0.5, slo: 0, latency: 0.25, ratio: 0.25 };
  return latency ? shares : { ...shares, errors: shares.errors + shares.latency, latency: 0 };
}

export function resolveEvidence(raw: RawEvidence | undefined, path: ConfigPath, review: Review): EvidenceConfig {
  if (switchOf(raw) === false) return NO_EVIDENCE;
  const parts: RawEvidenceParts = typeof raw === 'object' && raw !== null ? raw : {};
  const slo = parts.slo === undefined ? null : resolveSetting(EVIDENCE_SLO.slo, parts.slo, [...path, 'slo'], review);
  const latency = resolveLatency(parts.latency, [...path, 'latency'], review);
  const earlyPass = parts.earlyPass ?? ROLLOUT_DEFAULTS.earlyPass;
  if (earlyPass === true && slo === null) {
    review.report([...path, 'earlyPass'], 'has no SLO to prove; add one such as slo: 1%');
  }
  return {
    ...resolveSettings(EVIDENCE, parts, path, review),
    shares: resolveShares(parts.shares, { slo: slo !== null, latency: latency !== null }, [...path, 'shares'], review),
    earlyPass,
    slo,
    latency,
  };
}

function resolveLatency(raw: RawEvidenceParts['latency'], path: ConfigPath, review: Review): EvidenceConfig['latency'] {
  if (switchOf(raw) === false) return null;
  const parts = typeof raw === 'object' && raw !== null ? raw : {};
  return {
    percentile: (parts.percentile ?? ROLLOUT_DEFAULTS.percentile) === 'p99' ? 99 : 95,
    ...resolveSettings(EVIDENCE_LATENCY, parts, path, review),
  };
}

function resolveShares(
  raw: RawEvidenceParts['shares'],
  on: { readonly slo: boolean; readonly latency: boolean },
  path: ConfigPath,
  review: Review,
): Shares {
  if (raw === undefined || !review.sound(path)) return usualShares(on.slo, on.latency);
  const written = resolveSettings(EVIDENCE_SHARES, raw, path, review);
  const shares = { ...NONE };
  for (const test of Object.keys(NONE) as (keyof Shares)[]) {
    if (raw[test] !== undefined) shares[test] = written[test];
  }
  if (shares.slo > 0 && !on.slo) review.report([...path, 'slo'], 'there is no SLO; add slo, such as slo: 1%');
  if (shares.latency > 0 && !on.latency) review.report([...path, 'latency'], 'latency is off; remove one of the two');
  const sum = Number(
    Object.values(shares)
      .reduce((total, share) => total + share, 0)
      .toFixed(9),
  );
  if (sum > 1)
    review.report(path, `shares sum to ${sum}, must be at most 1; lower one by ${Number((sum - 1).toFixed(9))}`);
  return shares;
}
