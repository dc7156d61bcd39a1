/** Each command about rollouts: what it asks of the admin API, and what it prints of the answer. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { NotificationView, StrategyView } from '../../src/control/operations.ts';
import type { RollbackPackView, RolloutView, RolloutWhy } from '../../src/control/rollout/view.ts';
import { type Called, called, FakeAdmin, problem } from './client-admin-server.ts';
import {
  condition,
  FAILED,
  PAUSED,
  PROGRESSING,
  QUEUED,
  ROLLED_BACK,
  ROLLING_BACK,
  SUCCEEDED,
  summaryOf,
} from './client-rollout-views.ts';

const admin = await new FakeAdmin().listen();
t.teardown(() => admin.close());

const ROLLOUT = '/api/v1/rollouts/shop-7';
const START = 'POST /api/v1/services/shop/rollouts';

/** What the list has, newest first; each of them can be asked for by its ID, and nothing else can. */
function recorded(...views: readonly RolloutView[]): void {
  admin.on('GET /api/v1/rollouts', ({ query: { service } }) => ({
    body: { rollouts: views.filter((view) => service === undefined || view.service === service).map(summaryOf) },
  }));
  for (const view of [PROGRESSING, QUEUED, FAILED]) {
    const found = views.find(({ id }) => id === view.id);
    const reply = found === undefined ? problem(404, `There is no rollout ${view.id}.`) : { body: found };
    admin.on(`GET /api/v1/rollouts/${view.id}`, reply);
  }
}

async function printed(...argv: string[]): Promise<string> {
  const { code, out, err } = await called(admin, argv);
  t.strictSame({ code, err }, { code: 0, err: '' }, argv.join(' '));
  return out;
}

async function misused(argv: readonly string[], message: string): Promise<void> {
  const before = admin.asked.length;
  const name = argv.slice(0, 2).join(' ');
  const expected: Called = { code: 2, out: '', err: `sluice ${name}: ${message}\nTry: sluice ${name} --help\n` };
  t.strictSame(await called(admin, argv), expected, argv.join(' '));
  t.equal(admin.asked.length, before, 'nothing is asked of the server');
}

const SUMMARY = 'Rollout shop-7 of shop: v2 against v1, strategy standard, step 2 of 3, 20 %: Progressing\n';

t.test('start', async (t) => {
  admin.on(START, { status: 201, body: PROGRESSING });
  t.equal(
    await printed('rollout', 'start', 'shop', 'v2'),
    `${SUMMARY}Risk 35 of 100.\nFollow it: sluice rollout watch shop-7\n`,
  );
  t.strictSame(admin.last?.body, { version: 'v2' });
  const options = ['--strategy', 'fast-track', '--reason', 'r', '--when-busy', 'queue', '--not-before', '90m'];
  const wallClock = () => Date.parse('2026-01-01T12:00:00Z');
  t.match(await called(admin, ['rollout', 'start', 'shop', 'v2', ...options], { wallClock }), { code: 0, err: '' });
  t.strictSame(admin.last?.body, {
    ...{ version: 'v2', strategy: 'fast-track', notBefore: '2026-01-01T13:30:00.000Z', whenBusy: 'queue', reason: 'r' },
  });
  t.strictSame(JSON.parse(await printed('rollout', 'start', 'shop', 'v2', '--json')), PROGRESSING);
  admin.on(START, { status: 201, body: { ...QUEUED, waiting: 'waits for shop-7\x1b[2J' } });
  t.match(await printed('rollout', 'start', 'shop', 'v2'), ', 3 steps: Queued\nwaits for shop-7·[2J\nRisk 35');
  admin.on(START, problem(409, 'shop-7 of shop is Progressing.'));
  t.match(await called(admin, ['rollout', 'start', 'shop', 'v2', '--wait']), {
    code: 5,
    err: 'sluice rollout start: shop-7 of shop is Progressing.\n',
  });
});

t.test('not before', async (t) => {
  admin.on(START, { status: 201, body: QUEUED });
  const local = new Date(2026, 2, 2, 18, 30).toISOString();
  for (const [text, sent] of [
    ['2026-03-02T18:30:00Z', '2026-03-02T18:30:00.000Z'],
    ['2026-03-02T18:30+01:00', '2026-03-02T17:30:00.000Z'],
    ['2026-03-02 18:30', local],
    ['2026-03-02T18:30', local],
  ] as const) {
    await printed('rollout', 'start', 'shop', 'v2', '--not-before', text);
    t.match(admin.last?.body, { notBefore: sent }, text);
  }
});

t.test('risk', async (t) => {
  admin.on(`${START}/risk`, { body: PROGRESSING.risk });
  t.equal(
    await printed('rollout', 'start', 'shop', 'v2', '--risk', '--strategy', 'standard'),
    `Risk 35 of 100
POINTS  ITEM        WHY
    30  hour        it is Friday afternoon
     5  first step  the first step gives v2 5 % of the requests
`,
  );
  t.match(admin.last, { call: `${START}/risk`, body: { version: 'v2', strategy: 'standard' } });
  admin.on(`${START}/risk`, { body: { score: 0, items: [] } });
  t.equal(await printed('rollout', 'start', 'shop', 'v2', '--risk'), 'Risk 0 of 100\n');
});

t.test('a strategy of a file', async (t) => {
  admin.on(START, { status: 201, body: PROGRESSING });
  const steps = [{ name: 'all', weight: 100, for: '1m' }];
  const directory = t.testdir({
    'bare.yaml': 'steps:\n  - { name: all, weight: 100, for: 1m }\n',
    'named.yaml': 'strategies:\n  quick:\n    steps: [ { name: all, weight: 100, for: 1m } ]\n',
    'own.json': JSON.stringify({ steps }),
    'two.yaml': 'strategies: { a: { steps: [] }, b: { steps: [] } }\n',
    'none.yaml': 'strategies: {}\n',
    'list.yaml': '- 1\n',
    'broken.yaml': 'steps:\n  - { name: all\n',
  });
  const file = (name: string): string[] => ['--strategy-file', join(directory, name)];
  for (const name of ['bare.yaml', 'named.yaml', 'own.json']) {
    await printed('rollout', 'start', 'shop', 'v2', ...file(name));
    t.strictSame(admin.last?.body, { version: 'v2', strategy: { steps } }, name);
  }
  const start = ['rollout', 'start', 'shop', 'v2'];
  for (const [name, message] of [
    ['two.yaml', `${join(directory, 'two.yaml')} has 2 strategies (a, b); a file for --strategy-file has one`],
    ['none.yaml', `${join(directory, 'none.yaml')} has no strategy under "strategies"`],
    ['list.yaml', `${join(directory, 'list.yaml')} holds no strategy; it must be an object with "steps"`],
    ['missing.yaml', `--strategy-file: cannot read ${join(directory, 'missing.yaml')}: no such file`],
  ] as const) {
    await misused([...start, ...file(name)], message);
  }
  t.match(await called(admin, [...start, ...file('broken.yaml')]), { code: 2, err: /broken\.yaml:\d+:\d+: / });
  await misused(
    [...start, ...file('bare.yaml'), '--strategy', 'x'],
    '--strategy and --strategy-file exclude each other',
  );
});

t.test('list', async (t) => {
  recorded(QUEUED, PROGRESSING, FAILED);
  t.equal(
    await printed('rollout', 'list'),
    `ID      SERVICE  VERSION  STRATEGY  PHASE        STEP  WEIGHT  BEGUN                NOTE
shop-8  shop     v2       standard  Queued        0/3     0 %  2026-01-01 12:00:00  waits for shop-7, which runs
shop-7  shop     v2       standard  Progressing   2/3    20 %  2026-01-01 12:00:00
shop-6  shop     v2       standard  Failed        1/2     0 %  2026-01-01 12:00:00  v2 was given to no user: smoke test home answered 500.
`,
  );
  t.strictSame(admin.last?.query, {});
  await printed('rollout', 'list', '--service', 'shop', '--phase', 'rollingback', '--json');
  t.strictSame(admin.last?.query, { service: 'shop', phase: 'RollingBack' });
  await misused(['rollout', 'list', 'x'], 'unexpected argument "x"');
  t.match(await called(admin, ['rollout', 'list', '--phase', 'x']), {
    code: 2,
    err: /--phase must be one of Queued, /,
  });
});

t.test('which rollout', async (t) => {
  const pause = async (...words: string[]): Promise<string | undefined> => {
    await called(admin, ['rollout', 'pause', ...words]);
    return admin.asked.at(-1)?.call.replace(/ \/api\/v1\/rollouts/, '');
  };
  for (const { id } of [PROGRESSING, QUEUED, FAILED]) admin.on(`POST /api/v1/rollouts/${id}/pause`, { body: PAUSED });
  recorded(FAILED, PROGRESSING);
  t.equal(await pause('shop-7'), 'POST/shop-7/pause', 'an ID');
  t.equal(await pause(), 'POST/shop-7/pause', 'the only one that runs');
  t.equal(await pause('shop'), 'POST/shop-7/pause', 'the one of a service that runs');
  recorded(QUEUED, PROGRESSING);
  t.equal(await pause('shop'), 'POST/shop-7/pause', 'what runs comes before what waits');
  t.match(await called(admin, ['rollout', 'pause']), {
    code: 2,
    err: 'sluice rollout pause: 2 rollouts are not over; name one: shop-8 (shop v2), shop-7 (shop v2)\n',
  });
  recorded(QUEUED, FAILED);
  t.equal(await pause('shop'), 'POST/shop-8/pause', 'what waits comes before what has ended');
  recorded(FAILED);
  t.equal(await pause('shop'), 'POST/shop-6/pause', 'the latest; the server says what it thinks of it');
  t.match(await called(admin, ['rollout', 'pause']), {
    code: 1,
    err: 'sluice rollout pause: no rollout runs\nStart one',
  });
  t.match(await printed('rollout', 'get'), /^Failed {2}shop/, 'to be read, the latest will do');
  recorded();
  t.match(await called(admin, ['rollout', 'get']), { code: 1, err: 'sluice rollout get: there is no rollout\n' });
  admin.on('GET /api/v1/rollouts/a%20b', problem(400, 'rollout must be the id of a rollout'));
  for (const word of ['shop', 'nowhere', 'a b']) {
    t.match(await called(admin, ['rollout', 'get', word]), {
      code: 1,
      err: `sluice rollout get: there is no rollout ${word}, and none of a service of that name\n`,
    });
  }
  admin.on('GET /api/v1/rollouts/shop-7', problem(403, 'Token ci may not.'));
  t.match(await called(admin, ['rollout', 'get', 'shop-7']), { code: 4 }, 'another refusal is one');
  await misused(['rollout', 'get', 'a', 'b'], 'unexpected argument "b"');
});

t.test('get', async (t) => {
  recorded(PAUSED);
  const out = await printed('rollout', 'get', 'shop-7');
  t.match(out, /^Paused {2}shop {2}v2 against v1 {2}strategy standard\n/);
  t.match(
    out,
    `
STEP  NAME            STATE    WHAT
   1  initial_canary  done     5 % for 10m
   2  sign_off        current  pause for approval
   3  full_rollout    pending  to 100 % by 20 % every 5m

APPROVED BY  ROLE   AT                   UNTIL                SIGNED
lead         human  2026-01-01 12:11:00  2026-01-01 13:11:00  yes
`,
  );
  t.strictSame(JSON.parse(await printed('rollout', 'get', 'shop-7', '--json')), PAUSED);
});

t.test('verbs', async (t) => {
  recorded(PROGRESSING);
  for (const verb of ['promote', 'pause', 'resume', 'skip', 'abort', 'retry']) {
    admin.on(`POST ${ROLLOUT}/${verb}`, { body: PROGRESSING });
    t.equal(await printed('rollout', verb, 'shop-7', '--reason', 'so it is'), SUMMARY, verb);
    t.match(admin.last, { call: `POST ${ROLLOUT}/${verb}` });
    t.strictSame(admin.last?.body, { reason: 'so it is' });
    t.strictSame(JSON.parse(await printed('rollout', verb, 'shop-7', '--json')), PROGRESSING);
    t.strictSame(admin.last?.body, {});
  }
  await printed('rollout', 'promote', '--full');
  t.strictSame(admin.last?.body, { full: true });
  await misused(['rollout', 'retry'], 'ID or SERVICE is missing');
  admin.on(`POST ${ROLLOUT}/promote`, problem(409, 'shop-7 cannot be promoted: error_rate is 2 %'));
  t.match(await called(admin, ['rollout', 'promote']), {
    code: 5,
    err: /promote: shop-7 cannot be promoted: error_rate/,
  });
});

t.test('rollback', async (t) => {
  recorded(SUCCEEDED);
  admin.on(`POST ${ROLLOUT}/rollback`, { body: ROLLING_BACK });
  t.match(
    await printed('rollout', 'rollback', 'shop', '--reason', 'slow', '--mode', 'gradual'),
    /: RollingBack\nv2 is being/,
  );
  t.strictSame(admin.last?.body, { reason: 'slow', mode: 'gradual' });
  await printed('rollout', 'rollback', 'shop-7', '--reason', 'slow');
  t.strictSame(admin.last?.body, { reason: 'slow', mode: 'immediate' });
  await misused(['rollout', 'rollback', 'shop'], '--reason TEXT is missing: say why, for whoever reads the audit log');
  await misused(
    ['rollout', 'rollback', 'shop', '--reason', 'x', '--mode', 'slow'],
    '--mode must be immediate or gradual, not "slow"',
  );
});

t.test('report', async (t) => {
  recorded(ROLLED_BACK);
  const markdown = '# Rollout shop-7\n\n| a | b\x1b[31m |\n';
  const report = { id: 'shop-7', totals: {} };
  admin.on(`GET ${ROLLOUT}/report`, ({ query }) =>
    query.format === 'md' ? { type: 'text/markdown; charset=utf-8', body: markdown } : { body: report },
  );
  t.equal(await printed('rollout', 'report', 'shop'), markdown.replace('\x1b', '·'));
  for (const option of [['--json'], ['--format', 'json'], ['--format', 'json', '--json']]) {
    t.strictSame(JSON.parse(await printed('rollout', 'report', ...option)), report);
  }
  const file = join(t.testdir({}), 'report.md');
  t.equal(await printed('rollout', 'report', '--out', file), '');
  t.equal(readFileSync(file, 'utf8'), markdown, 'as the server made it');
  t.match(await called(admin, ['rollout', 'report', '--out', '/nowhere/at/all']), {
    code: 1,
    err: /--out: cannot write/,
  });
  await misused(['rollout', 'report', '--format', 'pdf'], '--format must be md or json, not "pdf"');
  await misused(['rollout', 'report', '--format', 'md', '--json'], '--json and --format md exclude each other');
  admin.on(`GET ${ROLLOUT}/report`, { type: 'text/html', body: '<h1>' });
  t.match(await called(admin, ['rollout', 'report']), { code: 3, err: /is not the admin API .*no text\/markdown/ });
  admin.on(`GET ${ROLLOUT}/report`, problem(503, 'Sluice is shutting down.'));
  t.match(await called(admin, ['rollout', 'report']), {
    code: 1,
    err: 'sluice rollout report: Sluice is shutting down.\n',
  });
});

const FIRST = Date.parse('2026-01-01T12:14:07.000Z');
const WHY: RolloutWhy = {
  ...{ id: 'shop-7', phase: 'RolledBack', answer: 'v2 was taken back at 20 %.', holding: [] },
  decision: {
    ...{ at: new Date(FIRST + 41).toISOString(), cause: 'evidence', by: 'sluice', step: 1, weight: 20 },
    reason: "12 of 14 failures were the canary's",
    evidence: ROLLING_BACK.evidence,
    conditions: [condition('p95 < 100ms', { value: 31.5 })],
    failures: [
      {
        ...{
          at: new Date(FIRST).toISOString(),
          method: 'GET',
          path: '/cart\x1b[2J',
          route: 'shop',
          status: 500,
          flag: '',
          duration: 3.21,
        },
        ...{ requestId: 'b3c1-118', endpoint: 'http://127.0.0.1:3003' },
      },
      {
        ...{
          at: new Date(FIRST + 30).toISOString(),
          method: 'GET',
          path: '/',
          route: 'shop',
          status: 0,
          flag: 'UF',
          duration: 1000,
        },
        ...{ requestId: 'b3c1-131', endpoint: 'http://127.0.0.1:3003' },
      },
    ],
    firstFailureAt: new Date(FIRST).toISOString(),
    closedAt: new Date(FIRST + 41).toISOString(),
    acknowledgedAt: null,
  },
};

t.test('why', async (t) => {
  recorded(ROLLED_BACK);
  admin.on(`GET ${ROLLOUT}/why`, { body: WHY });
  t.equal(
    await printed('rollout', 'why', 'shop'),
    `shop-7 RolledBack  v2 was taken back at 20 %.

Decided 2026-01-01 12:14:07 by sluice (evidence) at step 2, 20 %
  12 of 14 failures were the canary's
  first failed attempt 12:14:07, switched off 41.0 ms later

What was known:
  errors    ████████████████████  9.90 of 7.60 crossed
  slo       ███████████░░░░░░░░░  4.50 of 8.30
  latency   blind: too few requests of stable
  ratio     ░░░░░░░░░░░░░░░░░░░░  0.00 of 8.29
  budget    ████████████████████  20 of 20 failed attempts
  true      p95 < 100ms  31.5 ms, of 3,000

The last failing requests:
TIME      METHOD  PATH       ROUTE  STATUS  FLAG  DURATION  ENDPOINT               REQUEST
12:14:07  GET     /cart·[2J  shop      500  -       3.2 ms  http://127.0.0.1:3003  b3c1-118
12:14:07  GET     /          shop        -  UF      1.00 s  http://127.0.0.1:3003  b3c1-131
`,
  );
  t.strictSame(JSON.parse(await printed('rollout', 'why', '--json')), WHY);
  const apart = {
    ...WHY.decision,
    ...{ evidence: null, failures: [], conditions: [condition('p95 < 100ms', { value: 31.5 })] },
    rules: [condition('error_rate > 5%', { metric: 'error_rate', status: 'fail', value: 1 })],
  };
  const awaited = { ...WHY, phase: 'RollingBack', holding: ['3 requests in flight on v2.'], decision: apart };
  admin.on(`GET ${ROLLOUT}/why`, { body: awaited });
  const text = await printed('rollout', 'why', 'shop');
  t.match(text, /\nWhat it waits for:\n {2}3 requests in flight on v2\.\n/);
  t.match(text, /What was known:\n {2}passes {4}p95 < 100ms .*\n {2}not met {3}error_rate > 5% /);
  const held = {
    id: 'shop-7',
    phase: 'Paused',
    answer: 'It stands still.',
    decision: null,
    holding: ['It is paused.'],
  };
  admin.on(`GET ${ROLLOUT}/why`, { body: held });
  t.equal(await printed('rollout', 'why'), 'shop-7 Paused  It stands still.\n\nWhat holds it:\n  It is paused.\n');
  const { decision } = WHY;
  const bare = { evidence: null, conditions: [], failures: [], firstFailureAt: null, closedAt: null };
  admin.on(`GET ${ROLLOUT}/why`, { body: { ...WHY, decision: { ...decision, ...bare } } });
  t.match(
    await printed('rollout', 'why'),
    /, 20 %\n {2}12 of 14 failures were the canary's\n$/,
    'nothing that there is not',
  );
});

t.test('pack', async (t) => {
  recorded(PROGRESSING);
  const pack: RollbackPackView = {
    ...{ id: 'pack-shop-7', rollout: 'shop-7', service: 'shop', createdAt: PROGRESSING.createdAt },
    manifest: [{ part: 'weights', sha256: '44c1', bytes: 1017 }],
    ...{ checksum: '0c9d', intact: true },
  };
  admin.on(`GET ${ROLLOUT}/pack`, { body: pack });
  t.equal(
    await printed('rollout', 'pack'),
    `pack-shop-7 of shop, before rollout shop-7, 2026-01-01 12:00:00: intact
PART     BYTES  SHA-256
weights  1,017  44c1
checksum 0c9d
`,
  );
  admin.on(`GET ${ROLLOUT}/pack`, { body: { ...pack, intact: false } });
  t.match(await called(admin, ['rollout', 'pack']), { code: 1, out: /: not what it was when it was made\n/ });
});

t.test('strategies', async (t) => {
  const strategy: StrategyView = {
    ...{ name: 'standard', preset: true, definition: { steps: [] } },
    steps: PROGRESSING.steps.map(({ name, kind, summary }) => ({ name, kind, summary })),
  };
  admin.on('GET /api/v1/strategies', { body: { strategies: [strategy, { ...strategy, name: 'own', preset: false }] } });
  admin.on('GET /api/v1/strategies/standard', { body: strategy });
  t.equal(
    await printed('strategies'),
    `STRATEGY  FROM    STEPS  WHAT
standard  preset      3  5 % for 10m → 20 % for 15m → to 100 % by 20 % every 5m
own       file        3  5 % for 10m → 20 % for 15m → to 100 % by 20 % every 5m
`,
  );
  t.equal(
    await printed('strategies', 'standard'),
    `standard  preset
STEP  NAME             KIND    WHAT
   1  initial_canary   weight  5 % for 10m
   2  expanded_canary  weight  20 % for 15m
   3  full_rollout     ramp    to 100 % by 20 % every 5m
`,
  );
  t.strictSame(JSON.parse(await printed('strategies', 'standard', '--json')), strategy);
});

t.test('notifications', async (t) => {
  const notification: NotificationView = {
    ...{ id: '118', at: PROGRESSING.createdAt, type: 'rollout.rolling-back', severity: 'critical', service: 'shop' },
    ...{ message: 'v2 is taken back', acknowledged: null, escalatedAt: null },
  };
  admin.on('GET /api/v1/notifications', { body: { notifications: [notification] } });
  t.equal(
    await printed('notifications'),
    `ID   AT                   SEVERITY  TYPE                  ACKNOWLEDGED  ESCALATED  MESSAGE
118  2026-01-01 12:00:00  critical  rollout.rolling-back  -             -          v2 is taken back
`,
  );
  const acknowledged = { ...notification, acknowledged: { by: 'ops', at: PROGRESSING.createdAt } };
  admin.on('POST /api/v1/notifications/118/acknowledge', { body: acknowledged });
  t.match(await printed('notifications', 'acknowledge', '118', '--reason', 'on it'), /\n118 .* ops {11}/);
  t.strictSame(admin.last?.body, { reason: 'on it' });
  t.match(await called(admin, ['notifications', 'acknowledge']), { code: 2, err: /NOTIFICATION is missing/ });
  t.match(await called(admin, ['notifications', 'x']), { code: 2, err: /unexpected argument "x"/ });
});

t.test('wrong calls', async (t) => {
  const start = ['rollout', 'start', 'shop'];
  await misused(start, 'VERSION is missing');
  await misused([...start, 'v2', '--when-busy', 'x'], '--when-busy must be refuse, queue or supersede, not "x"');
  await misused([...start, 'v2', '--wait', '--risk'], '--risk starts nothing that --wait could wait for');
  await misused([...start, 'v2', '--wait', '--timeout', '5'], '--timeout must be a time such as 30s or 45m, not "5"');
  await misused([...start, 'v2', '--timeout', '5'], '--timeout must be a time such as 500ms or 10s, not "5"');
  for (const text of ['tomorrow', '2026-13-01T00:00', '18:30']) {
    t.match(await called(admin, [...start, 'v2', '--not-before', text]), {
      code: 2,
      err: /--not-before must be a time/,
    });
  }
  const known =
    /start, list, get, watch, promote, pause, resume, skip, abort, rollback, retry, approve, report, why, pack/;
  t.match(await called(admin, ['rollout']), { code: 2, out: '', err: known });
  t.match(await called(admin, ['rollout', 'wach']), {
    code: 2,
    err: /unknown command "wach"; did you mean watch\?\nTry: sluice rollout --help/,
  });
  t.match(await called(admin, ['rollout', 'shop']), { code: 2, err: known });
  t.match(await called(admin, ['rollout', '--json', 'list']), {
    code: 2,
    err: /the command comes first: sluice rollout COMMAND/,
  });
});

t.test('help', async (t) => {
  const group = await printed('rollout', '--help');
  t.match(group, /^Give a version(?:.|\n)*\nCommands:\n {2}start +begin to give(?:.|\n)* {2}pack /);
  t.equal(await printed('help', 'rollout'), group);
  const start = await printed('rollout', 'start', '--help');
  t.match(start, /\nUsage: sluice rollout start SERVICE VERSION \[OPTIONS\]\n/);
  t.equal(await printed('help', 'rollout', 'start'), start);
  t.match(start, /--timeout TIME {2,}with --wait: longest wait/);
  t.equal(start.match(/--timeout TIME/g)?.length, 1);
});

t.test('completion', async (t) => {
  recorded(PROGRESSING, FAILED);
  admin.on('GET /api/v1/services', { body: { services: [{ name: 'shop' }] } });
  admin.on('GET /api/v1/services/shop', { body: { versions: [{ name: 'v1' }, { name: 'v2' }] } });
  const words = (...line: string[]): Promise<string> => printed('completion', 'words', '--', ...line);
  t.match(await words('rollout', ''), /^start\tbegin to give (?:.|\n)*\npack\t/);
  t.match(await words('rollout', 're'), /^resume\t.*\nretry\t.*\nreport\t.*\n$/);
  t.match(await words('help', 'rollout', 'wa'), /^watch\t/);
  t.equal(await words('rollout', 'start', ''), 'shop\n');
  t.equal(await words('rollout', 'start', 'shop', ''), 'v1\nv2\n');
  t.equal(await words('rollout', 'watch', ''), 'shop\nshop-7\nshop-6\n');
  t.equal(await words('rollout', 'retry', 'shop-'), 'shop-7\nshop-6\n');
  t.equal(await words('rollout', 'start', '--strategy', 'o'), 'own\n');
  t.equal(await words('rollout', 'start', '--strategy-file', ''), ':files\n');
  t.equal(await words('rollout', 'list', '--service', ''), 'shop\n');
  t.match(await words('rollout', 'approve', '--'), /^--key\t.*\n--as\t.*\n--reason\t/);
  t.equal(await words('strategies', 's'), 'standard\n');
});

t.test('status shows what is not over', async (t) => {
  recorded(QUEUED, PROGRESSING, FAILED);
  const server = {
    version: '0.1.0',
    state: 'serving',
    uptimeMs: 0,
    listen: [],
    workers: { configured: 1, listening: 1 },
  };
  admin.on('GET /api/v1/status', {
    body: { ...server, generation: 1, connections: 0, inFlight: 0, environment: 'default', store: { trouble: null } },
  });
  const service = { name: 'shop', strategy: 'weighted', versions: [], overrides: [], rollback: null, alerts: [] };
  admin.on('GET /api/v1/services', { body: { services: [service, { ...service, name: 'other' }] } });
  const out = await printed('status');
  t.match(
    out,
    /\nrollout shop-8 of v2: Queued; waits for shop-7, which runs\nrollout shop-7 of v2: Progressing, step 2 of 3, 20 %\n\nother/,
  );
  t.notMatch(out, 'shop-6');
  t.notMatch(out.split('other')[1], 'rollout');
});
