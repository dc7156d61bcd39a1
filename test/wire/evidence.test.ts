/** What requests say about the versions that a rollout compares. How a version is closed is in evidence-switch.test.ts. */
import t, { type Test } from 'tap';
import { setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import type { FailedRequest } from '../../src/model/evidence-table.ts';
import { response } from '../kit/behaviours.ts';
import { Compared, type Terms } from '../kit/compared.ts';
import { endpointsOf } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { type LaneOptions, type Lanes, nothingInFlight, REFUSED, startLanes } from '../kit/lanes.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import type { TestProxy } from '../kit/proxy.ts';
import type { RawClient } from '../kit/raw-client.ts';
import type { RawUpstream } from '../kit/raw-upstream.ts';
import { GET, head, POST, upload } from '../kit/requests.ts';
import { turns, until } from '../kit/signal.ts';
import { answers, babbles, breaksOffAfter, hangs, inTurn, resets, type Step, says } from '../kit/steps.ts';

expectNoSockets(t);

const STABLE = inTurn(answers(200, 'stable'));
const CANARY = answers(200, 'canary');

interface Stage extends Lanes {
  readonly compared: Compared;
  /** What was told of failed requests. */
  readonly told: FailedRequest[];
}

async function start(t: Test, options: LaneOptions, terms: Terms = {}, shares = [0.1]): Promise<Stage> {
  const told: FailedRequest[] = [];
  const events = { onFailedRequest: (request: FailedRequest) => told.push(request), onSwitched: () => {} };
  const lanes = await startLanes(t, { stable: [STABLE], plane: { events }, ...options });
  return { ...lanes, compared: new Compared(lanes.proxy.plane, shares, terms), told };
}

const leave = async (proxy: TestProxy, client: RawClient): Promise<void> => {
  client.reset();
  await nothingInFlight(proxy);
};

const FAILED = { trials: 1, keyless: 1, failed: 1, counted: 1, ended: 1 };
const ENDED = { trials: 1, keyless: 1, ended: 1 };
const SEEN = { userErrors: 1 };
const SECOND = { timeouts: { response: '1s' } };

interface End {
  readonly name: string;
  readonly canary?: Step | string;
  readonly stable?: Step;
  readonly service?: object;
  readonly request?: string;
  /** Milliseconds to wait once somebody has the request. */
  readonly wait?: number;
  /** Whether the client leaves instead of reading the answer. */
  readonly leaves?: boolean;
  readonly counts: object;
}

const SHIELD = { shield: {} };
const ENDS: readonly End[] = [
  { name: 'a 200', canary: CANARY, counts: ENDED },
  { name: 'a 404', canary: answers(404), counts: ENDED },
  { name: 'a 499', canary: answers(499), counts: ENDED },
  { name: 'a 500', canary: answers(500), counts: { ...FAILED, ...SEEN } },
  { name: 'a 503', canary: answers(503), counts: { ...FAILED, ...SEEN } },
  { name: 'no connection', canary: REFUSED, counts: { ...FAILED, ...SEEN } },
  { name: 'a reset', canary: resets, counts: { ...FAILED, ...SEEN } },
  { name: 'nonsense', canary: babbles, counts: { ...FAILED, ...SEEN } },
  { name: 'silence', canary: hangs, service: SECOND, wait: 1200, counts: { ...FAILED, ...SEEN } },
  {
    name: 'silence until the request must be over',
    ...{ canary: hangs, service: { timeouts: { request: '1s' } }, wait: 1200, counts: { ...FAILED, ...SEEN } },
  },
  {
    name: 'an answer that breaks off',
    ...{ canary: breaksOffAfter(response(200, 'half of it').slice(0, -5)), counts: { ...FAILED, ...SEEN } },
  },
  { name: 'a 500 that stable answers', canary: answers(500), service: SHIELD, counts: FAILED },
  { name: 'a reset that stable answers', canary: resets, service: SHIELD, counts: FAILED },
  {
    name: 'a 500 that stable answers with another',
    ...{ canary: answers(500), stable: answers(500), service: SHIELD, counts: { ...FAILED, ...SEEN } },
  },
  {
    name: 'a 503 that is tried again in vain',
    ...{ canary: answers(503), service: { retry: { attempts: 2 } }, counts: { ...FAILED, ...SEEN } },
  },
  { name: 'a client that leaves', canary: hangs, leaves: true, counts: { ...ENDED, aborted: 1, left: 1 } },
  {
    name: 'a client that leaves in the middle of the answer',
    ...{
      canary: says(response(200, 'half of it').slice(0, -5)),
      leaves: true,
      counts: { ...ENDED, aborted: 1, left: 1 },
    },
  },
  {
    name: 'a client that leaves after the canary has failed',
    ...{ canary: answers(500), stable: hangs, service: SHIELD, leaves: true, counts: FAILED },
  },
  {
    name: 'a client that breaks the protocol',
    ...{ canary: hangs, request: `${head('POST', { 'Transfer-Encoding': 'chunked' })}x\r\n`, counts: ENDED },
  },
  {
    name: 'a version that takes no more requests',
    ...{ canary: CANARY, service: { circuit: { maxRequests: 1 } }, counts: { ...ENDED, ...SEEN } },
  },
];

for (const { name, canary = CANARY, stable, service, request = GET, wait = 0, leaves = false, counts } of ENDS) {
  t.test(`what is counted of ${name}`, async (t) => {
    const stage = await start(t, {
      stable: [stable === undefined ? STABLE : inTurn(stable)],
      canary: [typeof canary === 'string' ? canary : inTurn(canary)],
      ...(service === undefined ? {} : { service: { ...service } }),
    });
    const { proxy, compared, clock } = stage;
    const full = name === 'a version that takes no more requests';
    if (full) {
      // Whoever has the only place asked for the version by name, so that it is not counted.
      stage.canary[0]!.behaviour = inTurn(hangs);
      const first = await proxy.send(head('GET', { 'X-Lane': 'canary' }));
      await stage.canary[0]!.untilRequests(1);
      t.equal((await (await proxy.send(request)).answer()).status, 503);
      await leave(proxy, first);
    } else {
      const client = await proxy.send(request);
      if (wait > 0 || leaves) {
        await stage.canary[0]!.untilRequests(1);
        if (stable !== undefined) await stage.stable[0]!.untilRequests(1);
        if (leaves && canary !== hangs) await until('half an answer', () => client.text !== '' || stable !== undefined);
        if (wait > 0) await pass(clock, wait);
      }
      if (leaves) await leave(proxy, client);
      else if (name.includes('breaks off')) await client.untilOver();
      else await client.answer();
    }
    await nothingInFlight(proxy);
    t.strictSame(compared.canaryAt(), counts);
    t.strictSame(compared.stableAt(), {});
    t.equal(compared.failures, 'failed' in counts ? 1 : 0);
    t.equal(compared.time('firstFailure') > 0, 'failed' in counts);
    t.equal(stage.told.length, compared.failures);
    t.equal(compared.cause, null);
  });
}

t.test('retries: the first attempt counts, whatever becomes of the request', async (t) => {
  const canary = [inTurn(answers(503), CANARY)];
  const { proxy, compared } = await start(t, { canary, service: { retry: { attempts: 1 } } });
  t.equal((await (await proxy.send(GET)).answer()).body, 'canary');
  await nothingInFlight(proxy);
  t.strictSame(compared.canaryAt(), FAILED);
});

t.test('stable: its failures are counted beside, and throw nothing', async (t) => {
  const stable = [inTurn(answers(500), answers(503), answers(200))];
  const service = { split: { weights: { v1: 100, v2: 0 } } };
  const stage = await start(t, { stable, canary: [inTurn(CANARY)], service }, { budget: 1 });
  for (let i = 0; i < 3; i++) await (await stage.proxy.send(GET)).answer();
  await nothingInFlight(stage.proxy);
  t.strictSame(stage.compared.stableAt(), { trials: 3, keyless: 3, failed: 2, counted: 2, ended: 3, userErrors: 2 });
  t.strictSame(stage.compared.canaryAt(), {});
  t.strictSame([stage.compared.failures, stage.compared.cause, stage.told.length], [0, null, 0]);
});

t.test('a pooled connection that has gone stale is no attempt; the one on a fresh connection is', async (t) => {
  const { proxy, compared } = await start(t, { canary: [inTurn(CANARY, resets, answers(500))] });
  const client = await proxy.send(GET + GET);
  t.equal((await client.answers(2))[1]!.status, 500);
  await nothingInFlight(proxy);
  t.strictSame(compared.canaryAt(), { trials: 2, keyless: 2, failed: 1, counted: 1, ended: 2, userErrors: 1 });
});

t.test('a version without an endpoint: the request is assigned, and nobody has failed', async (t) => {
  const { proxy, compared } = await start(t, { stable: [inTurn(answers(500))], canary: [inTurn(CANARY)] });
  setFlag(proxy.plane.memory.endpoints, endpointsOf(proxy, 'v2')[0]!.id, UNHEALTHY);
  t.equal((await (await proxy.send(GET)).answer()).status, 500);
  await nothingInFlight(proxy);
  t.strictSame(compared.canaryAt(), { ...ENDED, ...SEEN });
  t.strictSame(compared.stableAt(), {}, 'no sample of stable either');
});

t.test('hedges: the first attempt counts', async (t) => {
  const service = { hedge: { after: '200ms' }, timeouts: { request: '1s' } };
  const { proxy, compared, clock, canary } = await start(t, { canary: [inTurn(hangs), inTurn(hangs)], service });
  const client = await proxy.connect();
  const seen = () => canary.map(({ requests }) => requests.length);
  const total = () => seen()[0]! + seen()[1]!;
  const say = (upstream: RawUpstream, status: number): void =>
    upstream.connections.at(-1)!.write(response(status, String(status)));
  let asked = 0;
  /** Who has the first attempt, and who the hedge. */
  const race = async (): Promise<readonly [RawUpstream, RawUpstream]> => {
    const before = seen();
    const sum = total();
    client.write(GET);
    asked++;
    await until('the first attempt', () => total() === sum + 1);
    const first = seen()[0]! > before[0]! ? 0 : 1;
    await pass(clock, 220, 5);
    await until('the hedge', () => total() === sum + 2);
    return [canary[first]!, canary[1 - first]!];
  };
  const ended = async (status: number): Promise<unknown> => {
    t.equal((await client.answers(asked))[asked - 1]!.status, status);
    await nothingInFlight(proxy);
    const { failed = 0, aborted = 0, userErrors = 0, ended } = compared.canaryAt();
    return [ended, failed, aborted, userErrors];
  };
  const [, second] = await race();
  say(second, 200);
  t.strictSame(await ended(200), [1, 0, 0, 0], 'outrun: nothing');

  client.write(POST);
  asked++;
  await until('a request that is not hedged', () => total() === 3);
  await pass(clock, 1200);
  t.strictSame(await ended(504), [2, 1, 0, 1], 'waited for in vain, beside an attempt that was outrun before');

  const [fails, saves] = await race();
  say(fails, 500);
  await until('the failure', () => compared.canaryAt().failed === 2);
  say(saves, 200);
  t.strictSame(await ended(200), [3, 2, 0, 1], 'failed, though the hedge was good');

  const [good, bad] = await race();
  say(bad, 500);
  await turns(4);
  say(good, 200);
  t.strictSame(await ended(200), [4, 2, 0, 1], 'good, though the hedge has failed');

  await race();
  await pass(clock, 1200);
  t.strictSame(await ended(504), [5, 3, 0, 2], 'both waited for in vain');
});

t.test('of a session the first failure is evidence, the others are counted', async (t) => {
  const keyed = {
    'session affinity': { affinity: { header: 'X-User' } },
    'the split’s key': { split: { strategy: 'hash', key: { header: 'X-User' }, weights: { v1: 0, v2: 100 } } },
  };
  for (const [name, service] of Object.entries(keyed)) {
    const { proxy, compared } = await start(t, { canary: [inTurn(answers(500))], service });
    const ask = async (user: string): Promise<void> => {
      await (await proxy.send(user === '' ? GET : head('GET', { 'X-User': user }))).answer();
    };
    for (const user of ['a', 'b', 'a', 'a', 'b']) await ask(user);
    await nothingInFlight(proxy);
    t.match(compared.canaryAt(), { trials: 5, failed: 5, counted: 2 }, name);
    t.equal(compared.canaryAt().keyless, undefined);
    for (let i = 0; i < 2; i++) await ask('');
    await nothingInFlight(proxy);
    t.match(compared.canaryAt(), { trials: 7, keyless: 2, failed: 7, counted: 4 }, `${name}: nobody is everybody`);
    t.equal(compared.failures, 7, 'the budget counts all');
  }
});

t.test('who names the version is no sample', async (t) => {
  const routes = [
    { match: { pathPrefix: '/canary' }, service: 'web', version: 'v2' },
    { match: {}, service: 'web' },
  ];
  const service = { override: { header: 'X-Lane', cookie: 'lane' } };
  const options = { canary: [inTurn(answers(500))], config: { routes }, service };
  const { proxy, compared } = await start(t, options, { budget: 1 });
  const forced = [head('GET', { 'X-Lane': 'canary' }), head('GET', { Cookie: 'lane=v2' }), head('GET', {}, '/canary')];
  for (const request of forced) t.equal((await (await proxy.send(request)).answer()).status, 500);
  await nothingInFlight(proxy);
  t.strictSame([compared.canaryAt(), compared.stableAt(), compared.failures, compared.cause], [{}, {}, 0, null]);
});

t.test('who was not divided by weight is no sample, but counts for the budget', async (t) => {
  const services = {
    experiment: { experiments: [{ name: 'test', key: { header: 'X-User' }, weights: { v2: 100 } }] },
    header: { split: { strategy: 'header', header: 'X-User', values: { a: 'v2' }, weights: { v1: 100, v2: 0 } } },
    round_robin: { split: { strategy: 'round_robin', weights: { v1: 0, v2: 100 } } },
    latency: { split: { strategy: 'latency', weights: { v1: 0, v2: 100 } } },
    'header, in a session': {
      split: { strategy: 'header', header: 'X-User', values: { a: 'v2' }, weights: { v1: 100, v2: 0 } },
      affinity: { header: 'X-Session' },
    },
  };
  for (const [name, service] of Object.entries(services)) {
    const { proxy, compared, told } = await start(t, { canary: [inTurn(answers(500))], service });
    const requests = [
      head('GET', { 'X-User': 'a', 'X-Session': 's' }),
      head('GET', { 'X-User': 'a', 'X-Session': 's' }),
    ];
    // The session stays where the header has put it.
    if (name.includes('session')) requests.push(head('GET', { 'X-Session': 's' }));
    for (const request of requests) t.equal((await (await proxy.send(request)).answer()).status, 500, name);
    await nothingInFlight(proxy);
    t.strictSame([compared.canaryAt(), compared.stableAt()], [{}, {}], name);
    t.strictSame([compared.failures, told.length], [requests.length, requests.length], name);
  }
});

t.test('who is divided by weight under these strategies is a sample', async (t) => {
  const service = {
    split: { strategy: 'header', header: 'X-User', values: { a: 'v1' }, weights: { v1: 0, v2: 100 } },
    experiments: [{ name: 'test', key: { header: 'X-Test' }, weights: { v2: 100 } }],
  };
  const { proxy, compared } = await start(t, { canary: [inTurn(answers(500))], service });
  for (const fields of [{}, { 'X-User': 'b' }]) await (await proxy.send(head('GET', fields))).answer();
  await nothingInFlight(proxy);
  t.match(compared.canaryAt(), { trials: 2, failed: 2, counted: 2 });
});

t.test('everything counts under the share of the moment of assignment', async (t) => {
  const { proxy, compared, canary } = await start(t, { canary: [inTurn(hangs)] }, {}, [0.1, 0.5]);
  const first = await proxy.send(GET);
  await canary[0]!.untilRequests(1);
  compared.set({ current: 1 });
  const second = await proxy.send(GET);
  await canary[0]!.untilRequests(2);
  for (const connection of canary[0]!.connections) connection.write(response(500));
  await Promise.all([first.answer(), second.answer()]);
  await nothingInFlight(proxy);
  t.strictSame(compared.canaryAt(0), { ...FAILED, ...SEEN });
  t.strictSame(compared.canaryAt(1), { ...FAILED, ...SEEN });
});

t.test('a row that is used anew counts nothing of what was assigned before', async (t) => {
  const { proxy, compared, canary, clock, told } = await start(t, { canary: [inTurn(hangs)] }, { slowLimit: 100 });
  const client = await proxy.send(GET);
  await canary[0]!.untilRequests(1);
  t.strictSame(compared.canaryAt(), { trials: 1, keyless: 1 });
  compared.renew(8);
  await pass(clock, 200, 5);
  canary[0]!.connections[0]!.write(response(500));
  await client.answer();
  await nothingInFlight(proxy);
  t.strictSame(compared.canaryAt(), { trials: 1, keyless: 1 });
  t.strictSame([compared.failures, told.length, compared.time('firstFailure')], [0, 0, 0]);
});

t.test('slow', async (t) => {
  const slow = { slowLimit: 100 };
  await t.test('at the limit, while it still runs, and once', async (t) => {
    const { proxy, compared, canary, clock } = await start(t, { canary: [inTurn(hangs)] }, slow);
    const client = await proxy.send(GET);
    await canary[0]!.untilRequests(1);
    await pass(clock, 95, 5);
    t.equal(compared.canaryAt().slow, undefined);
    await pass(clock, 20, 5);
    t.strictSame(compared.canaryAt(), { trials: 1, keyless: 1, slow: 1, late: 1 });
    await pass(clock, 300, 5);
    canary[0]!.connections[0]!.write(response(200));
    t.equal((await client.answer()).status, 200);
    await nothingInFlight(proxy);
    t.strictSame(compared.canaryAt(), { ...ENDED, slow: 1, late: 1 });
  });
  await t.test('to the millisecond, where the head comes before the wheel turns', async (t) => {
    for (const [ms, count] of [
      [99, undefined],
      [100, 1],
    ] as const) {
      const { proxy, compared, canary, clock } = await start(t, { canary: [inTurn(hangs)] }, slow);
      const client = await proxy.send(GET);
      await canary[0]!.untilRequests(1);
      clock.advance(ms);
      canary[0]!.connections[0]!.write(response(200));
      await client.answer();
      await pass(clock, 300, 5);
      t.equal(compared.canaryAt().slow, count, `${ms} ms`);
    }
  });
  await t.test('the head counts, not the body', async (t) => {
    const { proxy, compared, canary, clock } = await start(t, { canary: [inTurn(hangs)] }, slow);
    const client = await proxy.send(GET);
    await canary[0]!.untilRequests(1);
    canary[0]!.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    await until('the head', () => client.text !== '');
    await pass(clock, 300, 5);
    canary[0]!.connections[0]!.write('k');
    await client.answer();
    await nothingInFlight(proxy);
    t.strictSame(compared.canaryAt(), ENDED);
  });
  await t.test('from the last byte of the request', async (t) => {
    const { proxy, compared, canary, clock } = await start(t, { canary: [inTurn(hangs)] }, slow);
    const client = await proxy.send(POST.slice(0, -1));
    await until('the beginning', () => (canary[0]!.connections[0]?.rest.length ?? 0) > 0);
    await pass(clock, 300, 5);
    client.write(POST.slice(-1));
    await canary[0]!.untilRequests(1);
    await pass(clock, 90, 5);
    t.equal(compared.canaryAt().slow, undefined);
    await pass(clock, 20, 5);
    t.equal(compared.canaryAt().slow, 1);
    await leave(proxy, client);
    t.strictSame(compared.canaryAt(), { ...ENDED, slow: 1, late: 1, aborted: 1, left: 1 });
  });
  await t.test('not behind an answer that came before the request was whole', async (t) => {
    const early: Step = (connection) => connection.write('HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\no');
    const { proxy, compared, canary, clock } = await start(t, { canary: [inTurn(CANARY)] }, slow);
    canary[0]!.behaviour = async (connection) => {
      await connection.head();
      early(connection, null as never);
    };
    const client = await proxy.send(upload('hello').slice(0, -1));
    await until('an early answer', () => client.text !== '');
    await pass(clock, 300, 5);
    client.write('o');
    await pass(clock, 300, 5);
    canary[0]!.connections[0]!.write('k');
    await client.answer();
    await nothingInFlight(proxy);
    t.strictSame(compared.canaryAt(), ENDED);
  });
  await t.test('one that timed out before is a failure and not slow; one that did after is both', async (t) => {
    for (const limit of [2000, 500]) {
      const options = { canary: [inTurn(hangs)], service: SECOND };
      const { proxy, compared, canary, clock } = await start(t, options, { slowLimit: limit });
      const client = await proxy.send(GET);
      await canary[0]!.untilRequests(1);
      await pass(clock, 3000);
      t.equal((await client.answer()).status, 504);
      await nothingInFlight(proxy);
      t.strictSame(compared.canaryAt(), { ...FAILED, ...SEEN, ...(limit === 500 ? { slow: 1, late: 1 } : {}) });
    }
  });
  await t.test('once, though it is sent again because its connection was closed', async (t) => {
    const { proxy, compared, canary, clock } = await start(t, { canary: [inTurn(CANARY, hangs)] }, slow);
    const client = await proxy.send(GET + GET);
    await canary[0]!.untilRequests(2);
    await pass(clock, 120, 5);
    canary[0]!.connections[0]!.reset();
    await canary[0]!.untilRequests(3);
    await pass(clock, 120, 5);
    await leave(proxy, client);
    t.strictSame(compared.canaryAt(), { trials: 2, keyless: 2, ended: 2, slow: 1, late: 1, aborted: 1, left: 1 });
  });
  await t.test('of a session the first', async (t) => {
    const options = { canary: [inTurn(hangs)], service: { affinity: { header: 'X-User' } } };
    const { proxy, compared, canary, clock } = await start(t, options, slow);
    for (let i = 1; i <= 3; i++) {
      const client = await proxy.send(head('GET', { 'X-User': i === 3 ? 'b' : 'a' }));
      await canary[0]!.untilRequests(i);
      await pass(clock, 120, 5);
      await leave(proxy, client);
    }
    t.strictSame(compared.canaryAt(), { trials: 3, slow: 2, late: 3, ended: 3, aborted: 3, left: 2 });
  });
  await t.test('a retry’s time is not looked at, nor is stable’s for the canary', async (t) => {
    const options = { stable: [inTurn(hangs)], canary: [inTurn(answers(500))], service: { shield: {} } };
    const { proxy, compared, stable, clock } = await start(t, options, slow);
    const client = await proxy.send(GET);
    await stable[0]!.untilRequests(1);
    await pass(clock, 300, 5);
    await leave(proxy, client);
    t.strictSame([compared.canaryAt(), compared.stableAt()], [FAILED, {}]);
  });
});

t.test('what is told of a failed request', async (t) => {
  const routes = [{ name: 'shop', match: { pathPrefix: '/' }, service: 'web', rewrite: { path: '/inner/' } }];
  const options = { canary: [inTurn(hangs)], config: { routes } };
  const { proxy, compared, canary, clock, told } = await start(t, options);
  const client = await proxy.send(head('GET', {}, '/a/b?token=secret'));
  await canary[0]!.untilRequests(1);
  clock.advance(40);
  canary[0]!.connections[0]!.write(response(503));
  await client.answer();
  await nothingInFlight(proxy);
  const seen = canary[0]!.requests[0]!;
  t.match(seen.target, '/inner/a/b');
  const id = seen.fields.find(([name]) => name.toLowerCase() === 'x-request-id')![1];
  t.strictSame(told, [
    {
      ...{ row: compared.row, use: 7, at: 1040, method: 'GET', path: '/a/b', route: 'shop', status: 503, flag: '' },
      ...{ duration: 40, requestId: id, endpoint: canary[0]!.url },
    },
  ]);
  t.equal(compared.time('firstFailure'), 1040);
  canary[0]!.behaviour = inTurn(resets);
  for (const connection of canary[0]!.connections) connection.destroy();
  await canary[0]!.untilDeserted();
  await (await proxy.send(head('PUT', { 'Content-Length': '0' }, `/${'x'.repeat(300)}`))).answer();
  t.match(told[1], { method: 'PUT', path: `/${'x'.repeat(255)}`, status: 0, flag: 'UC' });
  t.equal(compared.time('firstFailure'), 1040, 'the first one');
});

t.test('of many failed requests twenty a second are told', async (t) => {
  const { proxy, compared, clock, told } = await start(t, { canary: [inTurn(answers(500))] });
  const fail = async (count: number): Promise<void> => {
    await (await proxy.send(GET.repeat(count))).answers(count);
  };
  await fail(30);
  t.strictSame([told.length, compared.failures], [20, 30]);
  clock.advance(999);
  await fail(1);
  t.equal(told.length, 20);
  clock.advance(1);
  await fail(30);
  await nothingInFlight(proxy);
  t.strictSame([told.length, compared.failures], [40, 61]);
  t.ok(new Set(told.map(({ requestId }) => requestId)).size === 40, 'each its own');
});
