/**
 * Choosing an endpoint: one pick of each policy with few and with many candidates, and hashing a key.
 *
 * The load on the candidates changes with every pick, as it does in a proxy, so that no comparison becomes predictable.
 */
import type { BalancingPolicyName } from '../../src/model/policy-config.ts';
import { createPolicy } from '../../src/proxy/balance/create-policy.ts';
import { hashKey, mix } from '../../src/proxy/balance/key-hash.ts';
import { LatencyMeter } from '../../src/proxy/balance/latency-meter.ts';
import type { BalancingPolicy, Candidate } from '../../src/proxy/balance/policy.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { type MicroBenchmark, report } from './harness.ts';

class Member implements Candidate {
  readonly url: string;
  readonly weight: number;
  readonly meter = new LatencyMeter(10_000);
  active = 0;
  barred = false;

  constructor(index: number, weight: number) {
    this.url = `http://10.0.${index >> 8}.${index & 255}:8080`;
    this.weight = weight;
    this.meter.observe(1 + (index % 7), 1);
  }

  latencyAt(now: number): number {
    return this.meter.valueAt(now);
  }
}

const IN_FLIGHT = 64;
const POLICIES: readonly BalancingPolicyName[] = [
  'round_robin',
  'weighted_round_robin',
  'random',
  'least_request',
  'peak_ewma',
  'ring_hash',
  'maglev',
];
const SIZES = [2, 10, 100, 1_000];

const newPolicy = (policy: BalancingPolicyName): BalancingPolicy<Member> =>
  createPolicy<Member>(
    { policy, key: { from: 'address' }, slowStart: 0, maxLoad: 125, decay: 10_000, panicThreshold: 0 },
    new SeededRandom(1),
  );

/** Each pick starts a request and ends the one that was started 64 picks before. */
function picking(name: string, policy: BalancingPolicy<Member>, members: readonly Member[]): MicroBenchmark {
  policy.replace(members);
  const inFlight = new Array<Member | null>(IN_FLIGHT).fill(null);
  let picks = 0;
  return {
    name,
    run: () => {
      picks = (picks + 1) | 0;
      const ended = inFlight[picks & (IN_FLIGHT - 1)]!;
      if (ended !== null) ended.active--;
      const picked = policy.pick(mix(picks, 0), 1_000 + (picks & 0xffff) / 100);
      inFlight[picks & (IN_FLIGHT - 1)] = picked;
      if (picked !== null) picked.active++;
      return picked;
    },
  };
}

const members = (size: number, weightOf: (index: number) => number): Member[] =>
  Array.from({ length: size }, (_, i) => new Member(i, weightOf(i)));

const picks = POLICIES.flatMap((name) =>
  SIZES.map((size) =>
    picking(
      `balance: ${name}, ${size.toLocaleString('en')} endpoints`,
      newPolicy(name),
      members(size, (i) => 1 + (i % 3)),
    ),
  ),
);

const KEY = '8f14e45fceea167a5a36dedd4bea2543';
let salt = 0;

report([
  { name: 'balance: hash of a key of 32 bytes', run: () => hashKey(KEY) },
  {
    name: 'balance: derived hash',
    run: () => {
      salt = mix(salt, 7);
      return salt;
    },
  },
  ...picks,
  picking(
    'balance: weighted_round_robin, 1,000 endpoints, 1,000 weights',
    newPolicy('weighted_round_robin'),
    members(1_000, (i) => i + 1),
  ),
]);
