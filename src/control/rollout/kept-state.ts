/**
 * What is written of a rollout besides what was decided: the counts until now, so that a restart goes on from them.
 */
import { OperationError } from '../problems.ts';
import type { EvidenceRows } from './evidence-rows.ts';
import { isOver, type Rollout } from './rollout.ts';
import type { RunningRollout } from './running.ts';
import { noted } from './turn.ts';

/** Ended rollouts that are kept, per service. */
const KEPT = 50;

/** With what has been counted until now. */
export function measured(rollout: Rollout, running: RunningRollout, rows: EvidenceRows): Rollout {
  if (rollout.startedAt === null) return rollout;
  const open = (index: number): boolean =>
    rollout.steps[index]!.endedAt === null && rollout.step === running.rollout.step;
  const steps = rollout.steps.map((step, index) =>
    open(index) ? { ...step, canary: running.summary('canary'), stable: running.summary('stable') } : step,
  );
  return { ...rollout, steps, counted: rows.read(running.row), failures: running.failures };
}

/** It goes on after an incident. */
export function forgiven(rollout: Rollout, running: RunningRollout, rows: EvidenceRows): Rollout {
  return { ...rollout, forgiven: running.evidence().canary.failed, pardoned: rows.read(running.row) };
}

/** Whether it was done in spite of the error: a worker is late, or it could not be written down and did not wait for that. */
export function isDone(error: unknown, { phase }: Rollout): boolean {
  if (!(error instanceof OperationError)) return false;
  if (error.code === 'not_acknowledged') return true;
  return phase === 'RollingBack' && (error.code === 'store_full' || error.code === 'store_unavailable');
}

/** Every worker has said that it gives the version no user any more. */
export function acknowledged(rollout: Rollout, now: number): Rollout {
  const { phase, weight, decision } = rollout;
  if (phase !== 'RollingBack' || weight > 0 || decision === null || decision.acknowledgedAt !== null) return rollout;
  return { ...rollout, decision: { ...decision, acknowledgedAt: now } };
}

/** The oldest of those of a service that are over, where more of them are kept than need be. */
export function forgotten(all: readonly Rollout[], service: string): readonly Rollout[] {
  const ended = all.filter((each) => each.service === service && isOver(each.phase));
  return ended.slice(0, Math.max(0, ended.length - KEPT));
}

/** For the first look behind a restart. */
export const restarted = (rollout: Rollout, now: number): Rollout =>
  noted(rollout, { at: now, kind: 'restart', message: 'Sluice was started again; the time between does not count' });
