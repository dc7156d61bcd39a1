/** Starting, moving and stopping a timeout, as each request does. */
import { FakeClock } from '../../src/runtime/clock.ts';
import { Timer, TimerWheel } from '../../src/runtime/timer-wheel.ts';
import { report } from './harness.ts';

const clock = new FakeClock();
const wheel = new TimerWheel(clock, 50);
const timers = Array.from({ length: 1_000 }, () => new Timer({ onTimer: () => {} }));
for (const timer of timers) wheel.start(timer, 60_000);
let next = 0;

report([
  {
    name: 'timer-wheel: start later, then stop',
    run: () => {
      const timer = timers[next++ % timers.length]!;
      wheel.start(timer, 60_000);
      wheel.stop(timer);
      return timer;
    },
  },
  {
    name: 'timer-wheel: start earlier, then later',
    run: () => {
      const timer = timers[next++ % timers.length]!;
      wheel.start(timer, 30_000);
      wheel.start(timer, 60_000);
      return timer;
    },
  },
]);
