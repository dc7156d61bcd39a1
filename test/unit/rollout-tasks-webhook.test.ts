/** Gates and webhook hooks, against real servers. */
import { createHmac } from 'node:crypto';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import t from 'tap';
import type { GateStep } from '../../src/control/rollout/tasks/gate.ts';
import type { HookTask } from '../../src/control/rollout/tasks/hook.ts';
import { readSecret } from '../../src/control/secret-reference.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { turns, until } from '../kit/signal.ts';
import { type Asked, deadUrl, listening, NOW, newStage, passing, targetOf } from './rollout-tasks-stage.ts';

/** Never reached in a test that lets time pass. */
const LONG = 3_600_000;

const gate = (url: string, part: Partial<GateStep> = {}) => ({
  kind: 'gate' as const,
  step: {
    ...{ kind: 'webhook' as const, name: 'gate', url, timeout: LONG, retries: 2 },
    ...{ every: 30_000, deadline: LONG, secret: null, ...part },
  },
});

const hook = (url: string, secret: string | null = null, timeout = LONG): HookTask => ({
  kind: 'hook',
  point: 'rollback',
  hook: { name: 'page', run: { kind: 'webhook', url, secret }, timeout, onFailure: 'ignore' },
});

const signatureOf = (key: string | Buffer, { headers, body }: Asked): string =>
  `v1,${createHmac('sha256', key).update(`${headers['webhook-id']}.${headers['webhook-timestamp']}.${body}`).digest('base64')}`;

t.test('a gate is told where the rollout stands, and its status decides', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  const statuses = [200, 204, 299, 202, 409, 199 + 101, 302, 400, 404, 500, 503];
  const server = await listening(t, (response, _, count) => response.writeHead(statuses[count]!).end());
  const results: string[] = [];
  for (const _ of statuses) {
    const { ok, again, message } = await runner.run('gate:2', gate(`${server.url}/ask?x=1`), targetOf());
    t.equal(message, `the gate at ${server.url} answered ${statuses[results.length]}`);
    results.push(ok ? 'yes' : again === true ? 'later' : 'no');
  }
  t.strictSame(results, ['yes', 'yes', 'yes', 'later', 'later', 'no', 'no', 'no', 'no', 'no', 'no']);
  const [first] = server.asked;
  t.match(first, { method: 'POST', url: '/ask?x=1', headers: { 'content-type': 'application/json' } });
  t.strictSame(JSON.parse(first?.body ?? ''), {
    ...{
      rollout: 'r-1',
      service: 'shop',
      version: 'v2',
      stable: 'v1',
      strategy: 'standard',
      step: 'checks',
      weight: 5,
    },
  });
  t.notOk(first?.headers['webhook-signature'], 'not signed without a secret');
});

t.test('what a gate says is shown on one line', async (t) => {
  const { runner } = newStage(t);
  const bodies = ['{"message":"wait for\\nthe \\u001b[31mnight"}', '{"message":7}', 'null', '<html>', '[1]', ''];
  const server = await listening(t, (response, _, count) => response.writeHead(202).end(bodies[count]));
  const messages: string[] = [];
  for (const _ of bodies) messages.push((await runner.run('g', gate(server.url), targetOf())).message);
  t.equal(messages[0], `the gate at ${server.url} answered 202: wait for the ·[31mnight`);
  t.strictSame([...new Set(messages.slice(1))], [`the gate at ${server.url} answered 202`]);
});

t.test('a gate that does not answer is asked again after a pause, then it has failed', async (t) => {
  expectNoSockets(t);
  const { runner, clock, lines } = newStage(t);
  const flaky = await listening(t, (response, _, count) => (count < 2 ? response.destroy() : response.end()));
  const done = runner.run('gate:2', gate(flaky.url), targetOf());
  await until('the first try', () => flaky.asked.length === 1);
  await turns(20);
  t.equal(flaky.asked.length, 1, 'not at once');
  t.match(await passing(clock, done), { ok: true, message: /answered 200$/ });
  t.equal(flaky.asked.length, 3);
  const ids = flaky.asked.map(({ headers }) => headers['webhook-id']);
  t.equal(new Set(ids).size, 1, 'tries of one question have one id');
  const times = flaky.asked.map(({ headers }) => Number(headers['webhook-timestamp']) - NOW / 1000);
  t.ok(times[1]! >= 1 && times[2]! >= times[1]! + 2, `pauses of 1 s and 2 s: ${times}`);
  t.match(await runner.run('gate:2', gate(flaky.url), targetOf()), { ok: true });
  t.not(flaky.asked[3]?.headers['webhook-id'], ids[0], 'another question has another');

  const dead = await deadUrl();
  const refused = await passing(clock, runner.run('gate:2', gate(`${dead}/secret-path`), targetOf()));
  t.match(refused, { ok: false, message: `the gate at ${dead} did not answer: connection refused` });
  t.notOk('again' in refused);
  t.match(lines.at(-1), { event: 'rollout_task_failed', fields: { task: 'gate:2' } });
  t.ok(Number(lines.at(-1)?.fields?.took) >= 3_000, 'after both pauses');
});

t.test('a gate that is too slow, before its head and after it', async (t) => {
  expectNoSockets(t);
  const { runner, clock } = newStage(t);
  const silent = await listening(t, () => {});
  const first = runner.run('g', gate(silent.url, { timeout: 5_000, retries: 0 }), targetOf());
  await until('the question', () => silent.asked.length === 1);
  clock.advance(4_999);
  await turns(10);
  clock.advance(1);
  t.match(await first, { ok: false, message: /did not answer: no complete answer within 5000 ms$/ });

  const slow = await listening(t, (response) => response.writeHead(200).write('{"mess'));
  const second = runner.run('g', gate(slow.url, { timeout: 5_000, retries: 0 }), targetOf());
  await until('the question', () => slow.asked.length === 1);
  await turns(20);
  clock.advance(5_000);
  t.match(
    await second,
    { ok: false, message: /did not answer: no complete answer within 5000 ms$/ },
    'half an answer is none',
  );
});

t.test('an answer without an end is read to 1 MiB, and the status counts', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  let closed = false;
  const endless = await listening(t, (response) => {
    response.on('close', () => {
      closed = true;
    });
    const more = (): void => {
      while (!closed && response.write('x'.repeat(65_536)));
      if (!closed) response.once('drain', more);
    };
    more();
  });
  t.match(await runner.run('g', gate(endless.url), targetOf()), { ok: true, message: /answered 200$/ });
  await until('the server to be rid of it', () => closed);
});

t.test('signed as the webhooks of events are, with the secret as it is now', async (t) => {
  const env: NodeJS.ProcessEnv = { GATE_KEY: 'first' };
  const { runner } = newStage(t, env);
  const server = await listening(t, (response) => response.end());
  await runner.run('g', gate(server.url, { secret: 'env:GATE_KEY' }), targetOf());
  env.GATE_KEY = 'second';
  await runner.run('g', gate(server.url, { secret: 'env:GATE_KEY' }), targetOf());
  env.GATE_KEY = `whsec_${Buffer.from('third').toString('base64')}`;
  await runner.run('hook:rollback:0', hook(server.url, 'env:GATE_KEY'), targetOf());
  const expected = ['first', 'second', Buffer.from('third')].map((key, i) => signatureOf(key, server.asked[i]!));
  t.strictSame(
    server.asked.map(({ headers }) => headers['webhook-signature']),
    expected,
  );
  t.equal(server.asked[0]?.headers['webhook-timestamp'], String(NOW / 1000));
  t.equal(server.asked[2]?.headers['webhook-id'], 'r-1:hook:rollback:0');

  delete env.GATE_KEY;
  const result = await runner.run('g', gate(server.url, { secret: 'env:GATE_KEY' }), targetOf());
  t.match(result, {
    ok: false,
    message:
      'the gate could not be carried out: the environment variable GATE_KEY is not set; set it and start Sluice again',
  });
  t.equal(server.asked.length, 3, 'nothing is sent unsigned');
});

t.test('credentials in an address become a field and appear in no message', async (t) => {
  const { runner } = newStage(t);
  const server = await listening(t, (response) => response.writeHead(500).end());
  const { message } = await runner.run('g', gate(server.url.replace('//', '//me:p%40ss@')), targetOf());
  t.equal(server.asked[0]?.headers.authorization, `Basic ${Buffer.from('me:p@ss').toString('base64')}`);
  t.equal(message, `the gate at ${server.url} answered 500`);
});

t.test('a webhook hook is told the point, passes with any 2xx, and is not tried again', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  const server = await listening(t, (response, _, count) =>
    response.writeHead([202, 409][count] ?? 500).end('{"message":"no"}'),
  );
  const task: HookTask = { ...hook(`${server.url}/h`), data: { cause: 'budget', reason: 'x' } };
  const target = targetOf({ phase: 'RollingBack' });
  t.match(await runner.run('hook:rollback:0', task, target), {
    ...{ ok: true, message: `the hook page at ${server.url} answered 202: no`, output: 'no', at: NOW },
  });
  t.strictSame(JSON.parse(server.asked[0]?.body ?? ''), {
    ...{
      rollout: 'r-1',
      service: 'shop',
      version: 'v2',
      stable: 'v1',
      strategy: 'standard',
      step: 'checks',
      weight: 5,
    },
    ...{ phase: 'RollingBack', point: 'rollback', data: { cause: 'budget', reason: 'x' } },
  });
  const refused = await runner.run('hook:rollback:0', hook(server.url), target);
  t.match(refused, { ok: false, message: /answered 409: no$/ });
  t.notOk('again' in refused, '409 is no "not yet" from a hook');
  t.match(await runner.run('h', hook(await deadUrl()), target), {
    ok: false,
    message: /did not answer: connection refused$/,
  });
  t.equal(server.asked.length, 2);
});

t.test('closing cuts a question and a pause short', async (t) => {
  expectNoSockets(t);
  const { runner } = newStage(t);
  const silent = await listening(t, () => {});
  const broken = await listening(t, (response) => response.destroy());
  const asking = runner.run('a', gate(silent.url), targetOf());
  const pausing = runner.run('b', gate(broken.url), targetOf());
  await until('both', () => silent.asked.length === 1 && broken.asked.length === 1);
  await turns(20);
  await runner.close();
  t.match(await asking, { ok: false, again: true, message: 'cut short before it was done' });
  t.match(await pausing, { ok: false, again: true });
  t.equal(broken.asked.length, 1);
});

t.test('addresses that are none fail like everything else', async (t) => {
  const { runner } = newStage(t);
  const result = await runner.run('g', gate('nonsense'), targetOf());
  t.match(result, { ok: false, message: /^the gate could not be carried out: Invalid URL/ });
});

t.test('secrets are read where they are named, or it is said what is wrong', async (t) => {
  const directory = t.testdir({ key: 'from a file\r\n\n', empty: '\n', large: 'x'.repeat(65_537), sub: {} });
  symlinkSync('/dev/zero', join(directory, 'device'));
  t.equal(readSecret('env:KEY', { KEY: 'value' }), 'value');
  t.equal(readSecret(`file:${directory}/key`, {}), 'from a file');
  const refused: readonly (readonly [string, RegExp])[] = [
    ['env:KEY', /^the environment variable KEY is not set; set it/],
    ['env:EMPTY', /EMPTY is empty; set it/],
    ['env:toString', /toString is not set/],
    [`file:${directory}/none`, /none cannot be read: it is not there$/],
    [`file:${directory}/empty`, /is empty; write the secret into it$/],
    [`file:${directory}/large`, /is no regular file of at most 65536 bytes$/],
    [`file:${directory}/sub`, /is no regular file/],
    [`file:${directory}/device`, /is no regular file/],
    ['file:relative', /must be named as env:NAME or file/],
    ['hunter2', /^a secret must be named as env:NAME or file:\/absolute\/path/],
    ['env:', /must be named/],
  ];
  for (const [reference, expected] of refused)
    t.throws(() => readSecret(reference, { EMPTY: '' }), { message: expected }, reference);
  t.throws(() => readSecret('hunter2', {}), { message: /^((?!hunter2).)*$/s }, 'what may be a secret is not repeated');
});
