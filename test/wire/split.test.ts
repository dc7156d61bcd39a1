/** Which version a request reaches: weights, weight 0, the override header. */
import t, { type Test } from 'tap';
import { answering, response } from '../kit/behaviours.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy, type TestProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';

expectNoSockets(t);

const LANES = { stable: 'v1', canary: 'v2', candidate: 'v3' };

async function threeVersions(t: Test, weights: Record<string, number>, exposeVersion = true): Promise<TestProxy> {
  const named = async (name: string) => {
    const upstream = await RawUpstream.start(
      t,
      answering((request) => response(200, `${name} ${value(request, 'x-canary-deploy') ?? '-'}`)),
    );
    return { endpoints: [upstream.url] };
  };
  const versions = { v1: await named('v1'), v2: await named('v2'), v3: await named('v3') };
  const split = { strategy: 'weighted', weights };
  const service = { versions, lanes: LANES, split, override: { header: 'X-Canary-Deploy' }, exposeVersion };
  return startProxy(t, { upstream: [], service });
}

async function bodies(proxy: TestProxy, count: number, field = ''): Promise<string[]> {
  const client = await proxy.send(`GET / HTTP/1.1\r\nHost: a\r\n${field}\r\n`.repeat(count));
  return (await client.answers(count)).map((answer) => answer.body);
}

for (const canary of [0, 0.01, 1, 10, 33.33, 50, 100]) {
  t.test(`canary at ${canary} %`, async (t) => {
    const proxy = await threeVersions(t, { v1: 100 - canary, v2: canary, v3: 0 });
    const total = 300;
    const got = await bodies(proxy, total);
    const reached = got.filter((body) => body.startsWith('v2')).length;
    t.ok(Math.abs(reached - (total * canary) / 100) <= 1, `${reached} of ${total} reached the canary`);
    if (canary === 0) t.equal(reached, 0);
    t.equal(got.filter((body) => body.startsWith('v3')).length, 0);
  });
}

t.test('the override header names a lane or a version, whatever the weights, and is passed on', async (t) => {
  const proxy = await threeVersions(t, { v1: 100, v2: 0, v3: 0 });
  for (const [name, version] of [
    ['canary', 'v2'],
    ['candidate', 'v3'],
    ['stable', 'v1'],
    ['v3', 'v3'],
  ] as const) {
    const got = await bodies(proxy, 3, `x-canary-deploy: ${name}\r\n`);
    t.strictSame(got, Array(3).fill(`${version} ${name}`), name);
  }
  for (const name of ['nonsense', 'Canary', '', '__proto__']) {
    const got = await bodies(proxy, 2, `X-Canary-Deploy: ${name}\r\n`);
    t.ok(
      got.every((body) => body.startsWith('v1')),
      `"${name}" is ignored`,
    );
  }
});

t.test('x-sluice-version says who answered, only where it is wanted, and cannot be forged', async (t) => {
  const upstream = await RawUpstream.start(t, answering(response(200, 'ok', { 'x-sluice-version': 'forged' })));
  const exposed = await startProxy(t, {
    upstream,
    service: { versions: { v7: { endpoints: [upstream.url] } }, exposeVersion: true },
  });
  const shown = await (await exposed.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).answer();
  t.equal(value(shown, 'x-sluice-version'), 'v7');
  const quiet = await threeVersions(t, { v1: 100, v2: 0, v3: 0 }, false);
  const hidden = await (await quiet.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n')).answer();
  t.equal(value(hidden, 'x-sluice-version'), null);
});

t.test('endpoints take turns by weight', async (t) => {
  const [a, b] = [
    await RawUpstream.start(t, answering(response(200, 'a'))),
    await RawUpstream.start(t, answering(response(200, 'b'))),
  ];
  const endpoints = [a.url, { url: b.url, weight: 3 }];
  const proxy = await startProxy(t, { upstream: [], service: { versions: { v1: { endpoints } } } });
  const got = await bodies(proxy, 40);
  const share = got.filter((body) => body === 'b').length;
  t.ok(Math.abs(share - 30) <= 1, `${share} of 40`);
});

t.test('a new snapshot applies to the next request on a connection that stays', async (t) => {
  const old = await RawUpstream.start(t, answering(response(200, 'old')));
  const next = await RawUpstream.start(t, answering(response(200, 'new')));
  const proxy = await startProxy(t, { upstream: old });
  const other = await startProxy(t, { upstream: next });
  const client = await proxy.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal((await client.answer()).body, 'old');
  proxy.plane.apply(other.plane.snapshot);
  client.write('GET / HTTP/1.1\r\nHost: a\r\n\r\n');
  t.equal((await client.answers(2))[1]!.body, 'new');
  t.equal(proxy.plane.stats().upstreamIdle, 1, 'the pool of the endpoint that is gone has been closed');
});
