/**
 * What active health checks cost the control thread: processor time per second of a process that does nothing but probe.
 *
 * The endpoints are HTTP servers in another process, one port each, over loopback. The figure is user and system time of the probing process
 * (all its threads, so the garbage collector's too), beside the event loop's share; an idle process with a timer is measured the same way, because
 * on a virtual machine waking up is most of the cost. Counts are checked: a failed probe or too few of them refuse the run.
 *
 *     node bench/probes.ts [--seconds 20]
 *
 * Writes bench/results/probes.md.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { once } from 'node:events';
import { mkdirSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { type AddressInfo, connect } from 'node:net';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { HealthChecker } from '../src/control/health/health-checker.ts';
import type { HealthTarget, NewProbe } from '../src/control/health/probe.ts';
import { HttpProbe } from '../src/control/health/probe-http.ts';
import { newEndpointTable } from '../src/model/endpoint-table.ts';
import type { HealthConfig } from '../src/model/policy-config.ts';
import { systemClock } from '../src/runtime/clock.ts';
import { silentLogger } from '../src/runtime/logger.ts';
import { SeededRandom } from '../src/runtime/random.ts';
import { describeMachine } from './machine.ts';

const BUDGET_MS = 10;
const INTERVAL = 2_000;
/** Probes per endpoint at first, in quick succession: a proxy runs for days, so its code is compiled. */
const WARM_UP_PROBES = 50;
const WARM_UP_INTERVAL = 200;
const SETTLE_MS = 4_000;

interface Scenario {
  readonly name: string;
  readonly endpoints: number;
  /** `timers`: a probe whenever it is due, for comparison; `fresh`: a new connection each. */
  readonly mode: 'http' | 'tcp' | 'fresh' | 'timers' | 'idle';
}

interface Figures {
  readonly cpu: number;
  readonly loop: number;
  readonly probesPerSecond: number;
  readonly residentMiB: number;
}

const SCENARIOS: readonly Scenario[] = [
  { name: 'nothing but ten timer ticks a second', endpoints: 0, mode: 'idle' },
  { name: '100 endpoints, HTTP', endpoints: 100, mode: 'http' },
  { name: '100 endpoints, TCP', endpoints: 100, mode: 'tcp' },
  { name: '100 endpoints, HTTP, a new connection per probe', endpoints: 100, mode: 'fresh' },
  { name: '100 endpoints, HTTP, each probe at its own time', endpoints: 100, mode: 'timers' },
  { name: '1,000 endpoints, HTTP', endpoints: 1_000, mode: 'http' },
  { name: '1,000 endpoints, TCP', endpoints: 1_000, mode: 'tcp' },
];

/** Set in the processes that this file starts: what they are to be. */
const ROLE = 'SLUICE_PROBES_ROLE';

async function serve(endpoints: number): Promise<void> {
  const ports: number[] = [];
  for (let i = 0; i < endpoints; i++) {
    const server = createServer((_, response) => response.end('ok'));
    server.listen(0, '127.0.0.1');
    await once(server, 'listening');
    ports.push((server.address() as AddressInfo).port);
  }
  process.on('disconnect', () => process.exit());
  process.send!(ports);
}

async function probe(scenario: Scenario, ports: readonly number[], seconds: number): Promise<void> {
  process.on('disconnect', () => process.exit());
  const prober = startProbing(scenario, ports);
  await sleep(WARM_UP_PROBES * WARM_UP_INTERVAL);
  prober.slowDown();
  await sleep(SETTLE_MS);
  const probesBefore = prober.probes();
  const cpuBefore = process.cpuUsage();
  const loopBefore = performance.eventLoopUtilization();
  const start = performance.now();
  await sleep(seconds * 1_000);
  const elapsed = (performance.now() - start) / 1_000;
  const cpu = process.cpuUsage(cpuBefore);
  const figures: Figures = {
    cpu: (cpu.user + cpu.system) / 1_000 / elapsed,
    loop: performance.eventLoopUtilization(loopBefore).active / elapsed,
    probesPerSecond: (prober.probes() - probesBefore) / elapsed,
    residentMiB: process.memoryUsage.rss() / 2 ** 20,
  };
  const failures = prober.failures();
  if (failures > 0) throw new Error(`${failures} probes failed`);
  process.send!(figures);
}

interface Prober {
  probes(): number;
  failures(): number;
  /** Ends the warm-up. */
  slowDown(): void;
}

function startProbing({ mode }: Scenario, ports: readonly number[]): Prober {
  const targets = (interval: number): HealthTarget[] => {
    const config: HealthConfig = {
      ...{ type: mode === 'tcp' ? 'tcp' : 'http', path: '/', status: [[200, 299]] },
      ...{ interval, unhealthyInterval: interval / 4, jitter: 10, timeout: 1_000, healthy: 2, unhealthy: 3 },
    };
    return ports.map((port, endpointId) => ({
      ...{ endpointId, url: `http://127.0.0.1:${port}`, host: '127.0.0.1', port, authority: `127.0.0.1:${port}` },
      ...{ service: 'shop', version: 'v1', config },
    }));
  };
  if (mode === 'idle') {
    setInterval(() => {}, 100);
    return { probes: () => 0, failures: () => 0, slowDown: () => {} };
  }
  if (mode === 'timers') return probeEachAtItsTime(targets(INTERVAL));
  const checker = new HealthChecker({
    ...{ clock: systemClock, random: new SeededRandom(1), table: newEndpointTable(), logger: silentLogger },
    ...(mode === 'fresh' ? { newProbe: freshProbe } : {}),
  });
  checker.apply(targets(WARM_UP_INTERVAL));
  const sum = (of: 'probes' | 'failures'): number => checker.states().reduce((total, state) => total + state[of], 0);
  return {
    probes: () => sum('probes'),
    failures: () => sum('failures'),
    slowDown: () => checker.apply(targets(INTERVAL)),
  };
}

/** Lets go of the connection after every probe. */
const freshProbe: NewProbe = (target) => {
  const probe = new HttpProbe(target);
  return {
    run: (verdict) =>
      probe.run((fault) => {
        probe.cancel();
        verdict(fault);
      }),
    cancel: () => probe.cancel(),
    close: () => probe.close(),
  };
};

/** What the schedule is compared with: a timer of its own for every endpoint. */
function probeEachAtItsTime(targets: readonly HealthTarget[]): Prober {
  const random = new SeededRandom(1);
  let interval = WARM_UP_INTERVAL;
  let probes = 0;
  let failures = 0;
  for (const target of targets) {
    const probe = new HttpProbe(target);
    const again = (): void => {
      setTimeout(again, interval * (0.9 + 0.2 * random.next()));
      probe.run((fault) => {
        probes++;
        if (fault !== null) failures++;
      });
    };
    setTimeout(again, interval * random.next());
  }
  const slowDown = (): void => {
    interval = INTERVAL;
  };
  return { probes: () => probes, failures: () => failures, slowDown };
}

async function run(): Promise<void> {
  const { values } = parseArgs({ options: { seconds: { type: 'string', default: '20' } } });
  const seconds = Number(values.seconds);
  const rows: string[] = [];
  for (const scenario of SCENARIOS) {
    const figures = await measure(scenario, seconds);
    const expected = (scenario.endpoints * 1_000) / INTERVAL;
    if (figures.probesPerSecond < 0.9 * expected) {
      throw new Error(`${scenario.name}: only ${figures.probesPerSecond.toFixed(1)} probes a second`);
    }
    const perProbe = expected === 0 ? '' : ((figures.cpu * 1_000) / figures.probesPerSecond).toFixed(0);
    rows.push(
      `| ${scenario.name} | ${figures.probesPerSecond.toFixed(1)} | ${figures.cpu.toFixed(1)} | ` +
        `${figures.loop.toFixed(1)} | ${perProbe} | ${figures.residentMiB.toFixed(0)} |`,
    );
    console.log(rows.at(-1));
  }
  const machine = describeMachine();
  const text = [
    '# What active health checks cost',
    '',
    `${new Date().toISOString().slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${machine.system}, Node ${process.version}; ` +
      `interval ${INTERVAL / 1_000} s, ${seconds} s each after a warm-up of ${WARM_UP_PROBES} quick probes per endpoint. ` +
      `Budget: ${BUDGET_MS} ms of the control thread per second for 100 endpoints.`,
    '',
    '| | probes/s | CPU ms/s | event loop ms/s | CPU µs/probe | RSS MiB |',
    '| --- | ---: | ---: | ---: | ---: | ---: |',
    ...rows,
    '',
  ].join('\n');
  const directory = join(import.meta.dirname, 'results');
  mkdirSync(directory, { recursive: true });
  writeFileSync(join(directory, 'probes.md'), text);
}

async function measure(scenario: Scenario, seconds: number): Promise<Figures> {
  const server = start('server', [String(scenario.endpoints)]);
  try {
    const [ports] = (await once(server, 'message')) as [number[]];
    if (ports.length > 0) await answers(ports[0]!);
    const prober = start('prober', [JSON.stringify(scenario), JSON.stringify(ports), String(seconds)]);
    try {
      return await new Promise<Figures>((resolve, reject) => {
        prober.once('message', (figures) => resolve(figures as Figures));
        prober.once('exit', (code) => reject(new Error(`${scenario.name}: the prober ended with ${code}`)));
      });
    } finally {
      prober.kill();
    }
  } finally {
    server.kill();
  }
}

/** A probe that finds nobody would be cheap. */
async function answers(port: number): Promise<void> {
  const socket = connect(port, '127.0.0.1');
  socket.write('GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n');
  const [first] = await once(socket, 'data');
  socket.destroy();
  if (!String(first).startsWith('HTTP/1.1 200')) throw new Error('the servers do not answer');
}

function start(role: string, args: readonly string[]): ChildProcess {
  return fork(import.meta.filename, args, { env: { ...process.env, [ROLE]: role } });
}

switch (process.env[ROLE]) {
  case 'server':
    await serve(Number(process.argv[2]));
    break;
  case 'prober':
    await probe(JSON.parse(process.argv[2]!), JSON.parse(process.argv[3]!), Number(process.argv[4]));
    break;
  default:
    await run();
}
