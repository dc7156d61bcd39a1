/** The formulas by table, the meter, and what peak_ewma does with endpoints that are slow, new, stuck or dead. */
import t from 'tap';
import { LatencyMeter } from '../../src/proxy/balance/latency-meter.ts';
import { PeakEwmaPolicy } from '../../src/proxy/balance/peak-ewma.ts';
import { loadWithOneMore, peakAverage, peakEwmaCost, remainingShare } from '../../src/proxy/balance/peak-ewma-cost.ts';
import { type Candidate, NO_KEY } from '../../src/proxy/balance/policy.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { candidates, equal, policyOf } from './balance-candidate.ts';

const E = Math.E;

t.test('formulas', async (t) => {
  for (const [active, weight, load] of [
    [0, 1, 1],
    [3, 1, 4],
    [3, 2, 2],
    [0, 1_000, 0.001],
  ] as const) {
    t.equal(loadWithOneMore(active, weight), load);
  }
  for (const [latency, active, weight, cost] of [
    [10, 0, 1, 10],
    [10, 4, 1, 50],
    [10, 4, 5, 10],
    [0.5, 1, 2, 0.5],
  ] as const) {
    t.equal(peakEwmaCost(latency, active, weight), cost);
  }
  for (const [elapsed, decay, share] of [
    [0, 10, 1],
    [10, 10, 1 / E],
    [20, 10, 1 / E ** 2],
    [-5, 10, 1],
    [1e9, 1, 0],
  ] as const) {
    t.ok(Math.abs(remainingShare(elapsed, decay) - share) < 1e-12, `${elapsed} of ${decay}`);
  }
  for (const [average, sample, remaining, next] of [
    [0, 8, 1, 8],
    [100, 300, 0.9, 300],
    [100, 90, 0.9, 90],
    [100, 10, 1, 100],
    [100, 10, 0.5, 30],
    [100, 10, 0, 10],
  ] as const) {
    t.equal(peakAverage(average, sample, remaining), next, `${average} and ${sample}, ${remaining} left`);
  }
});

t.test('a meter jumps up and comes down', async (t) => {
  const meter = new LatencyMeter(1_000);
  t.equal(meter.measured, false);
  t.equal(meter.valueAt(5_000), 0);
  meter.observe(20, 5_000);
  t.equal(meter.measured, true);
  t.equal(meter.valueAt(5_000), 20);
  t.ok(Math.abs(meter.valueAt(6_000) - 20 / E) < 1e-9, 'a time constant later');
  meter.observe(400, 6_000);
  t.equal(meter.valueAt(6_000), 400, 'one slow answer is believed');
  meter.observe(10, 6_000);
  t.equal(meter.valueAt(6_000), 400, 'one fast answer at the same moment is not');
  for (let now = 6_050; now <= 12_000; now += 50) meter.observe(10, now);
  t.ok(meter.valueAt(12_000) < 11, `after six seconds of fast answers: ${meter.valueAt(12_000).toFixed(2)}`);
  t.equal(meter.valueAt(11_000), meter.valueAt(12_000), 'a clock that goes back is taken to stand');
});

t.test('a meter knows a latency of 0 from none', async (t) => {
  const meter = new LatencyMeter(10_000);
  meter.observe(0, 0);
  t.equal(meter.measured, true);
  t.ok(meter.valueAt(0) > 0 && meter.valueAt(0) < 0.01);
  const forgetful = new LatencyMeter(0);
  forgetful.observe(5, 10);
  t.equal(forgetful.valueAt(10), 5);
  t.equal(forgetful.valueAt(11), 0, 'without decay time nothing stays');
});

t.test('the cheaper of two is chosen', async (t) => {
  const cases: [
    weights: [number, number],
    latency: [number, number],
    active: [number, number],
    chosen: number | 'either',
  ][] = [
    [[1, 1], [10, 11], [0, 0], 0],
    [[1, 1], [10, 100], [5, 0], 0],
    [[1, 1], [10, 100], [12, 0], 1],
    [[1, 1], [10, 10], [2, 2], 'either'],
    [[1, 3], [10, 29], [0, 0], 0],
    [[3, 1], [29, 10], [0, 0], 1],
    [[1, 3], [10, 29], [1, 1], 1],
    [[1, 3], [10, 31], [1, 1], 0],
    [[1, 1], [0, 10], [0, 0], 'either'],
    [[1, 1], [0, 10], [1, 0], 1],
    [[1, 1], [0, 10], [0, 1], 'either'],
    [[1, 1], [0, 0], [2, 1], 1],
  ];
  for (const [weights, latency, active, chosen] of cases) {
    const members = candidates(weights);
    members.forEach((member, i) => {
      member.latency = latency[i]!;
      member.active = active[i]!;
    });
    const policy = policyOf('peak_ewma', members);
    const seen = new Set<number>();
    for (let i = 0; i < 200; i++) seen.add(members.indexOf(policy.pick(NO_KEY, 0)!));
    t.strictSame(
      [...seen].sort(),
      chosen === 'either' ? [0, 1] : [chosen],
      `${weights}: ${latency} ms, ${active} in flight`,
    );
  }
});

/** An endpoint that answers each request after a time of its own, or refuses it. */
class Server implements Candidate {
  readonly url: string;
  readonly weight = 1;
  readonly meter = new LatencyMeter(10_000);
  active = 0;
  barred = false;
  served = 0;
  mostActive = 0;
  latency: number;

  /** @param latency milliseconds; 0 refuses. */
  constructor(url: string, latency: number) {
    this.url = url;
    this.latency = latency;
  }

  latencyAt(now: number): number {
    return this.meter.valueAt(now);
  }
}

interface Running {
  readonly server: Server;
  readonly since: number;
  readonly until: number;
}

/** One request each millisecond over [from, to); answers are measured, refusals are not. */
function run(policy: PeakEwmaPolicy<Server>, from: number, to: number, running: Running[]): void {
  for (let now = from; now < to; now++) {
    for (let i = running.length - 1; i >= 0; i--) {
      const { server, since, until } = running[i]!;
      if (until > now) continue;
      running.splice(i, 1);
      server.active--;
      server.meter.observe(now - since, now);
    }
    const server = policy.pick(NO_KEY, now)!;
    server.served++;
    if (server.latency === 0) continue;
    server.active++;
    server.mostActive = Math.max(server.mostActive, server.active);
    running.push({ server, since: now, until: now + server.latency });
  }
}

t.test('an endpoint that becomes slow loses its traffic, and gets it back when it has recovered', async (t) => {
  const servers = [new Server('a', 10), new Server('b', 10), new Server('c', 10)];
  const policy = new PeakEwmaPolicy<Server>(new SeededRandom(1));
  const running: Running[] = [];
  policy.replace(servers);
  run(policy, 0, 5_000, running);
  for (const { url, served } of servers) t.ok(served > 1_000, `${url} served ${served} of 5,000`);

  servers[0]!.latency = 1_000;
  const before = servers[0]!.served;
  run(policy, 5_000, 10_000, running);
  const slow = servers[0]!.served - before;
  t.ok(slow < 150, `slow: ${slow} of 5,000`);

  servers[0]!.latency = 10;
  run(policy, 10_000, 70_000, running);
  const recovered = servers[0]!.served;
  run(policy, 70_000, 75_000, running);
  t.ok(servers[0]!.served - recovered > 1_000, `recovered: ${servers[0]!.served - recovered} of 5,000`);
});

t.test('a newcomer neither starves nor is flooded', async (t) => {
  for (const latency of [1, 10, 300]) {
    const servers = [new Server('a', 10), new Server('b', 10), new Server('c', 10)];
    const policy = new PeakEwmaPolicy<Server>(new SeededRandom(2));
    const running: Running[] = [];
    policy.replace(servers);
    run(policy, 0, 2_000, running);
    const newcomer = new Server('new', latency);
    policy.replace([...servers, newcomer]);
    run(policy, 2_000, 2_050, running);
    t.ok(newcomer.served >= 3, `${latency} ms: ${newcomer.served} of the first 50`);
    run(policy, 2_050, 4_000, running);
    const peers = Math.max(...servers.map((server) => server.mostActive));
    t.ok(newcomer.mostActive <= peers + 1, `${latency} ms: at most ${newcomer.mostActive} at once, its peers ${peers}`);
  }
});

t.test('a newcomer that refuses, and so is never measured, gets no more than its share', async (t) => {
  const servers = [new Server('a', 1), new Server('b', 1), new Server('c', 1)];
  const policy = new PeakEwmaPolicy<Server>(new SeededRandom(3));
  policy.replace(servers);
  run(policy, 0, 2_000, []);
  const dead = new Server('dead', 0);
  policy.replace([...servers, dead]);
  for (const server of servers) server.active = 5;
  let chosen = 0;
  for (let i = 0; i < 4_000; i++) if (policy.pick(NO_KEY, 2_000) === dead) chosen++;
  t.ok(chosen < 1_300, `${chosen} of 4,000`);
});

t.test('at the start nobody is measured, and the first requests are spread', async (t) => {
  const members = equal(10);
  const policy = policyOf('peak_ewma', members);
  for (let i = 0; i < 100; i++) policy.pick(NO_KEY, 0)!.active++;
  for (const { url, active } of members) t.ok(active >= 5 && active <= 12, `${url} has ${active} of 100`);
});
