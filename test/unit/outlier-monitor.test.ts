/** The control plane's half of passive health, on a clock that the test turns; the workers are played by writing shared memory. */
import t from 'tap';
import type { OutlierEvent, OutlierTarget } from '../../src/control/health/outlier-monitor.ts';
import { OutlierMonitor } from '../../src/control/health/outlier-monitor.ts';
import { ENDPOINT_SLOTS, endpointSlot, newWorkerMemory } from '../../src/model/counters.ts';
import { eject, ejectionCap, endEjection } from '../../src/model/ejection.ts';
import {
  clearRow,
  EJECTED,
  EJECTIONS,
  endpointRow,
  flagsOf,
  newEndpointTable,
  setFlag,
  UNHEALTHY,
} from '../../src/model/endpoint-table.ts';
import type { OutlierConfig } from '../../src/model/policy-config.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

const CONFIG: OutlierConfig = {
  consecutive5xx: 5,
  consecutiveGateway: 5,
  consecutiveLocal: 5,
  baseEjection: 30_000,
  maxEjection: 100_000,
  maxEjectionPercent: 50,
  interval: 10_000,
  successRateMinimumHosts: 3,
  successRateMinimumRequests: 100,
  successRateStdevFactor: 1_900,
};

const target = (
  ids: readonly number[],
  config: Partial<OutlierConfig> = {},
  rest: Partial<OutlierTarget> = {},
): OutlierTarget => ({
  service: 'shop',
  version: 'v1',
  mayEmpty: false,
  endpoints: ids.map((id) => ({ id, url: `http://e${id}` })),
  config: { ...CONFIG, ...config },
  ...rest,
});

function setUp() {
  const clock = new FakeClock();
  const table = newEndpointTable();
  const memories = [newWorkerMemory(), newWorkerMemory()];
  const events: string[] = [];
  const full: OutlierEvent[] = [];
  const monitor = new OutlierMonitor({
    ...{ clock, table, memories, logger: silentLogger },
    onChange: (event) => {
      full.push(event);
      events.push(`${event.endpointId} ${event.kind} ${event.cause}`);
    },
  });
  const workerEjects = (id: number): boolean => eject(table, [id], id, ejectionCap(1, 100, true));
  const out = (id: number): boolean => (flagsOf(table, id) & EJECTED) !== 0;
  const ejections = (id: number): number => table[endpointRow(id) + EJECTIONS]!;
  const serve = (id: number, requests: number, failures: number): void => {
    memories.forEach(({ endpoints }, worker) => {
      const slot = endpointSlot(id);
      endpoints[slot + ENDPOINT_SLOTS.success]! += (requests - failures) / 2;
      const failure = worker === 0 ? ENDPOINT_SLOTS.timeouts : ENDPOINT_SLOTS.error5xx;
      endpoints[slot + failure]! += failures / 2;
    });
  };
  return { clock, table, memories, monitor, events, full, workerEjects, out, ejections, serve };
}

t.test('an ejection is noticed, lasts its time and is ended', async (t) => {
  const { clock, monitor, events, full, workerEjects, out } = setUp();
  monitor.apply([target([1, 2, 3])]);
  clock.advance(450);
  workerEjects(2);
  clock.advance(50);
  t.strictSame(events, ['2 ejected consecutive']);
  t.match(full[0], { url: 'http://e2', service: 'shop', version: 'v1', ejections: 1, at: 500, until: 30_500 });
  t.match(monitor.ejections(), [{ endpointId: 2, url: 'http://e2', since: 500, until: 30_500, ejections: 1 }]);
  clock.advance(29_900);
  t.ok(out(2));
  clock.advance(100);
  t.notOk(out(2));
  t.strictSame(events, ['2 ejected consecutive', '2 returned time']);
  t.strictSame(monitor.ejections(), []);
});

t.test('the n-th ejection takes n times as long, up to the longest', async (t) => {
  const { clock, monitor, workerEjects, out } = setUp();
  // An interval that never ends forgives nothing.
  monitor.apply([target([1, 2], { interval: 10_000_000 })]);
  const lasted: number[] = [];
  for (let i = 0; i < 5; i++) {
    workerEjects(1);
    clock.advance(100);
    const start = clock.now();
    while (out(1)) clock.advance(100);
    lasted.push(clock.now() - start);
  }
  t.strictSame(lasted, [30_000, 60_000, 90_000, 100_000, 100_000]);
});

t.test('one ejection is forgiven for every whole interval inside', async (t) => {
  const { clock, table, monitor, workerEjects, ejections } = setUp();
  table[endpointRow(1) + EJECTIONS] = 2;
  monitor.apply([target([1, 2], { baseEjection: 1_000 })]);
  clock.advance(10_000);
  t.equal(ejections(1), 2, 'the first look began in the middle of an interval');
  clock.advance(10_000);
  t.equal(ejections(1), 1);
  clock.advance(100);
  workerEjects(1);
  clock.advance(9_900);
  t.equal(ejections(1), 2, 'an interval with an ejection forgives nothing');
  clock.advance(10_000);
  t.equal(ejections(1), 1);
  clock.advance(40_000);
  t.equal(ejections(1), 0, 'and never below none');
});

t.test('an ejection that active checks have ended', async (t) => {
  const { clock, table, monitor, events, workerEjects } = setUp();
  monitor.apply([target([1, 2])]);
  workerEjects(1);
  clock.advance(100);
  endEjection(table, 1);
  clock.advance(100);
  t.strictSame(events.splice(0), ['1 ejected consecutive', '1 returned check']);

  workerEjects(1);
  endEjection(table, 1);
  clock.advance(100);
  t.strictSame(events.splice(0), ['1 ejected consecutive', '1 returned check'], 'between two looks');

  workerEjects(1);
  clock.advance(100);
  endEjection(table, 1);
  workerEjects(1);
  clock.advance(100);
  t.strictSame(
    events,
    ['1 ejected consecutive', '1 returned check', '1 ejected consecutive'],
    'and another one at once',
  );
  t.equal(monitor.ejections()[0]!.since, 500);
});

t.test('a flag without an event is taken as it is at the second look', async (t) => {
  const { clock, table, monitor, events, out } = setUp();
  monitor.apply([target([1, 2])]);
  setFlag(table, 1, EJECTED);
  clock.advance(100);
  t.strictSame(events, []);
  clock.advance(100);
  t.strictSame(events, ['1 ejected consecutive']);
  clock.advance(30_000);
  t.notOk(out(1), 'nobody stays out for ever');
});

t.test('success rates', async (t) => {
  await t.test('the outlier is ejected at the end of the interval', async (t) => {
    const { clock, monitor, events, full, serve, out } = setUp();
    serve(3, 10_000, 10_000);
    monitor.apply([target([1, 2, 3])]);
    for (const id of [1, 2, 3]) serve(id, 200, id === 2 ? 50 : 0);
    clock.advance(9_900);
    t.strictSame(events, []);
    clock.advance(100);
    t.strictSame(events, ['2 ejected success-rate'], 'what was before the first look does not count');
    t.match(full[0], { ejections: 1, until: 40_000 });
    t.ok(out(2));
    for (const id of [1, 3]) serve(id, 200, 0);
    clock.advance(30_000);
    t.strictSame(events, ['2 ejected success-rate', '2 returned time'], 'reported once');
  });

  await t.test('no more than the cap allows, the worst first', async (t) => {
    const { clock, monitor, serve, out } = setUp();
    monitor.apply([target([1, 2, 3, 4, 5, 6, 7, 8, 9], { maxEjectionPercent: 12, successRateStdevFactor: 500 })]);
    for (const id of [1, 2, 3, 4, 5, 6, 7, 8, 9]) serve(id, 1_000, id === 4 ? 300 : id === 7 ? 400 : 0);
    clock.advance(10_000);
    t.strictSame([out(4), out(7)], [false, true]);
  });

  await t.test('a quiet interval judges nobody', async (t) => {
    const { clock, monitor, events, serve } = setUp();
    monitor.apply([target([1, 2, 3])]);
    for (const id of [1, 2, 3]) serve(id, 98, id === 2 ? 50 : 0);
    clock.advance(10_000);
    t.strictSame(events, []);
  });

  await t.test('configuring again does not put the end of the interval off', async (t) => {
    const { clock, monitor, events, serve } = setUp();
    for (let i = 0; i < 4; i++) {
      monitor.apply([target([1, 2, 3])]);
      for (const id of [1, 2, 3]) serve(id, 100, id === 2 ? 50 : 0);
      clock.advance(3_000);
    }
    t.strictSame(events, ['2 ejected success-rate']);
  });
});

t.test('the cap is kept when the world changes', async (t) => {
  await t.test('two workers took the last place at once: the one that is out longest comes back', async (t) => {
    const { clock, monitor, events, workerEjects, out } = setUp();
    monitor.apply([target([1, 2, 3])]);
    workerEjects(3);
    clock.advance(100);
    workerEjects(1);
    clock.advance(100);
    t.strictSame([out(1), out(3)], [true, false]);
    t.match(events, ['3 ejected consecutive', '1 ejected consecutive', '3 returned cap']);
  });

  await t.test('the last available endpoint fails its checks', async (t) => {
    const { clock, table, monitor, workerEjects, out } = setUp();
    monitor.apply([target([1, 2, 3, 4])]);
    setFlag(table, 1, UNHEALTHY);
    workerEjects(1);
    workerEjects(2);
    setFlag(table, 3, UNHEALTHY);
    clock.advance(1_000);
    t.strictSame([out(1), out(2)], [true, true], 'one is left');
    setFlag(table, 4, UNHEALTHY);
    clock.advance(100);
    t.strictSame([out(1), out(2)], [true, false], 'the one that is not unhealthy as well');
  });

  await t.test('a version that may be empty stays empty', async (t) => {
    const { clock, monitor, workerEjects, out } = setUp();
    monitor.apply([target([1], {}, { mayEmpty: true })]);
    workerEjects(1);
    clock.advance(29_000);
    t.ok(out(1));
  });

  await t.test('until it becomes stable', async (t) => {
    const { clock, monitor, workerEjects, out, events } = setUp();
    monitor.apply([target([1], {}, { mayEmpty: true })]);
    workerEjects(1);
    clock.advance(1_000);
    monitor.apply([target([1])]);
    clock.advance(100);
    t.notOk(out(1));
    t.equal(events.at(-1), '1 returned cap');
  });
});

t.test('apply', async (t) => {
  await t.test('keeps the ejection of an endpoint that stays', async (t) => {
    const { clock, monitor, events, workerEjects, out } = setUp();
    monitor.apply([target([1, 2])]);
    workerEjects(1);
    clock.advance(10_000);
    monitor.apply([target([1, 2, 3])]);
    clock.advance(20_100);
    t.notOk(out(1), 'its time goes on');
    t.strictSame(events, ['1 ejected consecutive', '1 returned time']);
  });

  await t.test('lets endpoints in that are no longer watched', async (t) => {
    const { clock, monitor, events, workerEjects, out } = setUp();
    monitor.apply([target([1, 2]), target([5, 6], {}, { version: 'v2' })]);
    workerEjects(1);
    clock.advance(100);
    workerEjects(5);
    monitor.apply([]);
    t.notOk(out(1));
    t.notOk(out(5), 'one that had not been noticed yet, too');
    t.strictSame(events, ['1 ejected consecutive', '1 returned configuration', '5 returned configuration']);
    workerEjects(1);
    clock.advance(10_000);
    t.equal(events.length, 3, 'nobody looks any more');
  });

  await t.test('gives an id that is in use again a clean record', async (t) => {
    const { clock, table, monitor, events, workerEjects } = setUp();
    monitor.apply([target([1, 2])]);
    workerEjects(1);
    clock.advance(100);
    clearRow(table, 1);
    monitor.apply([
      target(
        [],
        {},
        {
          endpoints: [
            { id: 1, url: 'http://new' },
            { id: 2, url: 'http://e2' },
          ],
        },
      ),
    ]);
    clock.advance(60_000);
    t.strictSame(events, ['1 ejected consecutive']);
    t.strictSame(monitor.ejections(), []);
  });

  await t.test('and after close nobody looks', async (t) => {
    const { clock, monitor, events, workerEjects, out } = setUp();
    monitor.apply([target([1, 2])]);
    workerEjects(1);
    clock.advance(100);
    monitor.close();
    clock.advance(100_000);
    t.ok(out(1));
    t.equal(events.length, 1);
  });
});
