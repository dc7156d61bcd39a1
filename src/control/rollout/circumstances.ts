/**
 * What a rollout cannot see of itself: who is before it, the time, approvals, and whether what it is about is still there. Pure.
 */
import type { SluiceConfig } from '../../model/config.ts';
import { approvalState, START } from './approvals.ts';
import { isOver, type Rollout } from './rollout.ts';
import type { Circumstances } from './running.ts';
import { frozenUntil } from './schedule.ts';
import { iso } from './shown.ts';

/** @param open rollouts that are not over, those that were taken up first at the beginning. */
export function circumstancesOf(rollout: Rollout, open: Iterable<Rollout>, now: number): Circumstances {
  const frozen = frozenUntil(rollout.strategy.freeze, now);
  return {
    blocked: blocked(rollout, open, now),
    frozen: frozen === null ? null : `the freeze window ${frozen.name} is open until ${iso(frozen.until)}`,
    unapproved: unapproved(rollout, now),
  };
}

function blocked({ id, service, phase, notBefore }: Rollout, open: Iterable<Rollout>, now: number): string | null {
  if (phase !== 'Queued') return null;
  let isBefore = true;
  for (const other of open) {
    if (other.id === id) isBefore = false;
    else if (other.service === service && !isOver(other.phase) && (isBefore || other.phase !== 'Queued')) {
      // One that is undone has come back behind those that wait.
      return `${other.id}, which is ${other.phase}`;
    }
  }
  return notBefore !== null && now < notBefore ? `its time, ${iso(notBefore)}` : null;
}

function unapproved(rollout: Rollout, now: number): string | null {
  const { phase, strategy, risk, approvals, startedBy, step, pause, digest } = rollout;
  const { approveAboveRisk } = strategy;
  const start = phase === 'Queued' && approveAboveRisk !== null && risk.score >= approveAboveRisk;
  if (!start && pause?.until !== 'approval') return null;
  const question = { config: strategy.approvals, approvals, startedBy, now, digest };
  return approvalState({ ...question, step: start ? START : step }).missing;
}

/** Why the rollout cannot be meant any more, a sentence; null where it can. */
export function goneOf({ service, version, stable, phase, id }: Rollout, config: SluiceConfig): string | null {
  const found = config.services.find(({ name }) => name === service);
  if (found === undefined) return `the service ${service} is gone from the configuration`;
  if (phase === 'Queued' && found.lanes.stable === version)
    return `${version} is the stable version of ${service} already`;
  const missing = [version, stable].find((name) => !found.versions.some((each) => each.name === name));
  if (missing !== undefined) return `${missing} is gone from ${service}`;
  const expected = phase === 'Promoting' ? [stable, version] : [stable];
  if (phase === 'RollingBack' || isOver(phase) || expected.includes(found.lanes.stable)) return null;
  return `${found.lanes.stable} is stable now, and ${id} was begun against ${stable}`;
}
