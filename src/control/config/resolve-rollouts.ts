/**
 * Everything about rollouts that the file says: strategies with the presets, metrics that are read elsewhere, who approves, who is told.
 *
 * Of a secret only the source is kept, because a rollout takes its strategy with it into the store. That it can be had is checked here all the same,
 * and a change of its file is a change of the configuration, as with every other secret.
 */
import type { RolloutsConfig } from '../../model/rollout-config.ts';
import type { RawFile } from './raw-file.ts';
import { resolveApprovers } from './resolve-approvers.ts';
import { resolveNotifications } from './resolve-notifications.ts';
import { providerNames, resolveProviders } from './resolve-providers.ts';
import { resolveSecret } from './resolve-secret.ts';
import { resolveStrategies } from './resolve-strategies.ts';
import type { Review } from './review.ts';
import type { StrategyScope } from './strategy-scope.ts';
import type { Surroundings } from './surroundings.ts';

export function resolveRollouts(raw: RawFile, review: Review, surroundings: Surroundings): RolloutsConfig {
  const approvers = resolveApprovers(raw.approvers, review, surroundings);
  const scope: StrategyScope = {
    review,
    metrics: providerNames(raw.metrics),
    approvers,
    secret: (written, path) => resolveSecret(written, path, review, surroundings)?.source ?? null,
    checkCommand: () => undefined,
  };
  return {
    strategies: resolveStrategies(raw.strategies, scope),
    metrics: resolveProviders(raw.metrics, review, surroundings),
    approvers: approvers ?? [],
    notifications: resolveNotifications(raw.notifications, review, surroundings),
  };
}
