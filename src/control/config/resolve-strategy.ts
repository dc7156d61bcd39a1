/**
 * One strategy, as written, to what a rollout does.
 *
 * Every part is checked by itself, so that a fault in one hides no other. What is missing gets the defaults of rollout-settings.ts; only steps have
 * none, because how carefully a version is brought out is the one thing that cannot be guessed.
 */
import type { ApprovalsConfig, StrategyConfig } from '../../model/rollout-config.ts';
import type { ConfigPath } from './faults.ts';
import type { RawStrategy } from './raw-rollouts.ts';
import { resolveEvidence } from './resolve-evidence.ts';
import { resolveFreeze } from './resolve-freeze.ts';
import { resolveHealthScore } from './resolve-health-score.ts';
import { resolveHooks } from './resolve-hooks.ts';
import { resolveRules } from './resolve-rules.ts';
import { resolveSetting, resolveSettings } from './resolve-settings.ts';
import { resolveSteps } from './resolve-steps.ts';
import { APPROVALS, GRADUAL, RISK, ROLLOUT_DEFAULTS, STRATEGY } from './rollout-settings.ts';
import type { StrategyScope } from './strategy-scope.ts';

/** @param raw a mapping whose parts have their shape where `scope.review` says so. */
export function resolveOne(name: string, raw: RawStrategy, path: ConfigPath, scope: StrategyScope): StrategyConfig {
  const { review } = scope;
  if (raw.steps === undefined) {
    review.report(path, 'steps is missing; add it, or extend another strategy such as extends: standard');
  }
  return {
    name,
    steps: Array.isArray(raw.steps) ? resolveSteps(raw.steps, [...path, 'steps'], scope) : [],
    evidence: resolveEvidence(raw.evidence, [...path, 'evidence'], review),
    rollbackWhen: resolveRules(listed(raw.rollbackWhen), [...path, 'rollbackWhen'], scope),
    gradual: resolveSettings(GRADUAL, raw.gradual, [...path, 'gradual'], review),
    ...resolveSettings(STRATEGY, raw, path, review),
    hooks: resolveHooks(raw.hooks, [...path, 'hooks'], scope),
    approvals: resolveApprovals(raw.approvals, [...path, 'approvals'], scope),
    approveAboveRisk:
      raw.approveAboveRisk === undefined
        ? null
        : resolveSetting(RISK.approveAboveRisk, raw.approveAboveRisk, [...path, 'approveAboveRisk'], review),
    whenBusy: raw.whenBusy ?? ROLLOUT_DEFAULTS.whenBusy,
    freeze: resolveFreeze(listed(raw.freeze), [...path, 'freeze'], review),
    healthScore: resolveHealthScore(raw.healthScore, [...path, 'healthScore'], review),
  };
}

const listed = <Entry>(raw: readonly Entry[] | undefined): readonly Entry[] => (Array.isArray(raw) ? raw : []);

/** Whoever demands more than there are approvers would have rollouts that nobody can let go on. */
function resolveApprovals(
  raw: RawStrategy['approvals'],
  path: ConfigPath,
  { review, approvers }: StrategyScope,
): ApprovalsConfig | null {
  if (raw === undefined || !review.sound(path)) return null;
  const numbers = resolveSettings(APPROVALS, raw, path, review);
  const roles = raw.roles ?? [];
  for (const [index, role] of roles.entries()) {
    const at = [...path, 'roles', index];
    if (roles.indexOf(role) < index) review.report(at, `${role} is there twice; remove one of the two`);
    else if (approvers !== null && approvers.length > 0 && !approvers.some((approver) => approver.role === role)) {
      review.report(at, `none of the approvers is of the role ${role}; add one to approvers, or remove the role`);
    }
  }
  if (roles.length > 0 && approvers?.length === 0) {
    review.report([...path, 'roles'], 'roles are known by signatures, and there are no approvers; add approvers');
  }
  if (roles.length > numbers.required) {
    const message = `${numbers.required} cannot be of ${roles.length} roles; write required: ${roles.length}`;
    review.report([...path, raw.required === undefined ? 'roles' : 'required'], message);
  } else if (approvers !== null && approvers.length > 0 && numbers.required > approvers.length) {
    const there = approvers.length === 1 ? 'is one approver' : `are ${approvers.length} approvers`;
    const message = `${numbers.required} must agree, and there ${there}; add to approvers, or lower it`;
    review.report([...path, 'required'], message);
  }
  return { ...numbers, roles };
}
