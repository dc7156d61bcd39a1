/**
 * What the health monitor costs the control thread: the time of one tick, once a second, under traffic that touches every endpoint.
 *
 * The counters are filled by hand between the ticks, with log-normal latencies, and the clock is a false one, so that only the
 * monitor's own work is measured. The mean is CPU time of the thread, which a busy machine does not stretch and which the kernel only
 * counts in steps too coarse for a single tick; the quantiles are elapsed time. Alerts on every kind of metric are set, two with a
 * forecast, none of which is reached. Right answers first: attempts and median must be those that were put in, or there are no figures.
 *
 *     node bench/monitor.ts        writes bench/results/monitor.md
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { setImmediate as nextTurn } from 'node:timers/promises';
import { HealthMonitor } from '../src/control/monitor/health-monitor.ts';
import type { MonitorTarget } from '../src/control/monitor/version-watch.ts';
import { ENDPOINT_SLOTS, endpointSlot, latencyRow, newWorkerMemory, type WorkerMemory } from '../src/model/counters.ts';
import { latencyBucket } from '../src/model/latency-buckets.ts';
import type { AlertConfig } from '../src/model/policy-config.ts';
import { FakeClock } from '../src/runtime/clock.ts';
import { silentLogger } from '../src/runtime/logger.ts';
import { SeededRandom } from '../src/runtime/random.ts';
import { describeMachine } from './machine.ts';

interface Shape {
  readonly name: string;
  readonly services: number;
  readonly versions: number;
  readonly endpoints: number;
  readonly workers: number;
  /** Attempts per endpoint, worker and second. */
  readonly attempts: number;
  readonly ticks: number;
}

const WINDOW_TICKS = 60;
const WARM_UP_TICKS = 120;
const MEDIAN_MICROS = 5_000;

const shapes: readonly Shape[] = [
  { name: 'the budgeted case', services: 20, versions: 2, endpoints: 5, workers: 4, attempts: 60, ticks: 600 },
  { name: 'busy', services: 20, versions: 2, endpoints: 5, workers: 4, attempts: 1_000, ticks: 300 },
  { name: 'idle', services: 20, versions: 2, endpoints: 5, workers: 4, attempts: 0, ticks: 600 },
  { name: 'the most endpoints', services: 128, versions: 4, endpoints: 8, workers: 4, attempts: 20, ticks: 60 },
];

const alert = (changes: Partial<AlertConfig>): AlertConfig => ({
  name: 'alert',
  metric: 'error_rate',
  when: 'above',
  threshold: 50,
  clear: 40,
  for: 30_000,
  minimum: 20,
  forecast: 0,
  ...changes,
});

const alerts: readonly AlertConfig[] = [
  alert({ forecast: 600_000 }),
  alert({ metric: 'p95', threshold: 5_000, clear: 4_000, forecast: 600_000 }),
  alert({ metric: 'p99', threshold: 5_000, clear: 4_000 }),
  alert({ metric: 'availability', when: 'below', threshold: 1, clear: 2 }),
  alert({ metric: 'throughput', when: 'below', threshold: 0, clear: 1 }),
];

const targetsOf = (shape: Shape): MonitorTarget[] =>
  Array.from({ length: shape.services * shape.versions }, (_, version) => ({
    service: `service-${Math.floor(version / shape.versions)}`,
    version: `v${version % shape.versions}`,
    endpoints: Array.from({ length: shape.endpoints }, (_, i) => {
      const id = version * shape.endpoints + i;
      return { id, url: `http://10.0.${id >> 8}.${id & 255}:8080` };
    }),
  }));

/** Log-normal: half of the values below the median, one in a hundred above about five times it. */
function latencies(random: SeededRandom, count: number): Uint32Array {
  return Uint32Array.from({ length: count }, () => {
    const normal = Math.sqrt(-2 * Math.log(1 - random.next())) * Math.cos(2 * Math.PI * random.next());
    return Math.round(MEDIAN_MICROS * Math.exp(0.7 * normal));
  });
}

/** Where the samples go on: started afresh every tick, each endpoint would see the same few for ever. */
let at = 0;

function serve(memories: readonly WorkerMemory[], endpoints: number, attempts: number, samples: Uint32Array): void {
  for (const memory of memories) {
    for (let id = 0; id < endpoints; id++) {
      const failed = id % 10 === 0 ? 1 : 0;
      memory.endpoints[endpointSlot(id) + ENDPOINT_SLOTS.success]! += attempts - failed;
      memory.endpoints[endpointSlot(id) + ENDPOINT_SLOTS.timeouts]! += failed;
      for (let i = failed; i < attempts; i++) {
        memory.latencies[latencyRow(id) + latencyBucket(samples[at++ % samples.length]!)]! += 1;
      }
    }
  }
}

/** Twice, because buffers are given back after the objects that held them. */
async function settle(): Promise<void> {
  for (let i = 0; i < 2; i++) {
    globalThis.gc?.();
    await nextTurn();
  }
}

async function run(shape: Shape): Promise<string> {
  const clock = new FakeClock();
  const memories = Array.from({ length: shape.workers }, newWorkerMemory);
  const targets = targetsOf(shape);
  const endpoints = targets.length * shape.endpoints;
  const samples = latencies(new SeededRandom(1), 99_991);
  await settle();
  const before = process.memoryUsage();
  const monitor = new HealthMonitor({
    clock,
    memories,
    logger: silentLogger,
    config: { window: WINDOW_TICKS * 1_000, history: 3_600_000, alerts, webhooks: [] },
    flagsOf: () => 0,
  });
  monitor.apply(targets);
  const ticks: number[] = [];
  let cpu = 0;
  for (let tick = 0; tick < WARM_UP_TICKS + shape.ticks; tick++) {
    if (shape.attempts > 0) serve(memories, endpoints, shape.attempts, samples);
    const cpuBefore = process.threadCpuUsage();
    const start = performance.now();
    clock.advance(1_000);
    const elapsed = performance.now() - start;
    const used = process.threadCpuUsage(cpuBefore);
    if (tick < WARM_UP_TICKS) continue;
    ticks.push(elapsed);
    cpu += (used.user + used.system) / 1000;
  }
  const start = performance.now();
  const { versions, alerts: open } = monitor.snapshot();
  const snapshot = performance.now() - start;
  const expected = shape.attempts * shape.workers * shape.endpoints * WINDOW_TICKS;
  for (const { attempts, values } of versions) {
    if (attempts !== expected) throw new Error(`${attempts} attempts instead of ${expected}`);
    if (expected > 0 && Math.abs(values.p50! * 1000 - MEDIAN_MICROS) > 0.05 * MEDIAN_MICROS)
      throw new Error(`a median of ${values.p50} ms`);
    if (expected === 0 && values.p50 !== null) throw new Error('a value without data');
  }
  if (open.length > 0) throw new Error(`${open.length} alerts where there should be none`);
  await settle();
  const after = process.memoryUsage();
  // Workers' blocks are array buffers too, but shared ones, which neither figure counts.
  const kib = (after.heapUsed + after.arrayBuffers - before.heapUsed - before.arrayBuffers) / 1024;
  await monitor.close();
  ticks.sort((a, b) => a - b);
  const quantile = (share: number): string =>
    ticks[Math.min(ticks.length - 1, Math.floor(share * ticks.length))]!.toFixed(2);
  const size = `${shape.services} × ${shape.versions} × ${shape.endpoints}, ${shape.workers} workers`;
  const rate = (shape.attempts * shape.workers * endpoints).toLocaleString('en');
  const perEndpoint = globalThis.gc === undefined ? '' : (kib / endpoints).toFixed(0);
  const columns = [shape.name, size, rate, (cpu / ticks.length).toFixed(2), quantile(0.5), quantile(0.95), quantile(1)];
  return `| ${[...columns, snapshot.toFixed(1), perEndpoint].join(' | ')} |`;
}

const machine = describeMachine();
const lines = [
  '# Cost of the health monitor',
  '',
  'Made by `node --expose-gc bench/monitor.ts`. Milliseconds of the control thread per tick; there is one tick a second.',
  '',
  '| case | services × versions × endpoints | attempts/s | CPU mean | elapsed p50 | p95 | max | snapshot() | KiB per endpoint |',
  '|---|---|---:|---:|---:|---:|---:|---:|---:|',
];
for (const shape of shapes) lines.push(await run(shape));
lines.push(
  '',
  `${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${process.version}, ${new Date().toISOString().slice(0, 10)}`,
  '',
);
mkdirSync(new URL('results/', import.meta.url), { recursive: true });
writeFileSync(new URL('results/monitor.md', import.meta.url), lines.join('\n'));
console.log(lines.join('\n'));
