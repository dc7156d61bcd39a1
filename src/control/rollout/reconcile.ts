/**
 * What a rollout does next: a pure function of what it is, what is seen, and the time.
 *
 *     Queued ─begin─▶ Preflight ─checked─▶ Progressing ──pause, held──▶ Paused
 *        │                │                   │    ▲                      │
 *        │                │                   │    └────────go on─────────┤
 *        │                │                   └─promote─▶ Promoting       │
 *        │                │                                 │    └──settled──▶ Succeeded
 *        │                └─failed─▶ Failed     takeBack ◀──┴─────────────┘
 *        └─failed─▶ Failed                         └─▶ RollingBack ─finish─▶ RolledBack
 *
 *   Queued       nothing of the service is touched; it waits for its turn, its time or approvals
 *   Preflight    the version is the candidate: header only; start hooks and checks run as tasks
 *   Progressing  the version has `weight`; one step is open in `steps`; `soaked` grows
 *   Paused       as Progressing, but only `pause` is waited for; dangers still count
 *   Promoting    every step is closed; lanes and weights are being changed, or the guard holds them
 *   RollingBack  take-back.ts
 *   Succeeded, RolledBack, Failed   nothing changes any more
 *
 * Lanes and weights are not actions: they follow from the state (traffic.ts). Tasks are begun by id; one that a restart has cut off is
 * begun again, so checks and hooks may run twice. The controller keeps the next state before it does anything (controller.ts), and looks again
 * as long as something changes, so no transition here needs to look further than one step.
 */
import type { StepConfig } from '../../model/rollout-config.ts';
import { dangerOf } from './danger.ts';
import { judgeStep } from './judge-step.ts';
import type { Action, Observation, TaskSpec } from './observation.ts';
import type { Rollout, TaskResult } from './rollout.ts';
import { stepSummary } from './step-summary.ts';
import { failed, held, hookId, hookTasks, openHooks, rollingBack, takeBack } from './take-back.ts';
import { also, chained, closed, noted, stay, type Turn, told } from './turn.ts';

export function reconcile(rollout: Rollout, seen: Observation, now: number): Turn {
  switch (rollout.phase) {
    case 'Queued':
      return queued(rollout, seen, now);
    case 'Preflight':
      return preflight(rollout, seen, now);
    case 'Progressing':
      return guarded(rollout, seen, now, progressing);
    case 'Paused':
      return guarded(rollout, seen, now, paused);
    case 'Promoting':
      return isPromoted(rollout, seen) ? succeeded(rollout, now) : guarded(rollout, seen, now, promoting);
    case 'RollingBack':
      return rollingBack(rollout, seen, now);
    case 'Succeeded':
    case 'RolledBack':
    case 'Failed':
      return stay(rollout);
  }
}

function queued(rollout: Rollout, seen: Observation, now: number): Turn {
  if (seen.gone !== null) return failed(rollout, seen, now, { cause: 'configuration', reason: seen.gone });
  const waiting = seen.blocked ?? seen.unapproved ?? seen.frozen;
  if (waiting !== null) return waitingFor(rollout, now, waiting);
  const { service, version, stable, strategy } = rollout;
  const begun: Rollout = { ...rollout, phase: 'Preflight', startedAt: now, waiting: null, weight: 0 };
  const message = `${version} of ${service} begins, against ${stable}, by ${strategy.name}`;
  return also(
    told(begun, now, 'rollout.started', 'info', message, { strategy: strategy.name }),
    ...hookTasks(begun, 'start'),
  );
}

function preflight(rollout: Rollout, seen: Observation, now: number): Turn {
  if (seen.gone !== null) return failed(rollout, seen, now, { cause: 'configuration', reason: seen.gone });
  const hooks = hooksState(rollout, 'start');
  if (hooks.fault !== null) return failed(rollout, seen, now, { cause: 'hook', reason: hooks.fault });
  if (hooks.open.length > 0) return also(waitingFor(rollout, now, 'start hooks'), ...hooks.open);
  const step = rollout.strategy.steps[rollout.step];
  if (step?.kind !== 'preflight') return enter(rollout, seen, now, rollout.step + 1);
  const id = `preflight:${rollout.step}`;
  const result = resultOf(rollout, id);
  if (result === null)
    return also(
      waitingFor(rollout, now, `checks of ${step.name}`),
      taskAction(id, { kind: 'preflight', config: step }),
    );
  if (result.ok) return passOn(rollout, seen, now);
  return failed(rollout, seen, now, { cause: 'preflight', reason: result.message });
}

/** On to the next step, unless a freeze window is open. */
function passOn(rollout: Rollout, seen: Observation, now: number): Turn {
  if (seen.frozen !== null) return waitingFor(rollout, now, seen.frozen);
  return enter(closed(rollout, seen, now, 'passed'), seen, now, rollout.step + 1);
}

/** Takes back or holds where something speaks against going on. */
function guarded(
  rollout: Rollout,
  seen: Observation,
  now: number,
  goOn: (rollout: Rollout, seen: Observation, now: number) => Turn,
): Turn {
  const danger = dangerOf(rollout, seen);
  if (danger !== null) {
    const { cause, reason, mode } = danger;
    if (cause !== 'incident') return takeBack(rollout, seen, now, { cause, reason, mode });
    if (rollout.pause?.by === 'incident') return stay(rollout);
    return held(rollout, seen, now, reason);
  }
  const hooks = hooksState(rollout, 'step');
  if (hooks.fault !== null)
    return takeBack(rollout, seen, now, { cause: 'hook', reason: hooks.fault, mode: 'immediate' });
  const warned = warnings(rollout, seen, now);
  return also(goOn(warned.next, seen, now), ...warned.actions, ...hooks.open);
}

function progressing(before: Rollout, seen: Observation, now: number): Turn {
  const step = before.strategy.steps[before.step];
  if (step === undefined) return promote(before, seen, now);
  const rollout = { ...before, soaked: before.soaked + seen.elapsed };
  switch (step.kind) {
    case 'weight':
    case 'analysis':
      return judged(rollout, seen, now, () => passOn(rollout, seen, now));
    case 'ramp':
      return judged(rollout, seen, now, () => climb(rollout, step, seen, now));
    case 'webhook':
      return gate(rollout, step, seen, now);
    case 'override':
    case 'preflight':
    case 'pause':
      return passOn(rollout, seen, now);
  }
}

function judged(rollout: Rollout, seen: Observation, now: number, end: () => Turn): Turn {
  const judgement = judgeStep(rollout, seen);
  switch (judgement.kind) {
    case 'look-on':
      return stay(rollout.waiting === null ? rollout : { ...rollout, waiting: null });
    case 'end':
      return end();
    case 'hold': {
      const holding = { ...rollout, held: rollout.held + seen.elapsed };
      const { stepDeadline } = rollout.strategy;
      if (stepDeadline === 0 || holding.held < stepDeadline) return waitingFor(holding, now, judgement.why);
      const reason = `the step has been held for ${Math.round(holding.held / 1000)} s: ${judgement.why}`;
      return takeBack(holding, seen, now, { cause: 'deadline', reason, mode: 'immediate' });
    }
  }
}

function climb(rollout: Rollout, step: Extract<StepConfig, { kind: 'ramp' }>, seen: Observation, now: number): Turn {
  if (rollout.weight >= step.to) return passOn(rollout, seen, now);
  const weight = weightOf(step, rollout.weight);
  const next: Rollout = { ...rollout, weight, soaked: 0, held: 0, waiting: null };
  return also(
    told(next, now, 'rollout.step', 'info', `${rollout.version} has ${weight} %`, { step: step.name, weight }),
    { do: 'measure-anew', step: false },
  );
}

function gate(rollout: Rollout, step: Extract<StepConfig, { kind: 'webhook' }>, seen: Observation, now: number): Turn {
  const id = `gate:${rollout.step}`;
  const ask = taskAction(id, { kind: 'gate', step });
  const result = resultOf(rollout, id);
  if (result === null) return also(waitingFor(rollout, now, `the gate ${step.name}`), ask);
  if (result.ok) return passOn(rollout, seen, now);
  const late = rollout.soaked >= step.deadline;
  if (result.again !== true || late) {
    const reason = `${step.name}: ${result.message}${late ? ', and its deadline is over' : ''}`;
    return takeBack(rollout, seen, now, { cause: 'gate', reason, mode: 'immediate' });
  }
  const waiting = waitingFor(rollout, now, `the gate ${step.name}: ${result.message}`);
  // A clock that was set back makes nobody wait for longer than once.
  return Math.abs(now - result.at) < step.every ? waiting : also(waiting, ask);
}

function paused(before: Rollout, seen: Observation, now: number): Turn {
  const { pause } = before;
  if (pause === null) return stay({ ...before, phase: 'Progressing' });
  const rollout = pause.for === null ? before : { ...before, soaked: before.soaked + seen.elapsed };
  if (pause.by !== 'step') return stay(rollout);
  if (pause.until === 'approval') {
    if (seen.unapproved !== null) return waitingFor(rollout, now, seen.unapproved);
  } else if (pause.for === null || rollout.soaked < pause.for) return stay(rollout);
  if (seen.frozen !== null) return waitingFor(rollout, now, seen.frozen);
  return goOn(rollout, seen, now, 'its pause is over');
}

/** Ends a pause step. */
export function goOn(rollout: Rollout, seen: Observation, now: number, why: string): Turn {
  const ended = closed({ ...rollout, phase: 'Progressing', pause: null, waiting: null }, seen, now, 'passed');
  const turn = told(ended, now, 'rollout.resumed', 'info', `goes on: ${why}`);
  return chained(turn, enter(turn.next, seen, now, rollout.step + 1));
}

/** A pause step that was held by an incident begins again; it is still the same step. */
export function pauseAgain(rollout: Rollout, now: number, why: string): Turn {
  const step = rollout.strategy.steps[rollout.step];
  const again = step === undefined ? { pause: null } : phaseOf(step, now);
  const next: Rollout = { ...rollout, ...again, stepStartedAt: now, soaked: 0, held: 0, waiting: null };
  return told(next, now, 'rollout.paused', 'info', why);
}

/** Begins the step of this number, or promotes behind the last one. The step before is closed. */
export function enter(rollout: Rollout, seen: Observation, now: number, index: number): Turn {
  const step = rollout.strategy.steps[index];
  if (step === undefined) return promote({ ...rollout, step: index }, seen, now);
  const weight = weightOf(step, rollout.weight);
  const begun: Rollout = {
    ...rollout,
    ...{ step: index, stepStartedAt: now, soaked: 0, held: 0, weight, waiting: null },
    ...(step.kind === 'preflight' ? { phase: 'Preflight' as const } : phaseOf(step, now)),
    steps: [
      ...rollout.steps,
      {
        ...{ index, name: step.name, kind: step.kind, weight, startedAt: now, endedAt: null, result: null },
        ...{ canary: null, stable: null, conditions: [], evidence: null },
      },
    ],
  };
  const count = rollout.strategy.steps.length;
  const message = `step ${index + 1} of ${count}, ${step.name}: ${stepSummary(step)}`;
  const turn = told(begun, now, 'rollout.step', 'info', message, { step: step.name, index, weight });
  const paused =
    step.kind === 'pause' ? chained(turn, told(turn.next, now, 'rollout.paused', 'info', stepSummary(step))) : turn;
  return also(paused, { do: 'measure-anew', step: true }, ...hookTasks(begun, 'step'));
}

function phaseOf(step: StepConfig, now: number): Pick<Rollout, 'phase' | 'pause'> {
  if (step.kind !== 'pause') return { phase: 'Progressing', pause: null };
  const { until } = step;
  const timed = typeof until === 'object';
  return {
    phase: 'Paused',
    pause: {
      by: 'step',
      reason: step.name,
      since: now,
      for: timed ? until.ms : null,
      until: timed ? 'time' : until,
    },
  };
}

function weightOf(step: StepConfig, present: number): number {
  if (step.kind === 'weight') return step.weight;
  return step.kind === 'ramp' ? Math.min(step.to, Math.round((present + step.by) * 100) / 100) : present;
}

export function promote(rollout: Rollout, seen: Observation, now: number): Turn {
  const next: Rollout = { ...rollout, phase: 'Promoting', pause: null, waiting: null, stepStartedAt: now, soaked: 0 };
  const why = promotionFault(rollout, seen);
  const message = `every step is done; ${rollout.version} becomes stable`;
  const turn = told(next, now, 'rollout.promoting', 'info', message);
  // The guard is asked again in Promoting; traffic changes only there.
  return why === null ? turn : { next: { ...turn.next, waiting: why }, actions: turn.actions };
}

/**
 * Fails closed: what is not known to be well does not become stable. A danger is asked for here as well, because people may promote between two
 * looks, when nobody has acted on it yet.
 *
 * @returns what holds it, null where nothing does.
 */
export function promotionFault(rollout: Rollout, seen: Observation): string | null {
  const { version } = rollout;
  const { health, frozen } = seen;
  const danger = dangerOf(rollout, seen);
  if (danger !== null) return danger.reason;
  if (!health.known) return `it is not known whether ${version} is healthy`;
  if (health.unavailable > 0) return `no endpoint of ${version} is available`;
  return frozen;
}

function promoting(rollout: Rollout, seen: Observation, now: number): Turn {
  const fault = promotionFault(rollout, seen);
  if (fault !== null) return waitingFor(rollout, now, fault);
  return stay(rollout.waiting === null ? rollout : { ...rollout, waiting: null });
}

const isPromoted = ({ version }: Rollout, { service }: Observation): boolean =>
  service !== null && service.lanes.stable === version && service.weights[version] === 100;

function succeeded(rollout: Rollout, now: number): Turn {
  const next: Rollout = { ...rollout, phase: 'Succeeded', weight: 100, endedAt: now, waiting: null };
  const message = `${rollout.version} is stable; ${rollout.stable} is what one can go back to`;
  return also(told(next, now, 'rollout.succeeded', 'info', message), ...hookTasks(next, 'success'));
}

/** Numbers in the sentence change with every look; only another thing that is waited for is worth a note. */
function waitingFor(rollout: Rollout, now: number, waiting: string): Turn {
  if (rollout.waiting === waiting) return stay(rollout);
  const same = rollout.waiting !== null && kindOf(rollout.waiting) === kindOf(waiting);
  const next = { ...rollout, waiting };
  return stay(same ? next : noted(next, { at: now, kind: 'waiting', message: waiting }));
}

const kindOf = (sentence: string): string => sentence.replace(/[\d.,]+/g, '#');

const resultOf = ({ tasks }: Rollout, id: string): TaskResult | null => tasks[id]?.result ?? null;

const taskAction = (id: string, spec: TaskSpec): Action => ({ do: 'task', id, spec });

/** Hooks that have failed and may not be ignored, and those that are not through. A slow one may belong to a step that is over. */
function hooksState(rollout: Rollout, point: 'start' | 'step'): { fault: string | null; open: readonly Action[] } {
  const isBehindLast = point === 'step' && rollout.strategy.steps[rollout.step] === undefined;
  const steps = point === 'start' ? [rollout.step] : rollout.steps.map(({ index }) => index);
  const faults = rollout.strategy.hooks[point].flatMap((hook, index) =>
    steps.flatMap((step) => {
      const result = resultOf(rollout, hookId({ step }, point, index));
      if (result === null || result.ok || hook.onFailure === 'ignore') return [];
      return [`the hook ${hook.name} failed: ${result.message}`];
    }),
  );
  return { fault: faults[0] ?? null, open: isBehindLast ? [] : openHooks(rollout, point) };
}

/** Rules of level warning that have begun to apply, told once per step each. */
function warnings(rollout: Rollout, { rules }: Observation, now: number): Turn {
  let turn = stay(rollout);
  rollout.strategy.rollbackWhen.forEach(({ level, condition }, index) => {
    const id = `${rollout.step}:${index}`;
    if (level !== 'warning' || rules[index]?.status !== 'pass' || rollout.warned?.includes(id) === true) return;
    const message = `${condition.text}: ${rules[index].message}`;
    const next: Rollout = { ...turn.next, warned: [...(turn.next.warned ?? []), id] };
    turn = chained(turn, told(next, now, 'rollout.warning', 'warning', message, { condition: condition.text }));
  });
  return turn;
}
