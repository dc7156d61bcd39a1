import t from 'tap';
import { fullJitter } from '../../src/proxy/upstream/backoff.ts';
import { type Random, SeededRandom } from '../../src/runtime/random.ts';

const always = (value: number): Random => ({ next: () => value });

t.test('the bound doubles up to the longest', async (t) => {
  const half = always(0.5);
  const pauses = [1, 2, 3, 4, 5, 6].map((retry) => fullJitter(retry, 25, 250, half));
  t.strictSame(pauses, [12.5, 25, 50, 100, 125, 125]);
});

t.test('limits', async (t) => {
  t.equal(fullJitter(1, 25, 250, always(0)), 0);
  t.equal(fullJitter(1, 0, 250, always(0.9)), 0);
  t.equal(fullJitter(5_000, 0, 250, always(0.9)), 0);
  t.equal(fullJitter(5_000, 25, 250, always(0.5)), 125);
  t.equal(fullJitter(1, 100, 10, always(0.5)), 5, 'the longest bounds the first as well');
});

t.test('the jitter is full: as many pauses in each tenth of the range', async (t) => {
  const random = new SeededRandom(5);
  const n = 20_000;
  const tenths = new Array<number>(10).fill(0);
  for (let i = 0; i < n; i++) {
    const tenth = Math.floor(fullJitter(3, 25, 250, random) / 10);
    tenths[tenth] = (tenths[tenth] ?? 0) + 1;
  }
  const sigma = Math.sqrt(n * 0.1 * 0.9);
  t.equal(tenths.length, 10);
  for (const count of tenths) t.ok(Math.abs(count - n / 10) < 4 * sigma, `${count} of ${n / 10}`);
});
