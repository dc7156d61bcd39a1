import t from 'tap';
import type { RedirectConfig, RouteMatch } from '../../src/model/route-config.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { fixedAnswer, location, redirectAnswer } from '../../src/proxy/route/direct-reply.ts';
import { compileRewrite } from '../../src/proxy/route/rewrite.ts';
import { requests, routeOf } from './route-requests.ts';

t.test('rewrites', async (t) => {
  const cases: [match: Partial<RouteMatch>, path: string, target: string, result: string][] = [
    [{ path: '/old' }, '/new', '/old', '/new'],
    [{ path: '/old' }, '/new', '/old?a=/old', '/new?a=/old'],
    [{ path: '/old' }, '/$1/$&', '/old', '/$1/$&'],
    [{ pathPrefix: '/api' }, '/', '/api', '/'],
    [{ pathPrefix: '/api' }, '/', '/api?a=1', '/?a=1'],
    [{ pathPrefix: '/api' }, '/', '/api/', '/'],
    [{ pathPrefix: '/api' }, '/', '/api/x?a=/api', '/x?a=/api'],
    [{ pathPrefix: '/api' }, '/v2', '/api/x', '/v2/x'],
    [{ pathPrefix: '/api' }, '/v2/', '/api/x', '/v2/x'],
    [{ pathPrefix: '/api' }, '/v2', '/api', '/v2'],
    [{ pathPrefix: '/api/' }, '/v2', '/api/x', '/v2/x'],
    [{ pathPrefix: '/api/' }, '/v2/', '/api/x', '/v2/x'],
    [{ pathPrefix: '/api/' }, '/', '/api/', '/'],
    [{ pathPrefix: '/api/' }, '/v2', '/api/?a', '/v2?a'],
    [{ pathPrefix: '/' }, '/v2', '/', '/v2'],
    [{ pathPrefix: '/' }, '/v2', '/x/y', '/v2/x/y'],
    [{ pathPrefix: '/' }, '/v2/', '/?a', '/v2/?a'],
    [{ pathPrefix: '/api' }, '/v2', '/api//x', '/v2//x'],
    [{ pathRegex: '/u/(\\d+)' }, '/users/$1', '/u/7', '/users/7'],
    [{ pathRegex: '/u/(\\d+)' }, '/users/$1', '/u/7?u=/u/8', '/users/7?u=/u/8'],
    [{ pathRegex: '/u/(?<id>\\d+)' }, '/users/$<id>', '/u/7', '/users/7'],
    [{ pathRegex: '/u/.*' }, '/$$$&', '/u/7', '/$/u/7'],
    [{ pathRegex: '/[a-z]+(/.*)?' }, '$1', '/u/7', '/7'],
    [{ pathRegex: '/[a-z]+(/.*)?' }, '$1', '/u?a', '/?a'],
    [{ pathRegex: '/(.*)' }, '$1', '/u', '/u'],
    [{}, '/v2', '*', '*'],
    [{ pathRegex: '.*' }, '/v2', '*', '*'],
  ];
  for (const [match, path, target, result] of cases) {
    const rewrite = compileRewrite(routeOf(match, { rewrite: { path } }));
    t.equal(rewrite?.apply(target), result, `${JSON.stringify(match)} → ${path}: ${target} → ${result}`);
  }
  t.equal(compileRewrite(routeOf({}, { rewrite: { host: 'internal.example' } })), null, 'only the host');
  t.equal(compileRewrite(routeOf({})), null);
});

t.test('where redirects lead to', async (t) => {
  const request = requests(new FieldNames());
  type Case = [redirect: Partial<RedirectConfig>, target: string, host: string, scheme: string, result: string];
  const cases: Case[] = [
    [{ scheme: 'https' }, '/a?b=1', 'shop.test', 'http', 'https://shop.test/a?b=1'],
    [{ scheme: 'https' }, '/', 'shop.test:8080', 'http', 'https://shop.test/'],
    [{ scheme: 'https', port: 8443 }, '/', 'shop.test:8080', 'http', 'https://shop.test:8443/'],
    [{ scheme: 'https', path: '/x' }, '/', 'shop.test:8080', 'https', 'https://shop.test:8080/x'],
    [{ path: '/x' }, '/a?b', 'shop.test:8080', 'http', 'http://shop.test:8080/x/a?b'],
    [{ port: 80 }, '/', 'shop.test:8080', 'http', 'http://shop.test/'],
    [{ port: 443 }, '/', 'shop.test', 'http', 'http://shop.test:443/'],
    [{ host: 'www.test' }, '/a', 'shop.test:8080', 'http', 'http://www.test/a'],
    [{ host: 'www.test', port: 81 }, '/a', 'shop.test', 'http', 'http://www.test:81/a'],
    [{ scheme: 'https' }, '/a', '[2001:db8::1]:8080', 'http', 'https://[2001:db8::1]/a'],
    [{ path: '/' }, '/a', '[2001:db8::1]', 'http', 'http://[2001:db8::1]/a'],
    [{ host: 'www.test' }, '/a', '', 'http', 'http://www.test/a'],
    [{ scheme: 'https' }, '//evil.test/', '', 'http', '/evil.test/'],
    [{ scheme: 'https' }, '//evil.test/', 'shop.test', 'http', 'https://shop.test//evil.test/'],
  ];
  for (const [rest, target, host, scheme, result] of cases) {
    const redirect: RedirectConfig = { status: 302, ...rest };
    const rewrite = compileRewrite(routeOf({}, { redirect }));
    t.equal(location(redirect, rewrite, request(`GET ${target}`, host), scheme), result, result);
  }
  const redirect: RedirectConfig = { status: 301, scheme: 'https' };
  t.equal(location(redirect, null, request('OPTIONS *', 'shop.test'), 'http'), 'https://shop.test/', 'no path');
  t.strictSame(
    redirectAnswer(redirect, null, request('GET /a', 'shop.test'), 'http', {
      set: [['Strict-Transport-Security', 'max-age=1']],
      add: [],
      remove: ['content-type'],
    }),
    {
      status: 301,
      reason: 'Moved Permanently',
      lines: 'Location: https://shop.test/a\r\nContent-Length: 22\r\nStrict-Transport-Security: max-age=1\r\n',
      body: '301 Moved Permanently\n',
    },
  );
});

t.test('fixed replies', async (t) => {
  const contentType = 'text/plain; charset=utf-8';
  t.strictSame(fixedAnswer({ status: 200, body: 'grün', contentType }), {
    status: 200,
    reason: 'OK',
    lines: 'Content-Type: text/plain; charset=utf-8\r\nContent-Length: 5\r\n',
    body: Buffer.from('grün').toString('latin1'),
  });
  t.strictSame(fixedAnswer({ status: 204, body: '', contentType }), {
    status: 204,
    reason: 'No Content',
    lines: '',
    body: '',
  });
  t.equal(fixedAnswer({ status: 205, body: '', contentType }).lines, 'Content-Length: 0\r\n');
  t.equal(fixedAnswer({ status: 299, body: '', contentType }).reason, '');
  const edits = { set: [['content-type', 'a/b']], add: [['X-A', '1']], remove: [] } as const;
  t.equal(
    fixedAnswer({ status: 404, body: '', contentType }, edits).lines,
    'Content-Length: 0\r\ncontent-type: a/b\r\nX-A: 1\r\n',
  );
});
