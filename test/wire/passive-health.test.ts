/** Passive health at the wire: endpoints that fail users are ejected at once, as far as the version can spare them. */
import t from 'tap';
import { clearFlag, EJECTED, flagsOf } from '../../src/model/endpoint-table.ts';
import { answering, response } from '../kit/behaviours.ts';
import { endpointsOf, versionCounts } from '../kit/counts.ts';
import { pass } from '../kit/fake-time.ts';
import { type LaneOptions, type Lanes, REFUSED, startLanes } from '../kit/lanes.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { GET, head } from '../kit/requests.ts';
import { answers, babbles, breaksOffAfter, ends, hangs, inTurn, resets, type Step } from '../kit/steps.ts';

expectNoSockets(t);

const named = (name: string) => answering(response(200, name));
const OUTLIER = { consecutive5xx: 3, consecutiveGateway: 0, consecutiveLocal: 0 };

const start = (t: Parameters<typeof startLanes>[0], options: LaneOptions): Promise<Lanes> =>
  startLanes(t, { ...options, service: { outlier: OUTLIER, ...options.service } });

const ejected = ({ proxy }: Lanes, version = 'v1'): boolean[] =>
  endpointsOf(proxy, version).map(({ id }) => (flagsOf(proxy.plane.memory.endpoints, id) & EJECTED) !== 0);

/** One after the other, so that each sees what the one before it has done. */
async function ask({ proxy }: Lanes, count: number, request = GET): Promise<(string | number)[]> {
  const client = await proxy.send(request.repeat(count));
  const got = await client.answers(count);
  client.destroy();
  return got.map(({ status, body }) => (status === 200 ? body : status));
}

interface Failure {
  readonly step: Step | null;
  readonly status: number;
  readonly counts: readonly string[];
}

const FAILURES: Readonly<Record<string, Failure>> = {
  500: { step: answers(500), status: 500, counts: ['consecutive5xx'] },
  502: { step: answers(502), status: 502, counts: ['consecutive5xx', 'consecutiveGateway'] },
  503: { step: answers(503), status: 503, counts: ['consecutive5xx', 'consecutiveGateway'] },
  reset: { step: resets, status: 502, counts: ['consecutive5xx', 'consecutiveGateway', 'consecutiveLocal'] },
  FIN: { step: ends, status: 502, counts: ['consecutive5xx', 'consecutiveGateway', 'consecutiveLocal'] },
  malformed: { step: babbles, status: 502, counts: ['consecutive5xx', 'consecutiveGateway', 'consecutiveLocal'] },
  refused: { step: null, status: 503, counts: ['consecutive5xx', 'consecutiveGateway', 'consecutiveLocal'] },
  404: { step: answers(404), status: 404, counts: [] },
};

for (const [name, { step, status, counts }] of Object.entries(FAILURES)) {
  for (const detector of ['consecutive5xx', 'consecutiveGateway', 'consecutiveLocal']) {
    const ejects = counts.includes(detector);
    t.test(`${name} in a row ${ejects ? 'ejects' : 'does not eject'} by ${detector}`, async (t) => {
      const off = { consecutive5xx: 0, consecutiveGateway: 0, consecutiveLocal: 0 };
      const lanes = await start(t, {
        stable: [step === null ? REFUSED : inTurn(step), named('b')],
        service: { outlier: { ...off, [detector]: 3 } },
      });
      t.strictSame(await ask(lanes, 5), [status, 'b', status, 'b', status]);
      t.strictSame(ejected(lanes), [ejects, false]);
      t.strictSame(await ask(lanes, 4), ejects ? ['b', 'b', 'b', 'b'] : ['b', status, 'b', status]);
    });
  }
}

t.test('answers that break off in a row eject, good as their heads are', async (t) => {
  const half = breaksOffAfter('HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nhalf');
  const lanes = await start(t, { stable: [inTurn(half), named('b')] });
  for (let i = 0; i < 5; i++) {
    const client = await lanes.proxy.send(GET);
    await client.signal.wait('an answer or its end', () => client.closed || client.transcript().answers.length > 0);
    client.destroy();
  }
  t.strictSame(ejected(lanes), [true, false]);
});

t.test('timeouts count as failures', async (t) => {
  const lanes = await start(t, {
    stable: [inTurn(hangs), named('b')],
    service: { outlier: { ...OUTLIER, consecutive5xx: 2 }, timeouts: { response: '1s' } },
  });
  for (let i = 1; i <= 2; i++) {
    const client = await lanes.proxy.send(GET);
    await lanes.stable[0]!.untilRequests(i);
    await pass(lanes.clock, 1200);
    t.equal((await client.answer()).status, 504);
    if (i === 1) await ask(lanes, 1);
  }
  t.strictSame(ejected(lanes), [true, false]);
});

t.test('a success ends the row', async (t) => {
  const script = inTurn(answers(500), answers(500), answers(200, 'a'), answers(500), answers(500), answers(200, 'a'));
  const lanes = await start(t, { stable: [script, named('b')] });
  t.strictSame(await ask(lanes, 12), [500, 'b', 500, 'b', 'a', 'b', 500, 'b', 500, 'b', 'a', 'b']);
  t.strictSame(ejected(lanes), [false, false]);
});

t.test('who leaves says nothing about the endpoint', async (t) => {
  const lanes = await start(t, { stable: [inTurn(hangs), named('b')] });
  for (let i = 1; i <= 4; i++) {
    const client = await lanes.proxy.send(GET);
    await lanes.stable[0]!.untilRequests(i);
    client.reset();
    await ask(lanes, 1);
  }
  t.strictSame(ejected(lanes), [false, false]);
});

t.test('attempts that users do not see count: the failures behind retries', async (t) => {
  const lanes = await start(t, { stable: [inTurn(answers(503)), named('b')], service: { retry: {} } });
  t.strictSame(await ask(lanes, 8), Array(8).fill('b'));
  t.strictSame(ejected(lanes), [true, false]);
  t.equal(lanes.stable[0]!.requests.length, 3);
});

t.test('what is back is asked again, and its old failures are forgotten', async (t) => {
  const script = inTurn(answers(500), answers(500), answers(500), answers(500), answers(500), answers(200, 'a'));
  const lanes = await start(t, { stable: [script, named('b')] });
  await ask(lanes, 5);
  t.strictSame(ejected(lanes), [true, false]);
  clearFlag(lanes.proxy.plane.memory.endpoints, endpointsOf(lanes.proxy)[0]!.id, EJECTED);
  const got = await ask(lanes, 6);
  t.equal(got.filter((each) => each === 500).length, 2);
  t.ok(got.includes('a'));
  t.strictSame(ejected(lanes), [false, false]);
});

t.test('maxEjectionPercent', async (t) => {
  const bad = () => inTurn(answers(500));
  const after = async (maxEjectionPercent: string, count: number) => {
    const stable = Array.from({ length: count }, bad);
    const lanes = await start(t, { stable, service: { outlier: { ...OUTLIER, maxEjectionPercent } } });
    await ask(lanes, 12 * count);
    return ejected(lanes).filter(Boolean).length;
  };
  t.equal(await after('50%', 4), 2);
  t.equal(await after('50%', 3), 1);
  t.equal(await after('10%', 4), 1, 'one may always be, where there are several');
  t.equal(await after('99%', 2), 1, 'the last one stays');
  t.equal(await after('50%', 1), 0, 'also where it is the only one');
  t.equal(await after('0%', 3), 0);
  t.equal(await after('100%', 2), 2, 'unless all may go');
});

t.test('a canary may lose its only endpoint, and stable takes over', async (t) => {
  for (const shield of [undefined, {}]) {
    const lanes = await start(t, {
      stable: [named('stable')],
      canary: [inTurn(answers(500))],
      service: shield === undefined ? {} : { shield },
    });
    const { proxy, canary } = lanes;
    const first = shield === undefined ? 500 : 'stable';
    t.strictSame(await ask(lanes, 6), [first, first, first, 'stable', 'stable', 'stable']);
    t.strictSame(ejected(lanes, 'v2'), [true]);
    t.equal(canary[0]!.requests.length, 3);
    t.equal(versionCounts(proxy, 'v2').failovers, 3);
    t.strictSame(await ask(lanes, 1, head('GET', { 'X-Lane': 'canary' })), ['stable']);
  }
});

t.test('a retry after the failure that ejected the canary’s last endpoint is stable’s', async (t) => {
  const lanes = await start(t, {
    stable: [named('stable')],
    canary: [inTurn(answers(503))],
    service: { outlier: { ...OUTLIER, consecutive5xx: 1 }, retry: {} },
  });
  t.strictSame(await ask(lanes, 2), ['stable', 'stable']);
  t.equal(lanes.canary[0]!.requests.length, 1);
});
