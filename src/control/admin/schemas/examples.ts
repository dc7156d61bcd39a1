/**
 * Examples of answers for the OpenAPI document: the demo, a minute after its start. A test checks each against its schema, and the tests'
 * stand-in for the control plane answers with them.
 */

import type { SluiceEvent } from '../../events/event.ts';
import type {
  Applied,
  ConfigView,
  EndpointView,
  FlagView,
  ServerStatus,
  ServiceView,
  VersionView,
  WeightsView,
} from '../../operations.ts';
import type { AuditRow } from '../../store/store.ts';

const AT = '2026-01-01T12:00:00.000Z';

export const appliedExample: Applied = { generation: 7, appliedInMs: 0.412, workers: 2 };

export const endpointExample: EndpointView = {
  url: 'http://127.0.0.1:3001',
  weight: 1,
  state: 'enabled',
  healthy: true,
  ejected: false,
  available: true,
  inFlight: 3,
  attempts: 5400,
  values: { availability: 100, error_rate: 0, throughput: 90, p50: 1.2, p95: 3.4, p99: 5.1 },
};

export const versionExample = (name: string, weight: number): VersionView => ({
  name,
  lane: name === 'v1' ? 'stable' : name === 'v2' ? 'canary' : null,
  weight,
  source: 'file',
  attempts: 5400,
  values: endpointExample.values,
  traffic: {
    service: 'demo',
    version: name,
    lane: null,
    requests: 5400,
    inFlight: 3,
    attempts: { '2xx': 5400, '3xx': 0, '4xx': 0, '5xx': 0, connect: 0, reset: 0, timeout: 0, malformed: 0 },
    replies: { '2xx': 5400, '3xx': 0, '4xx': 0, '5xx': 0 },
    retries: 0,
    retriesDenied: 0,
    hedges: 0,
    hedgeWins: 0,
    failovers: 0,
    overflows: 0,
    shield: { requests: 0, saved: 0, meanDelay: null },
    affinity: { hits: 0, misses: 0, hitRate: null },
  },
  endpoints: [endpointExample],
  metrics: { task_success_rate: { value: 0.995, at: AT } },
});

export const weightsExample: WeightsView = {
  weights: { v1: 90, v2: 10 },
  lanes: { stable: 'v1', canary: 'v2' },
  etag: 'k3v9x2',
  file: { v1: 90, v2: 10 },
};

export const serviceExample: ServiceView = {
  name: 'demo',
  lanes: weightsExample.lanes,
  weights: weightsExample.weights,
  etag: weightsExample.etag,
  strategy: 'weighted',
  overrides: [],
  rollback: null,
  rollout: null,
  versions: [versionExample('v1', 90), versionExample('v2', 10)],
  alerts: [],
};

export const flagExample: FlagView = {
  name: 'new-checkout',
  value: 12.5,
  default: 0,
  environments: { staging: 100 },
  override: 12.5,
  key: 'header x-user-id',
  header: 'X-Flag-New-Checkout',
};

export const statusExample: ServerStatus = {
  version: '0.1.0',
  pid: 4711,
  startedAt: AT,
  uptimeMs: 61_000,
  state: 'serving',
  generation: 7,
  environment: 'default',
  listen: ['127.0.0.1:8080'],
  workers: { configured: 2, listening: 2 },
  connections: 12,
  inFlight: 3,
  store: { path: '/var/lib/sluice', revision: 41, trouble: null },
  alerts: [],
};

export const configExample: ConfigView = {
  generation: 7,
  environment: 'default',
  files: ['/etc/sluice/sluice.yaml'],
  loadedAt: AT,
  rejected: null,
  file: { listen: ['127.0.0.1:8080'] },
  effective: { listen: ['127.0.0.1:8080'] },
  differences: [{ key: 'services.demo.weights.v2', file: 10, override: 20, effective: 20 }],
};

export const eventExample: SluiceEvent = {
  id: 41,
  at: AT,
  type: 'weights.changed',
  level: 'info',
  service: 'demo',
  message: 'demo: v1 90 %, v2 10 %',
  data: { before: { v1: 100, v2: 0 }, after: { v1: 90, v2: 10 } },
};

export const auditExample: AuditRow = {
  seq: 12,
  at: AT,
  actor: 'ci',
  role: 'operator',
  address: '127.0.0.1',
  requestId: 'deploy-4711',
  action: 'weights.set',
  target: 'services/demo/weights',
  before: { v1: 100, v2: 0 },
  after: { v1: 90, v2: 10 },
  reason: 'first canary',
  previous: '9f2c0c7d1d1a9e6f0a4b8f5d7b3e2c1a0f9e8d7c6b5a49382716050403020100',
  hash: '1f0e2d3c4b5a69788796a5b4c3d2e1f00f1e2d3c4b5a69788796a5b4c3d2e1f0',
};
