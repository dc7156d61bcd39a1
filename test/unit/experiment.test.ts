import t from 'tap';
import type { ExperimentConfig } from '../../src/model/policy-config.ts';
import { hashKey } from '../../src/proxy/balance/key-hash.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { Experiment } from '../../src/proxy/route/experiment.ts';
import { Rendezvous } from '../../src/proxy/route/rendezvous.ts';
import { DIRECT, requestHead } from '../kit/request-head.ts';

const NAMES = new FieldNames();
const VERSIONS = ['v1', 'v2', 'v3'];
const USERS = 20_000;
const HEADS = Array.from({ length: USERS }, (_, i) => requestHead(`/?user=u${i}`, [], NAMES));

function make(config: Partial<ExperimentConfig> = {}): Experiment {
  const name = config.name ?? 'checkout';
  return new Experiment(
    { name, key: { from: 'query', name: 'user' }, salt: name, traffic: 100, weights: { v1: 50, v2: 50 }, ...config },
    (version) => VERSIONS.indexOf(version),
    NAMES,
    () => false,
  );
}

const answers = (experiment: Experiment): number[] => HEADS.map((head) => experiment.choose(head, DIRECT));

/** Pearson's statistic for the independence of two choices out of two. */
function chiSquare(a: readonly number[], b: readonly number[]): number {
  const cells = [
    [0, 0],
    [0, 0],
  ];
  a.forEach((value, i) => {
    cells[value]![b[i]!]!++;
  });
  const rows = cells.map((row) => row[0]! + row[1]!);
  const columns = [cells[0]![0]! + cells[1]![0]!, cells[0]![1]! + cells[1]![1]!];
  let sum = 0;
  for (let i = 0; i < 2; i++) {
    for (let j = 0; j < 2; j++) {
      const expected = (rows[i]! * columns[j]!) / a.length;
      sum += (cells[i]![j]! - expected) ** 2 / expected;
    }
  }
  return sum;
}

/** A chi-square variable with one degree of freedom is above this once in a thousand times. */
const ONE_IN_1000 = 10.83;

t.test('a user always gets the same answer', async (t) => {
  const first = answers(make());
  t.same(answers(make()), first, 'from another instance, as on another worker or machine');
  const one = make();
  for (let i = 0; i < 100; i++) t.equal(one.choose(HEADS[5]!, DIRECT), first[5]);
});

t.test('shares', async (t) => {
  const found = answers(make({ weights: { v3: 70, v1: 30 } }));
  const v3 = found.filter((index) => index === 2).length;
  t.ok(Math.abs(v3 - 14_000) <= 3 * Math.sqrt(USERS * 0.7 * 0.3), `${v3} of ${USERS}`);
  t.equal(found.filter((index) => index === 0).length, USERS - v3);
  t.notOk(answers(make({ weights: { v1: 100, v2: 0 } })).includes(1), 'weight 0 gets nobody');
});

t.test('independent of the rollout, of other experiments and of who takes part', async (t) => {
  const mine = answers(make());
  const rollout = new Rendezvous(['v1', 'v2'], [5_000, 5_000]);
  const split = HEADS.map((_, i) => rollout.pick(hashKey(`u${i}`)));
  const byRollout = chiSquare(mine, split);
  t.ok(byRollout < ONE_IN_1000, `rollout: chi-square ${byRollout.toFixed(2)}`);
  const other = answers(make({ name: 'banner' }));
  const byOther = chiSquare(mine, other);
  t.ok(byOther < ONE_IN_1000, `another experiment: chi-square ${byOther.toFixed(2)}`);
  const half = answers(make({ traffic: 50 })).map((index) => (index < 0 ? 0 : 1));
  const byPart = chiSquare(mine, half);
  t.ok(byPart < ONE_IN_1000, `taking part: chi-square ${byPart.toFixed(2)}`);
  const otherHalf = answers(make({ name: 'banner', traffic: 50 })).map((index) => (index < 0 ? 0 : 1));
  const byParts = chiSquare(half, otherHalf);
  t.ok(byParts < ONE_IN_1000, `taking part in two: chi-square ${byParts.toFixed(2)}`);
  t.ok(chiSquare(mine, answers(make({ name: 'copy', salt: 'checkout' }))) > USERS * 0.99, 'one salt, one division');
});

t.test('independent for many salts', async (t) => {
  const rollout = new Rendezvous(['v1', 'v2'], [9_000, 1_000]);
  const split = HEADS.map((_, i) => rollout.pick(hashKey(`u${i}`)));
  let above = 0;
  for (let i = 0; i < 40; i++) if (chiSquare(answers(make({ salt: `salt-${i}` })), split) > 3.84) above++;
  t.ok(above <= 7, `${above} of 40 are above the 5 % level; 2 are expected`);
});

t.test('traffic: the share that takes part, and raising it changes nobody', async (t) => {
  const all = answers(make());
  let had = new Set<number>();
  for (const traffic of [0.01, 1, 10, 50, 99.99, 100]) {
    const now = new Set<number>();
    answers(make({ traffic })).forEach((index, user) => {
      if (index < 0) return;
      now.add(user);
      if (index !== all[user]) t.fail(`user ${user} changed versions`);
    });
    const p = traffic / 100;
    t.ok(Math.abs(now.size - USERS * p) <= 3 * Math.sqrt(USERS * p * (1 - p)), `${traffic} %: ${now.size} users`);
    t.ok(
      [...had].every((user) => now.has(user)),
      `${traffic} % keeps everybody`,
    );
    had = now;
  }
  t.ok(answers(make({ traffic: 0 })).every((index) => index === -1));
});

t.test('without a key, or with a version that is not there, a request takes no part', async (t) => {
  t.equal(make().choose(requestHead('/', [], NAMES), DIRECT), -1);
  t.equal(make().choose(requestHead('/?user=', [], NAMES), DIRECT), -1);
  t.equal(make({ weights: { gone: 100 } }).choose(HEADS[0]!, DIRECT), -1);
});
