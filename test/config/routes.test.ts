/** Routes: what a good one means, and what is said about faulty ones. */
import { readFileSync } from 'node:fs';
import t from 'tap';
import { parseConfig } from '../../src/control/config/load.ts';
import type { RouteConfig } from '../../src/model/route-config.ts';
import { type FaultCase, faultsOf, oneService, threeVersions } from './fault-cases.ts';

const routesOf = (text: string): readonly RouteConfig[] => parseConfig(text, 'sluice.yaml', {}).routes;

const NO_EDITS = { set: [], add: [], remove: [] };

t.test('a route with everything', async (t) => {
  const [route] = routesOf(
    threeVersions(`    lanes: { stable: v1, canary: v2 }
routes:
  - name: api
    match:
      host: Shop.Example.com
      pathPrefix: /api
      methods: [GET, POST]
      headers: { X-Beta: "1", x-region: { regex: "^(eu|us)$" }, cookie: { present: true } }
      query: { debug: "1", More: { present: false }, sort: { regex: price } }
      flags: { new-checkout: on, banner: off }
    service: shop
    version: canary
    rewrite: { path: /, host: "internal.example:81" }
    requestHeaders: { set: { X-From: sluice }, add: { X-Tag: [a, b], X-Other: "" }, remove: [Cookie] }
    responseHeaders: { remove: [Server] }
    rateLimit: { rate: 120/m, burst: 10, key: { header: X-User } }
    fault: { header: X-Chaos, delay: { by: 2s, percent: 10% }, abort: { status: 503, percent: 1.5 } }
flags: { new-checkout: on, banner: on }
`),
  );
  t.strictSame(route, {
    name: 'api',
    match: {
      host: 'shop.example.com',
      pathPrefix: '/api',
      methods: ['GET', 'POST'],
      headers: [
        { name: 'x-beta', exact: '1' },
        { name: 'x-region', regex: '^(eu|us)$' },
        { name: 'cookie', present: true },
      ],
      query: [
        { name: 'debug', exact: '1' },
        { name: 'More', present: false },
        { name: 'sort', regex: 'price' },
      ],
      flags: [
        { name: 'new-checkout', on: true },
        { name: 'banner', on: false },
      ],
    },
    service: 'shop',
    version: 'canary',
    rewrite: { path: '/', host: 'internal.example:81' },
    requestHeaders: {
      set: [['X-From', 'sluice']],
      add: [
        ['X-Tag', 'a'],
        ['X-Tag', 'b'],
        ['X-Other', ''],
      ],
      remove: ['Cookie'],
    },
    responseHeaders: { ...NO_EDITS, remove: ['Server'] },
    rateLimit: { rate: 2, burst: 10, key: { from: 'header', name: 'x-user' } },
    fault: { header: 'x-chaos', delay: { by: 2000, percent: 10 }, abort: { status: 503, percent: 1.5 } },
  });
});

t.test('defaults', async (t) => {
  const text = oneService(`routes:
  - { service: shop }
  - { match: { path: /old }, redirect: { path: /new } }
  - { match: { pathRegex: '/u/(?<id>[0-9]+)' }, redirect: { scheme: https, host: www.x, port: 444, path: '/$<id>/$1', status: 308 } }
  - { match: { path: /ping }, reply: { body: pong } }
  - { match: { path: /gone }, reply: { status: 410 } }
  - { match: { path: /slow }, service: shop, fault: { delay: { by: 1s } } }
`);
  const match = { methods: [], headers: [], query: [], flags: [] };
  const edits = { requestHeaders: NO_EDITS, responseHeaders: NO_EDITS };
  const contentType = 'text/plain; charset=utf-8';
  t.strictSame(routesOf(text), [
    { name: 'routes[0]', match: { ...match, pathPrefix: '/' }, service: 'shop', ...edits },
    { name: 'routes[1]', match: { ...match, path: '/old' }, redirect: { status: 302, path: '/new' }, ...edits },
    {
      name: 'routes[2]',
      match: { ...match, pathRegex: '/u/(?<id>[0-9]+)' },
      redirect: { status: 308, scheme: 'https', host: 'www.x', port: 444, path: '/$<id>/$1' },
      ...edits,
    },
    {
      name: 'routes[3]',
      match: { ...match, path: '/ping' },
      reply: { status: 200, body: 'pong', contentType },
      ...edits,
    },
    { name: 'routes[4]', match: { ...match, path: '/gone' }, reply: { status: 410, body: '', contentType }, ...edits },
    {
      name: 'routes[5]',
      match: { ...match, path: '/slow' },
      service: 'shop',
      ...edits,
      fault: { delay: { by: 1000, percent: 100 } },
    },
  ]);
});

/** One route in block form; its keys begin in line 6, column 5. */
const route = (keys: string): string => oneService(`routes:\n  - ${keys.trim().replaceAll('\n', '\n    ')}\n`);

/** The same with `service: shop` in line 6, so that `keys` begin in line 7. */
const toShop = (keys: string): string => route(`service: shop\n${keys.trim()}`);

const MATCHES: readonly FaultCase[] = [
  {
    name: 'an expression that does not compile',
    text: toShop('match: { pathRegex: "/(a" }'),
    faults: ['7:25: routes[0].match.pathRegex: is not a regular expression: Unterminated group'],
  },
  {
    name: 'an expression that would compile only with parentheses around it',
    text: toShop('match: { pathRegex: "/a)(b" }'),
    faults: ["7:25: routes[0].match.pathRegex: is not a regular expression: Unmatched ')'"],
  },
  {
    name: 'expressions of headers and parameters that do not compile',
    text: toShop('match: { headers: { x-a: { regex: "[" } }, query: { q: { regex: "*" } } }'),
    faults: [
      '7:39: routes[0].match.headers.x-a.regex: is not a regular expression: Unterminated character class',
      '7:69: routes[0].match.query.q.regex: is not a regular expression: Nothing to repeat',
    ],
  },
  {
    name: 'expressions that no path matches',
    text: oneService(
      'routes:\n  - { match: { pathRegex: "user" }, service: shop }\n  - { match: { pathRegex: \'\\.png\' }, service: shop }\n',
    ),
    faults: [
      '6:27: routes[0].match.pathRegex: matches no path: it is held against the whole path, which begins with "/"; write "/user" or ".*user"',
      '7:27: routes[1].match.pathRegex: matches no path: it is held against the whole path, which begins with "/"; write "/\\\\.png" or ".*\\\\.png"',
    ],
  },
  {
    name: 'two ways to give a path',
    text: toShop('match: { path: /a, pathPrefix: /b }'),
    faults: ['7:5: routes[0].match: must have at most one of path, pathPrefix and pathRegex, not path and pathPrefix'],
  },
  {
    name: 'methods',
    text: toShop('match: { methods: [get, CONNECT, PUT, PUT, "A B"] }'),
    faults: ['7:48: routes[0].match.methods[4]: must be a method in upper case such as GET, not "A B"'],
  },
  {
    name: 'methods of the right shape',
    text: toShop('match: { methods: [get, CONNECT, PUT, PUT] }'),
    faults: [
      '7:24: routes[0].match.methods[0]: methods are written in upper case; write GET',
      '7:29: routes[0].match.methods[1]: CONNECT is not implemented; remove it',
      '7:43: routes[0].match.methods[3]: PUT is there twice; remove one of the two',
    ],
  },
  {
    name: 'headers that cannot be matched',
    text: toShop('match: { headers: { Host: a, Connection: close, X-A: "1", x-a: "2" } }'),
    faults: [
      '7:25: routes[0].match.headers.Host: the host is matched by match.host',
      '7:46: routes[0].match.headers.Connection: Connection has a meaning of its own in HTTP; use another, such as X-Canary-Deploy',
      '7:63: routes[0].match.headers.x-a: x-a is there twice; remove one of the two',
    ],
  },
  {
    name: 'values that are no text',
    text: toShop('match: { headers: { x-a: 1 }, query: { q: true } }'),
    faults: [
      '7:30: routes[0].match.headers.x-a: must be a text in quotes such as "1", {regex: "…"} or {present: true}, not 1',
      '7:47: routes[0].match.query.q: must be a text in quotes such as "1", {regex: "…"} or {present: true}, not true',
    ],
  },
  {
    name: 'values that say nothing, too much, or something unknown',
    text: toShop('match: { headers: { x-a: {}, x-b: { regex: a, present: true }, x-c: { regexp: a } } }'),
    faults: [
      '7:25: routes[0].match.headers.x-a: must be a text, or have exactly one of regex and present',
      '7:34: routes[0].match.headers.x-b: must be a text, or have exactly one of regex and present',
      '7:75: routes[0].match.headers.x-c.regexp: unknown key; did you mean regex?',
    ],
  },
  {
    name: 'matches that are equal but for their order and case',
    text: oneService(`routes:
  - { match: { methods: [GET, PUT], headers: { X-A: "1", x-b: "2" } }, service: shop }
  - { match: { pathPrefix: /, methods: [PUT, GET], headers: { x-b: "2", x-a: "1" } }, service: shop }
  - { match: { methods: [GET], headers: { X-A: "1", x-b: "2" } }, service: shop }
  - { match: { path: /, methods: [GET], headers: { X-A: "1", x-b: "2" } }, service: shop }
`),
    faults: ['7:5: routes[1]: matches the same requests as routes[0]; remove one of the two'],
  },
];

const ACTIONS: readonly FaultCase[] = [
  {
    name: 'nothing to do',
    text: route('match: { path: /a }'),
    faults: ['6:5: routes[0]: must have exactly one of service, redirect and reply, not none'],
  },
  {
    name: 'a mistyped thing to do is reported once',
    text: route('servce: shop'),
    faults: ['6:5: routes[0].servce: unknown key; did you mean service?'],
  },
  {
    name: 'two things to do',
    text: toShop('reply: { body: hello }'),
    faults: ['6:5: routes[0]: must have exactly one of service, redirect and reply, not service and reply'],
  },
  {
    name: 'unknown services and versions',
    text: threeVersions(
      '    lanes: { stable: v1 }\nroutes:\n  - { match: { path: /a }, service: shpo, version: v1 }\n  - { service: shop, version: canry }\n',
    ),
    faults: [
      '10:37: routes[0].service: no service shpo; did you mean shop?',
      '11:31: routes[1].version: no version canry in shop; did you mean canary?',
    ],
  },
  {
    name: 'names that are taken',
    text: oneService('routes:\n  - { name: a, service: shop }\n  - { name: a, match: { path: /a }, service: shop }\n'),
    faults: ['7:13: routes[1].name: routes[0] is called a already; choose another name'],
  },
  {
    name: 'what has no effect without a service',
    text: route(`
reply: { body: hello }
version: v1
rewrite: { path: /a }
requestHeaders: { remove: [Cookie] }
fault: { delay: { by: 1s } }`),
    faults: [
      '7:5: routes[0].version: has no effect with reply, which asks no service; remove it',
      '8:5: routes[0].rewrite: has no effect with reply, which asks no service; remove it',
      '9:5: routes[0].requestHeaders: has no effect with reply, which asks no service; remove it',
      '10:14: routes[0].fault.delay: has no effect with reply, which asks no service; remove it',
    ],
  },
  {
    name: 'rewrites',
    text: oneService(`routes:
  - { match: { path: /a }, service: shop, rewrite: {} }
  - { match: { path: /b }, service: shop, rewrite: { path: b, host: "http://x" } }
  - { match: { path: /c }, service: shop, rewrite: { path: /c?d, host: "x:0" } }
  - { match: { pathRegex: "/(a)(?<id>b)" }, service: shop, rewrite: { path: "/$3$0$<ix>$1$<id>$2$12$$$$3$&" } }
`),
    faults: [
      '6:43: routes[0].rewrite: must have path, host or both',
      '7:60: routes[1].rewrite.path: must begin with "/"; write "/b"',
      '7:69: routes[1].rewrite.host: must be a host such as internal.example or internal.example:8080, not "http://x"',
      '8:60: routes[2].rewrite.path: must be a path as it is sent: no query, fragment, spaces or unescaped characters',
      '8:72: routes[2].rewrite.host: must be a host such as internal.example or internal.example:8080, not "x:0"',
      '9:77: routes[3].rewrite.path: $3 is not there: the expression has 2 groups',
      '9:77: routes[3].rewrite.path: $0 is no group; write $& for the whole path',
      '9:77: routes[3].rewrite.path: the expression has no group ix; write (?<ix>…) there',
    ],
  },
  {
    name: 'redirects',
    text: oneService(`routes:
  - { match: { path: /a }, redirect: {} }
  - { match: { path: /b }, redirect: { scheme: ftp, host: "www.x:81" } }
  - { match: { path: /c }, redirect: { host: "*.x", status: 305 } }
  - { match: { path: /d }, redirect: { path: /x, status: 200, port: 0 } }
`),
    faults: [
      '6:28: routes[0].redirect: must say where to: scheme, host, port or path',
      '7:48: routes[1].redirect.scheme: no scheme ftp; there are: http, https',
      '8:46: routes[2].redirect.host: must be a host without a port such as www.example.com, not "*.x"',
      '8:61: routes[2].redirect.status: must be 301, 302, 303, 307 or 308, not 305',
      '9:58: routes[3].redirect.status: must be a status from 301 to 308, not 200',
      '9:69: routes[3].redirect.port: must be a port from 1 to 65535, not 0',
    ],
  },
  {
    name: 'a redirect to a host with a port',
    text: route('redirect: { host: "www.x:81" }'),
    faults: [
      '6:23: routes[0].redirect.host: must be a host without a port such as www.example.com, and port: 81 beside it',
    ],
  },
  {
    name: 'replies',
    text: oneService(`routes:
  - { match: { path: /a }, reply: { status: 204, body: x } }
  - { match: { path: /b }, reply: { status: 100 } }
  - { match: { path: /c }, reply: { contentType: "a/b\\r\\nX: y" } }
  - { match: { path: /d }, reply: { body: "${'x'.repeat(65_537)}" } }
`),
    faults: [
      '6:56: routes[0].reply.body: an answer of 204 has no body; remove it, or use another status',
      '7:45: routes[1].reply.status: must be a status from 200 to 599, not 100',
      '8:50: routes[2].reply.contentType: must be one line without control characters',
      '9:43: routes[3].reply.body: is longer than 64 KiB',
    ],
  },
  {
    name: 'faults on purpose that say nothing, or too much',
    text: oneService(`routes:
  - { match: { path: /a }, service: shop, fault: { header: X-Chaos } }
  - { match: { path: /b }, service: shop, fault: { header: Host, delay: { by: 2h }, abort: { status: 503, percent: 101% } } }
  - { match: { path: /c }, service: shop, fault: { delay: { percent: 1% }, abort: { status: 200 } } }
`),
    faults: [
      '6:43: routes[0].fault: must have delay, abort or both',
      '7:60: routes[1].fault.header: Host has a meaning of its own in HTTP; use another, such as X-Canary-Deploy',
      '7:79: routes[1].fault.delay.by: must be from 1ms to 1h, not "2h"',
      '7:116: routes[1].fault.abort.percent: must be from 0 to 100, not "101%"',
      '8:52: routes[2].fault.delay: by is missing; add it',
      '8:93: routes[2].fault.abort.status: must be a status from 400 to 599, not 200',
    ],
  },
];

const EDITS: readonly FaultCase[] = [
  {
    name: 'edits of what frames the message, or is written by Sluice',
    text: toShop(`
requestHeaders:
  set: { Host: a, Content-Length: "1", X-Forwarded-For: a }
  add: { Transfer-Encoding: chunked, via: a }
  remove: [connection, X-Request-Id, TE]
responseHeaders:
  set: { Host: a, Date: a }
  remove: [Content-Length, Upgrade]`),
    faults: [
      '8:14: routes[0].requestHeaders.set.Host: the host is changed by rewrite.host; use that',
      '8:23: routes[0].requestHeaders.set.Content-Length: Content-Length frames the message or belongs to its connection; remove it here',
      '8:44: routes[0].requestHeaders.set.X-Forwarded-For: X-Forwarded-For is written by Sluice itself; remove it here',
      '9:14: routes[0].requestHeaders.add.Transfer-Encoding: Transfer-Encoding frames the message or belongs to its connection; remove it here',
      '9:42: routes[0].requestHeaders.add.via: via is written by Sluice itself; remove it here',
      '10:16: routes[0].requestHeaders.remove[0]: connection frames the message or belongs to its connection; remove it here',
      '10:28: routes[0].requestHeaders.remove[1]: X-Request-Id is written by Sluice itself; remove it here',
      '10:42: routes[0].requestHeaders.remove[2]: TE frames the message or belongs to its connection; remove it here',
      '12:23: routes[0].responseHeaders.set.Date: Date is written by Sluice itself; remove it here',
      '13:16: routes[0].responseHeaders.remove[0]: Content-Length frames the message or belongs to its connection; remove it here',
      '13:32: routes[0].responseHeaders.remove[1]: Upgrade frames the message or belongs to its connection; remove it here',
    ],
  },
  {
    name: 'values that are more than one line, or no ASCII',
    text: toShop(`
requestHeaders:
  set: { X-A: "a\\r\\nX-B: c", X-C: grün, x-a: "\\0" }
  add: { X-D: [ ok, "a\\x7f" ] }`),
    faults: [
      '8:19: routes[0].requestHeaders.set.X-A: must be one line without control characters',
      '8:39: routes[0].requestHeaders.set.X-C: must be ASCII; encode other characters, for example by percent signs',
      '8:45: routes[0].requestHeaders.set.x-a: x-a is set twice; remove one of the two',
      '8:50: routes[0].requestHeaders.set.x-a: must be one line without control characters',
      '9:25: routes[0].requestHeaders.add.X-D[1]: must be one line without control characters',
    ],
  },
  {
    name: 'names and values of the wrong shape',
    text: toShop('requestHeaders: { set: { "X A": b, X-B: 1 }, remove: ["X:"] }'),
    faults: [
      '7:30: routes[0].requestHeaders.set["X A"]: must be a header name such as X-Beta',
      '7:45: routes[0].requestHeaders.set.X-B: must be a text; numbers and flags want quotes, not 1',
      '7:59: routes[0].requestHeaders.remove[0]: must be a header name such as X-Canary-Deploy, not "X:"',
    ],
  },
];

for (const { name, text, faults } of [...MATCHES, ...ACTIONS, ...EDITS]) {
  t.test(name, async (t) => {
    t.strictSame(faultsOf(text), faults);
  });
}

t.test('the examples of the page on routing are good', async (t) => {
  const page = readFileSync(new URL('../../docs/routing.md', import.meta.url), 'utf8');
  const [whole = '', ...parts] = [...page.matchAll(/^```yaml\n(.*?)^```$/gms)].map(([, example]) => example ?? '');
  t.strictSame(faultsOf(whole), []);
  t.equal(parts.length, 1);
  for (const part of parts) t.strictSame(faultsOf(whole + part), []);
});
