/** Retries of requests without a body: which failures, how often, where to, how soon, and what bounds them. */
import t from 'tap';
import { answering, OK, response } from '../kit/behaviours.ts';
import { endpointCounts, versionCounts, workerCounts } from '../kit/counts.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { pass } from '../kit/fake-time.ts';
import { nothingInFlight, REFUSED, startLanes } from '../kit/lanes.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { GET, head, POST } from '../kit/requests.ts';
import { turns, until } from '../kit/signal.ts';
import { answers, babbles, breaksOffAfter, ends, hangs, inTurn, resets, type Step, says } from '../kit/steps.ts';

expectNoSockets(t);

const SECOND = answers(200, 'second');
const EVERYTHING = ['connect-failure', 'reset', 'timeout', '5xx'];
const targets = (list: readonly { readonly target: string }[]): string[] => list.map(({ target }) => target);

interface Setback {
  readonly name: string;
  readonly step: Step;
  readonly conditions: readonly (string | number)[];
  /** What the client gets where it is not repeated. */
  readonly status: number;
  readonly counted: string;
  readonly endpoint: string;
}

const SETBACKS: readonly Setback[] = [
  { name: 'a reset', step: resets, conditions: ['reset'], status: 502, counted: 'resets', endpoint: 'resets' },
  { name: 'a FIN', step: ends, conditions: ['reset'], status: 502, counted: 'resets', endpoint: 'resets' },
  {
    name: 'a reset in the middle of the head',
    step: breaksOffAfter('HTTP/1.1 200 OK\r\nContent-Le'),
    conditions: ['reset'],
    status: 502,
    counted: 'resets',
    endpoint: 'resets',
  },
  { name: 'nonsense', step: babbles, conditions: ['reset'], status: 502, counted: 'malformed', endpoint: 'malformed' },
  { name: 'silence', step: hangs, conditions: ['timeout'], status: 504, counted: 'timeouts', endpoint: 'timeouts' },
  { name: '500', step: answers(500), conditions: ['5xx'], status: 500, counted: 'status5xx', endpoint: 'error5xx' },
  {
    name: '502',
    step: answers(502),
    conditions: ['5xx', 'gateway-error'],
    status: 502,
    counted: 'status5xx',
    endpoint: 'gateway',
  },
  {
    name: '504',
    step: answers(504),
    conditions: ['5xx', 'gateway-error'],
    status: 504,
    counted: 'status5xx',
    endpoint: 'gateway',
  },
  { name: '429', step: answers(429), conditions: [429], status: 429, counted: 'status4xx', endpoint: 'success' },
  { name: '501', step: answers(501), conditions: ['5xx'], status: 501, counted: 'status5xx', endpoint: 'error5xx' },
];

for (const { name, step, conditions, status, counted, endpoint } of SETBACKS) {
  for (const on of ['connect-failure', 'reset', 'timeout', '5xx', 'gateway-error', 429]) {
    const repeated = conditions.includes(on);
    t.test(`${name} is ${repeated ? '' : 'not '}repeated on ${on}`, async (t) => {
      const service = { retry: { on: [on], perTryTimeout: '1s', methods: 'safe' } };
      const { proxy, clock, stable } = await startLanes(t, { stable: [inTurn(step, SECOND)], service });
      const client = await proxy.send(GET);
      await stable[0]!.untilRequests(1);
      await turns(4);
      if (step === hangs) await pass(clock, 1200);
      const answer = await client.answer();
      t.equal(answer.status, repeated ? 200 : status);
      await nothingInFlight(proxy);
      const outcomes = { requests: 1, [counted]: 1 };
      t.strictSame(versionCounts(proxy), repeated ? { ...outcomes, status2xx: 1, retries: 1 } : outcomes);
      t.strictSame(endpointCounts(proxy), [
        repeated && endpoint === 'success' ? { success: 2 } : { [endpoint]: 1, ...(repeated ? { success: 1 } : {}) },
      ]);
      client.write(GET);
      t.equal((await client.answers(2))[1]!.status, 200, 'the connection goes on');
    });
  }
}

t.test('a refused connection is repeated on connect-failure only', async (t) => {
  for (const on of EVERYTHING) {
    const service = { retry: { on: [on] } };
    const { proxy } = await startLanes(t, { stable: [REFUSED, answering()], service });
    const client = await proxy.send(GET);
    t.equal((await client.answer()).status, on === 'connect-failure' ? 200 : 503);
    t.equal(versionCounts(proxy).connectFailures, 1);
    t.strictSame(endpointCounts(proxy)[0], { connectFailures: 1 });
  }
});

t.test('attempts is a bound, and the last answer is the upstream’s own', async (t) => {
  for (const attempts of [0, 1, 3]) {
    const says503 = ['a', 'b', 'c', 'd', 'e'].map((body) => says(response(503, body, { 'X-Own': body })));
    const script = inTurn(...says503);
    const { proxy, stable } = await startLanes(t, { stable: [script], service: { retry: { attempts } } });
    const answer = await (await proxy.send(GET)).answer();
    t.equal(answer.status, 503);
    t.equal(answer.body, 'abcd'[attempts]);
    t.equal(value(answer, 'x-own'), 'abcd'[attempts]);
    t.equal(stable[0]!.requests.length, attempts + 1);
    t.equal(versionCounts(proxy).status5xx, attempts + 1);
    t.equal(versionCounts(proxy).retries ?? 0, attempts);
  }
});

t.test('endpoints that were tried come last', async (t) => {
  const script = inTurn(answers(503));
  const stable = [script, script, script, script];
  const lanes = await startLanes(t, { stable, service: { retry: { attempts: 3 }, balance: 'random' } });
  await (await lanes.proxy.send(GET)).answer();
  t.strictSame(
    lanes.stable.map((upstream) => upstream.requests.length),
    [1, 1, 1, 1],
  );
  const more = await startLanes(t, { stable: [script, script], service: { retry: { attempts: 3 } } });
  t.equal((await (await more.proxy.send(GET)).answer()).status, 503);
  t.equal(more.stable[0]!.requests.length + more.stable[1]!.requests.length, 4, 'and are tried again');
});

t.test('pause', async (t) => {
  const retry = { attempts: 4, backoff: '100ms', maxBackoff: '250ms', on: [503, 'connect-failure'] };
  await t.test('full jitter: up to a bound that doubles, up to the longest', async (t) => {
    for (const dice of [0.999, 0.5]) {
      const { proxy, clock, stable } = await startLanes(t, {
        stable: [inTurn(answers(503)), inTurn(answers(503))],
        service: { retry },
        dice,
      });
      const count = () => stable[0]!.requests.length + stable[1]!.requests.length;
      const client = await proxy.send(GET);
      for (const [i, bound] of [100, 200, 250, 250].entries()) {
        await until('the pause', () => versionCounts(proxy).retries === i + 1);
        const began = clock.now();
        while (count() === i + 1) await pass(clock, 1);
        const took = clock.now() - began;
        // The wheel of pauses turns by 5 ms, and a timer fires at most two turns late.
        t.ok(took >= bound * dice && took <= bound * dice + 12, `${took} ms of at most ${bound}`);
      }
      t.equal((await client.answer()).status, 503);
      t.equal(count(), 5);
    }
  });
  await t.test('none after a failed connect where there is another endpoint', async (t) => {
    const { proxy } = await startLanes(t, { stable: [answering(), REFUSED], service: { retry }, dice: 0.999 });
    t.equal((await (await proxy.send(GET)).answer()).status, 200);
    t.equal(versionCounts(proxy).retries, 1);
  });
  await t.test('one after a failed connect where there is none', async (t) => {
    const service = { retry: { ...retry, attempts: 1 } };
    const { proxy, clock } = await startLanes(t, { stable: [REFUSED], service, dice: 0.999 });
    const client = await proxy.send(GET);
    await until('the pause', () => versionCounts(proxy).retries === 1);
    await turns(10);
    await pass(clock, 95, 5);
    t.equal(versionCounts(proxy).connectFailures, 1);
    await pass(clock, 20, 5);
    t.equal(wrongLocalReply(await client.answer(), 503, 'UF', false), null);
    t.equal(versionCounts(proxy).connectFailures, 2);
  });
});

t.test('methods', async (t) => {
  const reaches = async (method: string, methods: unknown, first: Step | null) => {
    const service = { retry: { on: EVERYTHING, ...(methods === null ? {} : { methods }) } };
    const stable = first === null ? [REFUSED, answering()] : [inTurn(first, SECOND)];
    const { proxy } = await startLanes(t, { stable, service });
    return (await (await proxy.send(POST.replace('POST', method))).answer(method)).status;
  };
  for (const method of ['GET', 'PUT', 'DELETE', 'OPTIONS', 'POST', 'PATCH', 'PROPFIND']) {
    const idempotent = ['GET', 'PUT', 'DELETE', 'OPTIONS'].includes(method);
    const safe = ['GET', 'OPTIONS'].includes(method);
    t.equal(await reaches(method, null, resets), idempotent ? 200 : 502, `${method} after it was sent`);
    t.equal(await reaches(method, null, answers(503)), idempotent ? 200 : 503, `${method} after it was answered`);
    t.equal(await reaches(method, null, null), 200, `${method} after a failed connect`);
    t.equal(await reaches(method, 'safe', resets), safe ? 200 : 502, `${method} where safe ones are`);
    t.equal(await reaches(method, 'all', resets), 200, `${method} where all are`);
    t.equal(await reaches(method, ['POST'], resets), method === 'POST' ? 200 : 502, `${method} where POST is`);
  }
});

t.test('HEAD is repeated and answered without a body', async (t) => {
  const { proxy } = await startLanes(t, { stable: [inTurn(answers(503, 'no'), SECOND)], service: { retry: {} } });
  const client = await proxy.send(head('HEAD'));
  const answer = await client.answer('HEAD');
  t.equal(answer.status, 200);
  t.equal(value(answer, 'content-length'), '6');
  client.write(GET);
  t.equal((await client.answers(2, ['HEAD', 'GET']))[1]!.body, 'second');
});

t.test('requests pipelined behind a repeated one are answered in order', async (t) => {
  const script = inTurn(resets, (connection, request) => connection.write(response(200, request.target)));
  const { proxy, stable } = await startLanes(t, { stable: [script, script], service: { retry: {} } });
  const client = await proxy.send(['/1', '/2', '/3'].map((target) => head('GET', {}, target)).join(''));
  const got = await client.answers(3);
  t.strictSame(
    got.map((answer) => answer.body),
    ['/1', '/2', '/3'],
  );
  const asked = targets(stable[0]!.requests).concat(targets(stable[1]!.requests)).sort();
  t.strictSame(asked, ['/1', '/1', '/2', '/3']);
});

t.test('once a byte has left, the connection is cut and nothing is repeated', async (t) => {
  const begun = 'HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf';
  const service = { retry: { on: EVERYTHING, attempts: 3 } };
  const { proxy, stable } = await startLanes(t, { stable: [inTurn(breaksOffAfter(begun), SECOND)], service });
  const client = await proxy.send(GET);
  await client.untilOver();
  t.ok(client.transcript().cut);
  t.notMatch(client.text, /second|50\d/);
  t.equal(stable[0]!.requests.length, 1);
  t.strictSame(versionCounts(proxy), { requests: 1, resets: 1 });
  t.equal(workerCounts(proxy).cut, 1);
});

t.test('head and fault in one packet: nothing has left, so it is repeated', async (t) => {
  const broken = says('HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\nX-First: 1\r\n\r\n5\r\nhello\r\nx\r\n');
  const { proxy } = await startLanes(t, {
    stable: [inTurn(broken, broken, SECOND)],
    service: { retry: { attempts: 2 } },
  });
  const client = await proxy.send(GET);
  const answer = await client.answer();
  t.equal(answer.body, 'second');
  t.equal(value(answer, 'x-first'), null);
  await client.nothingMore();
  t.equal(client.transcript().rest, '');
  t.strictSame(versionCounts(proxy), { requests: 1, malformed: 2, retries: 2, status2xx: 1 });
});

t.test('interim responses of a failed attempt stand, its final one does not', async (t) => {
  const early = 'HTTP/1.1 103 Early Hints\r\nLink: </a>\r\n\r\n';
  const { proxy } = await startLanes(t, {
    stable: [inTurn(says(early + response(503)), SECOND)],
    service: { retry: {} },
  });
  const answer = await (await proxy.send(GET)).answer();
  t.equal(answer.body, 'second');
  t.equal(answer.interim.length, 1);
});

t.test('a pooled connection that has gone stale is no failure and costs no retry', async (t) => {
  const { proxy } = await startLanes(t, {
    stable: [inTurn(says(OK), resets, SECOND)],
    service: { retry: { attempts: 0, budget: { percent: 0, minimum: 0 } } },
  });
  const client = await proxy.send(GET + GET);
  t.equal((await client.answers(2))[1]!.body, 'second');
  t.strictSame(versionCounts(proxy), { requests: 2, status2xx: 2 });
  t.strictSame(endpointCounts(proxy), [{ success: 2, abandoned: 1 }]);
});

t.test('timeouts.request bounds all attempts together', async (t) => {
  await t.test('attempts that hang', async (t) => {
    const service = {
      retry: { attempts: 9, on: ['timeout'], perTryTimeout: '400ms', backoff: '0ms' },
      timeouts: { request: '1s' },
    };
    const { proxy, clock, stable } = await startLanes(t, { stable: [inTurn(hangs)], service });
    const client = await proxy.send(GET);
    await stable[0]!.untilRequests(1);
    await pass(clock, 950);
    t.equal(client.text, '');
    await pass(clock, 200);
    t.equal(wrongLocalReply(await client.answer(), 504, 'UT', false), null);
    t.equal(stable[0]!.requests.length, 3);
    t.equal(versionCounts(proxy).timeouts, 3);
  });
  await t.test('a pause that would outlast it is not made', async (t) => {
    const service = { retry: { backoff: '2s', maxBackoff: '2s' }, timeouts: { request: '1s' } };
    const { proxy, stable } = await startLanes(t, { stable: [inTurn(answers(503, 'own'))], service, dice: 0.9 });
    t.equal((await (await proxy.send(GET)).answer()).body, 'own');
    t.equal(stable[0]!.requests.length, 1);
  });
});

t.test('budget', async (t) => {
  await t.test('of nothing: the answer there is, counted', async (t) => {
    const service = { retry: { budget: { percent: 0, minimum: 0 } } };
    const { proxy } = await startLanes(t, { stable: [inTurn(answers(503, 'own'), SECOND)], service });
    t.equal((await (await proxy.send(GET)).answer()).body, 'own');
    t.strictSame(versionCounts(proxy), { requests: 1, status5xx: 1, retriesDenied: 1 });
  });
  await t.test('the minimum, then a share of the requests', async (t) => {
    const service = { retry: { budget: { percent: '50%', minimum: 1 } } };
    const { proxy, stable } = await startLanes(t, { stable: [inTurn(answers(503))], service });
    const client = await proxy.send(GET.repeat(40));
    await client.answers(40);
    t.strictSame(versionCounts(proxy), { requests: 40, status5xx: 70, retries: 30, retriesDenied: 10 });
    t.equal(stable[0]!.requests.length, 70);
  });
});

t.test('circuit.maxRetries bounds how many are under way at once', async (t) => {
  const { proxy, clock } = await startLanes(t, {
    stable: [inTurn(answers(503, '1'), answers(503, '2'), answers(200, '3'))],
    service: { retry: { backoff: '1s', maxBackoff: '1s' }, circuit: { maxRetries: 1 } },
    dice: 0.5,
  });
  const first = await proxy.send(GET);
  await until('the pause', () => versionCounts(proxy).retrying === 1);
  const second = await proxy.send(GET);
  t.equal((await second.answer()).body, '2');
  t.equal(versionCounts(proxy).retriesDenied, 1);
  await pass(clock, 520, 5);
  t.equal((await first.answer()).body, '3');
});

t.test('during a pause', async (t) => {
  const paused = async (t: Parameters<typeof startLanes>[0]) => {
    const retry = { backoff: '1s', maxBackoff: '1s' };
    const lanes = await startLanes(t, { stable: [inTurn(answers(503), SECOND)], service: { retry }, dice: 0.5 });
    const client = await lanes.proxy.send(GET);
    await until('the pause', () => versionCounts(lanes.proxy).retries === 1);
    return { ...lanes, client };
  };
  for (const leave of ['reset', 'destroy'] as const) {
    await t.test(`the client goes away (${leave})`, async (t) => {
      const { proxy, clock, client, stable } = await paused(t);
      client[leave]();
      // A FIN alone may be a client that is done sending: `halfClose` decides.
      if (leave === 'destroy') {
        await turns(5);
        await pass(clock, 400);
        t.equal(stable[0]!.requests.length, 1);
        await pass(clock, 300, 5);
      }
      await nothingInFlight(proxy);
      await pass(clock, 2000);
      t.equal(stable[0]!.requests.length, leave === 'reset' ? 1 : 2);
    });
  }
  await t.test('the worker drains', async (t) => {
    const { proxy, clock, client } = await paused(t);
    const drained = proxy.plane.drain(5000);
    await pass(clock, 700, 5);
    const answer = await client.answer();
    t.equal(answer.body, 'second');
    t.equal(value(answer, 'connection'), 'close');
    await client.untilOver();
    client.destroy();
    await drained;
  });
  await t.test('the worker closes', async (t) => {
    const { proxy, client } = await paused(t);
    proxy.plane.close();
    await client.untilOver();
    await nothingInFlight(proxy);
  });
  await t.test('a new generation takes over, without retries', async (t) => {
    const { proxy, clock, client } = await paused(t);
    const { services, generation, ...rest } = proxy.plane.snapshot;
    proxy.plane.apply({
      ...rest,
      generation: generation + 1,
      services: services.map((each) => ({ ...each, retry: null })),
    });
    await pass(clock, 600, 5);
    t.equal((await client.answer()).body, 'second');
  });
});
