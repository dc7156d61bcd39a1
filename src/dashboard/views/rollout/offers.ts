/**
 * What may be said to a rollout in its phase: the verbs that make sense, each with why it would be refused now.
 *
 *     Queued, Preflight ─▶ approve, skip the checks, abort        Progressing ─▶ promote, pause, skip, roll back
 *     Paused ─▶ approve, resume, promote, skip, roll back         Succeeded ─▶ undo        RolledBack, Failed ─▶ retry
 *
 * A verb that the phase does not know is not offered at all, one that a person could make possible is there and says how. Sluice decides in any case; this
 * is so that nobody has to learn in an incident which button works. Nobody is offered to pass over an approval, and what is held by an incident is resumed or
 * taken back and nothing else.
 */
import type { RolloutView, ServiceView, StepView } from '../../api/views.ts';

export const VERBS = [
  'approve',
  'resume',
  'promote',
  'promote-full',
  'pause',
  'skip',
  'rollback',
  /** The rest of a gradual way back, at once. */
  'rollback-rest',
  /** Of one that has succeeded. */
  'undo',
  'abort',
  'retry',
] as const;
export type Verb = (typeof VERBS)[number];

export interface Offer {
  readonly verb: Verb;
  /** Why not now; null where it can be done. */
  readonly blocked: string | null;
}

type Offered = Pick<
  RolloutView,
  'phase' | 'pause' | 'approvals' | 'steps' | 'step' | 'conditions' | 'rollback' | 'weight' | 'version' | 'stable'
>;

const offer = (verb: Verb, blocked: string | null = null): Offer => ({ verb, blocked });

/** @param service as it is now, null where it is gone. */
export function offersOf(rollout: Offered, service: Pick<ServiceView, 'lanes' | 'versions'> | null): readonly Offer[] {
  const { phase, steps, step, rollback, weight } = rollout;
  const approve = rollout.approvals.required > 0 && rollout.approvals.missing !== null ? [offer('approve')] : [];
  switch (phase) {
    case 'Queued':
      return [...approve, offer('abort')];
    case 'Preflight':
      return [...(steps[step - 1]?.kind === 'preflight' ? [offer('skip')] : []), offer('abort')];
    case 'Progressing':
      return [
        ...[...approve, offer('promote', failing(rollout)), offer('promote-full', unfit(rollout))],
        ...[offer('pause'), offer('skip'), offer('rollback')],
      ];
    case 'Paused':
      return [...approve, ...pausedOffers(rollout), offer('rollback')];
    case 'Promoting':
      return [offer('rollback')];
    case 'RollingBack':
      return rollback?.mode === 'gradual' && weight > 0 ? [offer('rollback-rest')] : [];
    case 'Succeeded':
      return canUndo(rollout, service) ? [offer('undo')] : [];
    case 'RolledBack':
    case 'Failed':
      return [offer('retry')];
  }
}

function pausedOffers(rollout: Offered): Offer[] {
  const { pause, approvals } = rollout;
  if (pause?.by === 'incident') return [offer('resume')];
  const unapproved = pause?.until === 'approval' ? approvals.missing : null;
  if (unapproved !== null) return [];
  const full = offer('promote-full', unfit(rollout));
  if (pause?.by !== 'operator') return [offer('resume'), full];
  return [offer('resume'), offer('promote', failing(rollout)), full, offer('skip')];
}

function failing({ conditions }: Offered): string | null {
  const messages = conditions.filter(({ status }) => status === 'fail').map(({ message }) => message);
  return messages.length === 0 ? null : `${messages.join('; ')}. Skip goes on all the same.`;
}

const asksForApproval = ({ kind, summary }: StepView): boolean => kind === 'pause' && summary.includes('approval');

function unfit(rollout: Offered): string | null {
  const asking = rollout.steps.slice(rollout.step).find(asksForApproval);
  if (asking === undefined) return failing(rollout);
  return `Step ${asking.index + 1}, ${asking.name}, asks for approval, which nobody can pass over.`;
}

const canUndo = ({ version, stable }: Offered, service: Pick<ServiceView, 'lanes' | 'versions'> | null): boolean =>
  service !== null && service.lanes.stable === version && service.versions.some(({ name }) => name === stable);
