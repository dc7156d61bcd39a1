/** A request that began while its endpoint was watched may eject it after that has ended; then nobody but the monitor can take that back. */
import t from 'tap';
import { OutlierMonitor } from '../../src/control/health/outlier-monitor.ts';
import { newWorkerMemory } from '../../src/model/counters.ts';
import { EJECTED, flagsOf, newEndpointTable, setFlag } from '../../src/model/endpoint-table.ts';
import type { OutlierConfig } from '../../src/model/policy-config.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import { silentLogger } from '../../src/runtime/logger.ts';

const CONFIG: OutlierConfig = {
  ...{ consecutive5xx: 5, consecutiveGateway: 0, consecutiveLocal: 5, interval: 10_000, baseEjection: 30_000 },
  ...{ maxEjection: 300_000, maxEjectionPercent: 50 },
  ...{ successRateMinimumHosts: 5, successRateMinimumRequests: 100, successRateStdevFactor: 1.9 },
};

const target = (...ids: number[]) => ({
  ...{ service: 'shop', version: 'v1', mayEmpty: true, config: CONFIG },
  endpoints: ids.map((id) => ({ id, url: `http://127.0.0.1:${3000 + id}` })),
});

t.test('an ejection that comes late', async (t) => {
  const clock = new FakeClock();
  const table = newEndpointTable();
  const monitor = new OutlierMonitor({ clock, table, memories: [newWorkerMemory()], logger: silentLogger });
  t.teardown(() => monitor.close());
  monitor.apply([target(0, 1)]);
  monitor.apply([]);
  setFlag(table, 1, EJECTED);
  clock.advance(100);
  t.equal(flagsOf(table, 1), 0, 'is taken back');

  monitor.apply([target(1)]);
  setFlag(table, 0, EJECTED);
  setFlag(table, 1, EJECTED);
  clock.advance(300);
  t.equal(flagsOf(table, 0), 0);
  t.equal(flagsOf(table, 1), EJECTED, 'where it is watched again it lasts its time');
});
