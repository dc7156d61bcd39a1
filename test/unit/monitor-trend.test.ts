import t from 'tap';
import { forecast, MIN_POINTS, type Point, trendOf } from '../../src/control/monitor/trend.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const series = (length: number, value: (i: number) => number | null): Point[] =>
  Array.from({ length }, (_, i) => ({ at: 5_000 + i * 1_000, value: value(i) }));

const noise = (seed: number, size: number): (() => number) => {
  const random = new SeededRandom(seed);
  return () => (random.next() + random.next() + random.next() - 1.5) * size;
};

const near = (actual: number | null, expected: number, share: number): boolean =>
  actual !== null && Math.abs(actual - expected) <= Math.abs(expected) * share;

t.test('a straight line crosses where it must', async (t) => {
  // At the last point the value is 159; 201 is 42 away at 1 a second.
  const rising = series(60, (i) => 100 + i);
  t.ok(near(trendOf(rising)!.slope, 1, 1e-9));
  t.ok(near(trendOf(rising)!.level, 159, 1e-9));
  t.ok(near(forecast(rising, 201), 42_000, 1e-9));
  const falling = series(60, (i) => 100 - i / 10);
  t.ok(near(forecast(falling, 90), 41_000, 1e-6), 'availability falls');
});

t.test('no forecast', async (t) => {
  const jitter = noise(1, 1);
  const cases: [string, Point[], number][] = [
    ['a constant', series(60, () => 5), 10],
    ['moving away, threshold below', series(60, (i) => 100 + i), 50],
    ['moving away, threshold above', series(60, (i) => 100 - i), 150],
    ['too few points', series(MIN_POINTS - 1, (i) => i), 20],
    ['too few points with data', series(60, (i) => (i < MIN_POINTS - 1 ? i : null)), 20],
    ['nothing', [], 1],
    ['no data at all', series(60, () => null), 1],
    ['noise', series(60, () => 100 + jitter()), 101],
    ['a step up in the middle', series(60, (i) => (i < 30 ? 10 : 20)), 25],
    ['a step up early', series(60, (i) => (i < 12 ? 10 : 20)), 25],
    ['a step up late', series(60, (i) => (i < 50 ? 10 : 20)), 25],
    ['a rise that is over', series(60, (i) => Math.min(i, 25)), 30],
    ['a rise that has turned', series(60, (i) => (i < 36 ? i : 36 - (i - 36) / 5)), 40],
    ['all at the same time', Array.from({ length: 20 }, (_, i) => ({ at: 1, value: i })), 30],
  ];
  for (const [what, points, threshold] of cases) t.equal(forecast(points, threshold), null, what);
});

t.test('the direction of the crossing matters to an alert', async (t) => {
  const recovering = series(60, (i) => 200 - i);
  t.ok(near(forecast(recovering, 100), 41_000, 1e-9));
  t.ok(near(forecast(recovering, 100, 'below'), 41_000, 1e-9));
  t.equal(forecast(recovering, 100, 'above'), null);
  t.equal(
    forecast(
      series(60, (i) => i),
      100,
      'below',
    ),
    null,
  );
});

t.test('outliers do not move it', async (t) => {
  for (const [what, hit] of [
    ['spread out', (i: number) => i % 5 === 2],
    ['in a row', (i: number) => i >= 20 && i < 29],
    ['at the end', (i: number) => i >= 56],
  ] as const) {
    const jitter = noise(7, 2);
    const points = series(60, (i) => (hit(i) ? 9_000 : 100 + 2 * i + jitter()));
    t.ok(near(trendOf(points)!.slope, 2, 0.12), `${what}: slope ${trendOf(points)!.slope}`);
    t.ok(near(trendOf(points)!.level, 218, 0.03), `${what}: level ${trendOf(points)!.level}`);
  }
});

t.test('gaps are left out, not taken for zeros', async (t) => {
  const points = series(60, (i) => (i % 3 === 0 ? null : 100 + i));
  t.ok(near(trendOf(points)!.slope, 1, 1e-9));
  t.ok(near(forecast(points, 200), 41_000, 1e-6));
});

t.test('noise alone is seldom taken for a trend, a slow drift in noise is found', async (t) => {
  let taken = 0;
  let found = 0;
  for (let seed = 1; seed <= 500; seed++) {
    const jitter = noise(seed, 10);
    if (trendOf(series(60, () => 100 + jitter()))!.slope !== 0) taken++;
    const other = noise(seed, 10);
    // Ten units of noise, half a unit a second.
    if (trendOf(series(60, (i) => 100 + i / 2 + other()))!.slope > 0) found++;
  }
  t.ok(taken <= 1, `${taken} of 500`);
  t.ok(found >= 490, `${found} of 500`);
});

t.test('a long series is sampled: bounded, repeatable and still right', async (t) => {
  const jitter = noise(3, 50);
  const points = series(3_600, (i) => (i % 7 === 0 ? -1e6 : 1_000 + i / 10 + jitter()));
  const trend = trendOf(points)!;
  t.strictSame(trendOf(points), trend);
  t.ok(near(trend.slope, 0.1, 0.1), `slope ${trend.slope}`);
});

t.test('every length from nothing to a hundred ends', async (t) => {
  for (let length = 0; length <= 100; length++) {
    const trend = trendOf(series(length, (i) => 3 * i));
    if (length < MIN_POINTS) t.equal(trend, null);
    else t.ok(near(trend!.slope, 3, 1e-9), `length ${length}`);
  }
});
