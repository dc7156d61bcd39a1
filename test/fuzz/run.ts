/**
 * `npm run fuzz [-- --seed N --admin N --routed N --faults N --mutants N]`: requests against the admin API of a process of its own; then a
 * router that never rests, random faults, and mutants, against a data plane in this process.
 *
 * Exit status 0 says: the process lived, nobody got stuck, every message that came out was valid, all counts went back to zero, a good
 * request was answered at the end, and no socket is left. The same seed draws the same plans; how they interleave is the kernel's affair.
 */
import { parseArgs } from 'node:util';
import { openSockets } from '../kit/open-sockets.ts';
import { openProxy, type TestProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { until } from '../kit/signal.ts';
import { runAdmin } from './admin.ts';
import { FaultFuzz, SHORT_TIMEOUTS } from './faults.ts';
import { MutationFuzz } from './mutations.ts';
import { runRouter } from './router-run.ts';

const failures: string[] = [];
const crash = (kind: string) => (error: unknown) => {
  failures.push(`${kind}: ${error instanceof Error ? error.stack : String(error)}`);
};
process.on('uncaughtException', crash('uncaught exception'));
process.on('unhandledRejection', crash('unhandled rejection'));

/** Runs `play` for every number below `count`, `width` at a time. */
async function forEach(count: number, width: number, play: (iteration: number) => Promise<void>): Promise<void> {
  let next = 0;
  const lane = async () => {
    while (next < count) {
      const iteration = next++;
      await play(iteration).catch((error: Error) => failures.push(`#${iteration}: ${error.message}`));
    }
  };
  await Promise.all(Array.from({ length: width }, lane));
}

function report(title: string, outcomes: ReadonlyMap<string, number>, seconds: number): void {
  console.log(`\n${title} (${seconds.toFixed(1)} s)`);
  for (const [outcome, count] of [...outcomes].sort()) {
    console.log(`${String(count).padStart(7)}  ${outcome}`);
    if (/STUCK|INVALID/.test(outcome)) failures.push(`${count} × ${outcome}`);
  }
}

/** What must be true when everybody has gone. */
async function settle(name: string, proxy: TestProxy, upstream: RawUpstream): Promise<void> {
  const counts = () => proxy.plane.stats();
  try {
    await until('all counts to be zero', () => Object.values(counts()).every((count) => count === 0), 15_000);
  } catch {
    failures.push(`${name}: left over ${JSON.stringify(counts())}`);
  }
  upstream.behaviour = async (connection) => {
    await connection.request();
    connection.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\ngood');
  };
  const client = await proxy.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const answer = await client
    .answer()
    .catch((error: Error) => failures.push(`${name}: the good request: ${error.message}`));
  if (typeof answer !== 'number' && answer.body !== 'good')
    failures.push(`${name}: the good request got ${answer.body}`);
  client.destroy();
  proxy.close();
  await upstream.close();
  await until('every socket to be closed', () => openSockets() === 0).catch(() => {
    failures.push(`${name}: ${openSockets()} sockets are left`);
  });
}

async function timed(work: Promise<void>): Promise<number> {
  const start = performance.now();
  await work;
  return (performance.now() - start) / 1000;
}

async function runFaults(seed: number, count: number): Promise<void> {
  const fuzz = new FaultFuzz(seed);
  const upstream = await RawUpstream.open(fuzz.behaviour);
  const proxy = await openProxy({ upstream, ...SHORT_TIMEOUTS });
  const seconds = await timed(forEach(count, 100, (iteration) => fuzz.play(proxy, iteration)));
  report(`${count} resets, FINs and stalls`, fuzz.outcomes, seconds);
  for (const plan of fuzz.stuck.slice(0, 5)) failures.push(`stuck: ${JSON.stringify(plan).slice(0, 2000)}`);
  await settle('faults', proxy, upstream);
}

/** Requests and responses have an upstream each: one that closes after every response would make some requests fail by itself. */
async function runMutants(seed: number, count: number, side: 'playRequest' | 'playResponse'): Promise<void> {
  const fuzz = new MutationFuzz(seed);
  const upstream = await RawUpstream.open(fuzz.behaviour);
  const proxy = await openProxy({ upstream, ...SHORT_TIMEOUTS });
  const judged = async (iteration: number) => {
    await fuzz[side](proxy, iteration);
    if (iteration % 500 !== 0) return;
    fuzz.judgeUpstream(upstream);
    upstream.forget();
  };
  const seconds = await timed(forEach(count, 16, judged));
  fuzz.judgeUpstream(upstream);
  report(`${count} mutants, ${side}`, fuzz.outcomes, seconds);
  failures.push(...fuzz.faults);
  await settle('mutants', proxy, upstream);
}

async function runRouted(seed: number, count: number): Promise<void> {
  const begin = performance.now();
  const { clients, actions, failures: found } = await runRouter(seed, count, forEach);
  const seconds = (performance.now() - begin) / 1000;
  report(`${count} clients of a router that never rests`, clients, seconds);
  report('what its upstreams did', actions, seconds);
  failures.push(...found);
}

async function runAdminApi(seed: number, count: number): Promise<void> {
  const begin = performance.now();
  const { outcomes, failures: found } = await runAdmin(seed, count, forEach);
  report(`${count} requests to the admin API`, outcomes, (performance.now() - begin) / 1000);
  failures.push(...found);
}

const { values } = parseArgs({
  options: {
    seed: { type: 'string' },
    admin: { type: 'string' },
    routed: { type: 'string' },
    faults: { type: 'string' },
    mutants: { type: 'string' },
  },
});
const seed = Number(values.seed ?? Math.floor(Math.random() * 2 ** 31));
console.log(`seed ${seed}`);
if (values.admin !== '0') await runAdminApi(seed, Number(values.admin ?? 20_000));
await runRouted(seed, Number(values.routed ?? 10_000));
await runFaults(seed, Number(values.faults ?? 10_000));
await runMutants(seed, Number(values.mutants ?? 10_000), 'playRequest');
await runMutants(seed, Number(values.mutants ?? 10_000), 'playResponse');
for (const failure of failures.slice(0, 40)) console.log(`\nFAILED ${failure}`);
console.log(`\n${failures.length === 0 ? 'nothing found' : `${failures.length} failures`}; seed ${seed}`);
process.exitCode = failures.length === 0 ? 0 : 1;
