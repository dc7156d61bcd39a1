import t from 'tap';
import { type AlertState, initialState, step } from '../../src/control/monitor/alert-state.ts';

const EXPIRE = 100_000;

interface Rule {
  readonly when: 'above' | 'below';
  readonly threshold: number;
  readonly clear: number;
  readonly for: number;
  readonly forecast: number;
}

const rule = (changes: Partial<Rule> = {}): Rule => ({
  when: 'above',
  threshold: 5,
  clear: 4,
  for: 0,
  forecast: 0,
  ...changes,
});

/** One value a second; a pair is a value and a forecast. */
function run(r: Rule, values: readonly (number | null | readonly [number | null, number | null])[], seconds = 1) {
  let state: AlertState = initialState(0);
  const phases: string[] = [];
  const told: string[] = [];
  values.forEach((entry, i) => {
    const [value, forecast] = Array.isArray(entry) ? entry : [entry, null];
    const next = step(r, state, { value, forecast }, (i + 1) * 1_000 * seconds, EXPIRE);
    phases.push(next.phase);
    if (next.told !== state.told) told.push(next.told);
    state = next;
  });
  return { phases, told };
}

t.test('raised beyond the threshold, cleared at `clear`', async (t) => {
  t.strictSame(run(rule(), [1, 5, 5.1, 4.5, 5, 4.1, 4, 4.5, 5]), {
    phases: ['ok', 'ok', 'firing', 'firing', 'firing', 'firing', 'ok', 'ok', 'ok'],
    told: ['firing', 'ok'],
  });
  t.strictSame(run(rule({ when: 'below', threshold: 99, clear: 99.5 }), [100, 99, 98.9, 99.2, 99.5, 99.2]), {
    phases: ['ok', 'ok', 'firing', 'firing', 'ok', 'ok'],
    told: ['firing', 'ok'],
  });
});

t.test('a value that plays about the threshold is told once', async (t) => {
  const playing = Array.from({ length: 200 }, (_, i) => 5 + (i % 2 === 0 ? 0.1 : -0.1));
  t.strictSame(run(rule(), playing).told, ['firing']);
  t.strictSame(run(rule({ for: 3_000 }), playing).told, [], 'never bad for long enough');
  t.strictSame(run(rule(), new Array(50).fill(5)).told, [], 'on the threshold is not beyond it');
  t.strictSame(
    run(rule({ threshold: 0, clear: 0 }), [0, 0, 0.5, 0, 0]).told,
    ['firing', 'ok'],
    'above 0 can be cleared',
  );
});

t.test('a `clear` on the wrong side does not flap', async (t) => {
  t.strictSame(run(rule({ clear: 9 }), [6, 6, 6, 5, 5]).told, ['firing', 'ok']);
});

t.test('bad for the whole of `for`, without a break', async (t) => {
  t.strictSame(run(rule({ for: 3_000 }), [6, 6, 6, 6, 1]), {
    phases: ['pending', 'pending', 'pending', 'firing', 'ok'],
    told: ['firing', 'ok'],
  });
  t.strictSame(run(rule({ for: 3_000 }), [6, 6, 6, 5, 6, 6, 6, 6]), {
    phases: ['pending', 'pending', 'pending', 'ok', 'pending', 'pending', 'pending', 'firing'],
    told: ['firing'],
  });
});

t.test('no data raises nothing, ends what has not fired, and holds what has', async (t) => {
  t.strictSame(run(rule(), [null, null, null]), { phases: ['ok', 'ok', 'ok'], told: [] });
  t.strictSame(run(rule({ when: 'below', threshold: 1 }), [null, null]).told, [], 'nothing is not less than 1');
  t.strictSame(run(rule({ for: 2_000 }), [6, null, 6, 6]).phases, ['pending', 'ok', 'pending', 'pending']);
  t.strictSame(
    run(rule({ forecast: 60_000 }), [
      [3, 10_000],
      [null, 10_000],
    ]).told,
    ['warning', 'ok'],
  );
  t.strictSame(run(rule(), [6, null, null, 6, 1]).told, ['firing', 'ok']);
});

t.test('a firing alert without data expires', async (t) => {
  // Ten seconds a step; the last value came at 10 s, so it ends at 110 s.
  const { phases, told } = run(rule(), [6, ...new Array(11).fill(null)], 10);
  t.equal(phases.indexOf('ok'), 10);
  t.strictSame(told, ['firing', 'ok']);
});

t.test('a warning comes from the forecast and has slack', async (t) => {
  const r = rule({ forecast: 60_000 });
  t.strictSame(
    run(r, [
      [3, 60_001],
      [3, 60_000],
      [3, 119_000],
      [3, 120_001],
      [3, null],
    ]),
    {
      phases: ['ok', 'warning', 'warning', 'ok', 'ok'],
      told: ['warning', 'ok'],
    },
  );
  t.strictSame(
    run(r, [
      [3, 30_000],
      [6, null],
      [3, null],
    ]).told,
    ['warning', 'firing', 'ok'],
  );
  t.strictSame(run(rule(), [[3, 1]]).told, [], 'not asked for');
});

t.test('pending after a warning is silent and goes back to it, with the same slack', async (t) => {
  const r = rule({ forecast: 60_000, for: 2_000 });
  const { phases, told } = run(r, [
    [3, 9_000],
    [6, null],
    [5, 100_000],
    [6, null],
    [6, null],
    [6, null],
    [1, null],
  ]);
  t.strictSame(phases, ['warning', 'pending', 'warning', 'pending', 'pending', 'firing', 'ok']);
  t.strictSame(told, ['warning', 'firing', 'ok']);
});
