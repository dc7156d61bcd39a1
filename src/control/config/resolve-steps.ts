/**
 * The steps of a strategy: each is exactly one thing, and together they lead from no traffic to all of it.
 *
 *     weights never fall        what goes wrong is taken back by itself, so a strategy has no way down
 *     preflight comes first     once users have the version there is nothing left to be checked before
 *     some weight is given      what has never had a user has not been tried
 *
 * The last step need not be 100 %: what has passed every step becomes stable, and gets the rest with that. Weights are counted, because evidence
 * is kept apart for each of them and has room for so many.
 */
import { SHARES } from '../../model/evidence-table.ts';
import type { Condition, StepConfig, StepKind } from '../../model/rollout-config.ts';
import { parseWebhookUrl } from './addresses.ts';
import { parseCondition } from './condition.ts';
import type { ConfigPath } from './faults.ts';
import type { RawGate, RawStep } from './raw-rollouts.ts';
import { switchOf } from './resolve-flags.ts';
import { resolvePreflight } from './resolve-preflight.ts';
import { resolveSetting, resolveSettings } from './resolve-settings.ts';
import { ANALYSIS, GATE, PAUSE, RAMP, WEIGHT_STEP } from './rollout-settings.ts';
import type { StrategyScope } from './strategy-scope.ts';

const KINDS: readonly StepKind[] = ['weight', 'ramp', 'pause', 'preflight', 'webhook', 'analysis', 'override'];
const MOST_STEPS = 100;
/** The table has some more, for changes by hand. */
const MOST_WEIGHTS = SHARES - 8;

/** How often a ramp raises the weight. In hundredths, where there is no rounding. */
const rises = (from: number, to: number, by: number): number =>
  Math.ceil(Math.round((to - from) * 100) / Math.round(by * 100));

type Placed = readonly [step: StepConfig, path: ConfigPath];

export function resolveSteps(raw: readonly RawStep[], path: ConfigPath, scope: StrategyScope): StepConfig[] {
  const { review } = scope;
  if (raw.length > MOST_STEPS) {
    review.report(path, `are ${raw.length}; ${MOST_STEPS} are the most, and a ramp does many at once`);
    return [];
  }
  const names = new Map<string, number>();
  const steps = raw.flatMap((step, index): Placed[] => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    const name = step.name ?? `step-${index + 1}`;
    const other = names.get(name);
    if (other === undefined) names.set(name, index);
    else {
      const at = step.name === undefined ? place : [...place, 'name'];
      review.report(at, `${name} is the name of step ${other + 1} already; give each step its own name`);
    }
    const resolved = resolveStep(name, step, place, scope);
    return resolved === null ? [] : [[resolved, place]];
  });
  if (steps.length === raw.length && raw.length > 0) checkOrder(steps, path, scope);
  return steps.map(([step]) => step);
}

function resolveStep(name: string, raw: RawStep, path: ConfigPath, scope: StrategyScope): StepConfig | null {
  const { review } = scope;
  const [kind, ...others] = KINDS.filter((key) => raw[key] !== undefined);
  if (kind === undefined) {
    review.report(path, `does nothing; add one of ${KINDS.join(', ')}`);
    return null;
  }
  if (others.length > 0) {
    review.report(path, `has ${[kind, ...others].join(' and ')}; each is a step of its own`);
    return null;
  }
  checkCompany(kind, raw, path, scope);
  const pass = (): Condition[] => resolvePass(raw.pass ?? [], [...path, 'pass'], scope);
  switch (kind) {
    case 'weight':
      return { name, kind, ...resolveSettings(WEIGHT_STEP, raw, path, review), pass: pass() };
    case 'ramp':
      return { name, kind, ...resolveSettings(RAMP, raw.ramp, [...path, 'ramp'], review), pass: pass() };
    case 'pause':
      return { name, kind, until: resolvePause(raw.pause!, [...path, 'pause'], scope) };
    case 'preflight':
      return { name, kind, ...resolvePreflight(raw.preflight!, [...path, 'preflight'], review) };
    case 'webhook':
      return { name, kind, ...resolveGate(raw.webhook!, [...path, 'webhook'], scope) };
    case 'analysis': {
      const place = [...path, 'analysis'];
      const { for: time } = resolveSettings(ANALYSIS, raw.analysis, place, review);
      return { name, kind, for: time, pass: resolvePass(raw.analysis!.pass, [...place, 'pass'], scope) };
    }
    case 'override':
      return { name, kind, on: switchOf(raw.override) === true };
  }
}

/** What stands beside the kind must be what the kind looks at. */
function checkCompany(kind: StepKind, raw: RawStep, path: ConfigPath, { review }: StrategyScope): void {
  if (raw.for !== undefined && kind !== 'weight') review.reportKey([...path, 'for'], MISPLACED_FOR[kind] ?? NO_TIME);
  if (raw.pass === undefined || kind === 'weight' || kind === 'ramp') return;
  const mend = kind === 'analysis' ? 'put it under analysis' : 'put it into a step with a weight, or into an analysis';
  review.reportKey([...path, 'pass'], `a step with ${kind} does not look at it; ${mend}`);
}

const NO_TIME = 'goes with weight; remove it';
const MISPLACED_FOR: Readonly<Partial<Record<StepKind, string>>> = {
  ramp: 'goes with weight; a ramp has every, inside of it',
  pause: 'goes with weight; write the time behind pause, such as pause: 10m',
  analysis: 'goes with weight; put it under analysis',
  webhook: 'goes with weight; a webhook has deadline, inside of it',
};

function resolvePass(raw: readonly string[], path: ConfigPath, { review, metrics }: StrategyScope): Condition[] {
  return raw.flatMap((text, index) => {
    const condition = parseCondition(text, metrics);
    if ('ok' in condition) return condition.ok;
    review.report([...path, index], condition.fault);
    return [];
  });
}

function resolvePause(
  raw: string,
  path: ConfigPath,
  { review }: StrategyScope,
): (StepConfig & { kind: 'pause' })['until'] {
  return raw === 'manual' || raw === 'approval' ? raw : { ms: resolveSetting(PAUSE, raw, path, review) };
}

function resolveGate(
  raw: RawGate,
  path: ConfigPath,
  { review, secret }: StrategyScope,
): Omit<StepConfig & { kind: 'webhook' }, 'name' | 'kind'> {
  const url = parseWebhookUrl(raw.url);
  if ('fault' in url) review.report([...path, 'url'], url.fault);
  return {
    url: 'ok' in url ? url.ok : '',
    ...resolveSettings(GATE, raw, path, review),
    secret: raw.secret === undefined ? null : secret(raw.secret, [...path, 'secret']),
  };
}

function checkOrder(steps: readonly Placed[], path: ConfigPath, { review }: StrategyScope): void {
  let weight = 0;
  let weights = 0;
  for (const [step, place] of steps) {
    if (step.kind === 'weight') {
      if (step.weight < weight) review.report([...place, 'weight'], falls(step.weight, weight));
      else if (step.weight > weight) weights++;
      weight = Math.max(weight, step.weight);
    } else if (step.kind === 'ramp') {
      if (step.to <= weight) {
        const message = `the weight is ${weight} already; a ramp leads to a higher one`;
        review.report([...place, 'ramp', 'to'], message);
      } else weights += rises(weight, step.to, step.by);
      weight = Math.max(weight, step.to);
    } else if (step.kind === 'preflight' && weight > 0) {
      const message = 'comes too late, users have the version already; move it before the first weight';
      review.reportKey([...place, 'preflight'], message);
    }
  }
  if (weight === 0) review.report(path, 'never give the version a weight; add a step such as {weight: 5, for: 10m}');
  if (weights > MOST_WEIGHTS) {
    review.report(
      path,
      `have ${weights} different weights; ${MOST_WEIGHTS} are the most, so write fewer or a larger by`,
    );
  }
}

const falls = (weight: number, before: number): string =>
  `${weight} is less than the ${before} before it; weights rise from step to step, the way down is the rollback`;
