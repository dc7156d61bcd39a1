/**
 * A strategy back in the form in which it is written.
 *
 * It is what a strategy of a start call is laid over where that extends one of the configuration: building on a strategy means merging what is
 * written, and of those that run only the meaning is kept. `resolveOne` of what comes out is the strategy again; a test holds the two
 * together over random strategies.
 *
 * What depends on other parts is left out where it is what they make of it, so that it still follows them when one of those is replaced: shares of
 * alpha follow the tests that are on, weights of the health score follow whether it has a metric.
 */
import { isDeepStrictEqual } from 'node:util';
import { stringify } from 'yaml';
import type {
  EvidenceConfig,
  FreezeWindow,
  HookConfig,
  HttpCheck,
  PreflightConfig,
  StepConfig,
  StrategyConfig,
} from '../../model/rollout-config.ts';
import type { RawCheck, RawEvidence, RawFreeze, RawHook, RawPreflight, RawStep, RawStrategy } from './raw-rollouts.ts';
import { NO_EVIDENCE, usualShares } from './resolve-evidence.ts';
import { DAYS } from './schema-strategy.ts';
import { formatDuration as time } from './units.ts';

export function writtenStrategy(strategy: StrategyConfig): RawStrategy {
  const { approvals, approveAboveRisk, gradual, hooks } = strategy;
  return {
    steps: strategy.steps.map(writtenStep),
    evidence: writtenEvidence(strategy.evidence),
    rollbackWhen: strategy.rollbackWhen.map(({ condition, level, action }) => ({
      when: condition.text,
      level,
      ...(level === 'critical' ? { action } : {}),
    })),
    gradual: { by: gradual.by, every: time(gradual.every) },
    minRequests: strategy.minRequests,
    unavailableFor: time(strategy.unavailableFor),
    stepDeadline: time(strategy.stepDeadline),
    hooks: {
      start: hooks.start.map(writtenHook),
      step: hooks.step.map(writtenHook),
      rollback: hooks.rollback.map(writtenHook),
      success: hooks.success.map(writtenHook),
    },
    ...(approvals === null ? {} : { approvals: { ...approvals, expires: time(approvals.expires) } }),
    ...(approveAboveRisk === null ? {} : { approveAboveRisk }),
    whenBusy: strategy.whenBusy,
    freeze: strategy.freeze.map(writtenFreeze),
    healthScore: writtenHealthScore(strategy.healthScore),
  };
}

/** The same as YAML, as it would stand in a file below its name. */
export const strategyText = (strategy: StrategyConfig): string =>
  stringify(writtenStrategy(strategy), { lineWidth: 0 });

function writtenStep(step: StepConfig): RawStep {
  const { name } = step;
  const pass = 'pass' in step && step.pass.length > 0 ? { pass: step.pass.map(({ text }) => text) } : {};
  switch (step.kind) {
    case 'weight':
      return { name, weight: step.weight, for: time(step.for), ...pass };
    case 'ramp':
      return { name, ramp: { to: step.to, by: step.by, every: time(step.every) }, ...pass };
    case 'pause':
      return { name, pause: typeof step.until === 'string' ? step.until : time(step.until.ms) };
    case 'preflight':
      return { name, preflight: writtenPreflight(step) };
    case 'webhook': {
      const { url, timeout, retries, every, deadline, secret } = step;
      const times = { timeout: time(timeout), every: time(every), deadline: time(deadline) };
      return { name, webhook: { url, retries, ...times, ...(secret === null ? {} : { secret }) } };
    }
    case 'analysis':
      return { name, analysis: { for: time(step.for), pass: step.pass.map(({ text }) => text) } };
    case 'override':
      return { name, override: step.on };
  }
}

function writtenPreflight({ health, warmUp, smoke, timeout }: PreflightConfig): RawPreflight {
  return {
    health,
    ...(warmUp === null ? {} : { warmUp }),
    ...(smoke.length === 0 ? {} : { smoke: smoke.map(writtenCheck) }),
    timeout: time(timeout),
  };
}

function writtenCheck({ body, expect, timeout, ...check }: HttpCheck): RawCheck {
  const { status, latency } = expect;
  return {
    ...check,
    ...(body === null ? {} : { body }),
    expect: { status, latency: time(latency), ...(expect.body === null ? {} : { body: expect.body }) },
    timeout: time(timeout),
  };
}

function writtenEvidence(evidence: EvidenceConfig): RawEvidence {
  if (isDeepStrictEqual(evidence, NO_EVIDENCE)) return 'off';
  const { shares, slo, latency, ...rest } = evidence;
  const areUsual = isDeepStrictEqual(shares, usualShares(slo !== null, latency !== null));
  return {
    ...rest,
    ...(areUsual ? {} : { shares }),
    ...(slo === null ? {} : { slo }),
    latency:
      latency === null
        ? 'off'
        : { percentile: `p${latency.percentile}`, floor: time(latency.floor), tolerance: latency.tolerance },
  };
}

function writtenHook({ name, run, timeout, onFailure }: HookConfig): RawHook {
  const rest = { name, timeout: time(timeout), onFailure };
  if (run.kind === 'command') return { ...rest, command: run.command, env: run.env };
  return { ...rest, webhook: { url: run.url, ...(run.secret === null ? {} : { secret: run.secret }) } };
}

function writtenFreeze({ name, days, from, to, timeZone }: FreezeWindow): RawFreeze {
  return { name, days: days.map((day) => DAYS[day]!), from: clock(from), to: clock(to), timeZone };
}

const clock = (minutes: number): string =>
  `${String(Math.floor(minutes / 60)).padStart(2, '0')}:${String(minutes % 60).padStart(2, '0')}`;

function writtenHealthScore(score: StrategyConfig['healthScore']): NonNullable<RawStrategy['healthScore']> {
  const { success, latency, metric } = score;
  const limit = { latencyLimit: time(score.latencyLimit) };
  if (metric === null) return success === 0.5714 && latency === 0.4286 ? limit : { success, latency, ...limit };
  const areUsual = success === 0.4 && latency === 0.3 && metric.weight === 0.3;
  return areUsual ? { metric: { name: metric.name }, ...limit } : { success, latency, metric, ...limit };
}
