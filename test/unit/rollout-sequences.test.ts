/** Random sequences of looks, verbs and results: what holds in whatever order things come. Seeded, so a failure can be run again. */
import t from 'tap';
import { OperationError } from '../../src/control/problems.ts';
import type { Observation } from '../../src/control/rollout/observation.ts';
import { reconcile } from '../../src/control/rollout/reconcile.ts';
import { isOver, type Rollout } from '../../src/control/rollout/rollout.ts';
import { trafficOf } from '../../src/control/rollout/traffic.ts';
import type { Turn } from '../../src/control/rollout/turn.ts';
import { applyVerb, type TurnVerb } from '../../src/control/rollout/verbs.ts';
import type { StepConfig, StrategyConfig } from '../../src/model/rollout-config.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { CALM, crossed, health, NOW, resultOf, rolloutOf, seenOf, strategyOf } from './rollout-stage.ts';

const hook = (name: string, onFailure: string) => ({ name, webhook: { url: 'http://127.0.0.1:1/' }, onFailure });
const STRATEGIES = [
  {
    steps: [
      ...[
        { name: 'checks', preflight: { health: true } },
        { name: 'few', weight: 5, for: '3s' },
      ],
      ...[
        { name: 'shut', override: 'off' },
        { name: 'up', ramp: { to: 40, by: 15, every: '2s' } },
      ],
      ...[{ name: 'ask', webhook: { url: 'http://127.0.0.1:1/', every: '1s', deadline: '20s' } }],
      ...[
        { name: 'rest', pause: '2s' },
        { name: 'look', analysis: { for: '2s', pass: ['p95 < 100ms'] } },
        { name: 'all', weight: 100, for: '1s' },
      ],
    ],
    hooks: { start: [hook('a', 'rollback')], step: [hook('b', 'rollback')], rollback: [hook('c', 'ignore')] },
    rollbackWhen: [
      { when: 'p95 > 100ms', window: '5m', action: 'gradual' },
      { when: 'error_rate > 1%', window: '5m', level: 'warning' },
    ],
    ...{ gradual: { by: 10, every: '1s' }, stepDeadline: '30s' },
  },
  {
    steps: [
      ...[
        { name: 'few', weight: 10, for: '1s' },
        { name: 'keys', pause: 'approval' },
      ],
      ...[
        { name: 'half', weight: 50, for: '1s' },
        { name: 'wait', pause: 'manual' },
        { name: 'all', weight: 100 },
      ],
    ],
  },
].map(strategyOf);

const VERBS: readonly TurnVerb[] = ['promote', 'pause', 'resume', 'skip', 'abort', 'rollback'];
const RULE = {
  condition: '',
  metric: '',
  value: 1,
  limit: 1,
  baseline: null,
  samples: 9,
  message: 'so it is',
} as const;

/** The most that the version may have there. */
function most(step: StepConfig | undefined, before: number): number {
  if (step?.kind === 'weight') return step.weight;
  return step?.kind === 'ramp' ? step.to : before;
}

/** Now and then something goes wrong. */
function seenBy(dice: SeededRandom, bad: number, elapsed: number, service: Observation['service']): Observation {
  const rarely = <T>(value: T, usual: T): T => (dice.next() < bad ? value : usual);
  const evidence = {
    ...CALM,
    verdict: rarely(crossed('errors'), null),
    mismatch: rarely(crossed('ratio'), null),
    bothFail: dice.next() < bad,
  };
  return seenOf({
    ...{ elapsed, service, evidence },
    blocked: rarely('another', null),
    frozen: dice.next() < 0.1 ? 'it is night' : null,
    conditions: [{ ...RULE, status: dice.next() < 0.3 ? 'fail' : 'pass' }],
    rules: [
      { ...RULE, status: rarely('pass' as const, 'fail') },
      { ...RULE, status: dice.next() < 0.1 ? 'pass' : 'fail' },
    ],
    health: rarely({ ...health, unavailable: 9_000 }, dice.next() < 0.1 ? { ...health, known: false } : health),
    switched: rarely('budget', null),
    gone: dice.next() < bad / 10 ? 'v2 is gone' : null,
    inFlight: dice.next() < 0.3 ? 1 : 0,
  });
}

const openSteps = ({ steps }: Rollout): number => steps.filter(({ endedAt }) => endedAt === null).length;
const KEYS = ['Progressing', 'Paused', 'Promoting'] as const;

function faultsOf(before: Rollout, { next, actions }: Turn, seen: Observation, isVerb: boolean): string[] {
  const faults: string[] = [];
  const must = (what: string, holds: boolean): void => {
    if (!holds) faults.push(what);
  };
  const { steps } = next.strategy;
  if (isOver(before.phase) && !isVerb) {
    must('what is over stays', next === before);
    must('nothing is done after the end', actions.length === 0);
  }
  if (before.phase === 'RollingBack') {
    must('the way back is only left for its end', next.phase === 'RollingBack' || next.phase === 'RolledBack');
    must('the weight does not rise on the way back', next.weight <= before.weight);
  }
  if (next.phase === 'Progressing' || next.phase === 'Paused') {
    must('there is one open step', openSteps(next) === (next.step < steps.length ? 1 : 0));
    must('no more than the step allows', next.weight <= most(steps[next.step], before.weight));
    if (next.phase === 'Paused') must('Paused has a pause', next.pause !== null);
    else must('Progressing has none', next.pause === null);
  }
  if (isOver(next.phase) || next.phase === 'RollingBack' || next.phase === 'Promoting') {
    must('no step is open', openSteps(next) === 0);
  }
  if (next.phase === before.phase && next.step === before.step && next.weight === before.weight) {
    const grown = next.soaked - before.soaked;
    must(`soak grows by what has passed (${grown})`, grown === 0 || grown === seen.elapsed || next.soaked === 0);
  }
  if (next.phase === 'Promoting' && next.waiting === null) {
    must('the guard passes', seen.health.known && seen.health.unavailable === 0 && seen.frozen === null);
    must(
      'the guard passes on evidence',
      seen.evidence.verdict === null && seen.evidence.mismatch === null && seen.switched === null,
    );
  }
  if (next.phase === 'RollingBack' || next.phase === 'RolledBack') must('a decision is kept', next.decision !== null);
  if (next.phase === 'Failed') must('no user had met it', before.phase === 'Failed' || before.weight === 0);
  if (next.phase === 'Paused' && next.pause?.by === 'incident') must('an incident has a reason', next.waiting !== null);
  must('the timeline is bounded', next.timeline.length <= 400);
  const keys = steps.findIndex((step) => step.kind === 'pause' && step.until === 'approval');
  if (keys >= 0 && (KEYS as readonly string[]).includes(next.phase))
    must('nobody goes past two keys', next.step <= keys);
  if (keys >= 0) must('nobody is promoted without keys', next.phase !== 'Succeeded' && next.phase !== 'Promoting');
  return faults;
}

/** @returns how it ended, or the faults that were found. */
function play(
  seed: number,
  strategy: StrategyConfig,
  bad: number,
): { readonly faults: string[]; readonly phase: string } {
  const dice = new SeededRandom(seed);
  let now = NOW;
  let rollout = rolloutOf(strategy);
  let service: NonNullable<Observation['service']> = { lanes: { stable: 'v1' }, weights: { v1: 100, v2: 0 } };
  for (let look = 0; look < 300; look++) {
    const elapsed = Math.floor(dice.next() * 1_000);
    now += elapsed;
    const missing = rollout.phase === 'Queued' ? null : 'a key is missing';
    const seen = { ...seenBy(dice, bad, elapsed, service), unapproved: missing };
    const isVerb = dice.next() < 0.15;
    // Of somebody in a hurry, who is refused now and then.
    const verb = VERBS[Math.floor(dice.next() * (dice.next() < 0.1 ? 6 : 4))]!;
    const said = { by: { name: 'ann', role: 'operator' }, reason: '', full: dice.next() < 0.3 };
    const mode = dice.next() < 0.5 ? 'gradual' : 'immediate';
    let turn: Turn;
    try {
      turn = isVerb ? applyVerb(rollout, verb, seen, now, { ...said, mode }) : reconcile(rollout, seen, now);
    } catch (error) {
      if (error instanceof OperationError && error.code === 'conflict') continue;
      throw error;
    }
    const faults = faultsOf(rollout, turn, seen, isVerb);
    if (faults.length > 0) {
      const how = `seed ${seed}, look ${look}${isVerb ? `, ${verb}` : ''}: ${rollout.phase} to ${turn.next.phase}`;
      return { faults: faults.map((fault) => `${fault} (${how})`), phase: turn.next.phase };
    }
    rollout = {
      ...turn.next,
      before: turn.next.startedAt === null ? null : { lanes: { stable: 'v1' }, weights: { v1: 100 } },
    };
    service = trafficOf(rollout, service) ?? service;
    rollout = { ...rollout, tasks: { ...rollout.tasks, ...begunBy(turn, rollout, dice, now, bad) } };
  }
  return { faults: [], phase: rollout.phase };
}

/** Tasks begin, and most of them are through at the next look. */
function begunBy({ actions }: Turn, { tasks }: Rollout, dice: SeededRandom, at: number, bad: number): Rollout['tasks'] {
  const begun = actions.flatMap((action) => (action.do === 'task' ? [action.id] : []));
  const open = Object.entries(tasks).flatMap(([id, { result }]) => (result === null ? [id] : []));
  return Object.fromEntries(
    [...new Set([...begun, ...open])].map((id) => {
      const again = id.startsWith('gate') && dice.next() < 0.3;
      const result = dice.next() < 0.5 ? null : resultOf(!again && dice.next() >= bad, { at, again });
      return [id, { startedAt: at, result }];
    }),
  );
}

for (const [index, strategy] of STRATEGIES.entries()) {
  for (const bad of [0, 0.005, 0.05]) {
    t.test(`strategy ${index + 1}, trouble ${bad}`, async (t) => {
      const ends = new Map<string, number>();
      for (let seed = 1; seed <= 40; seed++) {
        const { faults, phase } = play(seed, strategy, bad);
        if (faults.length > 0) return void t.strictSame(faults, []);
        ends.set(phase, (ends.get(phase) ?? 0) + 1);
      }
      t.ok((ends.get('RolledBack') ?? 0) > 0, `ways back are among them: ${JSON.stringify([...ends])}`);
      if (index === 0 && bad < 0.05) t.ok((ends.get('Succeeded') ?? 0) > 0, 'and successes');
      if (index === 1) t.equal(ends.get('Succeeded'), undefined);
    });
  }
}
