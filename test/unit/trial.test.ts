/** A trial and its clock; everything else about it is seen at the wire (test/wire/evidence.test.ts). */
import t from 'tap';
import {
  markOf,
  newEvidenceTable,
  SIDE_SLOTS,
  shareSlot,
  sideSlot,
  TERMS,
  termsSlot,
} from '../../src/model/evidence-table.ts';
import { Evidence } from '../../src/proxy/record/evidence.ts';
import { Trial } from '../../src/proxy/record/trial.ts';
import { Choice } from '../../src/proxy/route/choice.ts';
import type { Version } from '../../src/proxy/route/version.ts';
import type { Clock } from '../../src/runtime/clock.ts';
import { Timer, TimerWheel } from '../../src/runtime/timer-wheel.ts';

/** A clock whose ticks come when the test says, as in a worker whose turns take long. */
class LateClock implements Clock {
  time = 0;
  tick: () => void = () => {};

  now(): number {
    return this.time;
  }

  setInterval(tick: () => void): { stop(): void } {
    this.tick = tick;
    return { stop: () => {} };
  }
}

t.test('a request that was sent late in a long turn is not called slow before its time', (t) => {
  const clock = new LateClock();
  const fineWheel = new TimerWheel(clock, 5, { resting: true });
  const table = newEvidenceTable(1);
  const evidence = new Evidence({ table, index: 0, clock, wall: () => 1 });
  const row = 2;
  table.terms[termsSlot(row) + TERMS.shares] = 1;
  table.terms[termsSlot(row) + TERMS.slowLimit] = 100;
  table.terms[shareSlot(row, 0)] = 0.1;
  const slow = (): number => table.totals[0]![sideSlot(row, 0, 0) + SIDE_SLOTS.slow]!;
  const choice = new Choice();
  choice.version = { id: 4 } as Version;
  choice.mark = markOf(row, false);
  choice.byWeight = true;
  const trial = new Trial({ clock, fineWheel, evidence });

  fineWheel.start(new Timer({ onTimer: () => {} }), 1_000);
  clock.time = 60;
  trial.begin(choice);
  t.equal(trial.takes(4), true);
  t.equal(trial.takes(4), false, 'only the first');
  trial.sent(60);
  for (clock.time = 65; clock.time < 160; clock.time += 5) {
    clock.tick();
    t.equal(slow(), 0, `${clock.time - 60} ms`);
  }
  for (; clock.time <= 175; clock.time += 5) clock.tick();
  t.equal(slow(), 1);
  trial.end('done', 200, 'done');
  t.equal(trial.active, false);
  trial.begin(choice);
  t.equal(trial.takes(3), false, 'on another version it is over');
  t.equal(trial.takes(4), false);
  trial.dispose();
  t.end();
});
