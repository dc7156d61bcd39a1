/** The shield: what a broken canary does, and what users see of it. */
import t from 'tap';
import { setFlag, UNHEALTHY } from '../../src/model/endpoint-table.ts';
import { answering, response } from '../kit/behaviours.ts';
import { endpointCounts, endpointsOf, versionCounts, workerCounts } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { nothingInFlight, REFUSED, startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { bytes, GET, head, upload } from '../kit/requests.ts';
import { turns } from '../kit/signal.ts';
import { answers, babbles, breaksOffAfter, ends, hangs, inTurn, resets, type Step, says } from '../kit/steps.ts';

expectNoSockets(t);

const STABLE = inTurn(answers(200, 'stable'));
const CANARY = answers(200, 'canary');
const FORCED = head('GET', { 'X-Lane': 'canary' });

interface Failure {
  readonly name: string;
  /** Left out, connections are refused. */
  readonly step?: Step;
  readonly on: string | number;
  readonly status: number;
  readonly counted: string;
}

const FAILURES: readonly Failure[] = [
  { name: 'refused', on: 'connect-failure', status: 503, counted: 'connectFailures' },
  { name: 'reset', step: resets, on: 'reset', status: 502, counted: 'resets' },
  { name: 'FIN', step: ends, on: 'reset', status: 502, counted: 'resets' },
  { name: 'malformed', step: babbles, on: 'reset', status: 502, counted: 'malformed' },
  { name: 'timeout', step: hangs, on: 'timeout', status: 504, counted: 'timeouts' },
  { name: '500', step: answers(500), on: '5xx', status: 500, counted: 'status5xx' },
  { name: '503', step: answers(503), on: '5xx', status: 503, counted: 'status5xx' },
  { name: '404', step: answers(404), on: 404, status: 404, counted: 'status4xx' },
];

for (const { name, step, on, status, counted } of FAILURES) {
  t.test(`a canary that fails with ${name}`, async (t) => {
    const canary = [step === undefined ? REFUSED : inTurn(step)];
    const ask = async (shield: unknown, request: string) => {
      const service = { shield, timeouts: { response: '1s' } };
      const lanes = await startLanes(t, { stable: [STABLE], canary, service });
      const client = await lanes.proxy.send(request);
      if (step === hangs) {
        await lanes.canary[0]!.untilRequests(1);
        await pass(lanes.clock, 1200);
      }
      const answer = await client.answer();
      await nothingInFlight(lanes.proxy);
      client.write(GET.replace('Host', 'X-Lane: stable\r\nHost'));
      t.equal((await client.answers(2))[1]!.body, 'stable', 'the connection goes on');
      return { ...lanes, answer };
    };
    const own = { requests: 1, [counted]: 1 };
    const shielded = await ask({ on: [on] }, GET);
    t.equal(shielded.answer.status, 200);
    t.equal(shielded.answer.body, 'stable');
    t.equal(value(shielded.answer, 'x-sluice-version'), 'v1');
    const { shieldDelay = 0, ...counts } = versionCounts(shielded.proxy, 'v2');
    t.strictSame(counts, { ...own, shielded: 1, shieldSaved: 1 });
    t.equal(shieldDelay >= 1000 && shieldDelay <= 1200, step === hangs, `${shieldDelay} ms`);
    t.strictSame(versionCounts(shielded.proxy, 'v1'), { requests: 1, status2xx: 2 });
    const other = await ask({ on: [on === 'reset' ? 'timeout' : 'reset'] }, GET);
    t.equal(other.answer.status, status, 'not where the condition is another');
    t.strictSame(versionCounts(other.proxy, 'v2'), own);
    const forced = await ask({ on: [on] }, FORCED);
    t.equal(forced.answer.status, status, 'not where it was asked for by name');
    t.equal(value(forced.answer, 'x-sluice-version'), step && status !== 502 && status !== 504 ? 'v2' : null);
    t.strictSame(versionCounts(forced.proxy, 'v2'), own);
    const both = await ask({ on: [on], forced: true }, FORCED);
    t.equal(both.answer.body, 'stable', 'unless that is wanted');
  });
}

t.test('what is no failure is left alone', async (t) => {
  for (const status of [200, 301, 404, 429]) {
    const { proxy } = await startLanes(t, {
      stable: [STABLE],
      canary: [inTurn(answers(status))],
      service: { shield: {} },
    });
    t.equal((await (await proxy.send(GET)).answer()).status, status);
    t.equal(versionCounts(proxy, 'v2').shielded, undefined);
  }
});

t.test('the shield comes before retries on the canary', async (t) => {
  const { proxy, canary } = await startLanes(t, {
    stable: [STABLE],
    canary: [inTurn(answers(503), CANARY)],
    service: { shield: {}, retry: { attempts: 3 } },
  });
  t.equal((await (await proxy.send(GET)).answer()).body, 'stable');
  t.equal(canary[0]!.requests.length, 1);
  t.equal(versionCounts(proxy, 'v2').retries, undefined);
});

t.test('what is not shielded is retried on the canary', async (t) => {
  const { proxy } = await startLanes(t, {
    stable: [STABLE],
    canary: [inTurn(answers(503), CANARY)],
    service: { shield: {}, retry: {} },
  });
  t.equal((await (await proxy.send(FORCED)).answer()).body, 'canary');
});

t.test('stable’s own failure is not shielded, before or after one that was', async (t) => {
  const service = { shield: {} };
  const alone = await startLanes(t, { stable: [inTurn(answers(503, 'own'))], canary: [inTurn(CANARY)], service });
  t.equal((await (await alone.proxy.send(head('GET', { 'X-Lane': 'stable' }))).answer()).body, 'own');
  t.strictSame(versionCounts(alone.proxy, 'v1'), { requests: 1, status5xx: 1 });
  const after = await startLanes(t, {
    stable: [inTurn(answers(503, 'own'))],
    canary: [inTurn(answers(500))],
    service,
  });
  const answer = await (await after.proxy.send(GET)).answer();
  t.equal(answer.body, 'own');
  t.equal(value(answer, 'x-sluice-version'), 'v1');
  t.strictSame(versionCounts(after.proxy, 'v2'), { requests: 1, status5xx: 1, shielded: 1 });
  t.equal(after.stable[0]!.requests.length, 1);
});

t.test('stable’s retries apply, all of them', async (t) => {
  const script = inTurn(answers(503), resets, answers(200, 'stable'));
  const { proxy } = await startLanes(t, {
    stable: [script, script],
    canary: [inTurn(answers(500))],
    service: { shield: {}, retry: { attempts: 2 } },
  });
  t.equal((await (await proxy.send(GET)).answer()).body, 'stable');
  t.strictSame(versionCounts(proxy, 'v1'), { status2xx: 1, status5xx: 1, resets: 1, retries: 2 });
  t.strictSame(versionCounts(proxy, 'v2'), { requests: 1, status5xx: 1, shielded: 1, shieldSaved: 1 });
});

t.test('budget: without it the canary’s own answer', async (t) => {
  const service = { shield: {}, retry: { attempts: 0, budget: { percent: 0, minimum: 0 } } };
  const lanes = { stable: [STABLE], canary: [inTurn(answers(500, 'own'))], service };
  const { proxy } = await startLanes(t, lanes);
  t.equal((await (await proxy.send(GET)).answer()).body, 'own');
  t.strictSame(versionCounts(proxy, 'v2'), { requests: 1, status5xx: 1, retriesDenied: 1 });
  const budget = { percent: 0, minimum: 1 };
  const bounded = await startLanes(t, { ...lanes, service: { shield: {}, retry: { attempts: 0, budget } } });
  const client = await bounded.proxy.send(GET.repeat(12));
  const bodies = (await client.answers(12)).map(({ body }) => body);
  t.equal(bodies.filter((body) => body === 'stable').length, 10, 'ten in ten seconds');
  await pass(bounded.clock, 11_000, 500);
  client.write(GET);
  t.equal((await client.answers(13))[12]!.body, 'stable', 'and more later');
});

t.test('stable’s circuit is asked', async (t) => {
  for (const circuit of [{ maxRequests: 1 }, { maxRetries: 1 }]) {
    const { proxy, stable, clock } = await startLanes(t, {
      stable: [inTurn(hangs)],
      canary: [inTurn(answers(500, 'own'))],
      service: { shield: {}, circuit, timeouts: { response: '1s' } },
    });
    const first = await proxy.send(GET);
    await stable[0]!.untilRequests(1);
    t.equal((await (await proxy.send(GET)).answer()).body, 'own');
    t.equal(versionCounts(proxy, 'v2').retriesDenied, 1);
    await pass(clock, 1200);
    t.equal((await first.answer()).status, 504);
  }
});

t.test('without an endpoint of stable there is no shield', async (t) => {
  const { proxy } = await startLanes(t, {
    stable: [STABLE],
    canary: [inTurn(answers(500, 'own'), answers(503), CANARY)],
    service: { shield: {}, retry: {} },
  });
  setFlag(proxy.plane.memory.endpoints, endpointsOf(proxy, 'v1')[0]!.id, UNHEALTHY);
  const client = await proxy.send(GET + GET);
  t.strictSame(
    (await client.answers(2)).map(({ body }) => body),
    ['own', 'canary'],
    'the canary’s answer, or a retry there',
  );
  t.equal(versionCounts(proxy, 'v2').shielded, undefined);
});

t.test('which requests', async (t) => {
  const status = async (request: string, shield: unknown, step: Step | null) => {
    const canary = [step === null ? REFUSED : inTurn(step)];
    const { proxy, stable } = await startLanes(t, { stable: [STABLE], canary, service: { shield } });
    const answer = await (await proxy.send(request)).answer();
    const sent = request.slice(request.indexOf('\r\n\r\n') + 4);
    if (answer.status === 200) t.equal(stable[0]!.requests[0]!.body === sent, true, 'the same body');
    return answer.status;
  };
  const body = bytes(20_000);
  t.equal(await status(upload('hello', 'PUT'), {}, answers(500)), 200);
  t.equal(await status(upload('hello', 'POST'), {}, answers(500)), 500, 'a POST that was sent');
  t.equal(await status(upload('hello', 'POST'), {}, null), 200, 'one that was not');
  t.equal(await status(upload('hello', 'POST'), { methods: 'all' }, answers(500)), 200);
  t.equal(await status(upload('hello', 'PUT'), { methods: 'safe' }, answers(500)), 500);
  t.equal(await status(upload(body, 'PUT'), { maxBody: 20_000 }, answers(500)), 200);
  t.equal(await status(upload(body, 'PUT'), { maxBody: 19_999 }, answers(500)), 500);
});

t.test('once a byte has left, the connection is cut', async (t) => {
  const begun = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
  const { proxy, stable } = await startLanes(t, {
    stable: [STABLE],
    canary: [inTurn(breaksOffAfter(begun))],
    service: { shield: {} },
  });
  const client = await proxy.send(GET);
  await client.untilOver();
  t.ok(client.transcript().cut);
  t.notMatch(client.text, /stable/);
  t.equal(stable[0]!.requests.length, 0);
  t.equal(workerCounts(proxy).cut, 1);
});

t.test('head and fault in one packet: saved once, however often stable must try', async (t) => {
  const broken = says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\nx\r\n');
  const { proxy } = await startLanes(t, {
    stable: [inTurn(broken, answers(200, 'stable'))],
    canary: [inTurn(broken)],
    service: { shield: {}, retry: {} },
  });
  t.equal((await (await proxy.send(GET)).answer()).body, 'stable');
  t.strictSame(versionCounts(proxy, 'v2'), { requests: 1, malformed: 1, shielded: 1, shieldSaved: 1 });
});

t.test('a user sees a canary that dies under requests on many connections as nothing at all', async (t) => {
  const script = inTurn(CANARY, CANARY, CANARY, CANARY, resets);
  const { proxy } = await startLanes(t, {
    stable: [answering(response(200, 'stable'))],
    canary: [script],
    service: { shield: {}, retry: { budget: '100%' } },
  });
  const clients = await Promise.all(Array.from({ length: 20 }, () => proxy.send(GET.repeat(10))));
  for (const client of clients) {
    const got = await client.answers(10);
    t.ok(got.every(({ status }) => status === 200));
  }
  await turns(3);
  t.equal(versionCounts(proxy, 'v2').requests, 200);
  t.equal(versionCounts(proxy, 'v2').shieldSaved, versionCounts(proxy, 'v1').status2xx);
  t.equal(endpointCounts(proxy, 'v2')[0]!.success, versionCounts(proxy, 'v2').status2xx);
});
