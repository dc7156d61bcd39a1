/** How a version is closed by the worker that sees it fail, and what that means for the next request. */
import t, { type Test } from 'tap';
import { newWorkerMemory } from '../../src/model/counters.ts';
import { newEndpointTable } from '../../src/model/endpoint-table.ts';
import { CLOSED, NO_OVERRIDE, newEvidenceTable } from '../../src/model/evidence-table.ts';
import { newRateMemory } from '../../src/model/rate-table.ts';
import { newWeightTable } from '../../src/model/weight-table.ts';
import { Compared, type Terms, THOUSAND } from '../kit/compared.ts';
import { versionCounts } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { type LaneOptions, type Lanes, nothingInFlight, startLanes } from '../kit/lanes.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import type { TestProxy } from '../kit/proxy.ts';
import { chunked, GET, head } from '../kit/requests.ts';
import { turns, until } from '../kit/signal.ts';
import { answers, hangs, inTurn } from '../kit/steps.ts';

expectNoSockets(t);

const STABLE = inTurn(answers(200, 'stable'));
const FAILING = inTurn(answers(500, 'canary'));
const GOOD = inTurn(answers(200, 'canary'));

interface Stage extends Lanes {
  readonly compared: Compared;
  /** What was told, in order. */
  readonly told: string[];
}

async function start(t: Test, options: LaneOptions, terms: Terms = {}, shares = [0.1]): Promise<Stage> {
  const told: string[] = [];
  const events = {
    onFailedRequest: () => told.push('failed'),
    onSwitched: (row: number, use: number, cause: string) => told.push(`switched ${row} ${use} ${cause}`),
  };
  const lanes = await startLanes(t, { stable: [STABLE], canary: [FAILING], plane: { events }, ...options });
  return { ...lanes, compared: new Compared(lanes.proxy.plane, shares, terms), told };
}

/** Bodies of the answers to requests that are sent one after the other. */
async function ask(proxy: TestProxy, count: number, request = GET): Promise<string[]> {
  const bodies: string[] = [];
  for (let i = 0; i < count; i++) bodies.push((await (await proxy.send(request)).answer()).body);
  await nothingInFlight(proxy);
  return bodies;
}

t.test('errors: at a tenth of the traffic the fourth failure is enough for one in a thousand', async (t) => {
  const { proxy, compared, told, clock } = await start(t, {}, { errorsThreshold: THOUSAND });
  t.strictSame(await ask(proxy, 3), ['canary', 'canary', 'canary']);
  t.strictSame([compared.bits, compared.cause, compared.time('thrown')], [0, null, 0]);
  clock.advance(7);
  t.strictSame(await ask(proxy, 1), ['canary']);
  t.strictSame([compared.bits, compared.cause], [CLOSED, 'errors']);
  t.strictSame([compared.time('firstFailure'), compared.time('thrown')], [1000, 1007]);
  t.strictSame(
    told,
    ['failed', 'failed', 'failed', 'failed', 'switched 3 7 errors'],
    'the last one before what it caused',
  );
  const before = compared.canaryAt();
  t.strictSame(await ask(proxy, 3), ['stable', 'stable', 'stable']);
  t.strictSame(compared.canaryAt(), before, 'no samples any more');
  t.strictSame(compared.stableAt(), {});
  t.match(versionCounts(proxy, 'v1'), { requests: 3 }, 'assigned to stable');
  t.equal(compared.failures, 4);
});

t.test('errors: stable’s failures speak for the canary', async (t) => {
  const stable = [inTurn(answers(500, 'stable'))];
  const service = { affinity: { header: 'X-User' }, split: { weights: { v1: 50, v2: 50 } } };
  const { proxy, compared } = await start(t, { stable, service }, { errorsThreshold: THOUSAND }, [0.5]);
  for (let i = 0; i < 60; i++) await ask(proxy, 1, head('GET', { 'X-User': `user-${i}` }));
  t.equal(compared.cause, null);
  t.ok(compared.failures > 15 && compared.stableAt().counted! > 15);
});

t.test('errors: a session that fails again and again condemns nobody', async (t) => {
  const service = { affinity: { header: 'X-User' } };
  const { proxy, compared } = await start(t, { service }, { errorsThreshold: THOUSAND });
  const as = (user: string) => head('GET', { 'X-User': user });
  await ask(proxy, 20, as('a'));
  t.strictSame([compared.failures, compared.cause], [20, null]);
  for (const user of ['b', 'c']) await ask(proxy, 1, as(user));
  t.equal(compared.cause, null);
  await ask(proxy, 1, as('d'));
  t.equal(compared.cause, 'errors');
});

t.test('errors: counts of all shares and all blocks are summed', async (t) => {
  const { proxy, compared } = await start(t, {}, { errorsThreshold: THOUSAND }, [0.1, 0.1]);
  await ask(proxy, 2);
  compared.set({ current: 1 });
  await ask(proxy, 1);
  t.equal(compared.cause, null);
  await ask(proxy, 1);
  t.equal(compared.cause, 'errors');
  t.strictSame([compared.canaryAt(0).counted, compared.canaryAt(1).counted], [2, 2]);
});

t.test('errors: at a share of all there is nobody to compare with; the tolerance is asked', async (t) => {
  const all = await start(t, {}, { errorsThreshold: THOUSAND }, [1]);
  await ask(all.proxy, 10);
  t.equal(all.compared.cause, null);
  const tolerant = await start(t, {}, { errorsThreshold: THOUSAND, errorsTolerance: 9 });
  await ask(tolerant.proxy, 6);
  t.equal(tolerant.compared.cause, null);
});

t.test('budget: the canary fails that often and not once more', async (t) => {
  const service = { affinity: { header: 'X-User' } };
  const { proxy, compared, told } = await start(t, { service }, { budget: 7, errorsThreshold: 1e9 });
  const got = await ask(proxy, 10, head('GET', { 'X-User': 'always the same' }));
  t.strictSame(got, [...Array(7).fill('canary'), ...Array(3).fill('stable')]);
  t.strictSame([compared.failures, compared.cause, compared.bits], [7, 'budget', CLOSED]);
  t.strictSame(told.slice(-2), ['failed', 'switched 3 7 budget']);
});

t.test('budget: a version that is closed is not tried again', async (t) => {
  const retried = await start(t, { service: { retry: { on: [500], attempts: 3, backoff: '0ms' } } }, { budget: 1 });
  t.strictSame(await ask(retried.proxy, 1), ['stable']);
  t.equal(retried.canary[0]!.requests.length, 1);

  const held = await start(t, {}, { budget: 1 });
  const client = await held.proxy.send(head('POST', { 'Transfer-Encoding': 'chunked' }));
  await until('the request to be held', () => versionCounts(held.proxy, 'v2').requests === 1);
  t.strictSame(await ask1(held.proxy), 'canary');
  client.write(chunked('hello'));
  t.equal((await client.answer()).body, 'stable', 'nor is it given what was held back');
  await nothingInFlight(held.proxy);
  t.equal(held.canary[0]!.requests.length, 1);
  t.strictSame(held.compared.canaryAt(), { trials: 2, keyless: 2, failed: 1, counted: 1, ended: 2, userErrors: 1 });
});

const ask1 = async (proxy: TestProxy, request = GET): Promise<string> =>
  (await (await proxy.send(request)).answer()).body;

t.test('what is on its way when the version is closed is answered, and counted', async (t) => {
  const { proxy, compared, canary, told } = await start(t, { canary: [inTurn(hangs)] }, { budget: 2 });
  const clients = [];
  for (let i = 1; i <= 4; i++) {
    clients.push(await proxy.send(GET));
    await canary[0]!.untilRequests(i);
  }
  canary[0]!.behaviour = GOOD;
  const say = (i: number, status: number): void =>
    canary[0]!.connections[i]!.write(`HTTP/1.1 ${status} X\r\nContent-Length: 0\r\n\r\n`);
  for (const i of [0, 1, 2]) say(i, 500);
  say(3, 200);
  for (const client of clients) await client.answer();
  await nothingInFlight(proxy);
  t.strictSame([compared.failures, compared.cause], [3, 'budget']);
  t.match(compared.canaryAt(), { trials: 4, failed: 3, ended: 4 });
  t.equal(told.filter((what) => what !== 'failed').length, 1, 'once');
});

t.test('latency: slow requests are enough, while they still run', async (t) => {
  const terms = { slowLimit: 100, slowThreshold: THOUSAND, slowTolerance: 1 };
  const { proxy, compared, canary, clock, told } = await start(t, { canary: [inTurn(hangs)] }, terms);
  const clients = [];
  for (let i = 1; i <= 4; i++) {
    clients.push(await proxy.send(GET));
    await canary[0]!.untilRequests(i);
  }
  await pass(clock, 95, 5);
  t.equal(compared.cause, null);
  await pass(clock, 20, 5);
  t.strictSame([compared.cause, compared.bits, compared.failures], ['latency', CLOSED, 0]);
  t.equal(compared.canaryAt().slow, 4);
  t.strictSame(told, ['switched 3 7 latency']);
  t.equal(await ask1(proxy), 'stable');
  for (const client of clients) client.reset();
});

t.test('latency: a hanging version is answered by stable beside', async (t) => {
  const terms = { slowLimit: 100, slowThreshold: THOUSAND, slowTolerance: 2 };
  const stable = [inTurn(hangs)];
  const service = { affinity: { header: 'X-User' }, split: { weights: { v1: 50, v2: 50 } } };
  const { proxy, compared, clock } = await start(t, { stable, canary: [inTurn(hangs)], service }, terms, [0.5]);
  const clients = [];
  for (let i = 0; i < 40; i++) clients.push(await proxy.send(head('GET', { 'X-User': `user-${i}` })));
  await turns(6);
  await pass(clock, 150, 5);
  t.equal(compared.cause, null, 'both are slow');
  t.equal(compared.canaryAt().slow! + compared.stableAt().slow!, 40);
  for (const client of clients) client.reset();
});

t.test('nothing is thrown of a row that nobody has written, or whose switch is off', async (t) => {
  for (const errorsThreshold of [0, Number.NaN, Number.POSITIVE_INFINITY]) {
    const { proxy, compared } = await start(t, {}, { errorsThreshold });
    await ask(proxy, 6);
    t.strictSame([compared.failures, compared.cause], [6, null]);
  }
});

t.test('another worker’s failures count, and its switch holds here', async (t) => {
  const own = [newWorkerMemory(), newWorkerMemory()];
  const table = newEvidenceTable(2);
  const shared = { all: own, endpoints: newEndpointTable(), weights: newWeightTable(), rates: newRateMemory(0) };
  const worker = (index: number) =>
    start(t, { plane: { memory: { ...shared, own: own[index]!, evidence: { table, index } } } }, { budget: 0 });
  const one = await worker(0);
  const other = await worker(1);
  const compared = new Compared(one.proxy.plane, [0.1], { errorsThreshold: THOUSAND });
  for (const { proxy } of [one, other, one]) await ask(proxy, 1);
  t.equal(compared.cause, null);
  await ask(other.proxy, 1);
  t.equal(compared.cause, 'errors');
  t.strictSame(await ask(one.proxy, 1), ['stable']);
  t.strictSame(await ask(other.proxy, 1), ['stable']);
  t.strictSame([compared.canaryAt().counted, compared.failures], [4, 4]);
});

t.test('closed: a session moves at once, and for good', async (t) => {
  for (const strategy of ['weighted', 'round_robin']) {
    const service = { affinity: { header: 'X-User' }, split: { strategy, weights: { v1: 0, v2: 100 } } };
    const { proxy, compared } = await start(t, { canary: [GOOD], service });
    const request = head('GET', { 'X-User': 'somebody' });
    t.strictSame(await ask(proxy, 2, request), ['canary', 'canary']);
    const before = compared.canaryAt();
    compared.mark(CLOSED);
    t.strictSame(await ask(proxy, 2, request), ['stable', 'stable']);
    compared.mark(0);
    t.strictSame(await ask(proxy, 1, request), ['stable'], 'its entry says so');
    t.strictSame([compared.canaryAt(), compared.stableAt()], [before, {}], 'and nothing of it is a sample');
    t.strictSame(await ask(proxy, 1, head('GET', { 'X-User': 'somebody else' })), ['canary']);
  }
});

t.test('closed: experiments and the header strategy have to do without', async (t) => {
  const services = {
    experiment: { experiments: [{ name: 'test', key: { header: 'X-User' }, weights: { v2: 100 } }] },
    'experiment in a session': {
      experiments: [{ name: 'test', key: { header: 'X-User' }, weights: { v2: 100 } }],
      affinity: { header: 'X-Session' },
    },
    header: { split: { strategy: 'header', header: 'X-User', values: { a: 'v2' }, weights: { v1: 100, v2: 0 } } },
    latency: { split: { strategy: 'latency', weights: { v1: 0, v2: 100 } } },
    hash: { split: { strategy: 'hash', key: { header: 'X-User' }, weights: { v1: 0, v2: 100 } } },
  };
  for (const [name, service] of Object.entries(services)) {
    const { proxy, compared } = await start(t, { canary: [GOOD], service });
    const request = head('GET', { 'X-User': 'a', 'X-Session': 's' });
    t.strictSame(await ask(proxy, 1, request), ['canary'], name);
    compared.mark(CLOSED);
    t.strictSame(await ask(proxy, 2, request), ['stable', 'stable'], name);
  }
});

t.test('closed: who asks for the version by name gets it, unless that is forbidden too', async (t) => {
  const routes = [
    { match: { pathPrefix: '/canary' }, service: 'web', version: 'v2' },
    { match: {}, service: 'web' },
  ];
  const service = { override: { header: 'X-Lane', cookie: 'lane' } };
  const { proxy, compared } = await start(t, { canary: [GOOD], service, config: { routes } });
  const named = [
    head('GET', { 'X-Lane': 'canary' }),
    head('GET', { 'X-Lane': 'v2' }),
    head('GET', { Cookie: 'lane=v2' }),
  ];
  const byName = async (): Promise<string[]> => {
    const got: string[] = [];
    for (const request of named) got.push(await ask1(proxy, request));
    return got;
  };
  compared.mark(CLOSED);
  t.strictSame(await byName(), ['canary', 'canary', 'canary']);
  compared.mark(CLOSED | NO_OVERRIDE);
  t.strictSame(await byName(), ['stable', 'stable', 'stable']);
  t.equal(await ask1(proxy, head('GET', {}, '/canary')), 'canary', 'a route is another matter');
  compared.mark(NO_OVERRIDE);
  t.strictSame(await byName(), ['canary', 'canary', 'canary'], 'by the split');
  t.equal(compared.canaryAt().trials, 3, 'and as samples');
  t.equal(
    await ask1(proxy, head('GET', { 'X-Lane': 'canary', Cookie: 'lane=stable' })),
    'stable',
    'the cookie is next',
  );
  await nothingInFlight(proxy);
});

t.test('closed: stable cannot be', async (t) => {
  const { proxy, compared } = await start(t, { service: { split: { weights: { v1: 100, v2: 0 } } } });
  compared.table.marks[compared.stable] = compared.table.marks[compared.stable]! | CLOSED;
  t.strictSame(await ask(proxy, 2), ['stable', 'stable']);
  t.match(compared.stableAt(), { trials: 2, ended: 2 });
});
