/**
 * How long a change of weights takes, under load: until every worker has acknowledged it, and until the client that asked for it has its answer.
 *
 * `sluice run` with two workers and its state on the disk, wrk and a client that counts every request, upstreams in a process of their own,
 * all on the cores that there are; so a worker that is asked has requests to answer first, as in life. Changes come one after the
 * other, at most one in PERIOD, since two that overlap would wait for each other. The whole call has the commit in it, with its
 * fsync, and is therefore mostly the disk's. Every change must be answered with both workers' acknowledgement, and no request may be lost:
 * otherwise the run ends with exit code 1.
 *
 *     node bench/weights.ts [--changes 1000] [--out FILE]      about half a minute; a full run writes bench/WEIGHTS.md
 */
import { mkdirSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { setTimeout as pause } from 'node:timers/promises';
import { parseArgs } from 'node:util';
import { runWrk } from '../test/peers/storm-load.ts';
import { StormStage } from '../test/peers/storm-stage.ts';
import { describeMachine, outputOf } from './machine.ts';
import { machineBusyMicroseconds, treeCpuMicroseconds } from './proc-stat.ts';

const FULL = 1_000;
const PERIOD = 20;
const WARM_UP = 100;
const RATE = 500;
/** Far beyond the longest run; wrk is told when to stop. */
const WRK_SECONDS = 600;
const BUDGET_MS = 10;
const GOAL_MS = 1;
/** Cores. */
const QUIET = 0.1;
const SHARES = [0.5, 0.95, 0.99, 1];

const { values } = parseArgs({
  options: { changes: { type: 'string', default: String(FULL) }, out: { type: 'string' } },
});
const changes = Number(values.changes);
if (!Number.isSafeInteger(changes) || changes < 1) throw new Error('--changes must be a whole number from 1 on');

const percentiles = (samples: readonly number[]): number[] => {
  const sorted = samples.toSorted((a, b) => a - b);
  return SHARES.map((share) => sorted[Math.ceil(share * sorted.length) - 1] ?? Number.NaN);
};

const row = (name: string, samples: readonly number[]): string =>
  `| ${name} | ${percentiles(samples)
    .map((ms) => ms.toFixed(2))
    .join(' | ')} |`;

async function measure(stage: StormStage): Promise<{ applied: number[]; calls: number[]; faults: string[] }> {
  const applied: number[] = [];
  const calls: number[] = [];
  const faults: string[] = [];
  for (let nth = -WARM_UP; nth < changes; nth++) {
    const v2 = (nth + WARM_UP) % 101;
    const began = performance.now();
    const { status, body, text } = await stage.admin.setWeights('shop', { v1: 100 - v2, v2 });
    const took = performance.now() - began;
    if (status !== 200 || body.workers !== 2) faults.push(`${status} ${text}`);
    else if (nth >= 0) {
      calls.push(took);
      applied.push(body.appliedInMs);
    }
    await pause(Math.max(0, PERIOD - took));
  }
  return { applied, calls, faults };
}

const stage = await StormStage.open({ rate: RATE, connections: 20 });
try {
  await stage.requests(RATE);
  const done = Promise.withResolvers<void>();
  const load = runWrk({ port: stage.port, seconds: WRK_SECONDS, pauseMs: 8 }, done.promise);
  const began = performance.now();
  const busyBefore = machineBusyMicroseconds();
  const ownBefore = treeCpuMicroseconds(process.pid);
  const { applied, calls, faults } = await measure(stage);
  const seconds = (performance.now() - began) / 1_000;
  const own = treeCpuMicroseconds(process.pid) - ownBefore;
  const others = Math.max(0, (machineBusyMicroseconds() - busyBefore - own) / 1e6 / seconds);
  done.resolve();
  const wrk = await load;
  const client = await stage.finish();

  const lost = [
    ...faults,
    ...Object.entries(client.errors).map(([kind, count]) => `client: ${count} × ${kind}`),
    ...(wrk?.complaints ?? []),
    ...(client.inFlight > 0 ? [`client: ${client.inFlight} requests were never answered`] : []),
  ];
  const perSecond = Math.round((client.made - RATE + (wrk?.requests ?? 0)) / seconds);
  const p99 = percentiles(applied)[2] ?? Number.NaN;
  const verdict = p99 <= GOAL_MS ? 'within the goal' : p99 <= BUDGET_MS ? 'within the budget' : 'over the budget';
  const machine = describeMachine();
  const wrkVersion = /wrk (\S+)/.exec(outputOf('wrk', ['-v']) ?? '')?.[1] ?? 'none';
  const text = [
    '# How long a change of weights takes',
    '',
    'Made by `node bench/weights.ts`; do not edit.',
    '',
    `${calls.length.toLocaleString('en')} changes by \`PUT /api/v1/services/shop/weights\`, one in ${PERIOD} ms at most, under ${perSecond.toLocaleString('en')} requests per second; two workers.`,
    '',
    '| milliseconds | p50 | p95 | p99 | max |',
    '|---|---:|---:|---:|---:|',
    row('from the store until every worker has acknowledged', applied),
    row('the whole call, with its commit to the disk', calls),
    '',
    `Lost requests: **${lost.length === 0 ? 0 : lost.join('; ')}** of ${(client.made + (wrk?.requests ?? 0)).toLocaleString('en')}.`,
    '',
    `Budget for every worker: ${BUDGET_MS} ms at p99, goal ${GOAL_MS} ms; this run is ${verdict}. Workers divide requests by the new weights`,
    'from the store on; what is measured is how long it takes until all of them have said so, each in a turn of its event loop. Load, upstreams and',
    'client share the cores with the proxy.',
    ...(others > QUIET
      ? ['', `**Other programs took ${others.toFixed(2)} cores meanwhile; such figures are not to be quoted.**`]
      : []),
    '',
    `${new Date().toISOString().slice(0, 10)}, ${machine.processor}, ${machine.cores} cores, ${machine.memoryGiB} GiB, ${machine.system}, Node ${process.version}, wrk ${wrkVersion}`,
    '',
  ].join('\n');
  console.log(text);
  const place = values.out ?? join(import.meta.dirname, changes >= FULL ? 'WEIGHTS.md' : 'results/weights.md');
  mkdirSync(join(import.meta.dirname, 'results'), { recursive: true });
  if (lost.length === 0) writeFileSync(place, text);
  else process.exitCode = 1;
} finally {
  await stage.close();
}
