/** Weighted draws, and what least_request makes of two of them. */
import t from 'tap';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { WeightedDraw } from '../../src/proxy/balance/weighted-draw.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { candidates, equal, policyOf, type TestCandidate } from './balance-candidate.ts';

const fourSigma = (n: number, p: number): number => 4 * Math.sqrt(n * p * (1 - p));

t.test('a point on the line hits the candidate it lies on', async (t) => {
  for (const weights of [[1], [1, 1], [1, 2, 1], [1_000, 1, 1, 1], [1, 1, 1, 1_000], [3, 7, 1, 999, 2, 2, 1]]) {
    const members = candidates(weights);
    const total = weights.reduce((sum, weight) => sum + weight, 0);
    let point = 0;
    const draw = new WeightedDraw(members, { next: () => point / total });
    let end = 0;
    weights.forEach((weight, i) => {
      for (const within of [1e-6, weight / 2, weight - 1e-6]) {
        point = end + within;
        t.equal(draw.one(), members[i], `${weights.join('/')} at ${point}`);
      }
      end += weight;
    });
    point = total * (1 - 2 ** -53);
    t.equal(draw.one(), members.at(-1), 'the last point');
  }
});

t.test('bars leave the proportions of the others as they are, few or many of them', async (t) => {
  const members = candidates([900, 1, 2, 5, 2]);
  members[0]!.barred = true;
  const draw = new WeightedDraw(members, new SeededRandom(3));
  const counts = new Map<TestCandidate, number>();
  const n = 20_000;
  for (let i = 0; i < n; i++) {
    const drawn = draw.one()!;
    counts.set(drawn, (counts.get(drawn) ?? 0) + 1);
  }
  for (const member of members.slice(1)) {
    const share = member.weight / 10;
    const off = Math.abs((counts.get(member) ?? 0) - n * share);
    t.ok(off < fourSigma(n, share), `weight ${member.weight} is off by ${off.toFixed(0)}`);
  }
});

t.test('the other one is another one', async (t) => {
  for (const size of [2, 3, 30]) {
    const members = candidates(Array.from({ length: size }, (_, i) => (i === 0 ? 1_000 : 1)));
    const draw = new WeightedDraw(members, new SeededRandom(4));
    const seen = new Set<TestCandidate>();
    for (let i = 0; i < 2_000; i++) seen.add(draw.other(members[0]!)!);
    t.equal(seen.size, size - 1, `of ${size}`);
    t.notOk(seen.has(members[0]!));
    for (const member of members.slice(1)) member.barred = true;
    t.equal(draw.other(members[0]!), null);
  }
  t.equal(new WeightedDraw(equal(1), new SeededRandom(1)).other(equal(1)[0]!), null);
});

t.test('least_request: of two the one with less in flight for its weight', async (t) => {
  const cases: [weights: [number, number], active: [number, number], chosen: number | 'either'][] = [
    [[1, 1], [0, 1], 0],
    [[1, 1], [7, 6], 1],
    [[1, 1], [3, 3], 'either'],
    [[1, 2], [1, 2], 1],
    [[1, 2], [1, 3], 'either'],
    [[1, 2], [1, 4], 0],
    [[1, 1_000], [0, 998], 1],
    [[1, 1_000], [0, 999], 'either'],
    [[1, 1_000], [0, 1_000], 0],
    [[1, 3], [0, 0], 'either'],
  ];
  for (const [weights, active, chosen] of cases) {
    const members = candidates(weights);
    members.forEach((member, i) => {
      member.active = active[i]!;
    });
    const policy = policyOf('least_request', members);
    const seen = new Set<number>();
    for (let i = 0; i < 5_000; i++) seen.add(members.indexOf(policy.pick(NO_KEY, 0)!));
    t.strictSame([...seen].sort(), chosen === 'either' ? [0, 1] : [chosen], `${weights} with ${active} in flight`);
  }
});

t.test('least_request: at equal load, idle or not, the turn goes by weight', async (t) => {
  for (const active of [
    [0, 0],
    [1, 5],
  ]) {
    const members = candidates([1, 3]);
    members.forEach((member, i) => {
      member.active = active[i]!;
    });
    const policy = policyOf('least_request', members);
    let light = 0;
    for (let i = 0; i < 8_000; i++) if (policy.pick(NO_KEY, 0) === members[0]) light++;
    t.ok(Math.abs(light - 2_000) < fourSigma(8_000, 0.25), `${active} in flight: ${light} of 8,000`);
  }
});

/** Keeps a number of requests in flight, each ending after a random number of further picks, and returns the largest load of anybody. */
function inFlight(name: 'random' | 'least_request', members: readonly TestCandidate[], level: number): number {
  const random = new SeededRandom(9);
  const policy = policyOf(name, members);
  const open: TestCandidate[] = [];
  let largest = 0;
  for (let i = 0; i < 30_000; i++) {
    const picked = policy.pick(NO_KEY, i)!;
    picked.active++;
    open.push(picked);
    if (open.length > level) open.splice(Math.floor(random.next() * open.length), 1)[0]!.active--;
    if (i > 10 * level) largest = Math.max(largest, picked.active);
  }
  return largest;
}

t.test('least_request: two choices keep the largest load near the mean', async (t) => {
  const drawn = inFlight('random', equal(20), 100);
  const chosen = inFlight('least_request', equal(20), 100);
  t.ok(chosen <= 10, `at most ${chosen} in flight on one, the mean is 5`);
  t.ok(drawn > chosen + 4, `a plain draw lets ${drawn} pile up`);
});

t.test('least_request: under load, what is in flight follows the weights', async (t) => {
  const members = candidates([1, 2, 4, 1, 2, 4]);
  inFlight('least_request', members, 700);
  const total = members.reduce((sum, member) => sum + member.active, 0);
  for (const member of members) {
    const share = (total * member.weight) / 14;
    t.ok(
      Math.abs(member.active - share) < 0.2 * share,
      `weight ${member.weight}: ${member.active}, its share is ${share.toFixed(0)}`,
    );
  }
});

t.test('least_request: an endpoint that answers nothing gets no more', async (t) => {
  const members = equal(3);
  const policy = policyOf('least_request', members);
  for (let i = 0; i < 3_000; i++) {
    const picked = policy.pick(NO_KEY, i)!;
    if (picked === members[0]) picked.active++;
  }
  t.ok(members[0]!.active <= 1, `${members[0]!.active} hang on it`);
});
