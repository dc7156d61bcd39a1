/** What is kept of the metrics, and when the store forgets. */
import t, { type Test } from 'tap';
import {
  FIRST_SWEEP,
  HistoryKeeper,
  type HistoryReading,
  POINT_EVERY,
  SWEEP_EVERY,
} from '../../src/control/events/history-keeper.ts';
import { createLogger } from '../../src/control/log.ts';
import { StoreError } from '../../src/control/store/store.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { turns } from '../kit/signal.ts';
import { MemoryStore } from './events-store.ts';

const DAY = 24 * 3_600_000;
const START = 100 * DAY;

function setUp(t: Test) {
  const clock = new FakeClock();
  const store = new MemoryStore();
  const lines: Record<string, unknown>[] = [];
  let readings: readonly HistoryReading[] = [];
  const keeper = new HistoryKeeper({
    ...{ clock, store, readings: () => readings, retention: { events: 90 * DAY, history: DAY } },
    wallClock: () => START + clock.now(),
    logger: createLogger((line) => void lines.push(JSON.parse(line))),
  });
  t.teardown(() => keeper.close());
  const points = (): unknown[] => store.points.map(({ at, version, values }) => [at - START, version, values.p95]);
  const tick = async (v1: number | null, v2?: number | null): Promise<void> => {
    readings = [
      { service: 'shop', version: 'v1', values: { p95: v1, throughput: v1 } },
      ...(v2 === undefined ? [] : [{ service: 'shop', version: 'v2', values: { p95: v2, throughput: v2 } }]),
    ];
    clock.advance(POINT_EVERY);
    await turns(2);
  };
  return { clock, store, keeper, lines, points, tick };
}

t.test('a point every ten seconds, one commit for all versions', async (t) => {
  const { store, points, tick } = setUp(t);
  await tick(5, 7);
  await tick(5, 8);
  t.strictSame(points(), [
    [10_000, 'v1', 5],
    [10_000, 'v2', 7],
    [20_000, 'v1', 5],
    [20_000, 'v2', 8],
  ]);
  t.equal(store.commits.length, 2);
});

t.test('no traffic is written once', async (t) => {
  const { store, points, tick } = setUp(t);
  for (const value of [null, null, 3, null, null, null, 4]) await tick(value);
  t.strictSame(points(), [
    [30_000, 'v1', 3],
    [40_000, 'v1', null],
    [70_000, 'v1', 4],
  ]);
  t.equal(store.commits.length, 3);
});

t.test('trouble leaves points out, a fault is logged, and both end', async (t) => {
  const { store, lines, points, tick } = setUp(t);
  await tick(1);
  store.trouble('full');
  await tick(2);
  t.equal(store.commits.length, 1, 'nothing is tried');
  store.trouble(null);
  store.refuses = () => new StoreError('full', 'just now');
  await tick(null);
  t.strictSame(lines, []);
  store.refuses = () => new TypeError('odd');
  await tick(null);
  t.match(lines, [{ event: 'history_not_kept', message: 'odd' }]);
  store.refuses = () => null;
  await tick(null);
  t.strictSame(points(), [
    [10_000, 'v1', 1],
    [50_000, 'v1', null],
  ]);
});

t.test('one commit at a time', async (t) => {
  const { store, points, tick } = setUp(t);
  let write = (): void => {};
  store.gate = new Promise((resolve) => {
    write = resolve;
  });
  await tick(1);
  await tick(2);
  t.equal(store.commits.length, 1);
  store.gate = null;
  write();
  await turns(2);
  await tick(3);
  t.strictSame(points(), [
    [10_000, 'v1', 1],
    [30_000, 'v1', 3],
  ]);
});

t.test('the store forgets a minute after the start, then every hour, by what the configuration says', async (t) => {
  const { clock, store, keeper, tick } = setUp(t);
  clock.advance(FIRST_SWEEP - 1);
  t.strictSame(store.pruned, []);
  await turns(2);
  clock.advance(1);
  await turns(2);
  const first = START + FIRST_SWEEP;
  t.strictSame(store.pruned, [{ events: first - 90 * DAY, audit: first - 90 * DAY, history: first - DAY }]);
  keeper.configure({ events: DAY, history: 2 * DAY });
  for (let past = 0; past < SWEEP_EVERY; past += POINT_EVERY) await tick(null);
  const second = first + SWEEP_EVERY;
  t.strictSame(store.pruned.slice(1), [{ events: second - DAY, audit: second - DAY, history: second - 2 * DAY }]);
});

t.test('nothing happens after the end', async (t) => {
  const { store, keeper, tick } = setUp(t);
  await keeper.close();
  await tick(1);
  t.equal(store.commits.length, 0);
});
