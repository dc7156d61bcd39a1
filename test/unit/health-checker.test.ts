/** The checker on a clock that the test turns, with probes whose answers the test writes. */
import t from 'tap';
import type { HealthEvent } from '../../src/control/health/health-checker.ts';
import { HealthChecker } from '../../src/control/health/health-checker.ts';
import type { HealthTarget, Probe, Verdict } from '../../src/control/health/probe.ts';
import { eject as ejectEndpoint, ejectionCap } from '../../src/model/ejection.ts';
import {
  EJECTED,
  EJECTION_EVENTS,
  EJECTIONS,
  endpointRow,
  flagsOf,
  newEndpointTable,
  setFlag,
  UNHEALTHY,
} from '../../src/model/endpoint-table.ts';
import type { HealthConfig } from '../../src/model/policy-config.ts';
import type { Interval } from '../../src/runtime/clock.ts';
import { FakeClock } from '../../src/runtime/clock.ts';
import type { Logger } from '../../src/runtime/logger.ts';
import { silentLogger } from '../../src/runtime/logger.ts';
import { SeededRandom } from '../../src/runtime/random.ts';

const CONFIG: HealthConfig = {
  type: 'http',
  path: '/',
  status: [[200, 299]],
  interval: 2_000,
  unhealthyInterval: 500,
  jitter: 0,
  timeout: 1_000,
  healthy: 2,
  unhealthy: 3,
};

const target = (
  endpointId: number,
  config: Partial<HealthConfig> = {},
  url = `http://e${endpointId}`,
): HealthTarget => ({
  ...{ endpointId, url, host: `e${endpointId}`, port: 80, authority: `e${endpointId}` },
  ...{ service: 'shop', version: 'v1', config: { ...CONFIG, ...config } },
});

/** What an endpoint does with a probe: a fault, null for an answer that passes, or silence. */
type Answer = string | null | 'silence';

class ScriptedProbe implements Probe {
  answer: Answer = null;
  readonly starts: number[] = [];
  open = false;
  closed = false;
  overlapped = false;
  readonly target: HealthTarget;
  readonly #clock: FakeClock;
  #verdict: Verdict | null = null;

  constructor(target: HealthTarget, clock: FakeClock) {
    this.target = target;
    this.#clock = clock;
  }

  run(verdict: Verdict): void {
    this.overlapped ||= this.open;
    this.open = true;
    this.starts.push(this.#clock.now());
    this.#verdict = verdict;
    if (this.answer !== 'silence') this.reply(this.answer);
  }

  reply(fault: string | null): void {
    const verdict = this.#verdict;
    this.open = false;
    this.#verdict = null;
    verdict?.(fault);
  }

  cancel(): void {
    this.open = false;
    this.#verdict = null;
  }

  close(): void {
    this.cancel();
    this.closed = true;
  }
}

/** Counts its intervals, and can lose time as a machine under load does. */
class CountingClock extends FakeClock {
  intervals = 0;
  lost = 0;

  override now(): number {
    return super.now() + this.lost;
  }

  override setInterval(tick: () => void, ms: number): Interval {
    this.intervals++;
    const interval = super.setInterval(tick, ms);
    let running = true;
    return {
      stop: () => {
        if (running) this.intervals--;
        running = false;
        interval.stop();
      },
    };
  }
}

function setUp(logger: Logger = silentLogger) {
  const clock = new CountingClock();
  const table = newEndpointTable();
  const probes: ScriptedProbe[] = [];
  const events: HealthEvent[] = [];
  const checker = new HealthChecker({
    ...{ clock, table, logger, random: new SeededRandom(8) },
    onChange: (event) => events.push(event),
    newProbe: (target) => {
      const probe = new ScriptedProbe(target, clock);
      probes.push(probe);
      return probe;
    },
  });
  const unhealthy = (id: number): boolean => (flagsOf(table, id) & UNHEALTHY) !== 0;
  return { clock, table, probes, events, checker, unhealthy };
}

t.test('an endpoint that fails falls, one that passes again rises', async (t) => {
  const lines: string[] = [];
  const log = (event: string) => void lines.push(event);
  const { clock, probes, events, checker, unhealthy } = setUp({ info: log, warn: log, error: log });
  checker.apply([target(5)]);
  const probe = probes[0]!;
  t.notOk(unhealthy(5), 'it starts healthy');
  clock.advance(1_000);
  t.equal(probe.starts.length, 1, 'the first probe comes within a second');

  probe.answer = 'answered 500';
  const first = probe.starts[0]!;
  clock.advance(first + 2_000 + 500 - clock.now());
  t.notOk(unhealthy(5), 'two failures are not three');
  t.equal(checker.states()[0]!.phase, 'failing');
  clock.advance(500);
  t.ok(unhealthy(5), 'the third one counts');
  t.strictSame(probe.starts, [first, first + 2_000, first + 2_500, first + 3_000], 'doubts are settled fast');

  probe.answer = null;
  clock.advance(500);
  t.ok(unhealthy(5));
  clock.advance(500);
  t.notOk(unhealthy(5), 'two successes in a row bring it back');
  const before = probe.starts.length;
  clock.advance(6_000);
  t.equal(probe.starts.length, before + 3, 'and it is left alone again');

  t.match(events, [
    { endpointId: 5, url: 'http://e5', service: 'shop', version: 'v1', healthy: false, fault: 'answered 500' },
    { endpointId: 5, healthy: true, fault: null },
  ]);
  t.strictSame(lines, ['endpoint_unhealthy', 'endpoint_healthy']);
  const [status] = checker.states();
  t.match(status, { phase: 'healthy', healthy: true, streak: 0, probes: 9, failures: 3, last: { fault: null } });
  t.equal(status!.since, events[1]!.at);
});

t.test('a probe without an answer ends with its timeout and never meets another', async (t) => {
  const { clock, probes, checker, unhealthy } = setUp();
  checker.apply([target(1, { interval: 400, unhealthyInterval: 100, timeout: 1_000 })]);
  const probe = probes[0]!;
  probe.answer = 'silence';
  while (!probe.open) clock.advance(10);
  clock.advance(900);
  t.equal(probe.starts.length, 1, 'an interval shorter than the timeout starts no second probe');
  clock.advance(200);
  t.equal(checker.states()[0]!.last?.fault, 'no answer within 1000 ms');
  t.equal(checker.states()[0]!.last?.took, 1_000);
  clock.advance(3_000);
  t.ok(unhealthy(1));
  t.notOk(probe.overlapped);
});

t.test('silence that the thread itself slept through is not held against the endpoint', async (t) => {
  const { clock, probes, checker } = setUp();
  checker.apply([target(1)]);
  const probe = probes[0]!;
  probe.answer = 'silence';
  while (!probe.open) clock.advance(10);
  clock.lost += 5_000;
  clock.advance(1_000);
  t.ok(probe.open, 'its time is up, but nobody has looked for an answer');
  probe.reply(null);
  t.match(checker.states()[0], { failures: 0, last: { fault: null } });
});

t.test('jitter stays within its bounds and does what it is for', async (t) => {
  const { clock, probes, checker } = setUp();
  checker.apply([target(1, { interval: 10_000, jitter: 10 })]);
  clock.advance(3_600_000);
  const pauses = probes[0]!.starts.slice(1).map((at, i) => at - probes[0]!.starts[i]!);
  t.ok(pauses.length > 300 && pauses.length < 400, `${pauses.length} probes in an hour`);
  const [least, most] = [Math.min(...pauses), Math.max(...pauses)];
  // Half a line of the grid at either end.
  t.ok(least >= 8_750 && least < 9_500, `least ${least}`);
  t.ok(most <= 11_250 && most > 10_500, `most ${most}`);
  const mean = pauses.reduce((sum, pause) => sum + pause, 0) / pauses.length;
  t.ok(Math.abs(mean - 10_000) < 100, `mean ${mean}`);
});

t.test('many checks: spread, in small batches, all of them, one timer', async (t) => {
  const { clock, probes, checker } = setUp();
  checker.apply(Array.from({ length: 1_000 }, (_, id) => target(id, { jitter: 10 })));
  t.equal(clock.intervals, 1);
  clock.advance(60_000);
  t.equal(clock.intervals, 1);
  const perInstant = new Map<number, number>();
  for (const { starts } of probes) {
    for (const at of starts) perInstant.set(at, (perInstant.get(at) ?? 0) + 1);
  }
  t.ok(Math.max(...perInstant.values()) <= 32, 'no batch keeps the thread for long');
  const counts = probes.map(({ starts }) => starts.length);
  t.ok(
    Math.min(...counts) >= 26 && Math.max(...counts) <= 34,
    `${Math.min(...counts)} to ${Math.max(...counts)} probes`,
  );
  t.ok(perInstant.size < 0.25 * 30_000, `${perInstant.size} wake-ups for 30,000 probes`);
});

t.test('too many checks are late, but none is forgotten', async (t) => {
  const { clock, probes, checker } = setUp();
  checker.apply(Array.from({ length: 1_000 }, (_, id) => target(id, { interval: 100 })));
  clock.advance(10_000);
  const counts = probes.map(({ starts }) => starts.length);
  t.ok(Math.min(...counts) >= 20, `${Math.min(...counts)} to ${Math.max(...counts)} probes`);
});

t.test('apply keeps what stays, drops what goes and starts what is new', async (t) => {
  const { clock, probes, checker, unhealthy, table } = setUp();
  checker.apply([target(1), target(2), target(3), target(4)]);
  for (const probe of probes) probe.answer = 'answered 503';
  clock.advance(10_000);
  t.ok([1, 2, 3, 4].every(unhealthy));

  setFlag(table, 9, UNHEALTHY);
  checker.apply([target(1), target(2, { path: '/ready' }), target(3, {}, 'http://other'), target(9)]);
  t.equal(probes.length, 7, 'the one that is as it was keeps its probe');
  t.ok(unhealthy(1) && unhealthy(2), 'a changed path does not make an endpoint healthy');
  t.notOk(unhealthy(3), 'another address does');
  t.notOk(unhealthy(4), 'nobody looks any more, so nothing is held against it');
  t.notOk(unhealthy(9), 'a new check starts healthy, whatever stood there');
  t.strictSame(
    probes.map(({ closed }) => closed),
    [false, true, true, true, false, false, false],
  );
  t.strictSame(
    checker.states().map(({ endpointId, healthy }) => [endpointId, healthy]),
    [
      [1, false],
      [2, false],
      [3, true],
      [9, true],
    ],
  );
  clock.advance(5_000);
  t.notOk(unhealthy(2), 'the new path passes');
  t.equal(probes.filter(({ closed, starts }) => closed && starts.at(-1)! > 10_000).length, 0);
});

t.test('a probe under way when its target changes is given up, and its successor comes at once', async (t) => {
  const { clock, probes, checker } = setUp();
  checker.apply([target(1)]);
  probes[0]!.answer = 'silence';
  while (!probes[0]!.open) clock.advance(10);
  checker.apply([target(1, { path: '/ready' })]);
  t.notOk(probes[0]!.open);
  probes[0]!.reply('too late');
  clock.advance(1_000);
  t.equal(probes[1]!.starts.length, 1);
  t.match(checker.states(), [{ probes: 1, failures: 0 }]);
});

t.test('closing ends probes and timers and leaves shared memory to those who still read it', async (t) => {
  const { clock, probes, checker, unhealthy } = setUp();
  checker.apply([target(1), target(2)]);
  probes[0]!.answer = 'answered 503';
  clock.advance(10_000);
  await checker.close();
  const before = probes[1]!.starts.length;
  clock.advance(10_000);
  t.equal(probes[1]!.starts.length, before);
  t.ok(probes.every(({ closed }) => closed));
  t.equal(clock.intervals, 0);
  t.ok(unhealthy(1));
  t.strictSame(checker.states(), []);
});

t.test('no targets, no timer', async (t) => {
  const { clock, checker } = setUp();
  checker.apply([]);
  t.equal(clock.intervals, 0);
  checker.apply([target(1)]);
  t.equal(clock.intervals, 1);
  checker.apply([]);
  t.equal(clock.intervals, 0);
});

t.test('a handler that applies another configuration', async (t) => {
  const clock = new FakeClock();
  const table = newEndpointTable();
  const probes: ScriptedProbe[] = [];
  const checker: HealthChecker = new HealthChecker({
    ...{ clock, table, logger: silentLogger, random: new SeededRandom(3) },
    onChange: () => checker.apply([target(2), target(3)]),
    newProbe: (target) => {
      const probe = new ScriptedProbe(target, clock);
      if (target.endpointId < 2) probe.answer = 'answered 500';
      probes.push(probe);
      return probe;
    },
  });
  checker.apply([target(0), target(1), target(2)]);
  clock.advance(60_000);
  t.strictSame(
    checker.states().map(({ endpointId }) => endpointId),
    [2, 3],
  );
  t.ok(checker.states().every(({ probes }) => probes > 25));
  t.equal(flagsOf(table, 0) | flagsOf(table, 1), 0);
});

t.test('ejected endpoints', async (t) => {
  const eject = (table: Int32Array, id: number) => ejectEndpoint(table, [id], id, ejectionCap(1, 100, true));

  await t.test('are back after enough passed checks', async (t) => {
    const { clock, table, checker } = setUp();
    checker.apply([target(1)]);
    clock.advance(10_000);
    eject(table, 1);
    clock.advance(2_000);
    t.equal(flagsOf(table, 1), EJECTED, 'one success since then is not two');
    clock.advance(2_000);
    t.equal(flagsOf(table, 1), 0);
    t.equal(table[endpointRow(1) + EJECTIONS], 1, 'ended is not forgiven');
  });

  await t.test('stay out while checks fail or alternate', async (t) => {
    const { clock, table, probes, checker } = setUp();
    checker.apply([target(1)]);
    clock.advance(1_000);
    eject(table, 1);
    for (let i = 0; i < 10; i++) {
      probes[0]!.answer = probes[0]!.starts.length % 2 === 0 ? null : 'answered 500';
      const before = probes[0]!.starts.length;
      while (probes[0]!.starts.length === before) clock.advance(10);
    }
    t.equal(flagsOf(table, 1), EJECTED);
  });

  await t.test('have to pass more often the more often they were ejected', async (t) => {
    const { clock, table, checker } = setUp();
    checker.apply([target(1)]);
    clock.advance(10_000);
    table[endpointRow(1) + EJECTIONS] = 2;
    eject(table, 1);
    clock.advance(10_000);
    t.equal(flagsOf(table, 1), EJECTED, 'five of six');
    clock.advance(2_000);
    t.equal(flagsOf(table, 1), 0);
  });

  await t.test('a success that was asked for before does not count, nor one of an earlier ejection', async (t) => {
    const { clock, table, probes, checker } = setUp();
    checker.apply([target(1)]);
    probes[0]!.answer = 'silence';
    while (!probes[0]!.open) clock.advance(10);
    eject(table, 1);
    probes[0]!.reply(null);
    probes[0]!.answer = null;
    const next = async (): Promise<void> => {
      const before = probes[0]!.starts.length;
      while (probes[0]!.starts.length === before) clock.advance(10);
    };
    await next();
    t.equal(flagsOf(table, 1), EJECTED);
    // Ended and begun again between two probes.
    Atomics.add(table, endpointRow(1) + EJECTION_EVENTS, 1);
    await next();
    t.equal(flagsOf(table, 1), EJECTED);
    await next();
    t.equal(flagsOf(table, 1), 0);
  });
});
