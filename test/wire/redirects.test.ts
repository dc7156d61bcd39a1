/** Routes that answer by themselves: redirects and fixed replies. */
import t from 'tap';
import { value, values } from '../kit/message.ts';
import { expectNoSockets } from '../kit/open-sockets.ts';
import { startProxy } from '../kit/proxy.ts';
import { ask, get } from '../kit/who-answers.ts';

expectNoSockets(t);

const NOBODY = ['http://127.0.0.1:1'];

t.test('where redirects lead to', async (t) => {
  const to = (match: object, redirect: object) => ({ match, redirect });
  const routes = [
    to({ pathPrefix: '/tls' }, { scheme: 'https' }),
    to({ pathPrefix: '/port' }, { port: 8443 }),
    to({ pathPrefix: '/tls-port' }, { scheme: 'https', port: 8443 }),
    to({ pathPrefix: '/host' }, { host: 'www.example.com' }),
    to({ path: '/old' }, { path: '/new' }),
    to({ pathPrefix: '/api' }, { path: '/v2' }),
    to({ pathRegex: '/u/(\\d+)' }, { path: '/users/$1', status: 308 }),
    to({ pathPrefix: '/all' }, { scheme: 'https', host: 'cdn.example.com', port: 444, path: '/', status: 307 }),
  ];
  const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
  const cases: [target: string, host: string, status: number, location: string][] = [
    ['/tls/a?b=c', 'shop.test', 302, 'https://shop.test/tls/a?b=c'],
    ['/tls', 'shop.test:8080', 302, 'https://shop.test/tls'],
    ['/port', 'shop.test:8080', 302, 'http://shop.test:8443/port'],
    ['/tls-port', 'shop.test', 302, 'https://shop.test:8443/tls-port'],
    ['/host/x', 'shop.test:8080', 302, 'http://www.example.com/host/x'],
    ['/old?q=1', 'shop.test:8080', 302, 'http://shop.test:8080/new?q=1'],
    ['/api/x/y?z', 'shop.test', 302, 'http://shop.test/v2/x/y?z'],
    ['/api', '[2001:db8::1]:81', 302, 'http://[2001:db8::1]:81/v2'],
    ['/u/7?a=b', 'shop.test', 308, 'http://shop.test/users/7?a=b'],
    ['/all/x', 'shop.test', 307, 'https://cdn.example.com:444/x'],
    ['http://abs.test/tls/x', 'ignored.test', 302, 'https://abs.test/tls/x'],
    ['/api//evil.test', 'shop.test', 302, 'http://shop.test/v2//evil.test'],
  ];
  const answers = await ask(
    proxy,
    cases.map(([target, host]) => get(target, `Host: ${host}`)),
  );
  for (const [i, [target, host, status, location]] of cases.entries()) {
    t.strictSame([answers[i]!.status, value(answers[i]!, 'location')], [status, location], `${host} ${target}`);
  }
  const [old] = await ask(proxy, ['GET /api//evil.test HTTP/1.0\r\n\r\n']);
  t.equal(value(old!, 'location'), '/v2//evil.test', 'a path where there is no host');
});

t.test('behind a trusted proxy the scheme is the one that it says', async (t) => {
  const routes = [
    { match: { path: '/old' }, redirect: { path: '/new' } },
    { match: { headers: { 'X-Forwarded-Proto': 'http' } }, redirect: { scheme: 'https' } },
    { match: {}, reply: { body: 'secure' } },
  ];
  const trusting = await startProxy(t, { upstream: NOBODY, config: { routes, trustedProxies: ['127.0.0.1'] } });
  const answers = await ask(trusting, [
    get('/old', 'X-Forwarded-Proto: https'),
    get('/old', 'X-Forwarded-Proto: http'),
    get('/old', 'X-Forwarded-Proto: javascript'),
    get('/x', 'X-Forwarded-Proto: http'),
    get('/x', 'X-Forwarded-Proto: https'),
  ]);
  t.strictSame(
    answers.map((answer) => value(answer, 'location')),
    [
      'https://shop.example.com/new',
      'http://shop.example.com/new',
      'http://shop.example.com/new',
      'https://shop.example.com/x',
      null,
    ],
  );
  const wary = await startProxy(t, { upstream: NOBODY, config: { routes } });
  const [stranger] = await ask(wary, [get('/old', 'X-Forwarded-Proto: https')]);
  t.equal(value(stranger!, 'location'), 'http://shop.example.com/new');
});

t.test('every status of a redirect, with body and Date, without a word of an upstream', async (t) => {
  const codes = [301, 302, 303, 307, 308];
  const routes = codes.map((status) => ({ match: { path: `/${status}` }, redirect: { status, path: '/to' } }));
  const proxy = await startProxy(t, { upstream: NOBODY, service: { exposeVersion: true }, config: { routes } });
  const answers = await ask(
    proxy,
    codes.flatMap((status) => [get(`/${status}`), get(`/${status}`).replace('GET', 'HEAD')]),
  );
  for (const [i, answer] of answers.entries()) {
    const status = codes[i >> 1]!;
    t.equal(answer.status, status);
    t.equal(value(answer, 'location'), 'http://shop.example.com/to');
    t.ok(value(answer, 'date'));
    t.equal(value(answer, 'x-sluice-version'), null);
    t.ok(Number(value(answer, 'content-length')) > 0, 'the length is that of the body, also for HEAD');
    t.equal(answer.body === '', i % 2 === 1);
  }
  t.equal(proxy.plane.stats().upstreamIdle, 0);
});

t.test('a redirected request may have a body, and the connection goes on behind it', async (t) => {
  const routes = [{ match: {}, redirect: { scheme: 'https', status: 307 } }];
  const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
  const post = 'POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 11\r\n\r\nGET / HTTP/';
  const answers = await ask(proxy, [post, get('/second')]);
  t.strictSame(
    answers.map((answer) => value(answer, 'location')),
    ['https://a/', 'https://shop.example.com/second'],
  );
  const parts = await proxy.send(post.slice(0, -4));
  await parts.answer();
  parts.write(`TTP/${get('/late')}`);
  t.equal(value((await parts.answers(2))[1]!, 'location'), 'https://shop.example.com/late');
  const large = await proxy.send('POST / HTTP/1.1\r\nHost: a\r\nContent-Length: 10000000\r\n\r\n');
  const answer = await large.answer();
  t.equal(answer.status, 307);
  t.equal(value(answer, 'connection'), 'close', 'a body that is too long to be waited for');
  const chunked = await proxy.send(
    'POST / HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n',
  );
  t.equal((await chunked.answer()).status, 307);
  const waiting = await proxy.send('POST / HTTP/1.1\r\nHost: a\r\nExpect: 100-continue\r\nContent-Length: 5\r\n\r\n');
  const final = await waiting.answer();
  t.strictSame([final.status, final.interim.length], [307, 0], 'nobody is told to continue');
});

t.test('fixed replies', async (t) => {
  const text = 'Größe: 10 €, 👋\n';
  const routes = [
    { match: { path: '/text' }, reply: { body: text } },
    { match: { path: '/json' }, reply: { status: 418, body: '{"a":"ä"}', contentType: 'application/json' } },
    { match: { path: '/none' }, reply: { status: 204 } },
    { match: { path: '/reset' }, reply: { status: 205 } },
    { match: { path: '/same' }, reply: { status: 304 } },
    { match: { path: '/empty' }, reply: {} },
    {
      match: { path: '/down' },
      reply: { status: 503, body: 'soon' },
      responseHeaders: { set: { 'Retry-After': '60' } },
    },
    {
      match: { path: '/edited' },
      reply: { body: 'x', contentType: 'text/html' },
      responseHeaders: { set: { 'Content-Type': 'text/css' }, add: { 'X-A': ['1', '2'] }, remove: ['Server'] },
    },
  ];
  const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
  const cases: [path: string, status: number, body: string, length: string | null, type: string | null][] = [
    ['/text', 200, text, '22', 'text/plain; charset=utf-8'],
    ['/json', 418, '{"a":"ä"}', '10', 'application/json'],
    ['/none', 204, '', null, null],
    ['/reset', 205, '', '0', null],
    ['/same', 304, '', null, null],
    ['/empty', 200, '', '0', 'text/plain; charset=utf-8'],
    ['/down', 503, 'soon', '4', 'text/plain; charset=utf-8'],
    ['/edited', 200, 'x', '1', 'text/css'],
  ];
  t.equal(Buffer.byteLength(text), 22);
  for (const method of ['GET', 'HEAD', 'DELETE']) {
    const answers = await ask(
      proxy,
      cases.map(([path]) => get(path).replace('GET', method)),
    );
    for (const [i, [path, status, body, length, type]] of cases.entries()) {
      const answer = answers[i]!;
      const read = Buffer.from(answer.body, 'latin1').toString('utf8');
      t.strictSame([answer.status, read], [status, method === 'HEAD' ? '' : body], `${method} ${path}`);
      t.equal(value(answer, 'content-length'), length, `${method} ${path}: length`);
      t.equal(value(answer, 'content-type'), type, `${method} ${path}: type`);
      t.ok(value(answer, 'date'));
    }
    t.equal(value(answers[6]!, 'retry-after'), '60');
    t.strictSame(values(answers[7]!, 'x-a'), ['1', '2']);
  }
});

t.test('HTTP/1.0 clients and closing ones get whole answers', async (t) => {
  const routes = [
    { match: { path: '/r' }, redirect: { path: '/x' } },
    { match: {}, reply: { body: 'fixed' } },
  ];
  const proxy = await startProxy(t, { upstream: NOBODY, config: { routes } });
  for (const request of ['GET / HTTP/1.0\r\n\r\n', 'GET / HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n']) {
    const client = await proxy.send(request);
    t.equal((await client.answer()).body, 'fixed');
    await client.untilOver();
  }
  const kept = await proxy.send('GET /r HTTP/1.0\r\nHost: a\r\nConnection: keep-alive\r\n\r\n');
  t.equal(value(await kept.answer(), 'connection'), 'keep-alive');
  kept.write(get());
  t.equal((await kept.answers(2))[1]!.body, 'fixed');
});
