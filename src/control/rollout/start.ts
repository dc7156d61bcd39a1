/**
 * A rollout before it begins: what is asked for, checked and written out.
 *
 * Everything that can be known to go wrong is refused here, with a sentence, rather than found at some step: a version that is not registered
 * or is stable already, other versions with traffic (whose place could not be kept), a strategy that does not exist. What may only change
 * with time (another rollout, a freeze window, approvals) is no refusal but a reason to wait, unless the strategy says otherwise.
 */
import type { ServiceConfig, SluiceConfig } from '../../model/config.ts';
import type { StrategyConfig } from '../../model/rollout-config.ts';
import { findService, findVersion } from '../change/find.ts';
import { nameHint } from '../config/nearest-name.ts';
import type { Actor, StartRollout } from '../operations.ts';
import { OperationError } from '../problems.ts';
import { rolloutDigest } from './digest.ts';
import { riskOf, strategyRisk } from './risk.ts';
import { isOver, type Risk, type Rollout, rolloutKey } from './rollout.ts';
import { noted } from './turn.ts';

const DEFAULT_STRATEGY = 'standard';
const FORTNIGHT = 14 * 86_400_000;

export interface StartContext {
  readonly config: SluiceConfig;
  readonly rollouts: readonly Rollout[];
  readonly now: number;
  /** A strategy that is written out in the call. @throws OperationError invalid_request */
  readonly inline: (raw: Readonly<Record<string, unknown>>) => StrategyConfig;
  readonly health: (service: string, version: string) => 'known good' | 'unknown' | 'bad';
  /** Of stable, percent within the last minute; null where nothing was measured. */
  readonly errorRate: (service: string, version: string) => number | null;
}

/** @throws OperationError invalid_request, not_found */
export function strategyFor(given: StartRollout, { config, inline }: StartContext): StrategyConfig {
  const { strategy = DEFAULT_STRATEGY, whenBusy } = given;
  const found = typeof strategy === 'string' ? named(strategy, config) : inline(strategy);
  return whenBusy === undefined ? found : { ...found, whenBusy };
}

function named(name: string, { rollouts }: SluiceConfig): StrategyConfig {
  const found = rollouts.strategies.find((each) => each.name === name);
  if (found !== undefined) return found;
  const names = rollouts.strategies.map((each) => each.name);
  const message = `there is no strategy ${name}; ${nameHint(name, names)}`;
  throw new OperationError('not_found', message, [{ field: '/strategy', message }]);
}

export function riskFor(serviceName: string, given: StartRollout, context: StartContext): Risk {
  const { config, rollouts, now, health, errorRate } = context;
  const service = findService(config, serviceName);
  findVersion(service, given.version);
  const strategy = strategyFor(given, context);
  const back = rollouts.filter(
    (each) => each.service === serviceName && each.phase === 'RolledBack' && (each.endedAt ?? 0) > now - FORTNIGHT,
  );
  const { slo } = strategy.evidence;
  const rate = errorRate(serviceName, service.lanes.stable);
  return riskOf({
    ...strategyRisk(strategy),
    ...{ strategy: strategy.name, service: serviceName, version: given.version, now: timeOf(given.notBefore) ?? now },
    recentRollbacks: back.length,
    errorBudgetLeft: slo === null || slo === 0 || rate === null ? null : Math.max(0, Math.min(1, 1 - rate / slo)),
    health: health(serviceName, given.version),
    hasShield: service.shield !== undefined,
  });
}

/** @throws OperationError invalid_request, not_found, conflict */
export function newRollout(
  serviceName: string,
  given: StartRollout,
  actor: Actor,
  reason: string,
  context: StartContext,
  retryOf: string | null = null,
): Rollout {
  const { config, rollouts, now } = context;
  const service = findService(config, serviceName);
  const version = findVersion(service, given.version);
  const strategy = strategyFor(given, context);
  refuseStable(service, version.name);
  refuseWithoutShares(service);
  refuseOthers(service, version.name, rollouts);
  const stable = service.lanes.stable;
  const startedBy = { name: actor.name, role: actor.role };
  const id = `${serviceName}-${nextNumber(serviceName, rollouts)}`;
  const endpoints = version.endpoints.map(({ url }) => url);
  const subject = { id, service: serviceName, version: version.name, stable, strategy, startedBy, createdAt: now };
  return {
    ...subject,
    ...{ phase: 'Queued', startedAt: null, endedAt: null, reason },
    notBefore: timeOf(given.notBefore),
    digest: rolloutDigest({ ...subject, endpoints }),
    risk: riskFor(serviceName, given, context),
    ...{ step: -1, stepStartedAt: now, soaked: 0, held: 0, weight: 0, pause: null, waiting: null },
    isSigned: config.rollouts.approvers.length > 0,
    ...{ approvals: [], tasks: {}, pack: null, before: null, rollback: null, decision: null, steps: [] },
    timeline: [{ at: now, kind: 'verb', message: `started by ${actor.name}${reason === '' ? '' : `: ${reason}`}` }],
    ...{ counted: [], failures: [], forgiven: 0, retryOf },
  };
}

export const recordOf = (rollout: Rollout): { readonly key: string; readonly value: Rollout } => ({
  key: rolloutKey(rollout.id),
  value: rollout,
});

/**
 * What waits is begun against the version that is stable then. It is another plan than the one that was approved, so approvals lapse with the digest.
 *
 * @returns null where nothing has changed, or where it cannot be begun at all.
 */
export function rebased(rollout: Rollout, config: SluiceConfig, now: number): Rollout | null {
  if (rollout.phase !== 'Queued') return null;
  const service = config.services.find(({ name }) => name === rollout.service);
  const stable = service?.lanes.stable;
  if (service === undefined || stable === undefined || stable === rollout.stable) return null;
  const version = service.versions.find(({ name }) => name === rollout.version);
  if (version === undefined || stable === rollout.version) return null;
  const { id, strategy, startedBy, createdAt } = rollout;
  const endpoints = version.endpoints.map(({ url }) => url);
  const subject = { id, service: service.name, version: version.name, stable, strategy, startedBy, createdAt };
  const message = `${stable} has become stable meanwhile; ${rollout.version} will be compared with it`;
  const next = { ...rollout, stable, digest: rolloutDigest({ ...subject, endpoints }) };
  return noted(next, { at: now, kind: 'rebased', message });
}

function nextNumber(service: string, rollouts: readonly Rollout[]): number {
  const numbers = rollouts
    .filter((each) => each.service === service)
    .map(({ id }) => Number(id.slice(service.length + 1)));
  return Math.max(0, ...numbers.filter(Number.isInteger)) + 1;
}

function refuseStable({ name, lanes }: ServiceConfig, version: string): void {
  if (lanes.stable !== version) return;
  const message = `${version} is the stable version of ${name}; roll out another one`;
  throw new OperationError('conflict', message);
}

/** What another rollout has brought there is gone, or stable, when this one begins behind it. */
/** Steps are shares of the traffic. */
function refuseWithoutShares({ name, split: { strategy } }: ServiceConfig): void {
  if (strategy !== 'round_robin' && strategy !== 'latency') return;
  const message = `the split strategy of ${name} is ${strategy}, which does not go by weights; a rollout needs weighted, hash or header`;
  throw new OperationError('conflict', message);
}

function refuseOthers({ name, lanes, weights }: ServiceConfig, version: string, rollouts: readonly Rollout[]): void {
  const open = rollouts.filter(({ service, phase }) => service === name && !isOver(phase));
  const others = Object.entries(weights).filter(
    ([each, weight]) =>
      weight > 0 && each !== version && each !== lanes.stable && !open.some((other) => other.version === each),
  );
  if (others.length === 0) return;
  const listed = others.map(([each, weight]) => `${each} has ${weight} %`).join(', ');
  const message = `${listed} of ${name}; a rollout divides the traffic between ${lanes.stable} and ${version} alone, so set it to 0 first`;
  throw new OperationError('conflict', message);
}

function timeOf(text: string | undefined): number | null {
  if (text === undefined) return null;
  const time = Date.parse(text);
  if (!Number.isNaN(time)) return time;
  const message = `notBefore must be a time such as 2030-01-31T08:00:00Z, not ${JSON.stringify(text)}`;
  throw new OperationError('invalid_request', message, [{ field: '/notBefore', message }]);
}
