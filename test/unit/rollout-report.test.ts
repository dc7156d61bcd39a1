/** Report, Markdown, decision record and summary of rollouts; docs/reports.md shows what they really look like. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import {
  reportExample,
  rolloutExample,
  takenBack,
  whyExample,
} from '../../src/control/admin/schemas/rollout-examples.ts';
import type { ConditionResult } from '../../src/control/analysis/verdict.ts';
import { eValue, percent, sentence, shareOf, span } from '../../src/control/rollout/figures.ts';
import { plain, table } from '../../src/control/rollout/markdown-text.ts';
import { type Reported, reportOf } from '../../src/control/rollout/report.ts';
import { reportMarkdown } from '../../src/control/rollout/report-markdown.ts';
import type { Phase, StepRecord, VersionSummary } from '../../src/control/rollout/rollout.ts';
import { approvalView, shown } from '../../src/control/rollout/shown.ts';
import { outcomeOf, summaryOf } from '../../src/control/rollout/summary.ts';
import { type Explained, type PresentState, type Surroundings, whyOf } from '../../src/control/rollout/why.ts';

type Kept = Reported & Explained;

const PAGE = readFileSync(new URL('../../docs/reports.md', import.meta.url), 'utf8');
const block = (language: string): string => new RegExp(`^\`\`\`${language}\\n(.*?)^\`\`\``, 'ms').exec(PAGE)?.[1] ?? '';

const NOTHING: PresentState = {
  ...{ conditions: [], rules: [], evidence: rolloutExample.evidence, waiting: null, rollback: null },
};
const NOW: Surroundings = { now: 0, unwritten: null };
const FULL: Surroundings = { now: 0, unwritten: 'there is no space left for the state in /data' };
const running = (changes: Partial<Kept> = {}): Kept => ({
  ...takenBack,
  ...{ phase: 'Progressing', weight: 20, endedAt: null, decision: null },
  ...changes,
});
const condition = (status: ConditionResult['status'], message: string): ConditionResult => ({
  ...{ condition: 'p95 < 100ms', metric: 'p95', status, value: 120, limit: 100, baseline: null, samples: 80, message },
});

t.test('the page shows the example as it is made', async (t) => {
  t.equal(block('markdown'), reportMarkdown(reportExample));
  const shortened = JSON.parse(block('json')) as object;
  t.match(whyExample, shortened);
  t.ok(Object.keys(shortened).length === Object.keys(whyExample).length);
});

t.test('times are text, what is none stays, and so does what is within', async (t) => {
  const data = { at: 5, since: 6 };
  t.strictSame(shown({ at: 0, startedAt: 1, endedAt: null, since: 2, expires: 3, for: 4, flat: 5, data }), {
    ...{ at: '1970-01-01T00:00:00.000Z', startedAt: '1970-01-01T00:00:00.001Z', endedAt: null },
    ...{ since: '1970-01-01T00:00:00.002Z', expires: '1970-01-01T00:00:00.003Z', for: 4, flat: 5, data },
  });
  const approval = { approver: 'lead', role: 'human', signature: 'c2ln', at: 0, expires: 1, step: 0, digest: 'd' };
  const view = { approver: 'lead', role: 'human', at: '1970-01-01T00:00:00.000Z', expires: '1970-01-01T00:00:00.001Z' };
  t.strictSame(approvalView(approval), { ...view, signed: true });
  t.strictSame(approvalView({ ...approval, signature: null }), { ...view, signed: false });
});

t.test('a row', async (t) => {
  t.strictSame(summaryOf(running()), {
    ...{ id: 'demo-7', service: 'demo', version: 'v2', stable: 'v1', strategy: 'careful', phase: 'Progressing' },
    ...{ createdAt: '2026-01-01T12:00:00.000Z', startedAt: '2026-01-01T12:00:00.020Z', endedAt: null },
    ...{ startedBy: 'ci', step: 2, stepCount: 3, weight: 20, waiting: null, outcome: null },
  });
  t.equal(summaryOf(running({ step: -1 })).step, 0, 'before the first');
  t.equal(summaryOf(running({ step: 3, phase: 'Promoting' })).step, 3, 'behind the last');
});

t.test('outcomes', async (t) => {
  const { decision, steps } = takenBack;
  const outcome = (phase: Phase, changes: Partial<Kept> = {}): string | null =>
    outcomeOf(running({ phase, ...changes }));
  for (const phase of ['Queued', 'Preflight', 'Progressing', 'Paused', 'Promoting'] as const) {
    t.equal(outcome(phase, { decision }), null, phase);
  }
  t.match(
    outcome('RollingBack', { decision }),
    /^v2 is being taken back at 20 %, 258 ms after its first failed request: 15 of 39/,
  );
  const byHand = { ...decision!, cause: 'operator', reason: 'aborted by ops' } as const;
  t.equal(outcome('RolledBack', { decision: byHand }), 'v2 was taken back at 20 %: aborted by ops.');
  t.equal(outcome('RolledBack'), 'v2 was taken back.');
  t.equal(
    outcome('Failed', { decision: { ...decision!, cause: 'preflight', reason: 'home answers 503.' } }),
    'v2 was given to no user: home answers 503.',
  );
  const done = { startedAt: 0, endedAt: 7_500_000 };
  t.equal(outcome('Succeeded', { ...done, steps: [] }), 'v2 is stable after 2 h 5 min.');
  const results = ['passed', 'passed', 'skipped', 'promoted', 'failed'] as const;
  t.equal(
    outcome('Succeeded', { ...done, decision, steps: results.map((result) => ({ ...steps[0]!, result })) }),
    'v2 is stable after 2 h 5 min: 2 steps passed, 1 step skipped, 1 step cut short by hand.',
    'an incident on the way is not the outcome',
  );
});

t.test('totals are sums, and percentiles are never made of percentiles', async (t) => {
  const [first, second] = takenBack.steps as [StepRecord, StepRecord];
  const totals = (steps: readonly StepRecord[]) => reportOf({ ...takenBack, steps }, null, 0).totals;
  const both = totals([first, second]).canary;
  t.match(both, { version: 'v2', requests: 2998, errors: 15, userErrors: 0, shielded: 15 });
  t.strictSame([both?.p50, both?.p95, both?.p99, both?.p999], [null, null, null, null]);
  const idle: VersionSummary = { ...first.canary!, requests: 0, p50: null, p95: null, p99: null, p999: null };
  t.match(totals([first, { ...second, canary: idle }]).canary, { p50: 4.1, p999: 48 }, 'only one step had requests');
  t.strictSame(totals([{ ...first, canary: null, stable: null }]), { canary: null, stable: null });
  t.strictSame(totals([]), { canary: null, stable: null });
});

t.test('how long it took, of one that runs until now', async (t) => {
  const duration = (changes: Partial<Kept>): number | null => reportOf(running(changes), null, 5000).duration;
  t.equal(duration({ startedAt: 1000 }), 4000);
  t.equal(duration({ startedAt: 1000, endedAt: 3000 }), 2000);
  t.equal(duration({ startedAt: null }), null);
});

t.test('why', async (t) => {
  const answer = (changes: Partial<Kept>, present: Partial<PresentState> = {}): string =>
    whyOf(running(changes), { ...NOTHING, ...present }, NOW).answer;
  t.equal(answer({}), 'v2 has 20 % in step 2 of 3 (more), and nothing holds it but its time.');
  const failing = condition('fail', 'p95 is 120 ms of 80 requests, must be < 100 ms');
  t.equal(
    answer({}, { conditions: [condition('pass', 'fine'), failing] }),
    'v2 has 20 % in step 2 of 3 (more), which is held: p95 is 120 ms of 80 requests, must be < 100 ms.',
  );
  t.equal(answer({ phase: 'Queued' }), 'v2 is about to begin.');
  t.equal(answer({ phase: 'Queued' }, { waiting: 'demo-6 still runs' }), 'v2 waits: demo-6 still runs.');
  t.equal(answer({ phase: 'Preflight' }), 'v2 is being checked before any user gets it.');
  t.equal(answer({ phase: 'Promoting' }), 'Every step has passed, and v2 becomes stable.');
  const pause = { by: 'incident', reason: 'v1 fails as well', since: 0, for: null, until: 'manual' } as const;
  t.equal(
    answer({ phase: 'Paused', pause }),
    'The rollout of v2 stands still at 20 %: an incident pauses it until somebody resumes it: v1 fails as well.',
  );
  t.equal(
    answer({ phase: 'Paused', pause: { ...pause, by: 'step', reason: '', until: 'approval' } }).slice(37),
    '%: a step of the strategy pauses it until it is approved.',
  );
});

t.test('what holds it', async (t) => {
  const { evidence } = NOTHING;
  const [test] = evidence.tests;
  const holding = (changes: Partial<Kept>, present: Partial<PresentState>): readonly string[] =>
    whyOf(running(changes), { ...NOTHING, ...present }, NOW).holding;
  t.strictSame(
    holding(
      {},
      {
        waiting: 'too slow',
        conditions: [
          condition('fail', 'too slow'),
          condition('inconclusive', 'too few'),
          condition('error', 'timeout'),
        ],
        rules: [condition('pass', 'met'), condition('fail', 'not met'), condition('inconclusive', 'nothing')],
        evidence: { ...evidence, bothFail: true, mismatch: { ...test!, message: 'the split is not what was set' } },
      },
    ),
    [
      'stable fails as well, so the canary alone is not to blame.',
      'the split is not what was set.',
      'too slow.',
      'too few.',
      'p95 < 100ms could not be judged: timeout.',
      'p95 < 100ms of rollbackWhen is met.',
    ],
  );
  const pause = { by: 'incident', reason: 'both fail', since: 0, for: null, until: 'manual' } as const;
  t.equal(holding({ phase: 'Paused', pause }, { waiting: 'both fail' }).length, 1, 'a reason that waits is told once');
  for (const phase of ['Succeeded', 'RolledBack', 'Failed'] as const) {
    t.strictSame(holding({ phase }, { conditions: [condition('fail', 'x')], waiting: 'x' }), [], phase);
  }
});

t.test('a state that cannot be written holds it, whatever else does', async (t) => {
  const { answer, holding } = whyOf(running(), NOTHING, FULL);
  const said = 'no step is taken while the state cannot be written: there is no space left for the state in /data.';
  t.equal(answer, `v2 has 20 % in step 2 of 3 (more), which is held: ${said}`);
  t.strictSame(holding, [said]);
  const trouble = `it could not go on: the state cannot be written (${FULL.unwritten}); it is tried again`;
  t.strictSame(whyOf(running(), { ...NOTHING, waiting: trouble }, FULL).holding, [said], 'told once');
  t.strictSame(whyOf(takenBack, NOTHING, FULL).holding, [], 'one that is over waits for nothing');
});

t.test('what the way back waits for', async (t) => {
  const { decision } = takenBack;
  const awaited = (changes: Partial<Kept>, present: Partial<PresentState> = {}, around = NOW): readonly string[] =>
    whyOf(running({ phase: 'RollingBack', decision, ...changes }), { ...NOTHING, ...present }, around).holding;
  const failing = { conditions: [condition('fail', 'too slow')], rules: [condition('pass', 'met')] };
  t.strictSame(awaited({ weight: 50, rollback: { nextAt: 42_000 } }, { ...failing, rollback: { inFlight: 3 } }), [
    'v2 still has 50 %, and will have 30 % in 42 s.',
  ]);
  t.strictSame(
    awaited({ weight: 0, waiting: '3 in flight on v2' }, { waiting: '3 in flight on v2', rollback: { inFlight: 3 } }),
    ['3 requests in flight on v2, waited for 10 s at most.'],
  );
  t.strictSame(awaited({ weight: 0 }, { ...failing, rollback: { inFlight: 0 } }), [], 'it is over with the next look');
  t.strictSame(awaited({ weight: 0 }, { waiting: 'it could not go on: a; it is tried again' }), [
    'it could not go on: a; it is tried again.',
  ]);
  t.strictSame(awaited({ weight: 0 }, { waiting: `it could not go on: (${FULL.unwritten})` }, FULL), [
    'what is done is kept as soon as the state can be written: there is no space left for the state in /data.',
  ]);
});

t.test('rules of a decision are no conditions; of an older one nobody knows', async (t) => {
  const page = (more: Partial<NonNullable<Kept['decision']>>): string => {
    const { rules: _rules, ...decision } = takenBack.decision!;
    return reportMarkdown(reportOf({ ...takenBack, decision: { ...decision, ...more } }, null, 0));
  };
  const conditions = [condition('fail', 'p95 is 120 ms, must be < 100 ms')];
  const rule = { ...condition('fail', 'error_rate is 0 %'), condition: 'error_rate > 5%' };
  const apart = page({ conditions, rules: [rule, { ...rule, status: 'pass', condition: 'p99 > 1s' }] });
  t.match(apart, /### Conditions then\n\n\| condition \|.*\n.*\n\| p95 < 100ms \| fail \|/);
  t.match(
    apart,
    /### Rules of rollbackWhen then\n\n\| rule \|.*\n.*\n\| error_rate > 5% \| not met \|.*\n\| p99 > 1s \| met \|/,
  );
  t.notMatch(page({ conditions: [], rules: [] }), /Rules|Conditions then/);
  const older = page({ conditions: [...conditions, rule] });
  t.match(
    older,
    /### Conditions and rules then\n\n.*\n.*\n\| p95 < 100ms \| false \|.*\n\| error_rate > 5% \| false \|/,
  );
  t.notMatch(older, /Rules of rollbackWhen/);
});

t.test('figures', async (t) => {
  const spans = [-5, 0, 38.4, 999, 12_345, 59_999, 60_000, 605_000, 3_600_000, 7_500_000, 90_000_000];
  t.strictSame(spans.map(span), [
    ...['0 ms', '0 ms', '38 ms', '999 ms', '12.3 s', '60 s', '1 min', '10 min 5 s', '1 h', '2 h 5 min', '1 d 1 h'],
  ]);
  t.strictSame([0, 0.00123, 0.05, 1, 12.25, 99.99, 100].map(percent), [
    ...['0 %', '0.00123 %', '0.05 %', '1 %', '12.25 %', '99.99 %', '100 %'],
  ]);
  t.strictSame([shareOf(0, 0), shareOf(1, 3)], ['–', '33.33 %']);
  t.strictSame([-20, -2.07, 0, 7.6009, 30, 1000].map(eValue), ['under 0.001', '0.13', '1', '1,999', '10^13', '10^434']);
  t.strictSame(['a', 'a.', ' a? ', 'a…'].map(sentence), ['a.', 'a.', 'a?', 'a…']);
});

/** What would do something, and how it has to come out. */
const HOSTILE: readonly (readonly [value: string, source: string])[] = [
  ['a|b', 'a&#124;b'],
  ['a\\|b', 'a&#92;&#124;b'],
  ['<script>alert(1)</script>', '&lt;script>alert(1)&lt;/script>'],
  ['<!-- x', '&lt;\\!-- x'],
  ['&lt;b&gt;', '&amp;lt;b&amp;gt;'],
  ['two\nlines\r\n\tof it', 'two lines of it'],
  ['\u2028x\u0085y', 'x y'],
  ['a\u202eb\u0000c\u001b[2Jd\u200be\ud800', 'a\ufffdb\ufffdc\ufffd\\[2Jd\ufffde\ufffd'],
  ['**bold** `code` ~~gone~~', '\\*\\*bold\\*\\* \\`code\\` \\~\\~gone\\~\\~'],
  ['[x](javascript:1) ![y](z)', '\\[x\\](javascript:1) \\!\\[y\\](z)'],
  ['http://evil.example', 'http\\://evil.example'],
  ['# not a heading', '\\# not a heading'],
  ['- not a list', '\\- not a list'],
  ['1. not a list', '1\\. not a list'],
  ['> not a quote', '&gt; not a quote'],
  ['_a_ error_rate __init__', '\\_a\\_ error_rate \\_\\_init\\_\\_'],
  ['error_rate < 1% and p95 >= 3', 'error_rate < 1% and p95 >= 3'],
  ['1.5 ms', '1.5 ms'],
  ['', ''],
];

t.test('strange values come out as themselves', async (t) => {
  for (const [at, [value, source]] of HOSTILE.entries()) t.equal(plain(value), source, `value ${at}`);
  t.strictSame(table(['a', '>b'], [['x|y', 'z']]), ['| a | b |', '| --- | ---: |', '| x&#124;y | z |']);
  t.strictSame(table(['a'], []), [], 'without rows there is no table');
});

/** Kind of line and number of cells: what a value must not change. */
const shapeOf = (page: string): string[] =>
  page.split('\n').map((line) => (line.startsWith('|') ? `table ${line.split('|').length}` : line.slice(0, 3)));

/** The same report with every text replaced, but for words of closed vocabularies and times. */
function poisoned(value: unknown, poison: string): unknown {
  const spared = /^(phase|cause|state|status|result|kind|mode|test|role|\w*At|at|expires|createdAt)$/;
  if (Array.isArray(value)) return value.map((each) => poisoned(each, poison));
  if (typeof value === 'string') return poison;
  if (typeof value !== 'object' || value === null) return value;
  const entries = Object.entries(value).map(([key, each]) => [
    key,
    typeof each === 'string' && spared.test(key) ? each : poisoned(each, poison),
  ]);
  return Object.fromEntries(entries);
}

t.test('no value can change the shape of the page, or be HTML', async (t) => {
  const report = {
    ...reportExample,
    approvals: [
      approvalView({ approver: 'a', role: 'human', signature: null, at: 0, expires: 1, step: 0, digest: '' }),
    ],
  };
  const expected = shapeOf(reportMarkdown(poisoned(report, 'benign') as typeof report));
  t.ok(expected.filter((line) => line.startsWith('table')).length > 30);
  for (const [at, [value]] of HOSTILE.entries()) {
    if (value === '') continue;
    const page = reportMarkdown(poisoned(report, value) as typeof report);
    t.strictSame(shapeOf(page), expected, `value ${at}`);
    t.notMatch(page, /<[A-Za-z/!?]/, `value ${at}`);
    t.notMatch(page, /[\u0000-\u0009\u000b-\u001f\u2028\u202e]/, `value ${at}`);
  }
});

t.test('a page of a rollout with nothing in it yet', async (t) => {
  const bare = running({ phase: 'Queued', startedAt: null, steps: [], timeline: [], step: -1, weight: 0 });
  const page = reportMarkdown(reportOf({ ...bare, risk: { score: 0, items: [] } }, null, 0));
  t.match(page, /^# Rollout of demo v2\n\n\| {2}\| {2}\|\n/);
  t.notMatch(page, /##|undefined|NaN|null|Outcome/);
  const begun = reportMarkdown(reportOf({ ...bare, decision: { ...takenBack.decision!, step: -1 } }, null, 0));
  t.match(begun, /before the first step at 20 %/);
});
