import t from 'tap';
import { SmoothWeighted } from '../../src/proxy/balance/smooth-weighted.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

/** Largest distance of any item from its exact share, over every prefix of `picks` picks. */
function worstDeviation(weights: readonly number[], picks: number, seed: number): number {
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  const split = new SmoothWeighted(weights, new SeededRandom(seed));
  const counts = weights.map(() => 0);
  let worst = 0;
  for (let n = 1; n <= picks; n++) {
    const at = split.pick();
    counts[at] = counts[at]! + 1;
    for (let i = 0; i < weights.length; i++) {
      worst = Math.max(worst, Math.abs(counts[i]! - (n * weights[i]!) / total));
    }
  }
  return worst;
}

t.test('two versions are within one request of their share, wherever the sequence starts', async (t) => {
  for (const canary of [1, 50, 100, 500, 1_000, 3_333, 5_000, 9_999]) {
    for (let seed = 1; seed <= 20; seed++) {
      const worst = worstDeviation([10_000 - canary, canary], 2_000, seed);
      t.ok(worst <= 1, `canary ${canary / 100} %, seed ${seed}: off by ${worst.toFixed(3)}`);
    }
  }
});

t.test('three to five versions are within one request of their share', async (t) => {
  const random = new SeededRandom(7);
  for (let round = 0; round < 100; round++) {
    const cuts = Array.from({ length: 2 + (round % 3) }, () => Math.floor(random.next() * 10_001)).sort(
      (a, b) => a - b,
    );
    const weights = [...cuts, 10_000].map((cut, i) => cut - (cuts[i - 1] ?? 0));
    const worst = worstDeviation(weights, 3_000, round);
    t.ok(worst <= 1, `${weights.join('/')}: off by ${worst.toFixed(3)}`);
  }
});

t.test('an item of weight 0 is never picked', async (t) => {
  const split = new SmoothWeighted([0, 9_999, 0, 1], new SeededRandom(3));
  const seen = new Set(Array.from({ length: 50_000 }, () => split.pick()));
  t.strictSame([...seen].sort(), [1, 3]);
});

t.test('one item and none', async (t) => {
  t.equal(new SmoothWeighted([0, 5], new SeededRandom(1)).pick(), 1);
  t.equal(new SmoothWeighted([0, 0], new SeededRandom(1)).pick(), -1);
  t.equal(new SmoothWeighted([], new SeededRandom(1)).pick(), -1);
});

t.test('sequences start at different phases', async (t) => {
  const firsts = Array.from({ length: 64 }, (_, seed) => {
    const split = new SmoothWeighted([9_000, 1_000], new SeededRandom(seed));
    let picks = 1;
    while (split.pick() !== 1) picks++;
    return picks;
  });
  t.ok(new Set(firsts).size >= 8, `first canary request at positions ${[...new Set(firsts)].join(' ')}`);
});
