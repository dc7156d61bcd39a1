/**
 * kill -9 at random moments of rollouts that take a second each, under traffic: every state on the disk has its traffic, every rollout ends
 * cleanly, and no version stays shut out afterwards.
 *
 * Somebody begins a rollout whenever there is none. Of three, one is of a version that fails everything, and one is taken back by hand
 * somewhere. ROUNDS and SEED may be given; `npm run soak:rollouts` has 20.
 */
import { setTimeout as pause } from 'node:timers/promises';
import t from 'tap';
import { Dice } from '../fuzz/dice.ts';
import { eventually, newSite, type Running, startControl } from './control-process.ts';
import { contradictions, whatIsLeft } from './rollout-left.ts';
import {
  again,
  phaseOf,
  rollout,
  rolloutConfig,
  rolloutList,
  say,
  shop,
  started,
  startRollout,
  switchableVersion,
  trafficOf,
  Users,
  until,
} from './rollout-site.ts';

const ROUNDS = Number(process.env.ROUNDS ?? 3);
const SEED = Number(process.env.SEED ?? 1);
/** Of one life, milliseconds; of every second one that is where the promotion is. */
const LONGEST_LIFE = 3_000;

const STEP = { for: '300ms' };
const STEPS = [
  { name: 'tenth', weight: 10, ...STEP },
  { name: 'half', weight: 50, ...STEP },
  { name: 'all', weight: 100, ...STEP },
];
const STRATEGY = {
  steps: STEPS,
  // At 100 % there is nobody to compare with, so a budget ends what a restart made it forget.
  evidence: { latency: 'off', maxFailures: 10 },
  gradual: { by: 30, every: '1s' },
};
const FILE = { lanes: { stable: 'v1' }, weights: { v1: 100 } };

t.test(`killed ${ROUNDS} times`, async (t) => {
  const site = await newSite(t);
  const versions = await Promise.all(['v1', 'v2'].map((name) => switchableVersion(t, name)));
  const dice = new Dice(SEED);
  let running = await startControl(t, site, rolloutConfig(site, versions, {}));
  const users = new Users(t, site, 6, 5);

  /** Begins rollouts one after the other, until the process is gone. */
  const drive = async (): Promise<void> => {
    for (;;) {
      const [last] = await rolloutList(running);
      const isOpen = last !== undefined && !['Succeeded', 'RolledBack', 'Failed'].includes(last.phase);
      if (isOpen) {
        await pause(20);
        continue;
      }
      for (const version of versions) version.failing = false;
      // Only now: a rollout that has just ended may have changed them.
      const { lanes } = await shop(running);
      const next = versions.find(({ name }) => name !== lanes.stable)!;
      const kind = dice.below(3);
      next.failing = kind === 0;
      const { status, body, text } = await startRollout(running, next.name, { strategy: STRATEGY });
      if (status !== 201) throw new Error(text);
      if (kind !== 1) continue;
      await pause(dice.below(800));
      const mode = dice.below(2) === 0 ? 'gradual' : 'immediate';
      await say(running, body.id, 'rollback', { mode, reason: 'by hand' }).catch((error: Error) => {
        // It may have got further; that is said in an answer, and an answer is all right.
        if (!error.message.startsWith('rollback:')) throw error;
      });
    }
  };

  /** Some time within the last step, the promotion, and what comes after it. */
  const aroundPromotion = async (): Promise<void> => {
    const latest = Date.now() + 2 * LONGEST_LIFE;
    const isLast = async (): Promise<boolean> =>
      (await rolloutList(running))[0]?.step === STEPS.length || Date.now() > latest;
    await eventually('the last step', isLast);
    await pause(dice.below(600));
  };

  for (let round = 0; round < ROUNDS; round++) {
    const driving = drive().catch((error: Error) => error);
    await (dice.below(2) === 0 ? pause(dice.below(LONGEST_LIFE)) : aroundPromotion());
    await running.kill();
    const ended = await driving;
    // What is no broken connection is a refusal that nobody expected.
    t.notMatch(String(ended), /problem|not started|"status"/);
    const left = whatIsLeft(site, FILE);
    t.strictSame(contradictions(left), [], `round ${round}: ${left.rollouts.at(-1)?.phase}, ${left.traffic}`);
    running = await again(t, site);
  }

  const isQuiet = async (): Promise<boolean> =>
    (await rolloutList(running)).every(({ phase }) => ['Succeeded', 'RolledBack', 'Failed'].includes(phase));
  await eventually('everything is over', isQuiet);
  for (const version of versions) version.failing = false;

  const all = await rolloutList(running);
  t.ok(all.length > 1, `${all.length} rollouts`);
  for (const { id } of all) {
    const { phase, steps, rollback } = await rollout(running, id);
    t.notOk(
      steps.some(({ state }) => state === 'current'),
      `${id}, ${phase}, has no open step`,
    );
    if (phase === 'RolledBack') t.match(rollback?.verified, { ok: true, differences: [] });
  }

  t.test('what is stable has everything', async (t) => {
    const { lanes } = await shop(running);
    t.equal(await trafficOf(running), `stable ${lanes.stable} 100`);
    t.strictSame(Object.keys(await users.answersOfNext(200)), [lanes.stable]);
  });

  t.test('every version can have users again, and become stable', async (t) => {
    for (const _ of versions) {
      const { lanes } = await shop(running);
      const { name } = versions.find((each) => each.name !== lanes.stable)!;
      const steps = [
        { name: 'half', weight: 50 },
        { name: 'look', pause: 'manual' },
      ];
      const { id } = await started(running, name, { strategy: { ...STRATEGY, steps } });
      await until(running, id, 'waits', phaseOf('Paused'));
      const answers = await users.answersOfNext(200);
      t.ok((answers[name] ?? 0) > 50, `${name} has its half: ${JSON.stringify(answers)}`);
      await say(running, id, 'promote');
      await until(running, id, 'is stable', phaseOf('Succeeded'));
      t.strictSame(Object.keys(await users.answersOfNext(200)), [name]);
    }
  });

  t.test('nobody got an error, and the audit is whole', async (t) => {
    await users.end();
    t.strictSame(users.faults, {});
    t.ok(users.answered > 1_000, `${users.answered} answers, ${users.cut} cut by kills`);
    t.match((await running.calls.call('GET', '/api/v1/audit/verify')).body, { ok: true });
    t.comment(summary(await rolloutList(running), running));
  });
});

function summary(all: readonly { readonly phase: string }[], { log }: Running): string {
  const counts: Record<string, number> = {};
  for (const { phase } of all) counts[phase] = (counts[phase] ?? 0) + 1;
  const troubles = log.filter((line) => line.includes('"level":"error"') || line.includes('rollout_not_advanced'));
  return `${JSON.stringify(counts)} ${troubles.slice(0, 3).join('\n')}`;
}
