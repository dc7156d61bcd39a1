/** A candidate whose load, latency and bar a test sets by hand, and the ways in which tests make and count them. */
import type { BalanceConfig, BalancingPolicyName } from '../../src/model/policy-config.ts';
import { createPolicy } from '../../src/proxy/balance/create-policy.ts';
import { hashKey } from '../../src/proxy/balance/key-hash.ts';
import { type BalancingPolicy, type Candidate, NO_KEY } from '../../src/proxy/balance/policy.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

export class TestCandidate implements Candidate {
  readonly url: string;
  readonly weight: number;
  active = 0;
  barred = false;
  latency = 0;

  constructor(url: string, weight = 1) {
    this.url = url;
    this.weight = weight;
  }

  latencyAt(_now: number): number {
    return this.latency;
  }
}

/** One candidate per weight. */
export const candidates = (weights: readonly number[], host = '10.0.0'): TestCandidate[] =>
  weights.map((weight, i) => new TestCandidate(`http://${host}.${i + 1}:8080`, weight));

export const equal = (count: number): TestCandidate[] => candidates(new Array<number>(count).fill(1));

export const config = (policy: BalancingPolicyName, more: Partial<BalanceConfig> = {}): BalanceConfig => ({
  policy,
  key: { from: 'address' },
  slowStart: 0,
  maxLoad: 125,
  decay: 10_000,
  panicThreshold: 0,
  ...more,
});

export function policyOf(
  name: BalancingPolicyName,
  members: readonly TestCandidate[],
  seed = 1,
  more: Partial<BalanceConfig> = {},
): BalancingPolicy<TestCandidate> {
  const policy = createPolicy<TestCandidate>(config(name, more), new SeededRandom(seed));
  policy.replace(members);
  return policy;
}

/** Hash of the i-th user. */
export const user = (i: number): number => hashKey(`user-${i}`);

/** Who was picked how often. Keyed policies get a new key for each pick. */
export function count(policy: BalancingPolicy<TestCandidate>, picks: number): Map<TestCandidate, number> {
  const counts = new Map<TestCandidate, number>();
  for (let i = 0; i < picks; i++) {
    const picked = policy.pick(policy.keyed ? user(i) : NO_KEY, i);
    if (picked !== null) counts.set(picked, (counts.get(picked) ?? 0) + 1);
  }
  return counts;
}
