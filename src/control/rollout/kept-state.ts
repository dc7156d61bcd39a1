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

/**
 * What is wrong with a turn that was done in spite of the error.
 *
 * @returns late: a worker has not taken it up; unkept: it could not be written down and did not wait for that. @throws the error, where nothing was done.
 */
export function doneAnyway(error: unknown, { phase }: Rollout): { late: boolean; unkept: OperationError | null } {
  if (!(error instanceof OperationError)) throw error;
  if (error.code === 'not_acknowledged') return { late: true, unkept: null };
  const isUnkept = error.code === 'store_full' || error.code === 'store_unavailable';
  if (phase !== 'RollingBack' || !isUnkept) throw error;
  return { late: false, unkept: error };
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
