/** Which route a request takes, what it asks the service for, and the requests that no route takes. */
import t from 'tap';
import { answering, response } from '../kit/behaviours.ts';
import { wrongLocalReply } from '../kit/expect.ts';
import { value } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy } from '../kit/proxy.ts';
import { RawUpstream } from '../kit/raw-upstream.ts';
import { ask, get, startNamed, whoAnswers } from '../kit/who-answers.ts';

expectNoSockets(t);

type Match = Readonly<Record<string, unknown>>;
/** Routes that answer with their name. */
const replies = (routes: Readonly<Record<string, Match>>) =>
  Object.entries(routes).map(([name, match]) => ({ match, reply: { body: name } }));

const NOBODY = ['http://127.0.0.1:1'];

t.test('every predicate', async (t) => {
  const routes = replies({
    exactHost: { host: 'exact.example.com', path: '/h' },
    wildcard: { host: '*.example.com', path: '/h' },
    deepWildcard: { host: '*.eu.example.com', path: '/h' },
    exactPath: { path: '/exact' },
    prefix: { pathPrefix: '/pre/fix' },
    below: { pathPrefix: '/below/' },
    regex: { pathRegex: '/user/(\\d+)(/edit)?' },
    methods: { path: '/m', methods: ['POST', 'PURGE'] },
    headerExact: { path: '/head', headers: { 'X-Beta': '1' } },
    headerRegex: { path: '/head', headers: { 'X-Tenant': { regex: '^(acme|umbrella)-\\d' } } },
    headerPresent: { path: '/head', headers: { 'X-There': { present: true } } },
    headerAbsent: { path: '/absent', headers: { 'X-There': { present: false } } },
    agent: { path: '/known', headers: { 'User-Agent': { regex: 'bot' } } },
    queryExact: { path: '/query', query: { debug: '1' } },
    queryRegex: { path: '/query', query: { q: { regex: 'shoe' } } },
    queryPresent: { path: '/query', query: { there: { present: true } } },
    queryAbsent: { path: '/q-absent', query: { there: { present: false } } },
    queryEncoded: { path: '/encoded', query: { 'a b': 'ä&=' } },
    all: { path: '/all', methods: ['GET'], headers: { 'X-A': '1', 'X-B': '2' }, query: { a: '1', b: '2' } },
  });
  const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
  const cases: [request: string, taken: string][] = [
    [get('/h', 'Host: exact.example.com'), 'exactHost'],
    [get('/h', 'Host: EXACT.Example.COM:8080'), 'exactHost'],
    [get('/h', 'Host: exact.example.com.'), 'exactHost'],
    [get('http://exact.example.com/h', 'Host: other.test'), 'exactHost'],
    [get('/h', 'Host: other.example.com'), 'wildcard'],
    [get('/h', 'Host: a.b.example.com'), 'wildcard'],
    [get('/h', 'Host: a.eu.example.com'), 'deepWildcard'],
    [get('/h', 'Host: eu.example.com'), 'wildcard'],
    [get('/h', 'Host: example.com'), '404'],
    [get('/h', 'Host: notexample.com'), '404'],
    [get('/h', 'Host: exact.example.com.evil.test'), '404'],
    [get('/exact'), 'exactPath'],
    [get('/exact?a=/b'), 'exactPath'],
    [get('/exact/'), '404'],
    [get('/Exact'), '404'],
    [get('/e%78act'), '404'],
    [get('/pre/fix'), 'prefix'],
    [get('/pre/fix/'), 'prefix'],
    [get('/pre/fix/more?x'), 'prefix'],
    [get('/pre/fix?x'), 'prefix'],
    [get('/pre/fixed'), '404'],
    [get('/pre'), '404'],
    [get('/below/x'), 'below'],
    [get('/below'), '404'],
    [get('/user/7'), 'regex'],
    [get('/user/7/edit?a'), 'regex'],
    [get('/user/7/delete'), '404'],
    [get('/x/user/7'), '404'],
    ['POST /m HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 'methods'],
    ['PURGE /m HTTP/1.1\r\nHost: a\r\n\r\n', 'methods'],
    [get('/m'), '404'],
    ['post /m HTTP/1.1\r\nHost: a\r\n\r\n', '404'],
    [get('/head', 'x-BETA:   1  '), 'headerExact'],
    [get('/head', 'X-Beta: 11'), '404'],
    [get('/head', 'X-Beta:'), '404'],
    [get('/head', 'X-Tenant: umbrella-7'), 'headerRegex'],
    [get('/head', 'X-Tenant: not-acme-7'), '404'],
    [get('/head', 'X-There:'), 'headerPresent'],
    [get('/absent'), 'headerAbsent'],
    [get('/absent', 'X-There: no'), '404'],
    [get('/known', 'User-Agent: a robot'), 'agent'],
    [get('/query?debug=1'), 'queryExact'],
    [get('/query?a&debug=1&debug=2'), 'queryExact'],
    [get('/query?debug=2&debug=1'), '404'],
    [get('/query?xdebug=1'), '404'],
    [get('/query?q=red+shoes'), 'queryRegex'],
    [get('/query?there'), 'queryPresent'],
    [get('/query?%74here='), 'queryPresent'],
    [get('/q-absent?a=there'), 'queryAbsent'],
    [get('/q-absent?there='), '404'],
    [get('/encoded?a+b=%C3%A4%26%3D'), 'queryEncoded'],
    [get('/encoded?a%20b=%c3%a4%26='), 'queryEncoded'],
    [get('/encoded?a+b=%C3%A4&='), '404'],
    [get('/encoded?a+b=%E4%26%3D'), '404'],
    [get('/all?b=2&a=1', 'X-B: 2', 'X-A: 1'), 'all'],
    [get('/all?b=2&a=1', 'X-B: 2'), '404'],
    [get('/all?b=2', 'X-B: 2', 'X-A: 1'), '404'],
  ];
  const taken = await whoAnswers(
    proxy,
    cases.map(([request]) => request),
  );
  for (const [i, [request, expected]] of cases.entries()) t.equal(taken[i], expected, request.replaceAll('\r\n', ' '));
});

t.test('the documented order, in whatever order the file has them', async (t) => {
  const inOrder: [name: string, match: Match, request: string][] = [
    ['host, path', { host: 'a.example.com', path: '/x/y' }, get('/x/y', 'Host: a.example.com')],
    ['host, regex', { host: 'a.example.com', pathRegex: '/x/[yz]' }, get('/x/z', 'Host: a.example.com')],
    ['host, long prefix', { host: 'a.example.com', pathPrefix: '/x' }, get('/x/a', 'Host: a.example.com')],
    ['host, short prefix', { host: 'a.example.com' }, get('/y', 'Host: a.example.com')],
    ['long wildcard', { host: '*.b.example.com' }, get('/x/y', 'Host: a.b.example.com')],
    ['wildcard', { host: '*.example.com', path: '/x/y' }, get('/x/y', 'Host: c.example.com')],
    ['any, methods', { methods: ['GET'] }, get('/x/y', 'Host: other.test', 'X-A: 1')],
    [
      'any, two headers',
      { headers: { 'X-A': '1', 'X-B': { present: true } } },
      'PUT /?a=1 HTTP/1.1\r\nHost: d\r\nX-A: 1\r\nX-B: 1\r\n\r\n',
    ],
    ['any, header', { headers: { 'X-A': '1' } }, 'PUT /?a=1&b=1 HTTP/1.1\r\nHost: d\r\nX-A: 1\r\n\r\n'],
    ['any, two parameters', { query: { a: '1', b: '1' } }, 'PUT /?a=1&b=1 HTTP/1.1\r\nHost: d\r\n\r\n'],
    ['any, parameter', { query: { a: '1' } }, 'PUT /?a=1 HTTP/1.1\r\nHost: d\r\n\r\n'],
    ['any', {}, 'PUT / HTTP/1.1\r\nHost: d\r\n\r\n'],
  ];
  const names = inOrder.map(([name]) => name);
  const requests = inOrder.map(([, , request]) => request);
  for (const order of [inOrder, inOrder.toReversed(), inOrder.toSorted(([a], [b]) => (a < b ? 1 : -1))]) {
    const routes = replies(Object.fromEntries(order.map(([name, match]) => [name, match])));
    const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
    t.strictSame(await whoAnswers(proxy, requests), names);
  }
});

t.test('of equals the earlier wins; what the most specific host does not take, the next may', async (t) => {
  const routes = replies({
    first: { path: '/tie', headers: { 'X-A': { present: true } } },
    second: { path: '/tie', headers: { 'X-B': { present: true } } },
    posts: { host: 'a.example.com', methods: ['POST'] },
    domain: { host: '*.example.com', path: '/known' },
    rest: { pathPrefix: '/' },
  });
  const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
  const host = 'Host: a.example.com';
  const taken = await whoAnswers(proxy, [
    get('/tie', 'X-B: 1', 'X-A: 1'),
    get('/tie', 'X-B: 1'),
    get('/known', host),
    get('/other', host),
    `POST /other HTTP/1.1\r\n${host}\r\nContent-Length: 0\r\n\r\n`,
  ]);
  t.strictSame(taken, ['first', 'second', 'domain', 'rest', 'posts']);
});

t.test('what no route takes is a 404 with the flag NR, and the connection goes on', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const routes = [{ match: { pathPrefix: '/api' }, service: 'web' }];
  const proxy = await startProxy(t, { upstream, config: { routes } });
  const requests = [
    get('/'),
    'POST /other HTTP/1.1\r\nHost: a\r\nContent-Length: 5\r\n\r\nhello',
    'HEAD /apis HTTP/1.1\r\nHost: a\r\n\r\n',
    'OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n',
    get('/api/x'),
  ];
  const answers = await ask(proxy, requests);
  t.strictSame(
    answers.map((answer) => answer.status),
    [404, 404, 404, 404, 200],
  );
  t.equal(wrongLocalReply(answers[0]!, 404, 'NR', false), null);
  t.equal(wrongLocalReply(answers[1]!, 404, 'NR', false), null);
  t.equal(answers[2]!.body, '');
  t.equal(upstream.requests.length, 1, 'nothing but what matches reaches the service');
});

t.test('OPTIONS * belongs to the routes of every path', async (t) => {
  const routes = replies({ api: { pathPrefix: '/api' }, regex: { pathRegex: '.*' }, all: { methods: ['OPTIONS'] } });
  const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
  t.strictSame(await whoAnswers(proxy, ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n']), ['all']);
});

t.test('what a client claims about itself opens no route, unless it is trusted', async (t) => {
  const claims = {
    'X-Forwarded-Proto': 'https',
    'X-Forwarded-For': '10.0.0.1',
    'X-Forwarded-Host': 'inner.test',
    'X-Forwarded-User': 'root',
    'X-Forwarded-Client-Cert': 'x',
    'X-Real-IP': '10.0.0.1',
    Forwarded: 'for=10.0.0.1',
    'X-Request-Id': 'abc',
  };
  const routes = Object.entries(claims).flatMap(([name, text], i) => [
    { match: { path: `/${i}`, headers: { [name]: text } }, reply: { body: 'open' } },
    { match: { path: `/present/${i}`, headers: { [name]: { present: true } } }, reply: { body: 'open' } },
    { match: { path: `/absent/${i}`, headers: { [name]: { present: false } } }, reply: { body: 'absent' } },
  ]);
  const requests = Object.entries(claims).flatMap(([name, text], i) =>
    [`/${i}`, `/present/${i}`, `/absent/${i}`].map((path) => get(path, `${name}: ${text}`)),
  );
  const count = Object.keys(claims).length;
  const stranger = await startProxy(t, { upstream: NOBODY, config: { routes } });
  t.strictSame(await whoAnswers(stranger, requests), Array(count).fill(['404', '404', 'absent']).flat());
  const known = await startProxy(t, { upstream: NOBODY, config: { routes, trustedProxies: ['127.0.0.1'] } });
  t.strictSame(await whoAnswers(known, requests), Array(count).fill(['open', 'open', '404']).flat());
});

t.test('rewrites: the service is asked for another path, the query stays', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const routes = [
    { match: { path: '/old' }, service: 'web', rewrite: { path: '/new/$$1' } },
    { match: { pathPrefix: '/api' }, service: 'web', rewrite: { path: '/' } },
    { match: { pathPrefix: '/v1' }, service: 'web', rewrite: { path: '/v2' } },
    { match: { pathRegex: '/user/(?<id>\\d+)/(.*)' }, service: 'web', rewrite: { path: '/u/$2/$<id>' } },
    { match: { pathPrefix: '/host' }, service: 'web', rewrite: { host: 'inner.example:8080' } },
    { match: { methods: ['OPTIONS'] }, service: 'web', rewrite: { path: '/all' } },
  ];
  const proxy = await startProxy(t, { upstream, config: { routes } });
  const cases: [target: string, becomes: string][] = [
    ['/old?a=/old', '/new/$1?a=/old'],
    ['/api', '/'],
    ['/api?x', '/?x'],
    ['/api/a/b?c=/api', '/a/b?c=/api'],
    ['/v1/x', '/v2/x'],
    ['/v1', '/v2'],
    ['/user/7/a%2Fb?q=1', '/u/a%2Fb/7?q=1'],
    ['/host/x?y', '/host/x?y'],
    ['http://shop.example.com/api/a?b', '/a?b'],
  ];
  await ask(
    proxy,
    cases.map(([target]) => get(target)),
  );
  t.strictSame(
    upstream.requests.map((request) => request.target),
    cases.map(([, becomes]) => becomes),
  );
  await ask(proxy, ['OPTIONS * HTTP/1.1\r\nHost: a\r\n\r\n']);
  t.equal(upstream.requests.at(-1)!.target, '*', 'which is no path');
});

t.test('a rewritten host is for the service; what the client asked for is still told', async (t) => {
  const upstream = await RawUpstream.start(t, answering());
  const routes = [{ match: {}, service: 'web', rewrite: { host: 'inner.example:8080' } }];
  const proxy = await startProxy(t, { upstream, config: { routes } });
  await ask(proxy, [
    get('/', 'Host: shop.example.com:8000'),
    get('http://absolute.test/x', 'Host: ignored.test'),
    get('/', 'X-Forwarded-Host: forged.test'),
  ]);
  await ask(proxy, ['GET / HTTP/1.0\r\n\r\n']);
  t.strictSame(
    upstream.requests.map((request) => [value(request, 'host'), value(request, 'x-forwarded-host')]),
    [
      ['inner.example:8080', 'shop.example.com:8000'],
      ['inner.example:8080', 'absolute.test'],
      ['inner.example:8080', 'shop.example.com'],
      ['inner.example:8080', null],
    ],
  );
});

t.test('a request that is sent again is the rewritten one', async (t) => {
  const upstream = await RawUpstream.start(t, (connection) =>
    answering(response(connection.index === 0 ? 503 : 200))(connection),
  );
  const routes = [
    {
      match: { pathPrefix: '/api' },
      service: 'web',
      rewrite: { path: '/', host: 'inner.test' },
      requestHeaders: { set: { 'X-Edited': 'yes' }, remove: ['X-Secret'] },
    },
  ];
  const proxy = await startProxy(t, { upstream, service: { retry: { backoff: '1ms' } }, config: { routes } });
  const [answer] = await ask(proxy, [get('/api/x?y', 'X-Secret: 1')]);
  t.equal(answer!.status, 200);
  const seen = upstream.requests.map((request) => [
    request.target,
    value(request, 'host'),
    value(request, 'x-edited'),
    value(request, 'x-secret'),
  ]);
  t.strictSame(seen, Array(2).fill(['/x?y', 'inner.test', 'yes', null]));
});

t.test('routes lead to their services, and to one version where they name it', async (t) => {
  const { shop1, shop2, images } = await startNamed(t, 'shop1', 'shop2', 'images');
  const services = {
    shop: {
      versions: { v1: { endpoints: [shop1.url] }, v2: { endpoints: [shop2.url] } },
      lanes: { stable: 'v1', canary: 'v2' },
    },
    images: { versions: { v1: { endpoints: [images.url] } } },
  };
  const routes = [
    { match: {}, service: 'shop' },
    { match: { headers: { 'X-Beta': '1' } }, service: 'shop', version: 'canary' },
    { match: { pathPrefix: '/v2' }, service: 'shop', version: 'v2' },
    { match: { pathPrefix: '/images' }, service: 'images', version: 'stable' },
  ];
  const proxy = await startProxy(t, { upstream: [], config: { services, routes } });
  const requests = [get(), get('/', 'X-Beta: 1'), get('/v2/x'), get('/images/a.png')];
  t.strictSame(await whoAnswers(proxy, requests), ['shop1', 'shop2', 'shop2', 'images']);
});
