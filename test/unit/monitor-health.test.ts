import t from 'tap';
import { type AlertEvent, eventHandler } from '../../src/control/monitor/alert-handlers.ts';
import { HealthMonitor } from '../../src/control/monitor/health-monitor.ts';
import type { MonitorTarget } from '../../src/control/monitor/version-watch.ts';
import { ENDPOINT_SLOTS, endpointSlot, latencyRow, newWorkerMemory } from '../../src/model/counters.ts';
import { latencyBucket } from '../../src/model/latency-buckets.ts';
import type { AlertConfig, MonitorConfig } from '../../src/model/policy-config.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

const START = Date.parse('2026-01-01T00:00:00Z');

const alert = (changes: Partial<AlertConfig>): AlertConfig => ({
  name: 'errors',
  metric: 'error_rate',
  when: 'above',
  threshold: 5,
  clear: 4,
  for: 0,
  minimum: 1,
  forecast: 0,
  ...changes,
});

const two: MonitorTarget = {
  service: 'shop',
  version: 'v2',
  endpoints: [
    { id: 1, url: 'http://127.0.0.1:3001' },
    { id: 2, url: 'http://127.0.0.1:3002' },
  ],
};

const one: MonitorTarget = { service: 'shop', version: 'v1', endpoints: [{ id: 0, url: 'http://127.0.0.1:3000' }] };

interface Second {
  readonly good?: number;
  readonly bad?: number;
  readonly lost?: number;
  /** Of every good answer, milliseconds. */
  readonly ms?: number;
}

function setUp(config: Partial<MonitorConfig> = {}, targets: readonly MonitorTarget[] = [two]) {
  const clock = new FakeClock();
  const memories = [newWorkerMemory(), newWorkerMemory()];
  const events: AlertEvent[] = [];
  const flags = new Map<number, number>();
  const monitor = new HealthMonitor({
    clock,
    wallClock: () => START + clock.now(),
    memories,
    logger: silentLogger,
    config: { window: 10_000, history: 60_000, alerts: [], webhooks: [], ...config },
    flagsOf: (id) => flags.get(id) ?? 0,
    handlers: [eventHandler((event) => void events.push(event))],
  });
  monitor.apply(targets);
  /** Traffic of one endpoint, spread over both workers. */
  const serve = (id: number, { good = 0, bad = 0, lost = 0, ms = 1 }: Second): void => {
    const slot = endpointSlot(id);
    const half = Math.floor(good / 2);
    memories[0]!.endpoints[slot + ENDPOINT_SLOTS.success]! += half;
    memories[1]!.endpoints[slot + ENDPOINT_SLOTS.success]! += good - half;
    memories[0]!.endpoints[slot + ENDPOINT_SLOTS.error5xx]! += bad;
    memories[1]!.endpoints[slot + ENDPOINT_SLOTS.connectFailures]! += lost;
    memories[1]!.latencies[latencyRow(id) + latencyBucket(ms * 1000)]! += good;
  };
  const seconds = (count: number, each: () => void = () => {}): void => {
    for (let i = 0; i < count; i++) {
      each();
      clock.advance(1_000);
    }
  };
  const states = (): string[] => events.map((e) => `${e.name} ${e.endpoint?.slice(-4) ?? 'version'} ${e.state}`);
  return { clock, memories, monitor, events, flags, serve, seconds, states };
}

t.test('values per endpoint and version over the window', async (t) => {
  const { monitor, serve, seconds, flags } = setUp();
  flags.set(2, 8);
  seconds(4, () => {
    serve(1, { good: 90, bad: 10, ms: 5 });
    serve(2, { good: 75, lost: 25, ms: 50 });
  });
  const { at, window, versions } = monitor.snapshot();
  t.equal(at, '2026-01-01T00:00:04.000Z');
  t.equal(window, 10_000);
  const [version] = versions;
  t.match(version!, { service: 'shop', version: 'v2', attempts: 800 });
  t.match(version!.values, { availability: 87.5, error_rate: 17.5, throughput: 200 });
  const [first, second] = version!.endpoints;
  t.match(first!, { id: 1, flags: 0, available: true, attempts: 400 });
  t.match(first!.values, { availability: 100, error_rate: 10, throughput: 100 });
  t.match(second!, { id: 2, flags: 8, available: false, url: 'http://127.0.0.1:3002' });
  t.match(second!.values, { availability: 75, error_rate: 25 });
  t.ok(Math.abs(first!.values.p99! - 5) < 0.15, `p99 ${first!.values.p99}`);
  t.ok(Math.abs(version!.values.p50! - 5) < 0.15, `p50 ${version!.values.p50}`);
  t.ok(Math.abs(version!.values.p95! - 50) < 1.5, `p95 ${version!.values.p95}`);
  seconds(9);
  t.equal(monitor.snapshot().versions[0]!.attempts, 200, 'the first three seconds have left the window');
  seconds(1);
  const nothing = { availability: null, error_rate: null, throughput: null, p50: null, p95: null, p99: null };
  t.strictSame(monitor.snapshot().versions[0]!.values, nothing);
  await monitor.close();
});

t.test('no data is never an alert', async (t) => {
  const { monitor, seconds, events } = setUp({
    alerts: [
      alert({ name: 'silence', metric: 'throughput', when: 'below', threshold: 1, clear: 2 }),
      alert({ name: 'down', metric: 'availability', when: 'below', threshold: 99, clear: 99.5 }),
      alert({ threshold: 0, clear: 0 }),
      alert({ name: 'slow', metric: 'p95', threshold: 0, clear: 0, forecast: 600_000 }),
    ],
  });
  seconds(100);
  t.strictSame(events, []);
  t.strictSame(monitor.snapshot().alerts, []);
  await monitor.close();
});

t.test('too few attempts are no data, but for throughput', async (t) => {
  const alerts = [
    alert({ minimum: 20 }),
    alert({ name: 'busy', metric: 'throughput', threshold: 0.5, clear: 0, minimum: 20 }),
  ];
  const { serve, seconds, states, monitor } = setUp({ alerts }, [one]);
  seconds(10, () => serve(0, { bad: 1 }));
  t.strictSame(states(), ['busy version firing'], 'ten failures out of ten are not enough to judge');
  t.equal(monitor.snapshot().versions[0]?.values.error_rate, 100);
  seconds(10, () => serve(0, { bad: 2 }));
  t.strictSame(states(), ['busy version firing', 'errors version firing']);
});

t.test('an alert on a bad endpoint, and on its version only if that is bad too', async (t) => {
  const { monitor, serve, seconds, events, states } = setUp({ alerts: [alert({ for: 2_000 })] });
  const healthy = () => {
    serve(1, { good: 100 });
    serve(2, { good: 100 });
  };
  seconds(10, healthy);
  // 70 of the 1,070 attempts on the endpoint within the window, 70 of 2,070 on the version.
  seconds(1, () => {
    serve(1, { good: 100 });
    serve(2, { good: 100, bad: 70 });
  });
  seconds(1, healthy);
  t.strictSame(states(), []);
  t.match(monitor.snapshot().alerts, [{ state: 'pending', endpoint: 'http://127.0.0.1:3002', for: 1_000 }]);
  t.equal(monitor.snapshot().alerts.length, 1);
  seconds(1, healthy);
  t.strictSame(states(), ['errors 3002 firing']);
  t.match(events[0]!, {
    metric: 'error_rate',
    threshold: 5,
    service: 'shop',
    version: 'v2',
    endpoint: 'http://127.0.0.1:3002',
    at: '2026-01-01T00:00:13.000Z',
  });
  seconds(10, healthy);
  t.strictSame(states(), ['errors 3002 firing', 'errors 3002 ok']);
  await monitor.close();
});

t.test('a version with one endpoint is told of once, and throughput is judged for the whole', async (t) => {
  const alerts = [alert({}), alert({ name: 'few', metric: 'throughput', when: 'below', threshold: 150, clear: 160 })];
  const { monitor, serve, seconds, states } = setUp({ alerts }, [one, two]);
  seconds(5, () => {
    serve(0, { good: 200, bad: 100 });
    serve(1, { good: 100 });
    serve(2, { good: 100 });
  });
  t.strictSame(states(), ['errors version firing']);
  await monitor.close();
});

t.test('a warning from the trend before the threshold is crossed', async (t) => {
  const slow = alert({ name: 'slow', metric: 'p95', threshold: 100, clear: 90, forecast: 60_000 });
  const { monitor, serve, seconds, events } = setUp({ window: 60_000, alerts: [slow] }, [one]);
  let ms = 10;
  seconds(60, () => serve(0, { good: 50, ms: ms++ }));
  t.equal(events.length, 1);
  t.match(events[0]!, { name: 'slow', state: 'warning', version: 'v1' });
  t.ok(events[0]!.forecast! > 20_000 && events[0]!.forecast! <= 60_000, `forecast ${events[0]!.forecast}`);
  t.match(monitor.snapshot().alerts, [{ state: 'warning', forecast: Number }]);
  const trend = monitor.trend('shop', 'v1', 'p95')!;
  t.ok(Math.abs(trend.slope - 1) < 0.05, `slope ${trend.slope}`);
  t.equal(monitor.trend('shop', 'none', 'p95'), null);
  seconds(60, () => serve(0, { good: 50, ms: ms++ }));
  t.strictSame(
    events.map((e) => e.state),
    ['warning', 'firing'],
  );
  t.notOk('forecast' in events[1]!);
  await monitor.close();
});

t.test('what stays is kept, what goes is ended, an id taken over begins anew', async (t) => {
  const { monitor, serve, seconds, states } = setUp({ alerts: [alert({})] });
  seconds(5, () => serve(1, { good: 50, bad: 50 }));
  t.strictSame(states(), ['errors version firing', 'errors 3001 firing']);
  monitor.apply([{ ...two, endpoints: [two.endpoints[0]!, { id: 2, url: 'http://127.0.0.1:3009' }] }, one]);
  t.equal(monitor.snapshot().versions[0]!.endpoints[0]!.attempts, 500);
  t.equal(states().length, 2, 'nothing ended');
  serve(1, { good: 100 });
  monitor.apply([
    {
      ...two,
      endpoints: [
        { id: 1, url: 'http://127.0.0.1:4001' },
        { id: 2, url: 'http://127.0.0.1:3009' },
      ],
    },
  ]);
  t.strictSame(states().slice(2), ['errors 3001 ok']);
  seconds(1, () => serve(1, { good: 7 }));
  const [version] = monitor.snapshot().versions;
  t.equal(version!.endpoints[0]!.attempts, 7, 'the row had 600 already');
  t.equal(version!.attempts, 507, 'the version keeps what its removed endpoint did');
  t.equal(monitor.snapshot().versions.length, 1);
  monitor.apply([]);
  t.strictSame(states().slice(3), ['errors version ok']);
  t.strictSame(monitor.snapshot().versions, []);
  await monitor.close();
});

t.test('the endpoints of a version all change: new window, history goes on', async (t) => {
  const { monitor, serve, seconds, states } = setUp({ alerts: [alert({})] }, [one]);
  seconds(10, () => serve(0, { bad: 10 }));
  monitor.apply([{ ...one, endpoints: [{ id: 9, url: 'http://127.0.0.1:3100' }] }]);
  t.strictSame(states(), ['errors version firing', 'errors version ok']);
  t.equal(monitor.snapshot().versions[0]!.attempts, 0);
  seconds(10, () => serve(9, { good: 10 }));
  t.strictSame(monitor.history('shop', 'v1', 'error_rate'), [
    { at: START + 10_000, value: 100 },
    { at: START + 20_000, value: 0 },
  ]);
  await monitor.close();
});

t.test('history every ten seconds, bounded by its length', async (t) => {
  const { monitor, serve, seconds } = setUp({ window: 5_000, history: 30_000 }, [one]);
  seconds(22, () => serve(0, { good: 10 }));
  seconds(30);
  t.strictSame(monitor.history('shop', 'v1', 'throughput'), [
    { at: START + 30_000, value: null },
    { at: START + 40_000, value: null },
    { at: START + 50_000, value: null },
  ]);
  seconds(8, () => serve(0, { good: 10 }));
  t.strictSame(monitor.history('shop', 'v1', 'throughput', START + 50_000), [{ at: START + 60_000, value: 10 }]);
  t.strictSame(monitor.history('shop', 'nobody', 'throughput'), []);
  await monitor.close();
});

t.test('handlers come and go; after close nothing is looked at', async (t) => {
  const { monitor, serve, seconds, events, clock } = setUp({ alerts: [alert({})] }, [one]);
  let heard = 0;
  const remove = monitor.register(eventHandler(() => void heard++));
  monitor.register(
    eventHandler(() => {
      throw new Error('broken');
    }),
  );
  seconds(1, () => serve(0, { bad: 1 }));
  remove();
  seconds(12, () => serve(0, { good: 100 }));
  t.equal(heard, 1);
  t.equal(events.length, 2);
  await monitor.close();
  serve(0, { bad: 100_000 });
  clock.advance(60_000);
  t.equal(events.length, 2);
});

t.test('no flapping on noise at the threshold', async (t) => {
  const { monitor, serve, seconds, states } = setUp({ alerts: [alert({})] }, [one]);
  let i = 0;
  seconds(300, () => serve(0, { good: 1_000, bad: i++ % 2 === 0 ? 50 : 56 }));
  t.strictSame(states(), ['errors version firing']);
  await monitor.close();
});
