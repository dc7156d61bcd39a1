/**
 * Runs in which nothing must be taken back: a good canary, an equal one with the usual errors, and an outage of both versions.
 *
 * A version that has become stable stays so; the next run rolls out the other one.
 */
import { setTimeout as pause } from 'node:timers/promises';
import type { RolloutView } from '../../src/control/rollout/view.ts';
import { phaseOf, rolesOf } from './fault-run.ts';
import { type Aim, WELL } from './messages.ts';
import type { RollbackStage } from './stage.ts';

const PATIENCE = 20_000;
const RESUME_EVERY = 2_000;
const MOST_RESUMES = 8;
/** Requests behind a promotion. */
const AFTERWARDS = 2_000;
/** Of either version. */
const USUAL_ERRORS = 0.02;

export interface OtherResult {
  readonly ok: boolean;
  readonly requests: number;
  readonly userErrors: number;
  /** What was seen, in a few words. */
  readonly said: string;
}

const isOver = ({ phase }: RolloutView): boolean => ['RolledBack', 'Failed', 'Succeeded'].includes(phase);

const stepsOf = (weights: readonly number[], ms: number): object[] =>
  weights.map((weight) => ({ name: `at-${weight}`, weight, for: `${ms}ms` }));

/** 5, 25, 50, 100 %; behind it the version must be alone, and nothing may have failed. */
export async function runGood(stage: RollbackStage, stepMs: number, strategy: object = {}): Promise<OtherResult> {
  const service = 'shop';
  const { stable, canary } = await rolesOf(stage, service);
  await stage.aim({ service, method: 'GET', users: null });
  await Promise.all([stable.behave(WELL), canary.behave(WELL)]);
  const before = await stage.settled();
  const id = await stage.start(service, canary.name, { ...strategy, steps: stepsOf([5, 25, 50, 100], stepMs) });
  const view = await phaseOf(stage, id, 4 * stepMs + PATIENCE, isOver);
  await stage.settled();
  // From here on nothing may reach the old version.
  await stable.behave(WELL);
  await stage.requests(AFTERWARDS);
  const after = await stage.settled();
  const { requests: stray } = await stable.counts();
  const traffic = await stage.traffic(service);
  const userErrors = after.errors - before.errors;
  const isAlone = traffic.stable === canary.name && traffic.weights[canary.name] === 100 && stray === 0;
  return {
    ok: view?.phase === 'Succeeded' && isAlone && userErrors === 0,
    ...{ requests: after.made - before.made, userErrors },
    said: view?.phase === 'Succeeded' ? (isAlone ? 'promoted' : 'promoted, but not alone') : outcomeOf(view),
  };
}

/** Both fail now and then, and some users always. */
export async function runEqual(
  stage: RollbackStage,
  nth: number,
  stepMs: number,
  strategy: object = {},
): Promise<OtherResult> {
  const service = 'sticky';
  const { stable, canary } = await rolesOf(stage, service);
  // New users each time: those of the run before are pinned.
  const users: Aim['users'] = { prefix: `${process.pid}-${nth}`, count: 500, bad: 10 };
  await stage.aim({ service, method: 'GET', users });
  const usual = { ...WELL, fault: 'error', share: USUAL_ERRORS } as const;
  await Promise.all([stable.behave(usual), canary.behave(usual)]);
  const before = await stage.settled();
  const id = await stage.start(service, canary.name, { ...strategy, steps: stepsOf([10, 30, 50], stepMs) });
  const view = await phaseOf(stage, id, 3 * stepMs + PATIENCE, isOver);
  const after = await stage.settled();
  return {
    ok: view?.phase === 'Succeeded',
    requests: after.made - before.made,
    userErrors: after.errors - before.errors,
    said: view?.phase === 'Succeeded' ? 'promoted' : outcomeOf(view),
  };
}

export interface OutagePlan {
  readonly title: string;
  /** Of the strategy; what asks whether the canary may go on. */
  readonly strategy: object;
}

export const OUTAGES: readonly OutagePlan[] = [
  { title: 'both fail 50 %, `slo: 5%`', strategy: { evidence: { slo: '5%', latency: 'off' } } },
  { title: 'both fail 50 %, `maxFailures: 20`', strategy: { evidence: { maxFailures: 20, latency: 'off' } } },
  {
    title: 'both fail 50 %, `rollbackWhen: error_rate > 10%`',
    strategy: { evidence: { latency: 'off' }, rollbackWhen: [{ when: 'error_rate > 10%', window: '10s' }] },
  },
];

/** Both versions fail for a while: the rollout is held, and goes on when it is over and somebody says so. */
export async function runOutage(stage: RollbackStage, { strategy }: OutagePlan): Promise<OtherResult> {
  const service = 'shop';
  const { stable, canary } = await rolesOf(stage, service);
  await stage.aim({ service, method: 'GET', users: null });
  await Promise.all([stable.behave(WELL), canary.behave(WELL)]);
  const before = await stage.settled();
  const id = await stage.start(service, canary.name, { ...strategy, steps: stepsOf([10], 6_000) });
  await phaseOf(stage, id, PATIENCE, ({ weight }) => weight === 10);
  await pause(500);
  const bad = { ...WELL, fault: 'error', share: 0.5 } as const;
  await Promise.all([stable.behave(bad), canary.behave(bad)]);
  const began = performance.now();
  const held = await phaseOf(stage, id, PATIENCE, (view) => view.pause?.by === 'incident' || isOver(view));
  const took = performance.now() - began;
  await Promise.all([stable.behave(WELL), canary.behave(WELL)]);
  const isHeld = held?.pause?.by === 'incident';
  const settled = await stage.settled();
  const { view, resumes } = isHeld ? await letGoOn(stage, id) : { view: held, resumes: 0 };
  const after = await stage.settled();
  const later = after.errors - settled.errors;
  if (view === null || !isOver(view)) await stage.say(id, 'abort').then(() => phaseOf(stage, id, PATIENCE, isOver));
  return {
    ok: isHeld && view?.phase === 'Succeeded' && later === 0,
    requests: after.made - before.made,
    userErrors: after.errors - before.errors,
    said: isHeld
      ? `held after ${Math.round(took)} ms, ${resumed(resumes)}, then ${view?.phase === 'Succeeded' ? 'promoted' : outcomeOf(view)}`
      : `not held: ${outcomeOf(held)}`,
  };
}

/** As an operator would: a rule looks at its whole window, so it may hold the rollout again until the outage is out of it. */
async function letGoOn(stage: RollbackStage, id: string): Promise<{ view: RolloutView | null; resumes: number }> {
  for (let resumes = 1; ; resumes++) {
    // Refused where it has been taken back meanwhile; the next look shows that.
    await stage.say(id, 'resume').catch(() => {});
    const view = await phaseOf(stage, id, PATIENCE, (each) => isOver(each) || each.pause?.by === 'incident');
    if (view?.pause?.by !== 'incident' || resumes === MOST_RESUMES) return { view, resumes };
    await pause(RESUME_EVERY);
  }
}

const resumed = (resumes: number): string => (resumes === 1 ? 'resumed' : `resumed ${resumes} times`);

function outcomeOf(view: RolloutView | null): string {
  if (view === null) return 'nothing in time';
  return `${view.phase}${view.outcome === null ? '' : `: ${view.outcome}`}`;
}
