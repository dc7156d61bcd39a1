/**
 * One service, put together from its parts.
 *
 * Each check runs only on parts that have their shape, and goes on after a fault, so that one run reports them all.
 */
import type { ServiceConfig } from '../../model/config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawService } from './raw-config.ts';
import { resolveAffinity, resolveBalance } from './resolve-balance.ts';
import { resolveHealth, resolveOutlier } from './resolve-health.ts';
import { resolveRateLimit } from './resolve-rate-limit.ts';
import { resolveHedge, resolveRetry, resolveRetryBudget, resolveShield } from './resolve-resilience.ts';
import { resolveSettings } from './resolve-settings.ts';
import { resolveExperiments, resolveOverride, resolveSplit } from './resolve-split.ts';
import { resolveLanes, resolveVersions } from './resolve-versions.ts';
import type { Review } from './review.ts';
import { CIRCUIT, PLAIN_DEFAULTS, POOL, SERVICE_TIMEOUTS } from './settings.ts';

/** Parts of a service that are absent, not undefined, where they are left out. */
type Optional = 'override' | 'affinity' | 'health' | 'outlier' | 'retry' | 'shield' | 'hedge' | 'rateLimit';

export function resolveService(name: string, raw: RawService, review: Review): ServiceConfig {
  const path: ConfigPath = ['services', name];
  const at = (key: keyof RawService): ConfigPath => [...path, key];
  const versions = resolveVersions(raw.versions, at('versions'), review);
  const names = versions.map((version) => version.name);
  const lanes = resolveLanes(raw, names, path, review);
  const { split, weights } = resolveSplit(raw.split, { names, lanes }, at('split'), review);
  const affinity = resolveAffinity(raw.affinity, at('affinity'), review);
  return {
    name,
    versions,
    lanes,
    weights,
    split,
    experiments: resolveExperiments(raw.experiments, { names, lanes }, at('experiments'), review),
    balance: resolveBalance(raw.balance, [affinity?.key, split.key], at('balance'), review),
    retryBudget: resolveRetryBudget(raw.retry, at('retry'), review),
    circuit: resolveSettings(CIRCUIT, raw.circuit, at('circuit'), review),
    ...present({
      override: resolveOverride(raw.override, at('override'), review),
      affinity,
      health: resolveHealth(raw.health, at('health'), review),
      outlier: resolveOutlier(raw.outlier, at('outlier'), review),
      retry: resolveRetry(raw.retry, at('retry'), review),
      shield: resolveShield(raw.shield, at('shield'), review),
      hedge: resolveHedge(raw.hedge, at('hedge'), review),
      rateLimit: resolveRateLimit(raw.rateLimit, at('rateLimit'), review),
    }),
    timeouts: resolveSettings(SERVICE_TIMEOUTS, raw.timeouts, at('timeouts'), review),
    pool: resolveSettings(POOL, raw.pool, at('pool'), review),
    exposeVersion: raw.exposeVersion ?? PLAIN_DEFAULTS.exposeVersion,
  };
}

/** Without the entries that are undefined. */
function present(parts: { readonly [K in Optional]: ServiceConfig[K] | undefined }): Pick<ServiceConfig, Optional> {
  return Object.fromEntries(Object.entries(parts).filter(([, part]) => part !== undefined));
}
