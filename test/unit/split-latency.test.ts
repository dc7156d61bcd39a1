import t from 'tap';
import { NO_KEY } from '../../src/proxy/balance/policy.ts';
import { LatencySplit, latencyShares } from '../../src/proxy/route/split-latency.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { splitService } from '../kit/service-snapshot.ts';

t.test('shares over latencies', async (t) => {
  const cases: [latencies: number[], floor: number, shares: number[]][] = [
    [[10, 10], 0.05, [0.5, 0.5]],
    [[10, 30], 0.05, [0.75, 0.25]],
    [[10, 20, 20], 0.05, [0.5, 0.25, 0.25]],
    [[1, 999], 0.05, [0.95, 0.05]],
    [[1, 999], 0, [0.999, 0.001]],
    [[0, 0], 0.05, [0.5, 0.5]],
    [[0, 0, 0], 0, [1 / 3, 1 / 3, 1 / 3]],
    // Not measured: an equal share; the measured ones divide the rest.
    [[10, 30, 0], 0.05, [0.5, 1 / 6, 1 / 3]],
    [[7, 0], 0.05, [0.5, 0.5]],
    // Raising one to the floor pushes the next below it: of the 0.9 that is left the second gets 0.0999.
    [[1, 9, 1_000], 0.1, [0.8, 0.1, 0.1]],
    [[1, 1_000, 1_000], 0.05, [0.9, 0.05, 0.05]],
    [[10, 1e12], 0.05, [0.95, 0.05]],
    // A floor that takes everything, or more.
    [[1, 999], 0.5, [0.5, 0.5]],
    [[1, 10, 999], 0.4, [1 / 3, 1 / 3, 1 / 3]],
    [[5], 0.05, [1]],
  ];
  for (const [latencies, floor, expected] of cases) {
    const shares = Float64Array.from(latencies);
    latencyShares(shares, floor);
    const worst = Math.max(...expected.map((share, i) => Math.abs(share - shares[i]!)));
    t.ok(
      worst < 1e-12,
      `${latencies.join(' ')} floor ${floor}: ${[...shares].map((share) => share.toFixed(4)).join(' ')}`,
    );
  }
});

const service = splitService({ v1: 90, v2: 9, v3: 0, v4: 1 }, { strategy: 'latency', floor: 10 });

/** The i-th request comes at `from + i * step`. */
function counts(split: LatencySplit, count: number, from: number, step: number): number[] {
  const found = [0, 0, 0, 0];
  for (let i = 0; i < count; i++) found[split.pick(null, i % 2 === 0 ? NO_KEY : i, from + i * step)]!++;
  return found;
}

t.test('requests are within one of the shares, weights aside, and weight 0 gets nothing', async (t) => {
  for (let seed = 1; seed <= 10; seed++) {
    const latencies = [10, 20, 1, 20];
    const split = new LatencySplit(service, new SeededRandom(seed), (index) => latencies[index]!);
    const found = counts(split, 1_000, 0, 0);
    t.equal(found[2], 0);
    [500, 250, 0, 250].forEach((share, i) => {
      t.ok(Math.abs(found[i]! - share) <= 1.5, `seed ${seed}, v${i + 1}: ${found[i]} for ${share}`);
    });
  }
});

t.test('a version that is slow beyond measure keeps its floor', async (t) => {
  const split = new LatencySplit(service, new SeededRandom(1), (index) => (index === 1 ? 60_000 : 1));
  const found = counts(split, 1_000, 0, 0);
  t.ok(Math.abs(found[1]! - 100) <= 1.5, `${found[1]} of 1,000 at a floor of 10 %`);
});

t.test('shares follow the latencies, at most every 100 ms', async (t) => {
  let slow = 0;
  let asked = 0;
  const split = new LatencySplit(service, new SeededRandom(1), (index) => {
    asked++;
    return index === slow ? 90 : 10;
  });
  counts(split, 1_000, 5_000, 0.0999);
  t.equal(asked, 3, 'three versions with weight, asked once');
  slow = 3;
  const before = counts(split, 1_000, 5_099, 0);
  t.ok(before[0]! < 200, 'not yet');
  const after = counts(split, 1_000, 5_100, 0);
  t.equal(asked, 6);
  t.ok(after[0]! > 400 && after[3]! < 200, after.join(' '));
});

t.test('what a version is owed survives a change of shares', async (t) => {
  // One request per refresh: a round robin that began anew each time could not be within one of the shares.
  const split = new LatencySplit(service, new SeededRandom(3), (index) => (index === 0 ? 10 : 20));
  const found = counts(split, 1_000, 0, 100);
  [500, 250, 0, 250].forEach((share, i) => {
    t.ok(Math.abs(found[i]! - share) <= 1.5, `v${i + 1}: ${found[i]} for ${share}`);
  });
});
