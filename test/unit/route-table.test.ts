import t from 'tap';
import { RouteTable } from '../../src/proxy/route/route-table.ts';

const table = new RouteTable(
  [
    { match: { pathPrefix: '/' }, service: 'any' },
    { match: { pathPrefix: '/static/' }, service: 'static' },
    { match: { host: 'shop.example.com', pathPrefix: '/' }, service: 'shop' },
    { match: { host: 'shop.example.com', pathPrefix: '/api' }, service: 'api' },
    { match: { host: 'shop.example.com', pathPrefix: '/api/v2' }, service: 'api2' },
    { match: { host: '*.example.com', pathPrefix: '/wild' }, service: 'wild' },
    { match: { host: '*.eu.example.com', pathPrefix: '/' }, service: 'eu' },
  ],
  (service) => service,
  null,
);

const cases: [authority: string, target: string, service: string][] = [
  ['shop.example.com', '/', 'shop'],
  ['SHOP.example.com:8080', '/cart', 'shop'],
  ['shop.example.com.', '/cart', 'shop'],
  ['shop.example.com', '/api', 'api'],
  ['shop.example.com', '/api?x=1', 'api'],
  ['shop.example.com', '/api/v1', 'api'],
  ['shop.example.com', '/api/v2/x', 'api2'],
  ['shop.example.com', '/apix', 'shop'],
  ['shop.example.com', '*', 'shop'],
  ['other.example.com', '/wild/x', 'wild'],
  ['other.example.com', '/x', 'any'],
  ['a.b.example.com', '/wild', 'wild'],
  ['a.eu.example.com', '/wild', 'eu'],
  ['example.com', '/wild', 'any'],
  ['[2001:db8::1]:80', '/static/a.css', 'static'],
  ['', '/static', 'any'],
];

for (const [authority, target, service] of cases) {
  t.equal(table.match(authority, target), service, `${authority} ${target} → ${service}`);
}

t.test('no route matches', async (t) => {
  const only = new RouteTable([{ match: { host: 'a.test', pathPrefix: '/x' }, service: 's' }], (s) => s, 'fallback');
  t.equal(only.match('b.test', '/x'), null);
  t.equal(only.match('a.test', '/y'), null);
  t.equal(only.match('a.test', '/x'), 's');
});

t.test('without routes the only service takes everything', async (t) => {
  const none = new RouteTable<string>([], (service) => service, 'shop');
  t.equal(none.match('anything.test', '*'), 'shop');
});
