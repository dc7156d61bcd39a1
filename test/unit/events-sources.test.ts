/** What the control plane notices, as events: from the parts that report it to the log, and how flapping is bounded. */
import { type AddressInfo, createServer } from 'node:net';
import t from 'tap';
import { compileSnapshot } from '../../src/control/config/compile.ts';
import { parseConfig } from '../../src/control/config/load.ts';
import type { NewEvent } from '../../src/control/events/event.ts';
import { MOST, WINDOW } from '../../src/control/events/flap-limit.ts';
import { EventSources } from '../../src/control/events/sources.ts';
import type { HealthEvent } from '../../src/control/health/health-checker.ts';
import type { AlertEvent } from '../../src/control/monitor/alert-handlers.ts';
import { Watch } from '../../src/control/watch.ts';
import { newWorkerMemory } from '../../src/model/counters.ts';
import { eject, ejectionCap, endEjection } from '../../src/model/ejection.ts';
import { newEndpointTable } from '../../src/model/endpoint-table.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { until } from '../kit/signal.ts';
import { MemoryStore } from './events-store.ts';

const URL_1 = 'http://127.0.0.1:3001';

function setUp() {
  const clock = new FakeClock();
  const events: NewEvent[] = [];
  const sources = new EventSources({ clock, log: { emit: (event) => void events.push(event) } });
  return { clock, events, sources };
}

const health = (healthy: boolean, url = URL_1): HealthEvent => ({
  ...{ endpointId: 0, url, service: 'shop', version: 'v1' },
  ...{ healthy, fault: healthy ? null : 'status 500', at: 0 },
});

const alert: AlertEvent = {
  ...{ name: 'errors', state: 'firing', metric: 'error_rate', value: 7.123456, when: 'above', threshold: 5 },
  ...{ service: 'shop', version: 'v2', at: '2026-01-01T00:00:00.000Z' },
};

t.test('health, ejection, end of a drain, alert', async (t) => {
  const { events, sources } = setUp();
  const place = { service: 'shop', version: 'v1', endpoint: URL_1 };
  const outlier = { endpointId: 0, url: URL_1, service: 'shop', version: 'v1', at: 100 };
  sources.health(health(false));
  sources.health(health(true));
  sources.outlier({ ...outlier, kind: 'ejected', cause: 'consecutive', ejections: 2, until: 60_100 });
  sources.outlier({ ...outlier, kind: 'returned', cause: 'check' });
  sources.drainEnded({ service: 'shop', version: 'v1', url: URL_1 });
  sources.handle(alert);
  sources.handle({ ...alert, state: 'ok', value: null, endpoint: URL_1 });
  t.strictSame(events, [
    {
      ...{ type: 'endpoint.health', level: 'warning', ...place, data: { healthy: false, fault: 'status 500' } },
      message: `Endpoint ${URL_1} of shop v1 is unhealthy: status 500.`,
    },
    {
      ...{ type: 'endpoint.health', level: 'info', ...place, data: { healthy: true, fault: null } },
      message: `Endpoint ${URL_1} of shop v1 is healthy.`,
    },
    {
      ...{ type: 'endpoint.ejected', level: 'warning', ...place },
      data: { cause: 'consecutive', ejections: 2, forMs: 60_000 },
      message: `Endpoint ${URL_1} of shop v1 was ejected for failures in a row, for at most 60 s.`,
    },
    {
      ...{ type: 'endpoint.returned', level: 'info', ...place, data: { cause: 'check' } },
      message: `Endpoint ${URL_1} of shop v1 takes part again.`,
    },
    {
      ...{ type: 'endpoint.state', level: 'info', ...place, data: { state: 'disabled', cause: 'deadline' } },
      message: `Endpoint ${URL_1} of shop v1 is disabled: the deadline of its draining has passed.`,
    },
    {
      ...{ type: 'alert', level: 'warning', service: 'shop', version: 'v2' },
      message: 'Alert errors is firing for shop v2: error_rate is 7.123; it fires above 5.',
      data: { name: 'errors', state: 'firing', metric: 'error_rate', value: 7.123456, when: 'above', threshold: 5 },
    },
    {
      ...{ type: 'alert', level: 'info', service: 'shop', version: 'v2', endpoint: URL_1 },
      message: `Alert errors is ok for endpoint ${URL_1} of shop v2: no data for error_rate; it fires above 5.`,
      data: { name: 'errors', state: 'ok', metric: 'error_rate', value: null, when: 'above', threshold: 5 },
    },
  ]);
});

t.test('an endpoint that flaps is told so often a minute, and then how it stands', async (t) => {
  const { clock, events, sources } = setUp();
  for (let second = 0; second < 60; second++) {
    sources.health(health(second % 2 === 1));
    clock.advance(999);
  }
  sources.health(health(true, 'http://127.0.0.1:3002'));
  t.equal(events.length, MOST + 1, 'another endpoint is not concerned');
  clock.advance(WINDOW);
  t.equal(events.length, MOST + 2);
  t.match(events.at(-1), {
    ...{ type: 'endpoint.health', endpoint: URL_1 },
    message: `Endpoint ${URL_1} of shop v1 is healthy. (${60 - MOST - 1} events before this one were suppressed)`,
    data: { healthy: true, suppressed: 60 - MOST - 1 },
  });
  for (let i = 0; i < MOST; i++) sources.health(health(true));
  t.equal(events.length, 2 * MOST + 1, 'the summary is the first event of the next minute');
  clock.advance(WINDOW);
  t.equal(events.length, 2 * MOST + 2);
  events.length = MOST + 2;
  clock.advance(2 * WINDOW);
  t.equal(events.length, MOST + 2, 'calm is silent');
  for (let i = 0; i < MOST + 1; i++) sources.health(health(i % 2 === 0));
  clock.advance(WINDOW + 1_000);
  t.equal(events.length, 2 * MOST + 3);
  t.strictSame(
    events.at(-1)!.data,
    { healthy: MOST % 2 === 0, fault: MOST % 2 === 0 ? null : 'status 500' },
    'none left out',
  );
});

t.test('health, ejection and each alert are bounded by themselves', async (t) => {
  const { events, sources } = setUp();
  for (let i = 0; i < 2 * MOST; i++) {
    sources.health(health(true));
    const outlier = { endpointId: 0, url: URL_1, service: 'shop', version: 'v1', at: 100 };
    sources.outlier({ ...outlier, kind: 'returned', cause: 'check' });
    sources.handle(alert);
    sources.handle({ ...alert, name: 'slow' });
    sources.handle({ ...alert, version: 'v1' });
    sources.drainEnded({ service: 'shop', version: 'v1', url: URL_1 });
  }
  t.equal(events.length, 5 * MOST + 2 * MOST, 'and the end of a drain is always told');
});

t.test('what is held back is told at the end', async (t) => {
  const { clock, events, sources } = setUp();
  for (let i = 0; i < MOST + 3; i++) sources.handle(alert);
  sources.close();
  t.equal(events.length, MOST + 1);
  t.match(events.at(-1), { type: 'alert', data: { suppressed: 2 } });
  clock.advance(10 * WINDOW);
  t.equal(events.length, MOST + 1);
});

t.test('each end of a trouble of the store', async (t) => {
  const { events, sources } = setUp();
  const store = new MemoryStore();
  sources.followStore(store);
  store.trouble('full');
  store.trouble(null);
  store.trouble('unavailable');
  t.strictSame(
    events.map(({ type, level, message }) => [type, level, message]),
    [
      [
        'store.failed',
        'warning',
        'The state cannot be written: there is no space left. Traffic is not affected; changes are refused until it can.',
      ],
      ['store.recovered', 'info', 'The state is written again; it could not be since 2026-01-01T00:00:00.000Z.'],
      [
        'store.failed',
        'warning',
        'The state cannot be written: the disk is gone. Traffic is not affected; changes are refused until it can.',
      ],
    ],
  );
  sources.close();
  store.trouble(null);
  t.equal(events.length, 3);
});

t.test('a store that is in trouble from the start', async (t) => {
  const { events, sources } = setUp();
  const store = new MemoryStore();
  store.trouble('full');
  sources.followStore(store);
  store.trouble(null);
  t.strictSame(
    events.map(({ type }) => type),
    ['store.failed', 'store.recovered'],
  );
});

t.test('from the watch: checks, ejections, deadlines', async (t) => {
  const { clock, events, sources } = setUp();
  const dead = await closedPort();
  const text = `listen: 127.0.0.1:0
services:
  shop:
    versions: { v1: { endpoints: [ "http://127.0.0.1:${dead}", "http://127.0.0.1:1" ] } }
    health: { tcp: true, interval: 1s, unhealthy: 1 }
    outlier: { baseEjection: 5s }
`;
  const config = parseConfig(text, 'sluice.yaml', {});
  const snapshot = compileSnapshot(config, 1);
  const table = newEndpointTable();
  const memories = [newWorkerMemory()];
  const random = new SeededRandom(1);
  const watch = new Watch({ clock, random, logger: silentLogger, table, memories, config, listener: sources });
  t.teardown(() => watch.close());
  watch.apply(config, snapshot);
  const [first, second] = snapshot.services[0]!.versions[0]!.endpoints;
  const types = (url: string): string[] => events.filter((e) => e.endpoint === url).map(({ type }) => type);

  watch.states.drain(second!.id, 500);
  watch.states.disable(second!.id);
  clock.advance(100);
  t.strictSame(events, [], 'what an operator says is told by whoever carries it out');
  watch.states.drain(second!.id, 500);
  clock.advance(500);
  t.match(events, [{ type: 'endpoint.state', service: 'shop', version: 'v1', endpoint: second!.url }]);

  watch.states.enable(second!.id);
  eject(table, [first!.id], first!.id, ejectionCap(2, 100, true));
  clock.advance(100);
  endEjection(table, first!.id);
  clock.advance(100);
  t.strictSame(types(first!.url), ['endpoint.ejected', 'endpoint.returned']);

  clock.advance(1_000);
  await until('a failed check', () => types(first!.url).includes('endpoint.health'));
});

async function closedPort(): Promise<number> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise<void>((resolve) => server.close(() => resolve()));
  return port;
}
