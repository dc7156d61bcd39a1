/** What is special about ring_hash and maglev. */
import t from 'tap';
import { LoadBound } from '../../src/proxy/balance/load-bound.ts';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { candidates, count, equal, policyOf, type TestCandidate, user } from './balance-candidate.ts';

/** Part of the keys whose endpoint differs between two memberships, of those whose endpoint is in both. */
function movedBetween(
  name: 'ring_hash' | 'maglev',
  one: readonly TestCandidate[],
  two: readonly TestCandidate[],
): number {
  const before = policyOf(name, one);
  const after = policyOf(name, two);
  const stayed = new Set(two);
  let moved = 0;
  let keys = 0;
  for (let i = 0; i < 20_000; i++) {
    const home = before.pick(user(i), 0)!;
    if (!stayed.has(home)) continue;
    keys++;
    if (after.pick(user(i), 0) !== home) moved++;
  }
  return moved / keys;
}

t.test('a new endpoint takes its share of the keys and no others move', async (t) => {
  const members = candidates([1, 2, 3, 2, 1, 2]);
  for (const [name, extra] of [
    ['ring_hash', 0],
    ['maglev', 0.02],
  ] as const) {
    const before = policyOf(name, members.slice(0, 5));
    const after = policyOf(name, members);
    let taken = 0;
    let strays = 0;
    for (let i = 0; i < 20_000; i++) {
      const now = after.pick(user(i), 0);
      if (now === members[5]) taken++;
      else if (now !== before.pick(user(i), 0)) strays++;
    }
    t.ok(Math.abs(taken / 20_000 - 2 / 11) < 0.04, `${name}: the new one takes ${taken} of 20,000`);
    t.ok(strays / 20_000 <= extra, `${name}: ${strays} others move`);
  }
});

t.test('a raised weight attracts keys, of others only to the one that was raised', async (t) => {
  const before = candidates([2, 2, 2, 2]);
  const after = candidates([2, 3, 2, 2]);
  const one = policyOf('ring_hash', before);
  const two = policyOf('ring_hash', after);
  let strays = 0;
  let gained = 0;
  for (let i = 0; i < 20_000; i++) {
    const was = one.pick(user(i), 0)!.url;
    const is = two.pick(user(i), 0)!.url;
    if (was === is) continue;
    if (is === after[1]!.url) gained++;
    else strays++;
  }
  t.equal(strays, 0);
  t.ok(Math.abs(gained / 20_000 - (3 / 9 - 2 / 8)) < 0.03, `${gained} of 20,000 gained`);
});

t.test('many endpoints: few keys move when one goes', async (t) => {
  for (const size of [100, 1_000]) {
    const members = equal(size);
    const rest = members.filter((_, i) => i !== size >> 1);
    t.equal(movedBetween('ring_hash', members, rest), 0, `ring_hash, ${size}`);
    const moved = movedBetween('maglev', members, rest);
    t.ok(moved < 0.015, `maglev, ${size}: ${(moved * 100).toFixed(2)} %`);
  }
});

t.test('ring_hash: shares stay within reason at every size, also where the ring is full', async (t) => {
  for (const [size, spread] of [
    [3, 0.25],
    [100, 0.3],
    [1_000, 0.7],
  ] as const) {
    const members = equal(size);
    const counts = count(policyOf('ring_hash', members), size * 400);
    const shares = members.map((member) => (counts.get(member) ?? 0) / 400);
    t.ok(Math.min(...shares) > 1 - spread, `${size}: the smallest has ${Math.min(...shares).toFixed(2)} of its share`);
    t.ok(Math.max(...shares) < 1 + spread, `${size}: the largest has ${Math.max(...shares).toFixed(2)} of its share`);
  }
});

t.test('ring_hash: the lightest keeps a point where the ring is too small for its weight', async (t) => {
  const members = candidates([...new Array<number>(200).fill(1_000), 1]);
  const keys = count(policyOf('ring_hash', members), 400_000).get(members[200]!) ?? 0;
  t.ok(keys > 0, `${keys} of 400,000 keys`);
});

t.test('maglev: every weight has an entry, and shares are within a percent', async (t) => {
  const members = candidates([...new Array<number>(100).fill(50), 1]);
  const counts = count(policyOf('maglev', members), 1_000_000);
  t.ok((counts.get(members[100]!) ?? 0) > 0, 'the lightest is reached');
  for (const size of [3, 50]) {
    const some = candidates(Array.from({ length: size }, (_, i) => 1 + (i % 5)));
    const weight = some.reduce((sum, member) => sum + member.weight, 0);
    const policy = policyOf('maglev', some);
    const entries = new Map<TestCandidate, number>();
    for (let entry = 0; entry < 65_537; entry++) {
      const owner = policy.pick(entry, 0)!;
      entries.set(owner, (entries.get(owner) ?? 0) + 1);
    }
    for (const member of some) {
      const off = (entries.get(member)! * weight) / (member.weight * 65_537) - 1;
      if (Math.abs(off) > 0.01) t.fail(`weight ${member.weight} of ${size} is off by ${(off * 100).toFixed(2)} %`);
    }
  }
});

t.test('maglev: a few heavy endpoints among thousands do not distort the rest', async (t) => {
  const members = candidates([1_000, 1_000, ...new Array<number>(2_000).fill(1)]);
  const counts = count(policyOf('maglev', members), 200_000);
  for (const heavy of members.slice(0, 2)) {
    const share = (counts.get(heavy) ?? 0) / 200_000;
    t.ok(Math.abs(share - 0.25) < 0.01, `${(share * 100).toFixed(1)} % for a quarter of the weight`);
  }
});

t.test('maglev: a weight too small for an entry gets one', async (t) => {
  const members = candidates([...new Array<number>(100).fill(1_000), 1]);
  const policy = policyOf('maglev', members);
  let entries = 0;
  for (let entry = 0; entry < 65_537; entry++) if (policy.pick(entry, 0) === members[100]) entries++;
  t.equal(entries, 1);
});

t.test('ring_hash: keys of barred endpoints go where they would go without them', async (t) => {
  const members = candidates([1, 2, 1, 3, 1, 1, 2, 1]);
  const barred = new Set([members[1]!, members[3]!, members[4]!]);
  for (const member of barred) member.barred = true;
  const all = policyOf('ring_hash', members, 1, { maxLoad: 0 });
  const rest = policyOf(
    'ring_hash',
    members.filter((member) => !barred.has(member)),
    1,
    { maxLoad: 0 },
  );
  let differ = 0;
  for (let i = 0; i < 5_000; i++) if (all.pick(user(i), 0) !== rest.pick(user(i), 0)) differ++;
  t.equal(differ, 0);
});

t.test('ring_hash: many keys, bounded load, hundreds of endpoints', async (t) => {
  const members = equal(200);
  const policy = policyOf('ring_hash', members, 1, { maxLoad: 125 });
  for (let total = 1; total <= 4_000; total++) {
    const picked = policy.pick(user(total % 50), 0)!;
    picked.active++;
    // The total is summed every 13 choices here; in between it counts what was chosen, so with nothing ending the bound is exact.
    const capacity = Math.ceil((1.25 * total) / 200);
    if (picked.active > capacity) t.fail(`${picked.active} on one with ${total} in flight, allowed ${capacity}`);
  }
});

t.test('ring_hash: below the bound a key stays, above it moves and comes back', async (t) => {
  const members = equal(5);
  const policy = policyOf('ring_hash', members, 1, { maxLoad: 150 });
  const home = policy.pick(user(7), 0)!;
  for (const member of members) member.active = 10;
  home.active = 17;
  t.equal(policy.pick(user(7), 100), home, 'there is room for ⌈1.5 × 58 / 5⌉ = 18');
  home.active = 18;
  t.not(policy.pick(user(7), 200), home, 'there is room for ⌈1.5 × 59 / 5⌉ = 18');
  home.active = 12;
  t.equal(policy.pick(user(7), 300), home);
});

t.test('ring_hash: maxLoad 0 is unbounded', async (t) => {
  const members = equal(5);
  const policy = policyOf('ring_hash', members, 1, { maxLoad: 0 });
  const home = policy.pick(user(7), 0)!;
  home.active = 100_000;
  for (let i = 0; i < 20; i++) t.equal(policy.pick(user(7), i), home);
});

t.test('ring_hash: where everybody with room is barred, somebody without room is chosen', async (t) => {
  const members = equal(3);
  const policy = policyOf('ring_hash', members, 1, { maxLoad: 110 });
  members[0]!.active = 100;
  members[1]!.barred = true;
  members[2]!.barred = true;
  t.equal(policy.pick(user(1), 0), members[0]);
  t.equal(policy.pick(NO_KEY, 0), members[0]);
});

t.test('the total of a load bound is summed anew after a while, whatever the number of choices', async (t) => {
  const members = equal(400);
  const bound = new LoadBound(members, 125);
  for (const member of members) member.active = 8;
  bound.prepare(0);
  t.equal(bound.admits(members[0]!), true, '8 of 11');
  for (const member of members) member.active = 0;
  members[0]!.active = 8;
  bound.prepare(5);
  t.equal(bound.admits(members[0]!), true, 'too generous for 10 ms');
  bound.prepare(11);
  t.equal(bound.admits(members[0]!), false, '8 of 1');
});
