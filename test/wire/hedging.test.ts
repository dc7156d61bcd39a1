/** Hedging: a second attempt beside a slow first one. */
import t, { type Test } from 'tap';
import { response } from '../kit/behaviours.ts';
import { endpointCounts, versionCounts } from '../kit/counts.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { pass } from '../kit/fake-time.ts';
import { type Lanes, nothingInFlight, startLanes } from '../kit/lanes.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import type { RawClient } from '../kit/raw-client.ts';
import type { RawUpstream } from '../kit/raw-upstream.ts';
import { GET, head, upload } from '../kit/requests.ts';
import { turns, until } from '../kit/signal.ts';
import { hangs, inTurn } from '../kit/steps.ts';

expectNoSockets(t);

const AFTER = 200;

interface Race extends Lanes {
  readonly client: RawClient;
  readonly first: RawUpstream;
  readonly second: RawUpstream;
}

/** Two endpoints that say nothing by themselves; the request has reached the first of them. */
async function race(t: Test, service: object = {}, request = GET, count = 2): Promise<Race> {
  const stable = Array(count).fill(inTurn(hangs));
  const lanes = await startLanes(t, { stable, service: { hedge: { after: `${AFTER}ms` }, ...service } });
  const client = await lanes.proxy.send(request);
  await lanes.stable[0]!.untilRequests(1);
  return { ...lanes, client, first: lanes.stable[0]!, second: lanes.stable[1]! };
}

const say = (upstream: RawUpstream, status: number, body: string): void =>
  upstream.connections.at(-1)!.write(response(status, body));

t.test('the first answer wins, whoever gives it', async (t) => {
  for (const hedgeWins of [true, false]) {
    const { proxy, clock, client, first, second } = await race(t);
    await pass(clock, AFTER - 5, 5);
    t.equal(second.connections.length, 0, 'not before its time');
    await pass(clock, 20, 5);
    await second.untilRequests(1);
    const [winner, loser] = hedgeWins ? [second, first] : [first, second];
    say(winner, 200, 'winner');
    t.equal((await client.answer()).body, 'winner');
    await loser.connections[0]!.untilOver();
    await nothingInFlight(proxy);
    const wins = hedgeWins ? { hedgeWins: 1 } : {};
    t.strictSame(versionCounts(proxy), { requests: 1, status2xx: 1, hedges: 1, ...wins });
    const counts = [{ abandoned: 1 }, { success: 1 }];
    t.strictSame(endpointCounts(proxy), hedgeWins ? counts : counts.reverse(), 'nothing is held against the loser');
    client.write(GET);
    await until('the next request', () => first.requests.length + second.requests.length === 3);
    say(first.requests.length === 2 ? first : second, 200, 'next');
    t.equal((await client.answers(2))[1]!.body, 'next', 'the connection goes on');
  }
});

t.test('an answer in time leaves nothing to hedge', async (t) => {
  const { proxy, clock, client, first, second } = await race(t);
  await pass(clock, AFTER - 5, 5);
  say(first, 200, 'in time');
  t.equal((await client.answer()).body, 'in time');
  await pass(clock, 1000);
  t.equal(second.connections.length, 0);
  t.strictSame(versionCounts(proxy), { requests: 1, status2xx: 1 });
});

t.test('a response that has begun is not hedged, however slow its body is', async (t) => {
  const { clock, client, first, second } = await race(t);
  first.connections[0]!.write('HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nha');
  await client.untilText('ha');
  await pass(clock, 1000);
  t.equal(second.connections.length, 0);
  first.connections[0]!.write('lf');
  t.equal((await client.answer()).body, 'half');
});

t.test('which requests', async (t) => {
  const hedged = async (request: string, hedge: object = {}) => {
    const lanes = await race(t, { hedge: { after: `${AFTER}ms`, ...hedge } }, request);
    await pass(lanes.clock, AFTER + 50, 10);
    await turns(4);
    const is = versionCounts(lanes.proxy).hedges === 1;
    if (is) await lanes.second.untilRequests(1);
    if (is) t.equal(lanes.second.requests[0]!.body, lanes.first.requests[0]!.body);
    lanes.client.reset();
    await nothingInFlight(lanes.proxy);
    return is;
  };
  t.equal(await hedged(head('HEAD')), true);
  t.equal(await hedged(head('OPTIONS')), true);
  for (const method of ['POST', 'PUT', 'DELETE', 'PATCH'])
    t.equal(await hedged(upload('hello', method)), false, method);
  t.equal(await hedged(upload('hello', 'GET')), true, 'with its body');
  t.equal(await hedged(upload('hello', 'POST'), { methods: 'all' }), true);
  t.equal(await hedged(upload('hello', 'PUT'), { methods: 'idempotent' }), true);
});

t.test('a request whose body is still coming is not hedged', async (t) => {
  const { proxy, clock, stable } = await startLanes(t, {
    stable: [inTurn(hangs), inTurn(hangs)],
    service: { hedge: { after: `${AFTER}ms`, methods: 'all' } },
  });
  const client = await proxy.send(head('PUT', { 'Content-Length': '5' }));
  await stable[0]!.untilConnections(1);
  await pass(clock, 1000);
  client.write('hello');
  await stable[0]!.untilRequests(1);
  t.equal(versionCounts(proxy).hedges, undefined);
  await pass(clock, AFTER + 50, 10);
  await stable[1]!.untilRequests(1);
  t.equal(stable[1]!.requests[0]!.body, 'hello', 'it is when its time begins');
  client.reset();
});

t.test('a server error does not win while the other attempt runs', async (t) => {
  const { proxy, clock, client, first, second } = await race(t);
  await pass(clock, AFTER + 20, 5);
  await second.untilRequests(1);
  say(second, 503, 'no');
  await until('the verdict', () => versionCounts(proxy).status5xx === 1);
  await turns(4);
  t.equal(client.text, '');
  say(first, 200, 'yes');
  t.equal((await client.answer()).body, 'yes');
  t.strictSame(versionCounts(proxy), { requests: 1, status2xx: 1, status5xx: 1, hedges: 1 });
});

t.test('both fail: one answer, the last one', async (t) => {
  const failures: Record<string, (upstream: RawUpstream, body: string) => void> = {
    503: (upstream, body) => say(upstream, 503, body),
    reset: (upstream) => upstream.connections[0]!.reset(),
  };
  for (const [early, fail] of Object.entries(failures)) {
    for (const [late, failToo] of Object.entries(failures)) {
      for (const order of [0, 1]) {
        const { proxy, clock, client, stable } = await race(t);
        await pass(clock, AFTER + 20, 5);
        await stable[1]!.untilRequests(1);
        fail(stable[order]!, 'early');
        const failed = () => (versionCounts(proxy).status5xx ?? 0) + (versionCounts(proxy).resets ?? 0);
        await until('the first failure', () => failed() === 1);
        failToo(stable[1 - order]!, 'late');
        const answer = await client.answer();
        if (late === 'reset') t.equal(wrongLocalReply(answer, 502, 'UC', false), null);
        else t.equal(answer.body, 'late', `${early}, then ${late}`);
        await client.nothingMore();
        t.equal(client.transcript().answers.length, 1);
        t.equal(client.transcript().rest, '');
        t.equal(failed(), 2);
      }
    }
  }
});

t.test('both fail: a retry goes to the third', async (t) => {
  const retry = { on: [503], backoff: '0ms' };
  for (const order of [
    [0, 1],
    [1, 0],
  ]) {
    const { proxy, clock, client, stable } = await race(t, { retry, balance: 'random' }, GET, 3);
    await pass(clock, AFTER + 20, 5);
    await stable[1]!.untilRequests(1);
    for (const [i, at] of order.entries()) {
      say(stable[at]!, 503, 'no');
      await until('the verdict', () => versionCounts(proxy).status5xx === i + 1);
    }
    await stable[2]!.untilRequests(1);
    say(stable[2]!, 200, 'third');
    t.equal((await client.answer()).body, 'third');
  }
});

t.test('both hang: timeouts end both', async (t) => {
  for (const key of ['request', 'response']) {
    const { proxy, clock, client, second } = await race(t, { timeouts: { [key]: '1s' } });
    await pass(clock, AFTER + 20, 5);
    await second.untilRequests(1);
    await pass(clock, 1500);
    t.equal(wrongLocalReply(await client.answer(), 504, 'UT', false), null);
    await nothingInFlight(proxy);
  }
});

t.test('the client leaves: both attempts end', async (t) => {
  const { proxy, clock, client, first, second } = await race(t);
  await pass(clock, AFTER + 20, 5);
  await second.untilRequests(1);
  client.reset();
  await first.connections[0]!.untilOver();
  await second.connections[0]!.untilOver();
  await nothingInFlight(proxy);
  t.strictSame(endpointCounts(proxy), [{ abandoned: 1 }, { abandoned: 1 }]);
});

t.test('what holds a hedge back', async (t) => {
  const blocked = async (service: object, count = 2) => {
    const lanes = await race(t, service, GET, count);
    await pass(lanes.clock, 1000);
    say(lanes.first, 200, 'alone');
    t.equal((await lanes.client.answer()).body, 'alone');
    t.equal(versionCounts(lanes.proxy).hedges, undefined);
    return versionCounts(lanes.proxy).retriesDenied;
  };
  t.equal(await blocked({}, 1), undefined, 'no other endpoint');
  t.equal(await blocked({ retry: { attempts: 0, budget: { percent: 0, minimum: 0 } } }), 1, 'no budget');
  t.equal(await blocked({ circuit: { maxConnections: 1 } }), undefined, 'no connection');
});
