/** Every command against the admin API itself: it takes what they send, and they read what it answers. */
import t from 'tap';
import { AdminStage, GUARDED, OPEN, secretOf } from '../wire/admin-stage.ts';
import { start } from './client-admin-server.ts';

const stage = await AdminStage.open(OPEN);
t.teardown(() => stage.server.close(0));

const run = (argv: readonly string[], env: Readonly<Record<string, string>> = {}) =>
  start(argv, { env: { SLUICE_ADMIN: stage.url, ...env } }).ended;

t.test('what is only read', async (t) => {
  stage.events.happen();
  const lines = [
    ...['status', 'status demo', 'weights demo', 'lanes demo', 'versions demo', 'flags', 'flags new-checkout'],
    ...[
      'events',
      'events --since 0 --limit 5 --types weights.*',
      'audit',
      'audit --since 1 --actor ci',
      'audit verify',
    ],
    ...['config', 'config --diff', 'config --effective', 'config --file'],
    ...[
      'rollout list',
      'rollout list --service demo --phase Paused',
      'rollout get',
      'rollout get demo-7',
      'rollout get demo',
    ],
    ...['rollout why', 'rollout pack', 'rollout report demo', 'strategies', 'strategies careful', 'notifications'],
    'rollout start demo v2 --risk',
  ];
  for (const line of lines) {
    const text = await run(line.split(' '));
    t.match(text, { code: 0, err: '', out: /\n$/ }, line);
    t.notMatch(text.out, /undefined|NaN|\[object/, line);
    const json = await run([...line.split(' '), '--json']);
    t.doesNotThrow(() => JSON.parse(json.out), `${line} --json`);
  }
});

t.test('what changes something', async (t) => {
  const why = { reason: 'r' };
  const url = 'http://127.0.0.1:3001';
  const cases: readonly (readonly [line: string, operation: string, args: readonly unknown[]])[] = [
    ['weights demo stable=90 canary=10', 'setWeights', ['demo', { stable: 90, canary: 10 }, why]],
    ['weights demo --reset', 'resetWeights', ['demo', why]],
    ['rollback demo', 'rollback', ['demo', 'immediate', why]],
    [
      'rollback demo --gradual --by 10 --every 30s',
      'rollback',
      ['demo', 'gradual', { ...why, by: 10, everyMs: 30_000 }],
    ],
    [`drain demo ${url} --deadline 30s`, 'setEndpointState', ['demo', url, 'drain', { ...why, deadlineMs: 30_000 }]],
    [`drain demo ${url} --disable`, 'setEndpointState', ['demo', url, 'disabled', why]],
    [`drain demo ${url} --undo`, 'setEndpointState', ['demo', url, 'enabled', why]],
    ['drain --server', 'drain', [why]],
    ['lanes demo canary=v2 candidate=none', 'setLanes', ['demo', { canary: 'v2', candidate: null }, why]],
    [`versions set demo v3 ${url}`, 'putVersion', ['demo', 'v3', [{ url }], why]],
    ['versions remove demo v3', 'deleteVersion', ['demo', 'v3', why]],
    ['flags set new-checkout 12.5%', 'setFlag', ['new-checkout', 12.5, why]],
    ['flags reset new-checkout', 'resetFlag', ['new-checkout', why]],
    ['reload', 'reload', [why]],
    ['rollout start demo v2', 'startRollout', ['demo', { version: 'v2' }, why]],
    [
      'rollout start demo v2 --strategy standard --when-busy queue --not-before 2026-03-02T18:30:00Z',
      'startRollout',
      ['demo', { version: 'v2', strategy: 'standard', notBefore: '2026-03-02T18:30:00.000Z', whenBusy: 'queue' }, why],
    ],
    ['rollout promote demo-7 --full', 'changeRollout', ['demo-7', 'promote', { ...why, full: true }]],
    ...(['promote', 'pause', 'resume', 'skip', 'abort', 'retry'] as const).map(
      (verb) => [`rollout ${verb} demo-7`, 'changeRollout', ['demo-7', verb, why]] as const,
    ),
    ['rollout rollback demo-7', 'changeRollout', ['demo-7', 'rollback', { ...why, mode: 'immediate' }]],
    ['rollout approve demo-7', 'approveRollout', ['demo-7', {}, why]],
    ['notifications acknowledge 118', 'acknowledge', ['118', why]],
  ];
  for (const [line, operation, args] of cases) {
    t.match(await run([...line.split(' '), '--reason', 'r']), { code: 0, err: '' }, line);
    t.equal(stage.operations.last?.call, operation, line);
    t.strictSame(stage.operations.last?.args.slice(1), args, line);
    if (/^(rollout )?rollback/.test(line)) continue;
    t.match(await run(line.split(' ')), { code: 0, err: '' }, `${line} without a reason`);
  }
});

t.test('preconditions', async (t) => {
  const { out } = await run(['weights', 'demo', '--json']);
  const line = ['weights', 'demo', 'v1=100', '--if-match'];
  t.match(await run([...line, JSON.parse(out).etag]), { code: 0 });
  t.match(await run([...line, 'another']), { code: 5, err: /\n {2}now: v1=90 v2=10, etag / });
});

t.test('tokens and roles', async (t) => {
  await stage.server.reconfigure(GUARDED);
  t.match(await run(['status']), { code: 4, err: /SLUICE_TOKEN/ });
  t.match(await run(['status'], { SLUICE_TOKEN: secretOf('viewer') }), { code: 0 });
  t.match(await run(['reload'], { SLUICE_TOKEN: secretOf('viewer') }), { code: 4, err: /role viewer/ });
  t.match(await run(['reload'], { SLUICE_TOKEN: secretOf('admin') }), { code: 0 });
});

t.test('the event stream', async (t) => {
  let interrupt = (): void => {};
  const seen = Promise.withResolvers<void>();
  const run = start(['events', '--follow', '--since', '0', '--json'], {
    env: { SLUICE_ADMIN: stage.url, SLUICE_TOKEN: secretOf('viewer') },
    out: () => seen.resolve(),
    onInterrupt(listener) {
      interrupt = listener;
      return () => {};
    },
  });
  await seen.promise;
  interrupt();
  t.match(await run.ended, { code: 0, err: '' });
});
