/** The page of a rollout: as text for each way in which it can look, and what becomes of it in windows of other sizes. */
import t from 'tap';
import { coloured, plain } from '../../src/cli/client/table.ts';
import { bar, splitBar } from '../../src/cli/rollout/screen/bars.ts';
import { clipped, folded } from '../../src/cli/rollout/screen/clip.ts';
import { conditionLines } from '../../src/cli/rollout/screen/condition-lines.ts';
import { evidenceLines } from '../../src/cli/rollout/screen/evidence-lines.ts';
import { rolloutScreen } from '../../src/cli/rollout/screen/rollout-screen.ts';
import {
  condition,
  EVIDENCE,
  FAILED,
  PAUSED,
  PROGRESSING,
  QUEUED,
  ROLLED_BACK,
  ROLLING_BACK,
  SUCCEEDED,
  testReading,
} from './client-rollout-views.ts';

/** A window of 80 by 24, of which the last row stays empty. */
const WINDOW = { columns: 80, rows: 23 };

t.test('a step that is looked at', async (t) => {
  t.equal(
    rolloutScreen(PROGRESSING, WINDOW, plain),
    `Progressing  shop  v2 against v1  strategy standard
shop-7  by ci, since 2026-01-01 12:00:00  risk 35
Step        2 of 3  expanded_canary  20 % for 15m
Time        ██████████████░░░░░░░░░░░░░░░░░░░░  6m 2s of 15m 0s, 8m 58s left
Needs       1,200 more requests, about 12:31 at the present rate
Weights     v1 80 %  ████████████████████████████████████████▓▓▓▓▓▓▓▓▓▓  20 % v2
        REQ/S  ERRORS     P50     P95     P99  IN FLIGHT  SHIELDED  USER ERR
stable    905  0.00 %  1.2 ms  3.4 ms  9.9 ms          3         0         0
canary    226  0.31 %  1.2 ms  3.4 ms  9.9 ms          1         2         0
Evidence    errors    ████████░░░░░░░░░░░░░░░░░░░░░  2.10 of 7.60
            latency   ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0.00 of 8.29
            ratio     ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0.00 of 8.29
            budget    ████░░░░░░░░░░░░░░░░░░░░░░░░░  3 of 20 failed attempts
Conditions  passes    error_rate <= baseline + 0.1%  0.10 %, stable 0.08 %, of 3
            unknown   p95 <= baseline * 1.2          no request yet
Rules       not met   error_rate > 1% over 5m  0.10 %, of 3,000
Events      12:00:00  ci: start (release 4711)
            12:00:01  step 1 of 3, initial_canary: 5 % for 10m
            12:10:01  step 2 of 3, expanded_canary: 20 % for 15m
            12:12:00  p95 could not be read
            12:12:05  p95 is read again
`,
  );
});

t.test('paused for approval', async (t) => {
  t.equal(
    rolloutScreen(PAUSED, WINDOW, plain),
    `Paused  shop  v2 against v1  strategy standard
shop-7  by ci, since 2026-01-01 12:00:00  risk 35

Step        2 of 3  sign_off  pause for approval
Paused      by step since 12:10:01, until it is approved: sign_off
Waits       needs the approval of one more agent
Approvals   1 of 2  lead (human)  one more, of an agent
Weights     v1 80 %  ████████████████████████████████████████▓▓▓▓▓▓▓▓▓▓  20 % v2

        REQ/S  ERRORS     P50     P95     P99  IN FLIGHT  SHIELDED  USER ERR
stable    905  0.00 %  1.2 ms  3.4 ms  9.9 ms          3         0         0
canary    226  0.31 %  1.2 ms  3.4 ms  9.9 ms          1         2         0

Evidence    errors    ████████░░░░░░░░░░░░░░░░░░░░░  2.10 of 7.60
            latency   ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0.00 of 8.29
            ratio     ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0.00 of 8.29
            budget    ████░░░░░░░░░░░░░░░░░░░░░░░░░  3 of 20 failed attempts
Rules       not met   error_rate > 1% over 5m  0.10 %, of 3,000

Events      12:00:01  step 1 of 3, initial_canary: 5 % for 10m
            12:10:01  step 2 of 3, expanded_canary: 20 % for 15m
            12:12:00  p95 could not be read
            12:12:05  p95 is read again
`,
  );
});

t.test('being taken back', async (t) => {
  t.equal(
    rolloutScreen(ROLLING_BACK, WINDOW, plain),
    `RollingBack  shop  v2 against v1  strategy standard
shop-7  by ci, since 2026-01-01 12:00:00  risk 35
v2 is being taken back at 20 %, 41ms after its first failed request: 12 of 14
failures were the canary's.
Step        2 of 3  expanded_canary  20 % for 15m
Rollback    immediate to v1, 4 in flight on v2
Weights     v1 100 %  ██████████████████████████████████████████████████  0 % v2
        REQ/S   ERRORS     P50     P95     P99  IN FLIGHT  SHIELDED  USER ERR
stable    905   0.00 %  1.2 ms  3.4 ms  9.9 ms          3         0         0
canary   0.00  48.10 %  1.2 ms  3.4 ms  9.9 ms          4        10         2
Evidence    errors    █████████████████████████████  9.90 of 7.60 crossed
            slo       ████████████████░░░░░░░░░░░░░  4.50 of 8.30
            latency   blind: too few requests of stable
            ratio     ░░░░░░░░░░░░░░░░░░░░░░░░░░░░░  0.00 of 8.29
            budget    █████████████████████████████  20 of 20 failed attempts
Rules       met       error_rate > 1% over 5m  48.10 %, of 3,000
Events      12:00:00  ci: start (release 4711)
            12:00:01  step 1 of 3, initial_canary: 5 % for 10m
            12:10:01  step 2 of 3, expanded_canary: 20 % for 15m
            12:14:07  v2 is taken back to v1 at once
`,
  );
});

t.test('queued', async (t) => {
  t.equal(
    rolloutScreen(QUEUED, WINDOW, plain),
    `Queued  shop  v2 against v1  strategy standard
shop-8  by ci, asked for 2026-01-01 12:00:00  risk 35

Step        none yet, of 3
Waits       waits for shop-7, which runs
Weights     v1 100 %  ██████████████████████████████████████████████████  0 % v2

        REQ/S  ERRORS     P50     P95     P99  IN FLIGHT  SHIELDED  USER ERR
stable    905  0.00 %  1.2 ms  3.4 ms  9.9 ms          3         0         0
canary      -       -       -       -       -          0         0         0

Events      12:20:00  shop-7 runs; this one waits for its turn
`,
  );
});

t.test('failed before any user', async (t) => {
  t.equal(
    rolloutScreen(FAILED, WINDOW, plain),
    `Failed  shop  v2 against v1  strategy standard
shop-6  by ci, since 2026-01-01 12:00:00  risk 35
v2 was given to no user: smoke test home answered 500.

Step        1 of 2  checks  health, 1 smoke test
Weights     v1 100 %  ██████████████████████████████████████████████████  0 % v2

        REQ/S  ERRORS     P50     P95     P99  IN FLIGHT  SHIELDED  USER ERR
stable    905  0.00 %  1.2 ms  3.4 ms  9.9 ms          3         0         0
canary      -       -       -       -       -          0         0         0

Events      12:01:00  smoke test home answered 500
`,
  );
});

const VIEWS = { PROGRESSING, PAUSED, ROLLING_BACK, QUEUED, FAILED, SUCCEEDED, ROLLED_BACK };

t.test('no window is too small, none too large', async (t) => {
  for (const [name, view] of Object.entries(VIEWS)) {
    const whole = rolloutScreen(view, { columns: Number.POSITIVE_INFINITY, rows: Number.POSITIVE_INFINITY }, plain);
    t.notMatch(whole, /undefined|NaN|null|\[object/, name);
    t.match(whole, view.timeline[0]?.message, 'every event');
    for (const columns of [0, 1, 7, 20, 50, 80, 120, 300]) {
      for (const rows of [-1, 0, 1, 5, 12, 23, 60]) {
        const page = rolloutScreen(view, { columns, rows }, plain);
        const lines = page.split('\n').slice(0, -1);
        t.ok(lines.length <= Math.max(0, rows), `${name} ${columns}x${rows}: ${lines.length} lines`);
        t.ok(
          lines.every((line) => line.length <= columns),
          `${name} ${columns}x${rows}: columns`,
        );
      }
    }
  }
});

t.test('a small window has less of the same', async (t) => {
  const page = (rows: number) => rolloutScreen(PROGRESSING, { columns: 80, rows }, plain);
  t.match(page(40), /\n\n/, 'blank lines where there is room');
  t.notMatch(page(21), /\n\n/);
  t.match(page(19), /p95 <= baseline.*\nRules .*\nEvents {6}12:10:01.*\n.*\n {12}12:12:05/, 'only the newest events');
  t.notMatch(page(18), /Rules/, 'no rule that is not met');
  t.match(page(16), /Conditions {2}unknown {3}p95/, 'only conditions that hold the step');
  t.match(page(15), /Conditions.*\nEvents {6}12:12:05 {2}p95 is read again\n$/);
  const met = { ...PROGRESSING, rules: ROLLING_BACK.rules };
  t.match(rolloutScreen(met, { columns: 80, rows: 17 }, plain), /Rules {7}met/, 'a rule that is met stays');
  t.match(page(3), /^Progressing .*\n.*\nStep .*\n$/);
});

t.test('what it waits for is said once', async (t) => {
  const { approvals } = PAUSED;
  const page = rolloutScreen({ ...PAUSED, waiting: approvals.missing }, WINDOW, plain);
  t.equal(page.split(approvals.missing ?? '').length, 2);
  t.notMatch(page, /^Waits/m);
});

t.test('a wide window has longer bars', async (t) => {
  const bars = (columns: number) =>
    (rolloutScreen(PROGRESSING, { columns, rows: 40 }, plain).match(/[█▓░]/g) ?? []).length;
  t.ok(bars(160) > bars(80) + 200, `${bars(80)} and ${bars(160)}`);
});

t.test('colours are of the palette, and cut lines close them', async (t) => {
  const page = rolloutScreen(ROLLING_BACK, WINDOW, coloured);
  t.match(page, /^\x1b\[31mRollingBack\x1b\[0m/);
  t.equal(page.replaceAll(/\x1b\[\d+m/g, ''), rolloutScreen(ROLLING_BACK, WINDOW, plain), 'they take no column');
  const narrow = rolloutScreen(ROLLING_BACK, { columns: 30, rows: 23 }, coloured);
  for (const line of narrow.split('\n')) {
    const open = line.match(/\x1b\[[1-9]\d*m/g)?.length ?? 0;
    t.equal(line.match(/\x1b\[0m/g)?.length ?? 0, open, JSON.stringify(line));
  }
});

t.test('nothing of others reaches the terminal as it came', async (t) => {
  /** Every text that comes from somebody else, with something behind it. */
  const spoilt = (tail: string) =>
    JSON.parse(JSON.stringify({ ...PROGRESSING, ...ROLLING_BACK, pause: PAUSED.pause }), (key, value) =>
      typeof value === 'string' && !/At$|^(at|since|expires|phase|state|status|test|until|mode|kind)$/.test(key)
        ? value + tail
        : value,
    );
  const wide = { columns: 500, rows: 100 };
  for (const part of [{}, { outcome: null }, { evidence: { ...EVIDENCE, mismatch: testReading('ratio') } }]) {
    const page = rolloutScreen({ ...spoilt('\x1b[2J\r\n\x9b31m\u202e'), ...part }, wide, plain);
    t.notMatch(page, /[\x00-\x09\x0b-\x1f\x7f-\x9f\u202e]/);
    const harmless = rolloutScreen({ ...spoilt('.'), ...part }, wide, plain);
    t.equal(page.split('\n').length, harmless.split('\n').length, 'no line of their own');
    t.ok((page.match(/·\[2J ·31m·/g)?.length ?? 0) > 15, 'they were there');
  }
});

t.test('bars', async (t) => {
  t.equal(bar(0.5, 10), '█████░░░░░');
  t.equal(bar(0, 3), '░░░');
  t.equal(bar(0.001, 3), '█░░', 'something is never nothing');
  t.equal(bar(0.999, 3), '██░', 'nearly all is never all');
  t.equal(bar(7, 3), '███');
  for (const part of [-1, Number.NaN]) t.equal(bar(part, 3), '░░░');
  t.equal(bar(0.5, 0), '');
  t.equal(bar(0.5, 1), '█');
  t.equal(splitBar(80, 20, 10), '████████▓▓');
  t.equal(splitBar(99.9, 0.1, 10), '█████████▓', 'a canary with little is there');
  t.equal(splitBar(100, 0, 10), '██████████');
  t.equal(splitBar(0, 100, 10), '▓▓▓▓▓▓▓▓▓▓');
  t.equal(splitBar(60, 20, 10), '██████▓▓░░', 'a third version has the rest');
  t.equal(splitBar(0, 0, 3), '░░░');
});

t.test('long texts', async (t) => {
  t.equal(clipped('\x1b[31mabcdef\x1b[0m', 3), '\x1b[31mabc\x1b[0m');
  t.equal(clipped('abc', 3), 'abc');
  t.strictSame(folded('one two three', 7, 3), ['one two', 'three']);
  t.strictSame(folded('one two three four', 7, 2), ['one two', 'three …']);
  t.strictSame(folded('unbreakable', 4, 3), ['unbr', 'eaka', 'ble']);
  t.strictSame(folded('short', Number.POSITIVE_INFINITY, 3), ['short']);
});

t.test('evidence in every state', async (t) => {
  const lines = evidenceLines(
    {
      ...EVIDENCE,
      tests: [testReading('errors', { logE: 8.3, threshold: 8.3, state: 'crossed' })],
      budget: { used: 0, max: 0, spent: false },
      proof: { logE: 1.5, threshold: 3, proved: false, needs: 1200 },
      bothFail: true,
      mismatch: testReading('ratio', { message: 'the split is not what was set' }),
    },
    10,
    plain,
  );
  t.strictSame(lines, [
    'errors    ██████████  8.30 of 8.30 crossed',
    'budget    ░░░░░░░░░░  0 of 0 failed attempts',
    'SLO kept  █████░░░░░  1,200 more without failure',
    'stable fails as well: the canary alone is not to blame',
    'the split is not what was set',
  ]);
  const proof = (part: object) =>
    evidenceLines(
      { ...EVIDENCE, tests: [], budget: null, proof: { logE: 9, threshold: 3, proved: true, needs: 0, ...part } },
      10,
      plain,
    );
  t.strictSame(proof({}), ['SLO kept  ██████████  proved']);
  t.strictSame(proof({ proved: false, needs: null }), ['SLO kept  █████████░  cannot be proved now'], 'full is proved');
});

t.test('values in their unit', async (t) => {
  const values = [
    ['p99 < 200ms', { value: 1234.5 }, 'passes    p99 < 200ms  1.23 s, of 3,000'],
    ['throughput > 5', { value: 7.25 }, 'passes    throughput > 5  7.25/s, of 3,000'],
    ['cpu < 80', { value: 41.123456789, samples: 0 }, 'passes    cpu < 80  41.1235'],
    ['p95 < 1s', { status: 'error', value: 3, message: 'it timed out' }, 'error     p95 < 1s  it timed out'],
    ['p95 < 1s', { status: 'inconclusive', samples: 3, value: 10 }, 'unknown   p95 < 1s  10.0 ms, of 3; too few'],
  ] as const;
  for (const [text, part, line] of values)
    t.strictSame(conditionLines([condition(text, part)], 'condition', plain), [line]);
  t.strictSame(conditionLines([], 'rule', plain), []);
});
