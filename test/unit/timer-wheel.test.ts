import t from 'tap';
import { FakeClock } from '../../src/runtime/clock.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { Timer, TimerWheel } from '../../src/runtime/timer-wheel.ts';

const TICK = 50;

interface Probe {
  readonly timer: Timer;
  firedAt: number[];
}

function setUp() {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock, TICK);
  const probe = (): Probe => {
    const firedAt: number[] = [];
    return { timer: new Timer({ onTimer: () => firedAt.push(clock.now()) }), firedAt };
  };
  return { clock, wheel, probe };
}

t.test('a timer fires once, never early, at most two ticks late', async (t) => {
  const random = new SeededRandom(1);
  for (let i = 0; i < 200; i++) {
    const { clock, wheel, probe } = setUp();
    clock.advance(Math.floor(random.next() * 200));
    const started = clock.now();
    const delay = Math.floor(random.next() * 60_000);
    const { timer, firedAt } = probe();
    wheel.start(timer, delay);
    clock.advance(delay + 10 * TICK);
    t.equal(firedAt.length, 1);
    const late = firedAt[0]! - started - delay;
    t.ok(late >= 0 && late <= 2 * TICK, `delay ${delay}: ${late} ms late`);
  }
});

t.test('a stopped or removed timer does not fire, and may be started again', async (t) => {
  const { clock, wheel, probe } = setUp();
  const stopped = probe();
  const removed = probe();
  wheel.start(stopped.timer, 100);
  wheel.start(removed.timer, 100);
  wheel.stop(stopped.timer);
  wheel.remove(removed.timer);
  clock.advance(10_000);
  t.strictSame([stopped.firedAt, removed.firedAt], [[], []]);
  wheel.start(stopped.timer, 100);
  wheel.start(removed.timer, 100);
  clock.advance(1_000);
  t.equal(stopped.firedAt.length, 1);
  t.equal(removed.firedAt.length, 1);
});

t.test('the last start counts, later or earlier', async (t) => {
  const { clock, wheel, probe } = setUp();
  const later = probe();
  wheel.start(later.timer, 100);
  wheel.start(later.timer, 5_000);
  clock.advance(4_000);
  t.equal(later.firedAt.length, 0);
  clock.advance(2_000);
  t.equal(later.firedAt.length, 1);
  const earlier = probe();
  wheel.start(earlier.timer, 60_000);
  wheel.start(earlier.timer, 200);
  clock.advance(400);
  t.equal(earlier.firedAt.length, 1);
  clock.advance(120_000);
  t.equal(earlier.firedAt.length, 1);
});

t.test('owners may start, stop and remove each other while they fire', async (t) => {
  const clock = new FakeClock();
  const wheel = new TimerWheel(clock, TICK);
  const fired: string[] = [];
  const timers = new Map<string, Timer>();
  const add = (name: string, act: () => void): Timer => {
    const timer = new Timer({
      onTimer: () => {
        fired.push(name);
        act();
      },
    });
    timers.set(name, timer);
    return timer;
  };
  // All are due in the same tick; the last started fires first, and each disturbs one that has not fired yet.
  add('restarted', () => {});
  add('removed', () => {});
  add('stopped', () => {});
  add('first', () => {
    wheel.stop(timers.get('stopped')!);
    wheel.remove(timers.get('removed')!);
    wheel.start(timers.get('restarted')!, 1_000);
  });
  for (const timer of timers.values()) wheel.start(timer, 100);
  const order = [...timers.keys()];
  clock.advance(500);
  if (fired[0] === 'first') t.strictSame(fired, ['first']);
  else t.strictSame(fired.toSorted(), order.filter((name) => fired.includes(name)).toSorted());
  clock.advance(2_000);
  t.equal(fired.filter((name) => name === 'restarted').length, fired[0] === 'first' ? 1 : 2);
});

t.test('a model of many timers agrees over a long random run', async (t) => {
  const random = new SeededRandom(42);
  const { clock, wheel, probe } = setUp();
  const probes = Array.from({ length: 50 }, probe);
  const due = probes.map(() => 0);
  const faults: string[] = [];
  let fired = 0;
  for (let step = 0; step < 5_000; step++) {
    const i = Math.floor(random.next() * probes.length);
    const action = random.next();
    const { timer, firedAt } = probes[i]!;
    if (action < 0.6) {
      const delay = Math.floor(random.next() ** 3 * 90_000);
      wheel.start(timer, delay);
      due[i] = clock.now() + delay;
    } else if (action < 0.8) {
      wheel.stop(timer);
      due[i] = 0;
    }
    clock.advance(Math.floor(random.next() * 100));
    for (let k = 0; k < probes.length; k++) {
      const times = probes[k]!.firedAt;
      if (times.length > 0) {
        const inWindow = due[k]! > 0 && times[0]! >= due[k]! && times[0]! <= due[k]! + 2 * TICK;
        if (!inWindow || times.length !== 1) faults.push(`timer ${k}, due ${due[k]}, fired at ${times.join(' ')}`);
        fired++;
        times.length = 0;
        due[k] = 0;
      }
      if (due[k]! > 0 && clock.now() > due[k]! + 2 * TICK) faults.push(`timer ${k}, due ${due[k]}, is overdue`);
    }
    firedAt.length = 0;
  }
  t.strictSame(faults, []);
  t.ok(fired > 500, `${fired} timers fired`);
});
