/** What the upstream and the client are told by the proxy, and whom it believes. */
import t, { type Test } from 'tap';
import { answering, OK, response } from '../kit/behaviours.ts';
import { value, values } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { type ProxyOptions, startProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';

expectNoSockets(t);

const TRACE = '00-4bf92f3577b34da6a3ce929d0e0e4736-00f067aa0ba902b7-01';

const CLAIMS = [
  'X-Forwarded-For: 203.0.113.9',
  'X-Forwarded-Proto: https',
  'X-Forwarded-Host: public.example.com',
  'X-Forwarded-Port: 443',
  'X-Real-IP: 203.0.113.9',
  'Forwarded: for=203.0.113.9',
  'X-Request-Id: from-the-edge',
];

/** The fields that the upstream saw, by lower-case name, repeated ones joined. */
async function seen(t: Test, fields: readonly string[], config: ProxyOptions['config'] = {}, line = 'GET / HTTP/1.1') {
  const upstream = await RawUpstream.start(t, answering(OK));
  const proxy = await startProxy(t, { upstream, config });
  const client = await proxy.send([line, 'Host: shop.example.com', ...fields, '', ''].join('\r\n'));
  const answer = await client.answer();
  t.equal(answer.status, 200);
  const request = upstream.requests[0]!;
  return (name: string): string | null => {
    const all = values(request, name);
    return all.length === 0 ? null : all.join(' | ');
  };
}

t.test('from anyone: claims are dropped and made anew', async (t) => {
  const field = await seen(t, CLAIMS);
  t.equal(field('x-forwarded-for'), '127.0.0.1');
  t.equal(field('x-forwarded-proto'), 'http');
  t.equal(field('x-forwarded-host'), 'shop.example.com');
  t.equal(field('x-forwarded-port'), null);
  t.equal(field('x-real-ip'), null);
  t.equal(field('forwarded'), null);
  t.match(field('x-request-id'), /^[0-9a-f]{32}$/);
  t.equal(field('via'), '1.1 sluice');
});

for (const trustedProxies of [['127.0.0.1'], ['10.0.0.0/8', '127.0.0.0/8']]) {
  t.test(`from a trusted proxy (${trustedProxies}): claims are kept and extended`, async (t) => {
    const field = await seen(t, CLAIMS, { trustedProxies });
    t.equal(field('x-forwarded-for'), '203.0.113.9, 127.0.0.1');
    t.equal(field('x-forwarded-proto'), 'https');
    t.equal(field('x-forwarded-host'), 'public.example.com');
    t.equal(field('x-forwarded-port'), '443');
    t.equal(field('x-real-ip'), '203.0.113.9');
    t.equal(field('forwarded'), 'for=203.0.113.9');
    t.equal(field('x-request-id'), 'from-the-edge');
  });
}

t.test('a trusted proxy that claims nothing, and one that claims on several lines', async (t) => {
  const trustedProxies = ['127.0.0.1'];
  const silent = await seen(t, [], { trustedProxies });
  t.equal(silent('x-forwarded-for'), '127.0.0.1');
  t.equal(silent('x-forwarded-proto'), 'http');
  t.equal(silent('x-forwarded-host'), 'shop.example.com');
  t.match(silent('x-request-id'), /^[0-9a-f]{32}$/);
  const lines = await seen(t, ['X-Forwarded-For: 192.0.2.1', 'X-Forwarded-For: 192.0.2.2'], { trustedProxies });
  t.equal(lines('x-forwarded-for'), '192.0.2.1, 192.0.2.2, 127.0.0.1');
});

t.test('another address than the trusted ones is not believed', async (t) => {
  const field = await seen(t, CLAIMS, { trustedProxies: ['10.0.0.0/8', '::1'] });
  t.equal(field('x-forwarded-for'), '127.0.0.1');
  t.not(field('x-request-id'), 'from-the-edge');
});

t.test('Forwarded is opt-in, and extended behind a trusted proxy', async (t) => {
  const own = 'for=127.0.0.1;host="shop.example.com";proto=http';
  const headers = { forwarded: true, via: 'edge-1' };
  const field = await seen(t, CLAIMS, { headers });
  t.equal(field('forwarded'), own);
  t.equal(field('via'), '1.1 edge-1');
  const trusted = await seen(t, CLAIMS, { headers, trustedProxies: ['127.0.0.1'] });
  t.equal(trusted('forwarded'), `for=203.0.113.9, ${own}`);
});

t.test('Via is appended, with the version that the request came in', async (t) => {
  const field = await seen(t, ['Via: 1.0 fred'], {}, 'GET / HTTP/1.0');
  t.equal(field('via'), '1.0 fred | 1.0 sluice');
});

t.test('trace context: passed on from anyone, made where it is absent or malformed', async (t) => {
  const passed = await seen(t, [`traceparent: ${TRACE}`, 'tracestate: a=1']);
  t.equal(passed('traceparent'), TRACE);
  t.equal(passed('tracestate'), 'a=1');
  const made = await seen(t, []);
  t.match(made('traceparent'), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/);
  t.equal(made('traceparent')?.slice(3, 35), made('x-request-id'));
  for (const bad of [
    'garbage',
    TRACE.toUpperCase(),
    `ff${TRACE.slice(2)}`,
    `00-${'0'.repeat(32)}-00f067aa0ba902b7-01`,
    `00-4bf92f3577b34da6a3ce929d0e0e4736-${'0'.repeat(16)}-01`,
    `${TRACE}00`,
    // Version 00 has nothing behind its flags.
    `${TRACE}-more`,
  ]) {
    const field = await seen(t, [`traceparent: ${bad}`, 'tracestate: a=1']);
    t.match(field('traceparent'), /^00-[0-9a-f]{32}-[0-9a-f]{16}-00$/, bad);
    t.equal(field('tracestate'), null);
  }
  const twice = await seen(t, [`traceparent: ${TRACE}`, `traceparent: ${TRACE}`]);
  t.not(twice('traceparent'), TRACE);
  const later = `cc${TRACE.slice(2)}-more`;
  t.equal((await seen(t, [`traceparent: ${later}`]))('traceparent'), later);
  const tracing = { endpoint: 'http://127.0.0.1:9', sample: 0 };
  for (const config of [{}, { tracing }, { tracing: { ...tracing, parent: 'ignore' } }]) {
    const alone = await seen(t, ['tracestate: a=1', 'tracestate: b=2'], config);
    t.equal(alone('tracestate'), null, 'a state without its parent says nothing');
  }
});

t.test('two requests have different identities', async (t) => {
  const upstream = await RawUpstream.start(t, answering(OK));
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send('GET / HTTP/1.1\r\nHost: a\r\n\r\n'.repeat(600));
  await client.answers(600);
  const ids = new Set(upstream.requests.map((request) => value(request, 'x-request-id')));
  t.equal(ids.size, 600);
});

t.test('responses get Via, and Date only where the upstream sent none', async (t) => {
  const date = 'Sun, 06 Nov 1994 08:49:37 GMT';
  const upstream = await RawUpstream.start(
    t,
    answering((request) => (request.target === '/dated' ? response(200, 'ok', { Date: date }) : response(200, 'ok'))),
  );
  const proxy = await startProxy(t, { upstream });
  const client = await proxy.send('GET /dated HTTP/1.1\r\nHost: a\r\n\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n');
  const [dated, undated] = await client.answers(2);
  t.strictSame(values(dated!, 'date'), [date]);
  t.equal(value(dated!, 'via'), '1.1 sluice');
  t.ok(Math.abs(Date.parse(value(undated!, 'date')!) - Date.now()) < 60_000);
});
