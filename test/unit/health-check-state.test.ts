import t from 'tap';
import type { CheckState } from '../../src/control/health/check-state.ts';
import { afterProbe, INITIAL_STATE, isHealthy, pauseIn } from '../../src/control/health/check-state.ts';
import { nearestLine } from '../../src/control/health/probe-schedule.ts';

/** Runs results, `+` passed and `-` failed, and writes the phase after each by its first letter. */
function walk(results: string, healthy: number, unhealthy: number): string {
  let state: CheckState = INITIAL_STATE;
  let phases = '';
  for (const result of results) {
    state = afterProbe(state, result === '+', { healthy, unhealthy });
    phases += state.phase[0];
  }
  return phases;
}

t.test('rise and fall', async (t) => {
  const cases: readonly [name: string, healthy: number, unhealthy: number, results: string, phases: string][] = [
    ['nothing wrong', 2, 3, '+++', 'hhh'],
    ['the third failure in a row', 2, 3, '---', 'ffu'],
    ['a success in between starts the count anew', 2, 3, '--+---', 'ffhffu'],
    ['the second success in a row', 2, 3, '---++', 'ffurh'],
    ['a failure in between starts the count anew', 2, 3, '---+-++', 'ffururh'],
    ['more of the same', 2, 3, '------', 'ffuuuu'],
    ['thresholds of one', 1, 1, '-+-+', 'uhuh'],
    ['a long rise', 4, 1, '-+++-++++', 'urrrurrrh'],
  ];
  for (const [name, healthy, unhealthy, results, phases] of cases) {
    t.equal(walk(results, healthy, unhealthy), phases, name);
  }
});

t.test('an endpoint gets requests until its fall is confirmed, and none until its rise is', async (t) => {
  t.ok(isHealthy(INITIAL_STATE));
  t.ok(isHealthy({ phase: 'failing', streak: 1 }));
  t.notOk(isHealthy({ phase: 'unhealthy', streak: 0 }));
  t.notOk(isHealthy({ phase: 'recovering', streak: 1 }));
});

t.test('whoever is not plainly healthy is asked sooner', async (t) => {
  const config = { interval: 2_000, unhealthyInterval: 500 };
  t.equal(pauseIn({ phase: 'healthy', streak: 0 }, config), 2_000);
  t.equal(pauseIn({ phase: 'failing', streak: 1 }, config), 500);
  t.equal(pauseIn({ phase: 'unhealthy', streak: 0 }, config), 500);
  t.equal(pauseIn({ phase: 'recovering', streak: 1 }, config), 500);
  const sparing = { interval: 2_000, unhealthyInterval: 10_000 };
  t.equal(pauseIn({ phase: 'unhealthy', streak: 0 }, sparing), 10_000);
  t.equal(pauseIn({ phase: 'failing', streak: 1 }, sparing), 2_000);
});

t.test('lines are about an eighth of the pause apart', async (t) => {
  t.equal(nearestLine(1_130, 2_000), 1_250);
  t.equal(nearestLine(1_120, 2_000), 1_000);
  t.equal(nearestLine(1_130, 60_000), 1_000);
  t.equal(nearestLine(1_130, 500), 1_150);
  t.equal(nearestLine(1_134.4, 100), 1_130);
  t.equal(nearestLine(1_134.4, 40), 1_134);
});
