/** What is special about the policies that take turns: round_robin and weighted_round_robin. */
import t from 'tap';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { candidates, equal, policyOf } from './balance-candidate.ts';

t.test('round_robin: a full round reaches everybody, and the next is the same', async (t) => {
  const members = candidates([1, 1_000, 3, 20, 1]);
  const policy = policyOf('round_robin', members);
  const round = (): string[] => members.map(() => policy.pick(NO_KEY, 0)!.url);
  const first = round();
  t.equal(new Set(first).size, 5);
  t.strictSame(round(), first);
});

t.test('round_robin: the share of a barred endpoint is divided among all others', async (t) => {
  const members = equal(4);
  const policy = policyOf('round_robin', members);
  members[1]!.barred = true;
  const counts = new Map<string, number>();
  for (let i = 0; i < 300; i++) {
    const { url } = policy.pick(NO_KEY, 0)!;
    counts.set(url, (counts.get(url) ?? 0) + 1);
  }
  t.strictSame([...counts.values()], [100, 100, 100]);
});

for (const name of ['round_robin', 'weighted_round_robin'] as const) {
  t.test(`${name}: workers do not all begin with the same endpoint`, async (t) => {
    const firsts = new Set<string>();
    for (let seed = 0; seed < 64; seed++) firsts.add(policyOf(name, equal(8), seed).pick(NO_KEY, 0)!.url);
    t.equal(firsts.size, 8);
  });
}

/** Largest distance of any member from its exact share, over every prefix of the picks. */
function worstDeviation(weights: readonly number[], picks: number, seed: number): number {
  const members = candidates(weights);
  const policy = policyOf('weighted_round_robin', members, seed);
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const index = new Map(members.map((member, i) => [member, i]));
  const counts = weights.map(() => 0);
  let worst = 0;
  for (let n = 1; n <= picks; n++) {
    const at = index.get(policy.pick(NO_KEY, 0)!)!;
    counts[at] = counts[at]! + 1;
    for (let i = 0; i < weights.length; i++) worst = Math.max(worst, Math.abs(counts[i]! - (n * weights[i]!) / total));
  }
  return worst;
}

t.test('weighted_round_robin: within one request of the share where all weights are equal or all differ', async (t) => {
  for (const weights of [new Array<number>(50).fill(7), [1, 2], [5, 1, 3], [1, 1_000], [1, 2, 3, 4, 5, 6, 7, 8]]) {
    for (let seed = 1; seed <= 10; seed++) {
      const worst = worstDeviation(weights, 2_000, seed);
      t.ok(worst <= 1 + 1e-9, `${weights.join('/')}, seed ${seed}: off by ${worst.toFixed(3)}`);
    }
  }
});

t.test('weighted_round_robin: within one and a half otherwise', async (t) => {
  const random = new SeededRandom(11);
  for (let round = 0; round < 60; round++) {
    const weights = Array.from({ length: 2 + (round % 30) }, () => 1 + Math.floor(random.next() ** 3 * 10));
    const worst = worstDeviation(weights, 2_000, round);
    t.ok(worst <= 1.5, `${weights.join('/')}: off by ${worst.toFixed(3)}`);
  }
});

t.test('weighted_round_robin: turns are spread, not bunched', async (t) => {
  const members = candidates([5, 1, 1]);
  const policy = policyOf('weighted_round_robin', members);
  let run = 0;
  let longest = 0;
  for (let i = 0; i < 700; i++) {
    run = policy.pick(NO_KEY, 0) === members[0] ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  t.ok(longest <= 5, `the heavy one at most ${longest} times in a row`);
});

t.test('weighted_round_robin: with the heavy one barred the others share by weight', async (t) => {
  const members = candidates([1_000, 1, 3]);
  const policy = policyOf('weighted_round_robin', members);
  members[0]!.barred = true;
  let light = 0;
  for (let i = 0; i < 8_000; i++) if (policy.pick(NO_KEY, 0) === members[1]) light++;
  t.ok(Math.abs(light - 2_000) < 4 * Math.sqrt(8_000 * 0.25 * 0.75), `${light} of 8,000, a quarter is 2,000`);
});
