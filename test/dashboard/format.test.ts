import t from 'tap';
import { ago, duration, exactly, latency, number, percent, rate } from '../../src/dashboard/format.ts';
import { besideStable, difference } from '../../src/dashboard/ui/slower.ts';

t.test('what was not measured is a dash', async (t) => {
  for (const format of [number, percent, rate, latency, duration]) t.equal(format(null), '–');
});

t.test('three figures, and exact where the difference counts', async (t) => {
  t.same(
    [0, 0.034, 1.2, 12.34, 123.4, 12_345.6].map((value) => number(value)),
    ['0', '0.03', '1.2', '12.3', '123', '12,346'],
  );
  t.same([0, 0.01, 5, 50.25, 99.99, 100].map(percent), ['0 %', '0.01 %', '5 %', '50.3 %', '99.99 %', '100 %']);
  t.same([0, 0.31, 9.96, 120.4].map(rate), ['0/s', '0.3/s', '10/s', '120/s']);
  t.same([0.4312, 9.34, 87, 1_234].map(latency), ['0.43 ms', '9.34 ms', '87 ms', '1.23 s']);
});

t.test('durations in two units at most', async (t) => {
  const cases = [0, 12, 1_000, 59_400, 60_000, 90_000, 3_600_000, 5_400_000, 200_000_000];
  t.same(cases.map(duration), ['0 s', '12 ms', '1 s', '59 s', '1 min', '1 min 30 s', '1 h', '1 h 30 min', '2 d 7 h']);
  t.same([0, 858, 1_418, 12_300].map(exactly), ['0 ms', '858 ms', '1.42 s', '12 s']);
  t.equal(ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:03:00Z')), '3 min ago');
  t.equal(ago('2026-01-01T00:00:00Z', Date.parse('2026-01-01T00:00:01Z')), 'now');
});

t.test('slower is what chance does not do', async (t) => {
  t.same([-3.4, 0.2, 14].map(difference), ['−3 %', '±0 %', '+14 %']);
  t.equal(besideStable(null, 5), null);
  t.equal(besideStable(5, null), null);
  t.equal(besideStable(0.9, 0.3), null, 'under a millisecond nothing is compared');
  t.match(besideStable(30, 20), { more: 50, isSlower: true });
  t.match(besideStable(24, 20), { more: 20, isSlower: false }, 'a fifth');
  t.match(besideStable(5, 3), { isSlower: false }, 'two milliseconds');
  t.match(besideStable(10, 20), { more: -50, isSlower: false });
  t.equal(besideStable(30, 20, 19), null, 'of so few requests nothing is compared');
  t.match(besideStable(30, 20, 20), { isSlower: true });
});
