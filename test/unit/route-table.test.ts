import t from 'tap';
import type { RouteConfig } from '../../src/model/route-config.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { editedHeaders, RouteTable, routeHeaders } from '../../src/proxy/route/route-table.ts';
import { BEHIND_PROXY, DIRECT } from '../kit/request-head.ts';
import { namesFor, requests, routeOf } from './route-requests.ts';

type Ask = (line: string, host?: string, ...fields: string[]) => string | null;

/** Asks a table of routes, each of which answers its name. */
function asking(routes: Record<string, Parameters<typeof routeOf>[0]>, trusted = false): Ask {
  const list = Object.entries(routes).map(([name, match]) => routeOf(match, { name }));
  const names = namesFor(list);
  const table = new RouteTable(list, names, (route) => route.name, null);
  const request = requests(names);
  return (line, host, ...fields) => table.match(request(line, host, ...fields), trusted ? BEHIND_PROXY : DIRECT);
}

t.test('hosts and prefixes', async (t) => {
  const ask = asking({
    any: { pathPrefix: '/' },
    static: { pathPrefix: '/static/' },
    shop: { host: 'shop.example.com', pathPrefix: '/' },
    api: { host: 'shop.example.com', pathPrefix: '/api' },
    api2: { host: 'shop.example.com', pathPrefix: '/api/v2' },
    apis: { host: 'shop.example.com', pathPrefix: '/apis' },
    slash: { host: 'shop.example.com', pathPrefix: '/s/' },
    wild: { host: '*.example.com', pathPrefix: '/wild' },
    eu: { host: '*.eu.example.com', pathPrefix: '/' },
    six: { host: '[2001:db8::1]', pathPrefix: '/' },
  });
  const cases: [authority: string, target: string, route: string][] = [
    ['shop.example.com', '/', 'shop'],
    ['SHOP.example.com:8080', '/cart', 'shop'],
    ['shop.example.com.', '/cart', 'shop'],
    ['shop.example.com', '/api', 'api'],
    ['shop.example.com', '/api?x=1', 'api'],
    ['shop.example.com', '/api/', 'api'],
    ['shop.example.com', '/api/v1', 'api'],
    ['shop.example.com', '/api/v2/x', 'api2'],
    ['shop.example.com', '/api/v2x', 'api'],
    ['shop.example.com', '/api?/v2', 'api'],
    ['shop.example.com', '/apix', 'shop'],
    ['shop.example.com', '/apis', 'apis'],
    ['shop.example.com', '/s', 'shop'],
    ['shop.example.com', '/s/', 'slash'],
    ['shop.example.com', '/s/x', 'slash'],
    ['shop.example.com', '/API', 'shop'],
    ['shop.example.com', '/%61pi', 'shop'],
    ['shop.example.com', '//api', 'shop'],
    ['other.example.com', '/wild/x', 'wild'],
    ['other.example.com', '/x', 'any'],
    ['a.b.example.com', '/wild', 'wild'],
    ['a.eu.example.com', '/wild', 'eu'],
    ['eu.example.com', '/wild', 'wild'],
    ['example.com', '/wild', 'any'],
    ['.example.com', '/wild', 'any'],
    ['[2001:db8::1]:80', '/static/a.css', 'six'],
    ['[2001:db8::2]:80', '/static/a.css', 'static'],
    ['', '/static', 'any'],
  ];
  for (const [authority, target, route] of cases) {
    t.equal(ask(`GET ${target}`, authority), route, `${authority} ${target} → ${route}`);
  }
  t.equal(ask('OPTIONS *'), 'shop', 'a target that names no path');
  t.equal(ask('GET http://a.eu.example.com/wild', 'shop.example.com'), 'eu', 'the authority of an absolute target');
});

t.test('exact path before expression before prefix', async (t) => {
  const ask = asking({
    prefix: { pathPrefix: '/user/' },
    exact: { path: '/user/me' },
    number: { pathRegex: '/user/\\d+' },
    word: { pathRegex: '^/user/[a-z]+$' },
    any: { pathRegex: '.*\\.png' },
    either: { pathRegex: '/left|/right/\\d' },
  });
  t.equal(ask('GET /user/me'), 'exact');
  t.equal(ask('GET /user/me?x'), 'exact');
  t.equal(ask('GET /user/7'), 'number');
  t.equal(ask('GET /user/seven?8'), 'word');
  t.equal(ask('GET /user/7/'), 'prefix', 'an expression is held against the whole path');
  t.equal(ask('GET /user/a.png'), 'any', 'an expression without a literal beginning');
  t.equal(ask('GET /a/user/7'), null);
  t.equal(ask('GET /left'), 'either', 'alternatives');
  t.equal(ask('GET /right/1'), 'either', 'alternatives');
  t.equal(ask('GET /left/1'), null, 'both ends hold for each alternative');
  t.equal(ask('OPTIONS *'), null, 'expressions are for paths');
});

t.test('among expressions the rank decides, not how they were found', async (t) => {
  const ask = asking({
    short: { pathRegex: '/a.*' },
    long: { pathRegex: '/abc/.*' },
    post: { pathRegex: '.*', methods: ['POST'] },
  });
  t.equal(ask('GET /abc/d'), 'short', 'earlier in the file');
  t.equal(ask('POST /abc/d'), 'post', 'methods given');
});

t.test('methods, then headers, then query, then place in the file', async (t) => {
  const beta = { name: 'x-beta', exact: '1' };
  const gamma = { name: 'x-gamma', present: true };
  const debug = { name: 'debug', exact: '1' };
  const ask = asking({
    plain: {},
    query: { query: [debug] },
    queries: { query: [debug, { name: 'more', present: true }] },
    header: { headers: [beta] },
    headers: { headers: [beta, gamma] },
    get: { methods: ['GET', 'HEAD'] },
    later: { methods: ['GET'] },
  });
  t.equal(ask('GET /?debug=1', 'a', 'X-Beta: 1', 'X-Gamma: 1'), 'get');
  t.equal(ask('POST /?debug=1', 'a', 'X-Beta: 1', 'X-Gamma: 1'), 'headers');
  t.equal(ask('POST /?debug=1', 'a', 'X-Beta: 1'), 'header');
  t.equal(ask('POST /?debug=1&more', 'a', 'X-Beta: 2'), 'queries');
  t.equal(ask('POST /?debug=1', 'a'), 'query');
  t.equal(ask('POST /', 'a'), 'plain');
});

t.test('what no route of the most specific host takes, the next is asked for', async (t) => {
  const ask = asking({
    exact: { host: 'a.example.com', path: '/x', methods: ['POST'] },
    wild: { host: '*.example.com', pathPrefix: '/x', headers: [{ name: 'x-beta', present: true }] },
    any: { pathPrefix: '/x' },
  });
  t.equal(ask('POST /x', 'a.example.com'), 'exact');
  t.equal(ask('GET /x', 'a.example.com', 'X-Beta: 1'), 'wild');
  t.equal(ask('GET /x', 'a.example.com'), 'any');
  t.equal(ask('GET /y', 'a.example.com'), null);
});

t.test('header predicates', async (t) => {
  const predicates = (header: object): Ask => asking({ yes: { headers: [{ name: 'x-a', ...header }] }, no: {} });
  const exact = predicates({ exact: 'one' });
  t.equal(exact('GET /', 'h', 'X-A: one'), 'yes');
  t.equal(exact('GET /', 'h', 'x-a:one '), 'yes', 'names in any case, values without the space around them');
  t.equal(exact('GET /', 'h', 'X-A: One'), 'no');
  t.equal(exact('GET /', 'h', 'X-A: two', 'X-A: one'), 'no', 'the first line counts');
  t.equal(exact('GET /', 'h'), 'no');
  const regex = predicates({ regex: 'o+$' });
  t.equal(regex('GET /', 'h', 'X-A: foo'), 'yes', 'found somewhere in the value');
  t.equal(regex('GET /', 'h', 'X-A: of'), 'no');
  t.equal(regex('GET /', 'h'), 'no');
  const present = predicates({ present: true });
  t.equal(present('GET /', 'h', 'X-A:'), 'yes', 'empty is there');
  t.equal(present('GET /', 'h'), 'no');
  const absent = predicates({ present: false });
  t.equal(absent('GET /', 'h', 'X-A:'), 'no');
  t.equal(absent('GET /', 'h'), 'yes');
  const beyond = predicates({ exact: 'grün' });
  t.equal(beyond('GET /', 'h', 'X-A: grün'), 'yes', 'UTF-8 on the wire');
  const cookie = asking({ yes: { headers: [{ name: 'cookie', regex: 'b=2' }] }, no: {} });
  t.equal(cookie('GET /', 'h', 'Cookie: a=1', 'Cookie: b=2'), 'yes', 'several lines are one value');
});

t.test('claims of a client that is not trusted count as absent', async (t) => {
  for (const name of ['x-forwarded-for', 'x-forwarded-port', 'forwarded', 'x-real-ip', 'x-request-id']) {
    const routes = { yes: { headers: [{ name, exact: 'a' }] }, no: {} };
    t.equal(asking(routes)('GET /', 'h', `${name}: a`), 'no', `${name} of anybody`);
    t.equal(asking(routes, true)('GET /', 'h', `${name}: a`), 'yes', `${name} of a trusted proxy`);
    const absent = { yes: { headers: [{ name, present: false }] }, no: {} };
    t.equal(asking(absent)('GET /', 'h', `${name}: a`), 'yes', `no ${name}`);
  }
});

t.test('query predicates', async (t) => {
  const predicates = (parameter: object): Ask => asking({ yes: { query: [{ name: 'a b', ...parameter }] }, no: {} });
  const exact = predicates({ exact: 'x y' });
  t.equal(exact('GET /?a+b=x%20y'), 'yes');
  t.equal(exact('GET /?z=1&a%20b=x+y&a+b=0'), 'yes', 'the first of the name');
  t.equal(exact('GET /?a+b=0&a+b=x+y'), 'no', 'the first of the name');
  t.equal(exact('GET /'), 'no');
  t.equal(predicates({ exact: 'x%zz' })('GET /?a+b=x%zz'), 'yes', 'a malformed escape is what it is');
  t.equal(predicates({ exact: 'ü' })('GET /?a+b=%C3%BC'), 'yes', 'UTF-8');
  t.equal(predicates({ present: true })('GET /?a+b'), 'yes');
  t.equal(predicates({ present: false })('GET /?a'), 'yes');
  t.equal(predicates({ regex: '^x' })('GET /?a+b=ax'), 'no');
});

t.test('no route matches', async (t) => {
  const list = [routeOf({ host: 'a.test', pathPrefix: '/x' }, { name: 'x' })];
  const table = new RouteTable(list, namesFor(list), (route) => route.name, 'fallback');
  const request = requests(namesFor(list));
  t.equal(table.match(request('GET /x', 'b.test'), DIRECT), null);
  t.equal(table.match(request('GET /y', 'a.test'), DIRECT), null);
  t.equal(table.match(request('GET /x', 'a.test'), DIRECT), 'x');
});

t.test('without routes the only service takes everything', async (t) => {
  const names = new FieldNames();
  const table = new RouteTable<string>([], names, () => 'never', 'shop');
  t.equal(table.match(requests(names)('OPTIONS *', 'anything.test'), DIRECT), 'shop');
});

t.test('targets are asked for once per route, in order', async (t) => {
  const list = [routeOf({ path: '/a' }), routeOf({ path: '/b', methods: ['GET'] })];
  const seen: [RouteConfig, number][] = [];
  new RouteTable(list, namesFor(list), (route, index) => seen.push([route, index]), null);
  t.strictSame(seen, [
    [list[0], 0],
    [list[1], 1],
  ]);
});

t.test('the headers that routes need numbered', async (t) => {
  const edits = { set: [['X-Set', '1']], add: [['X-Add', '1']], remove: ['X-Gone'] } as const;
  const list = [
    routeOf({ headers: [{ name: 'x-beta', present: true }] }, { responseHeaders: edits }),
    routeOf({ headers: [{ name: 'x-forwarded-port', present: true }] }),
    routeOf(
      {},
      { rateLimit: { rate: 1, burst: 1, key: { from: 'header', name: 'x-user' } }, fault: { header: 'x-chaos' } },
    ),
  ];
  t.strictSame(routeHeaders(list).sort(), ['x-beta', 'x-chaos', 'x-forwarded-port', 'x-user'], 'read');
  t.strictSame(editedHeaders(list).sort(), ['x-gone', 'x-set'], 'edited');
});

t.test('headers with the names that every object has', async (t) => {
  for (const name of ['constructor', '__proto__', 'tostring']) {
    const routes = [routeOf({ headers: [{ name, exact: '1' }] })];
    const names = namesFor(routes);
    const table = new RouteTable(routes, names, () => 'found', null);
    t.equal(table.match(requests(names)('GET /', 'h', `${name}: 1`), DIRECT), 'found', name);
    t.equal(table.match(requests(names)('GET /', 'h', 'x-other: 1'), DIRECT), null, name);
  }
});
