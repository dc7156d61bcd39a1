import t from 'tap';
import { hashKey } from '../../src/proxy/balance/key-hash.ts';
import { Rendezvous } from '../../src/proxy/route/rendezvous.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const NAMES = ['v1', 'v2', 'v3', 'v4', 'v5'];
const hashes = (count: number, prefix = 'user-'): number[] =>
  Array.from({ length: count }, (_, i) => hashKey(`${prefix}${i}`));
const KEYS = hashes(20_000);

const choices = (weights: readonly number[], keys = KEYS): number[] => {
  const rendezvous = new Rendezvous(NAMES.slice(0, weights.length), weights);
  return keys.map((hash) => rendezvous.pick(hash));
};

/** Hundredths of a percent that sum to 10,000; some may be 0. */
function randomWeights(count: number, random: SeededRandom): number[] {
  const cuts = Array.from({ length: count - 1 }, () => Math.floor(random.next() * 10_001)).sort((a, b) => a - b);
  return [...cuts, 10_000].map((cut, i) => cut - (cuts[i - 1] ?? 0));
}

for (const count of [2, 3, 4, 5]) {
  t.test(
    `${count} versions: a weight that rises takes users and no others move; when it falls they go back`,
    async (t) => {
      const random = new SeededRandom(count);
      for (let round = 0; round < 8; round++) {
        const weights = randomWeights(count, random);
        const changed = Math.floor(random.next() * count);
        const raised = weights.with(changed, weights[changed]! + 1 + Math.floor(random.next() * 4_000));
        const before = choices(weights);
        const after = choices(raised);
        const stray = before.filter((was, i) => was !== after[i] && after[i] !== changed).length;
        const moved = before.filter((was, i) => was !== after[i]).length;
        const share = (vector: readonly number[]): number =>
          vector[changed]! / vector.reduce((sum, weight) => sum + weight, 0);
        const added = share(raised) - share(weights);
        const sigma = Math.sqrt(KEYS.length * added * (1 - added));
        const label = `${weights.join(':')} → ${raised.join(':')}`;
        t.equal(stray, 0, `${label}: users moved only to v${changed + 1}`);
        t.ok(
          Math.abs(moved - KEYS.length * added) <= 4 * sigma + 1,
          `${label}: ${moved} moved, ${(KEYS.length * added).toFixed(0)} is the added share`,
        );
        // Falling is the same comparison read backwards: nobody but the users of the lowered version may leave.
        const strayBack = after.filter((was, i) => was !== before[i] && was !== changed).length;
        t.equal(strayBack, 0, `${label} and back: only users of v${changed + 1} left`);
      }
    },
  );
}

t.test('two versions whose weights sum to 100: a canary that grows keeps everybody it had', async (t) => {
  let had = new Set<number>();
  for (const canary of [1, 10, 100, 500, 2_000, 5_000, 9_999, 10_000]) {
    const now = new Set<number>();
    choices([10_000 - canary, canary]).forEach((choice, i) => {
      if (choice === 1) now.add(i);
    });
    t.ok(
      [...had].every((user) => now.has(user)),
      `${canary / 100} %`,
    );
    had = now;
  }
  t.equal(had.size, KEYS.length);
});

t.test(
  'three versions, one gains what another loses: the third keeps its share and nearly all of its users',
  async (t) => {
    const before = choices([8_500, 1_000, 500]);
    const after = choices([7_500, 1_000, 1_500]);
    const moved = before.filter((was, i) => was !== after[i]).length / KEYS.length;
    t.ok(moved >= 0.09 && moved < 0.12, `${(moved * 100).toFixed(2)} % moved where 10 % is the least`);
    t.equal(before.filter((was, i) => was === 2 && after[i] !== 2).length, 0, 'nobody left the version that gained');
  },
);

t.test('shares are within 3 sigma', async (t) => {
  const keys = hashes(100_000, '');
  const vectors = [
    [9_500, 500],
    [9_900, 100],
    [5_000, 5_000],
    [7_000, 2_000, 1_000],
    [6_000, 3_000, 900, 100],
    [2_000, 2_000, 2_000, 2_000, 2_000],
  ];
  for (const weights of vectors) {
    const counts = weights.map(() => 0);
    for (const choice of choices(weights, keys)) counts[choice]!++;
    weights.forEach((weight, i) => {
      const p = weight / 10_000;
      const z = (counts[i]! - keys.length * p) / Math.sqrt(keys.length * p * (1 - p));
      t.ok(Math.abs(z) <= 3, `${weights.join(':')}, v${i + 1}: ${counts[i]} keys, ${z.toFixed(2)} sigma`);
    });
  }
});

t.test('a weight of 0.01 % gets its users', async (t) => {
  const keys = hashes(1_000_000);
  const got = choices([9_999, 1], keys).filter((choice) => choice === 1).length;
  t.ok(Math.abs(got - 100) <= 30, `${got} of 1,000,000`);
});

t.test('the order of the names carries no meaning', async (t) => {
  const random = new SeededRandom(7);
  const weights = [4_000, 3_000, 1_500, 1_000, 500];
  const expected = choices(weights).map((choice) => NAMES[choice]);
  for (let round = 0; round < 5; round++) {
    const order = [0, 1, 2, 3, 4].sort(() => random.next() - 0.5);
    const rendezvous = new Rendezvous(
      order.map((i) => NAMES[i]!),
      order.map((i) => weights[i]!),
    );
    const found = KEYS.map((hash) => NAMES[order[rendezvous.pick(hash)]!]);
    t.same(found, expected, order.join(' '));
  }
});

t.test('weight 0 gets exactly nothing, and nothing is picked where nobody has weight', async (t) => {
  t.notOk(choices([10_000, 0]).includes(1));
  t.notOk(choices([0, 5_000, 0, 5_000]).some((choice) => choice === 0 || choice === 2));
  t.equal(new Rendezvous(['v1', 'v2'], [0, 0]).pick(1), -1);
  t.equal(new Rendezvous([], []).pick(1), -1);
  t.equal(new Rendezvous(['v1', 'v2'], [0, 1]).pick(1), 1);
});

t.test('only the ratios of weights matter', async (t) => {
  t.same(choices([3, 1]), choices([7_500, 2_500]));
});

t.test('keys that share 31 bits of their hash are split like any others', async (t) => {
  const got = choices(
    [5_000, 5_000],
    Array.from({ length: 20_000 }, (_, i) => i),
  ).filter((choice) => choice === 1).length;
  t.ok(Math.abs(got - 10_000) < 3 * Math.sqrt(5_000), `${got} of 20,000 consecutive hashes`);
});
