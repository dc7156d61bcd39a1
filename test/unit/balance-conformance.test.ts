/**
 * What every balancing policy keeps to. A policy that does not promise a property says why in the table; everything else runs for all.
 */
import t from 'tap';
import type { BalancingPolicyName } from '../../src/model/policy-config.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { candidates, count, equal, policyOf, TestCandidate, user } from './balance-candidate.ts';

interface Promises {
  readonly name: BalancingPolicyName;
  readonly keyed: boolean;
  /** Largest deviation from an exact share, in picks, of a share p over n picks of idle endpoints; or why there is none. */
  readonly weighted: string | ((n: number, p: number) => number);
  /** Largest part of the other endpoints' keys that move when one of ten endpoints goes; or why keys do not stay. */
  readonly disruption: string | number;
  /** Why the load is not bounded, where it is not. */
  readonly bounded?: string;
}

const fourSigma = (n: number, p: number): number => 4 * Math.sqrt(n * p * (1 - p));
const NOT_KEYED = 'does not look at keys';
const NO_BOUND = 'has no bound on the load of an endpoint';

const POLICIES: readonly Promises[] = [
  { name: 'round_robin', keyed: false, weighted: 'ignores weights', disruption: NOT_KEYED, bounded: NO_BOUND },
  { name: 'weighted_round_robin', keyed: false, weighted: () => 1.5, disruption: NOT_KEYED, bounded: NO_BOUND },
  { name: 'random', keyed: false, weighted: fourSigma, disruption: NOT_KEYED, bounded: NO_BOUND },
  { name: 'least_request', keyed: false, weighted: fourSigma, disruption: NOT_KEYED, bounded: NO_BOUND },
  {
    name: 'peak_ewma',
    keyed: false,
    weighted: 'latency and load decide, weights only lean on them',
    disruption: NOT_KEYED,
    bounded: NO_BOUND,
  },
  {
    name: 'ring_hash',
    keyed: true,
    // 256 points for each unit of weight, of which there are 16 in the test.
    weighted: (n, p) => fourSigma(n, p) + 4 * n * p * Math.sqrt(1 / (256 * 16 * p)),
    disruption: 0,
  },
  {
    name: 'maglev',
    keyed: true,
    weighted: (n, p) => fourSigma(n, p) + 0.01 * n * p,
    disruption: 0.03,
    bounded: NO_BOUND,
  },
];

const PICKS = 32_000;

/** @returns the test's options: whether it runs, and why it does not. */
const unless = (reason: string | number | object | undefined): { skip: string | false } => ({
  skip: typeof reason === 'string' ? reason : false,
});

for (const { name, keyed, weighted, disruption, bounded } of POLICIES) {
  t.test(name, async (t) => {
    const key = (i: number): number => (keyed ? user(i) : NO_KEY);

    t.test('says whether it is keyed', async (t) => t.equal(policyOf(name, []).keyed, keyed));

    t.test('nobody to choose from', async (t) => {
      const policy = policyOf(name, []);
      t.equal(policy.pick(NO_KEY, 0), null);
      t.equal(policy.pick(user(1), 0), null);
      policy.replace(equal(3));
      policy.replace([]);
      t.equal(policy.pick(NO_KEY, 0), null);
      t.equal(policy.pick(user(1), 0), null);
    });

    t.test('a single candidate is always chosen, unless it is barred', async (t) => {
      const [only] = equal(1);
      const policy = policyOf(name, [only!]);
      only!.active = 1_000;
      only!.latency = 5_000;
      for (let i = 0; i < 50; i++) {
        t.equal(policy.pick(key(i), i), only);
        t.equal(policy.pick(NO_KEY, i), only);
      }
      only!.barred = true;
      t.equal(policy.pick(key(1), 0), null);
      t.equal(policy.pick(NO_KEY, 0), null);
    });

    t.test('barred candidates are passed over, all others reached', async (t) => {
      const members = candidates([1, 1000, 2, 1, 5]);
      const policy = policyOf(name, members);
      members[1]!.barred = true;
      members[3]!.barred = true;
      t.strictSame(
        new Set(count(policy, 3_000).keys()),
        new Set([members[0], members[2], members[4]]),
        'three of five are left',
      );
      for (const member of members) member.barred = true;
      t.equal(policy.pick(key(1), 0), null, 'all barred');
      t.equal(policy.pick(NO_KEY, 0), null, 'all barred, no key');
      members[1]!.barred = false;
      t.equal(policy.pick(key(1), 0), members[1], 'the bar is looked at for every choice');
    });

    t.test('the only one of many that is not barred is found', async (t) => {
      for (const size of [2, 3, 40, 1_000]) {
        const members = candidates(Array.from({ length: size }, (_, i) => (i % 50 === 0 ? 1_000 : 1)));
        const policy = policyOf(name, members);
        for (const member of members) member.barred = true;
        for (const at of [0, 1, size - 1, size >> 1]) {
          members[at]!.barred = false;
          for (let i = 0; i < 20; i++) {
            if (policy.pick(key(i), i) !== members[at] || policy.pick(NO_KEY, i) !== members[at]) {
              t.fail(`${at} of ${size} not found`);
            }
          }
          members[at]!.barred = true;
        }
      }
    });

    t.test('membership changes: only present candidates, and all of them', async (t) => {
      const pool = equal(12);
      const policy = policyOf(name, pool.slice(0, 3));
      for (const [from, to] of [
        [0, 3],
        [0, 12],
        [4, 9],
        [8, 9],
        [10, 12],
        [0, 0],
        [0, 2],
        [2, 12],
      ]) {
        const present = pool.slice(from, to);
        policy.replace(present);
        t.strictSame(
          new Set(Array.from(count(policy, 600).keys(), (picked) => picked.url)),
          new Set(present.map((member) => member.url)),
          `${from} to ${to}`,
        );
      }
    });

    t.test('an object that takes the place of a removed one is chosen instead of it', async (t) => {
      const members = equal(4);
      const policy = policyOf(name, members);
      count(policy, 100);
      const twins = members.map((member) => new TestCandidate(member.url, member.weight));
      policy.replace(twins);
      const picked = Array.from(count(policy, 400).keys());
      t.ok(picked.every((candidate) => twins.includes(candidate)));
    });

    t.test('the array given is left as it is', async (t) => {
      const members = candidates([3, 1, 2]).reverse();
      const before = members.slice();
      count(policyOf(name, members), 50);
      t.ok(members.every((member, i) => member === before[i]));
    });

    t.test('equal weights, equal shares', async (t) => {
      for (const size of [2, 7, 64]) {
        const members = equal(size);
        const counts = count(policyOf(name, members), PICKS);
        const allowed = fourSigma(PICKS, 1 / size) + (name === 'ring_hash' ? (4 * PICKS) / size / Math.sqrt(256) : 0);
        for (const member of members) {
          const off = Math.abs((counts.get(member) ?? 0) - PICKS / size);
          if (off > allowed) t.fail(`${member.url} of ${size} is off by ${off}, allowed ${allowed.toFixed(1)}`);
        }
      }
    });

    t.test('shares follow the weights', unless(weighted), async (t) => {
      if (typeof weighted === 'string') return;
      const members = candidates([1, 2, 3, 10]);
      const counts = count(policyOf(name, members), PICKS);
      for (const member of members) {
        const share = member.weight / 16;
        const off = Math.abs((counts.get(member) ?? 0) - PICKS * share);
        const allowed = weighted(PICKS, share);
        t.ok(off <= allowed, `weight ${member.weight}: off by ${off.toFixed(1)}, allowed ${allowed.toFixed(1)}`);
      }
    });

    t.test('weights 1 and 1,000 side by side', unless(weighted), async (t) => {
      const members = candidates([1, 1_000]);
      const counts = count(policyOf(name, members), 100_000);
      const light = counts.get(members[0]!) ?? 0;
      t.ok(light > 40 && light < 180, `the light one got ${light} of 100,000, its share is 100`);
    });

    t.test('the same seed, the same choices', async (t) => {
      const run = (): string[] => {
        const members = candidates([1, 5, 2, 2, 9]);
        const policy = policyOf(name, members, 42);
        const urls: string[] = [];
        for (let i = 0; i < 500; i++) {
          members[i % 5]!.barred = i % 3 === 0;
          members[i % 4]!.active = i % 7;
          const picked = policy.pick(i % 2 === 0 ? key(i) : NO_KEY, i);
          urls.push(picked?.url ?? 'none');
          if (i === 250) policy.replace(members.slice(1));
        }
        return urls;
      };
      t.strictSame(run(), run());
    });

    t.test('without a key, by weight and at random', unless(keyed ? undefined : NOT_KEYED), async (t) => {
      const members = candidates([1, 2, 3, 10]);
      const policy = policyOf(name, members);
      const counts = new Map<TestCandidate, number>();
      for (let i = 0; i < PICKS; i++) {
        const picked = policy.pick(NO_KEY, i)!;
        counts.set(picked, (counts.get(picked) ?? 0) + 1);
      }
      for (const member of members) {
        const share = member.weight / 16;
        t.ok(Math.abs((counts.get(member) ?? 0) - PICKS * share) <= fourSigma(PICKS, share), `weight ${member.weight}`);
      }
    });

    t.test(
      'a key finds the same url, whatever the order and the dice',
      unless(keyed ? undefined : NOT_KEYED),
      async (t) => {
        const weights = Array.from({ length: 40 }, (_, i) => 1 + (i % 4));
        const one = policyOf(name, candidates(weights), 1);
        const two = policyOf(name, candidates(weights).reverse(), 99);
        two.replace([]);
        two.replace(candidates(weights).sort((a, b) => a.weight - b.weight));
        let differ = 0;
        for (let i = 0; i < 10_000; i++) if (one.pick(user(i), 0)?.url !== two.pick(user(i), 5)?.url) differ++;
        t.equal(differ, 0);
      },
    );

    t.test('so it does where nearly all are barred', unless(keyed ? undefined : NOT_KEYED), async (t) => {
      const one = equal(1_000);
      const two = equal(1_000).reverse();
      for (const members of [one, two]) {
        for (const member of members) member.barred = !member.url.includes('.77:') && !member.url.includes('.500:');
      }
      const first = policyOf(name, one, 1);
      const second = policyOf(name, two, 99);
      let toOne = 0;
      for (let i = 0; i < 1_000; i++) {
        const url = first.pick(user(i), 0)!.url;
        if (url.includes('.77:')) toOne++;
        if (second.pick(user(i), 0)!.url !== url) t.fail(`user ${i}`);
      }
      t.ok(toOne > 200 && toOne < 800, `${toOne} of 1,000 keys to one of the two`);
    });

    t.test('a key stays with its endpoint', unless(keyed ? undefined : NOT_KEYED), async (t) => {
      const policy = policyOf(name, equal(10));
      for (let i = 0; i < 100; i++) {
        const first = policy.pick(user(i), 0);
        for (let again = 1; again < 5; again++) t.equal(policy.pick(user(i), again * 1_000), first);
      }
    });

    t.test('when one of ten goes, few keys of the others move', unless(disruption), async (t) => {
      const members = equal(10);
      for (const gone of [0, 4, 9]) {
        const all = policyOf(name, members);
        const rest = policyOf(
          name,
          members.filter((_, i) => i !== gone),
        );
        let moved = 0;
        let kept = 0;
        for (let i = 0; i < 20_000; i++) {
          const before = all.pick(user(i), 0);
          if (before === members[gone]) continue;
          if (before === rest.pick(user(i), 0)) kept++;
          else moved++;
        }
        const part = moved / (moved + kept);
        t.ok(part <= Number(disruption), `without ${gone}, ${(part * 100).toFixed(2)} % of the others' keys move`);
      }
    });

    t.test('a bar moves only the keys of the barred, and to all others', unless(disruption), async (t) => {
      const members = equal(10);
      const policy = policyOf(name, members);
      const homes = Array.from({ length: 20_000 }, (_, i) => policy.pick(user(i), 0));
      members[3]!.barred = true;
      const heirs = new Map<TestCandidate, number>();
      let strays = 0;
      homes.forEach((home, i) => {
        const picked = policy.pick(user(i), 0)!;
        if (home === members[3]) heirs.set(picked, (heirs.get(picked) ?? 0) + 1);
        else if (picked !== home) strays++;
      });
      t.equal(strays, 0, "the others' keys stay");
      t.equal(heirs.size, 9, 'every other endpoint takes some');
      const largest = Math.max(...heirs.values());
      const total = Array.from(heirs.values()).reduce((sum, keys) => sum + keys, 0);
      t.ok(largest < total / 4, `the largest heir takes ${largest} of ${total}`);
    });

    t.test('one popular key cannot overload an endpoint', unless(bounded), async (t) => {
      for (const size of [2, 10, 16]) {
        const members = candidates(Array.from({ length: size }, (_, i) => 1 + (i % 3)));
        const weight = members.reduce((sum, member) => sum + member.weight, 0);
        const policy = policyOf(name, members, 1, { maxLoad: 125 });
        for (let total = 1; total <= 2_000; total++) {
          const picked = policy.pick(user(1), total)!;
          picked.active++;
          const capacity = Math.ceil((1.25 * total * picked.weight) / weight);
          if (picked.active > capacity) t.fail(`${picked.active} on one of ${size} with ${total} in flight`);
        }
      }
    });
  });
}
