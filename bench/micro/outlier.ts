/** Outlier detection: what a success, a failure and a threshold that is reached under a full cap cost the data plane. */
import { newEndpointTable } from '../../src/model/endpoint-table.ts';
import type { OutlierConfig } from '../../src/model/policy-config.ts';
import { OutlierDetector } from '../../src/proxy/upstream/outlier.ts';
import { report } from './harness.ts';

const config: OutlierConfig = {
  consecutive5xx: 5,
  consecutiveGateway: 5,
  consecutiveLocal: 5,
  baseEjection: 30_000,
  maxEjection: 300_000,
  maxEjectionPercent: 50,
  interval: 10_000,
  successRateMinimumHosts: 3,
  successRateMinimumRequests: 100,
  successRateStdevFactor: 1_900,
};
const table = newEndpointTable();
const ids = (count: number): number[] => Array.from({ length: count }, (_, id) => id);
const normal = new OutlierDetector(config, table, ids(10), false);
const patient = new OutlierDetector({ ...config, consecutive5xx: 2 ** 30 }, table, ids(10), false);
const capped = new OutlierDetector({ ...config, consecutive5xx: 1, maxEjectionPercent: 0 }, table, ids(1_000), false);

report([
  { name: 'outlier: success', run: () => normal.answered(3, 200) },
  {
    name: 'outlier: failure, then success',
    run: () => {
      normal.answered(3, 500);
      normal.answered(3, 200);
    },
  },
  { name: 'outlier: failure', run: () => patient.answered(4, 500) },
  { name: 'outlier: threshold under a full cap, 1,000 endpoints', run: () => capped.answered(5, 500) },
]);
