/**
 * The lanes and weights that a service has to have because of a rollout: a pure function of the rollout and of what was there before.
 *
 * The controller makes what runs equal to it, again and again. So there is no step that could be lost between a decision and its doing: a
 * restart in the middle finds the state, derives the same traffic, and does what is missing.
 *
 *     Queued                 as it is
 *     Preflight              the version is the candidate, stable has everything
 *     Progressing, Paused    at weight 0 still the candidate; else the canary with its weight, stable with the rest
 *     Promoting, held        as Progressing
 *     Promoting, Succeeded              the version is stable with everything; the old stable has no lane and is what one can go back to
 *     RollingBack gradually  as Progressing, with less each time
 *     RollingBack, after it  stable has everything, lanes as before the start
 */
import type { ServiceConfig } from '../../model/config.ts';
import type { Traffic } from './observation.ts';
import type { Rollout } from './rollout.ts';

/** @returns null where the rollout has no say. */
export function trafficOf(rollout: Rollout, service: Pick<ServiceConfig, 'lanes' | 'weights'>): Traffic | null {
  const { phase, version, stable, weight, before } = rollout;
  // What is gone from the configuration can have neither lane nor weight.
  if (!Object.hasOwn(service.weights, phase === 'Promoting' || phase === 'Succeeded' ? version : stable)) return null;
  switch (phase) {
    case 'Queued':
      return null;
    case 'Preflight':
      return traffic(rollout, service, 0);
    case 'Progressing':
    case 'Paused':
      return traffic(rollout, service, weight);
    case 'Promoting':
    case 'Succeeded': {
      // The guard holds it: the canary stays one.
      if (phase === 'Promoting' && rollout.waiting !== null) return traffic(rollout, service, weight);
      const { canary, candidate } = service.lanes;
      const others = {
        ...(canary !== undefined && canary !== version && { canary }),
        ...(candidate !== undefined && candidate !== version && { candidate }),
      };
      return { lanes: { stable: version, ...others }, weights: only(service, version) };
    }
    case 'RollingBack':
    case 'RolledBack':
    case 'Failed':
      if (before === null) return null;
      if (weight > 0) return traffic(rollout, service, weight);
      return { lanes: lanesBefore(before.lanes, stable, service), weights: only(service, stable) };
  }
}

export const sameTraffic = (a: Pick<ServiceConfig, 'lanes' | 'weights'>, b: Traffic): boolean =>
  same(a.lanes, b.lanes) && same(a.weights, b.weights);

function traffic(
  { version, stable }: Rollout,
  service: Pick<ServiceConfig, 'lanes' | 'weights'>,
  weight: number,
): Traffic | null {
  if (!Object.hasOwn(service.weights, version)) return null;
  const { canary, candidate } = service.lanes;
  const lanes =
    weight > 0
      ? { stable, canary: version, ...(candidate !== undefined && candidate !== version && { candidate }) }
      : { stable, ...(canary !== undefined && canary !== version && { canary }), candidate: version };
  const hundredths = Math.round(weight * 100);
  const weights = { ...none(service), [stable]: (10_000 - hundredths) / 100, [version]: hundredths / 100 };
  return { lanes, weights };
}

/** Lanes that name versions which are gone stay empty. */
function lanesBefore(
  lanes: ServiceConfig['lanes'],
  stable: string,
  { weights }: Pick<ServiceConfig, 'weights'>,
): ServiceConfig['lanes'] {
  const kept = Object.entries(lanes).filter(([lane, name]) => lane !== 'stable' && Object.hasOwn(weights, name));
  return { ...Object.fromEntries(kept.filter(([, name]) => name !== stable)), stable };
}

const none = ({ weights }: Pick<ServiceConfig, 'weights'>): Record<string, number> =>
  Object.fromEntries(Object.keys(weights).map((name) => [name, 0]));

const only = (service: Pick<ServiceConfig, 'weights'>, version: string): Record<string, number> => ({
  ...none(service),
  [version]: 100,
});

function same(a: Readonly<Record<string, unknown>>, b: Readonly<Record<string, unknown>>): boolean {
  const present = (of: Readonly<Record<string, unknown>>): string[] =>
    Object.entries(of)
      .filter(([, value]) => value !== undefined)
      .map(([key, value]) => `${key}=${value}`)
      .sort();
  return present(a).join() === present(b).join();
}
