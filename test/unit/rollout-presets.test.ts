/** Each preset from its start to the end, second by second: which share it gives for how long, and what it waits for. */
import t from 'tap';
import { presetStrategies } from '../../src/control/config/resolve-strategies.ts';
import { conditionsOf } from '../../src/control/rollout/judge-step.ts';
import type { Observation } from '../../src/control/rollout/observation.ts';
import { reconcile } from '../../src/control/rollout/reconcile.ts';
import { isOver, type Rollout } from '../../src/control/rollout/rollout.ts';
import { trafficOf } from '../../src/control/rollout/traffic.ts';
import { resultOf, rolloutOf, seenOf } from './rollout-stage.ts';

const SECOND = 1_000;
const BEFORE = { lanes: { stable: 'v1' }, weights: { v1: 100, v2: 0 } };

/** What each share, and each wait for approval, took: `10 % 120 s`. Every condition holds. */
function run(name: string, more: (rollout: Rollout) => Partial<Observation> = () => ({})): string[] {
  const strategy = presetStrategies().find((each) => each.name === name)!;
  let rollout = rolloutOf(strategy, { before: BEFORE });
  let service: Observation['service'] = BEFORE;
  const took = new Map<string, number>();
  for (let now = 1; now < 86_400 && !isOver(rollout.phase); now++) {
    for (let turns = 0; turns < 10; turns++) {
      const before = rollout;
      const conditions = conditionsOf(before).map(({ text, metric }) => ({
        ...{ condition: text, metric, status: 'pass', value: 0, limit: 1, baseline: null, samples: 99, message: '' },
      })) as Observation['conditions'];
      const elapsed = turns === 0 ? SECOND : 0;
      const { next, actions } = reconcile(
        before,
        seenOf({ elapsed, service, conditions, ...more(before) }),
        now * SECOND,
      );
      const tasks = actions.flatMap((action) => (action.do === 'task' ? [action.id] : []));
      const results = Object.fromEntries(tasks.map((id) => [id, { startedAt: 0, result: resultOf(true) }]));
      rollout = { ...next, tasks: { ...next.tasks, ...results } };
      service = trafficOf(rollout, service!) ?? service;
      if (before.phase === rollout.phase && before.step === rollout.step && tasks.length === 0) break;
    }
    if (rollout.phase === 'Queued' || isOver(rollout.phase)) continue;
    const key = rollout.phase === 'Paused' ? 'approval' : `${rollout.weight} %`;
    took.set(key, (took.get(key) ?? 0) + 1);
  }
  t.equal(rollout.phase, 'Succeeded', name);
  t.strictSame(service, { lanes: { stable: 'v2' }, weights: { v1: 0, v2: 100 } });
  return [...took].map(([key, seconds]) => `${key} ${seconds} s`);
}

t.test('fast-track', async (t) => t.strictSame(run('fast-track'), ['10 % 120 s', '25 % 300 s', '50 % 600 s']));

t.test('standard', async (t) => {
  const ramp = [40, 60, 80, 100].map((weight) => `${weight} % 300 s`);
  t.strictSame(run('standard'), ['5 % 600 s', '20 % 900 s', ...ramp]);
});

t.test('conservative', async (t) => {
  const asked = new Map<number, number>();
  // Somebody approves after ten seconds, each time.
  const took = run('conservative', ({ pause, step }) => {
    if (pause?.until !== 'approval') return {};
    asked.set(step, (asked.get(step) ?? 0) + 1);
    return asked.get(step)! < 10 ? { unapproved: 'it needs 1 more approval' } : {};
  });
  t.strictSame(
    took.filter((line) => !line.startsWith('approval')),
    [1, 5, 10, 25, 50].map((weight) => `${weight} % 900 s`),
  );
  t.strictSame([...asked.keys()], [1, 3, 5, 7, 9], 'between any two, and before everybody gets it');
});

t.test('one-ten-hundred', async (t) =>
  t.strictSame(run('one-ten-hundred'), ['1 % 7200 s', '10 % 14400 s', '100 % 600 s']),
);

t.test('five-twentyfive', async (t) =>
  t.strictSame(run('five-twentyfive'), ['5 % 600 s', '25 % 600 s', '100 % 600 s']),
);

t.test('blue-green', async (t) => t.strictSame(run('blue-green'), ['100 % 300 s']));
