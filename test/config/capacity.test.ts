/** More than the data plane's tables hold is refused when the file is read. */
import t from 'tap';
import { MAX_ENDPOINTS, MAX_READ_HEADERS, MAX_VERSIONS } from '../../src/model/capacity.ts';
import { faultsOf } from './fault-cases.ts';

const services = (count: number, more: (i: number) => object): string => {
  const all = Object.fromEntries(
    Array.from({ length: count }, (_, i) => [`s${i}`, { versions: { v1: { endpoints: ['http://a:1'] } }, ...more(i) }]),
  );
  const routes = Object.keys(all).map((service) => ({ match: { host: `${service}.test` }, service }));
  return `listen: :8080\nroutes: ${JSON.stringify(routes)}\nservices: ${JSON.stringify(all)}\n`;
};

t.test('versions', async (t) => {
  t.strictSame(faultsOf(services(MAX_VERSIONS, () => ({}))), []);
  t.strictSame(faultsOf(services(MAX_VERSIONS + 1, () => ({}))), [
    '3:1: services: have 1025 versions together, more than 1024; run a second Sluice for some',
  ]);
});

t.test('endpoints', async (t) => {
  const half = MAX_ENDPOINTS / 2;
  const own = (more: number) => (i: number) => ({
    versions: { v1: { endpoints: Array.from({ length: half + (i === 0 ? more : 0) }, (_, n) => `http://e${i}-${n}`) } },
  });
  t.strictSame(faultsOf(services(2, own(0))), []);
  t.strictSame(faultsOf(services(2, own(1))), [
    '3:1: services: have 4097 endpoints together, more than 4096; run a second Sluice for some',
  ]);
});

t.test('headers that services read', async (t) => {
  const own = (i: number) => ({ override: { header: `X-Lane-${i}` } });
  t.strictSame(faultsOf(services(MAX_READ_HEADERS, own)), []);
  t.strictSame(faultsOf(services(MAX_READ_HEADERS + 1, own)), [
    '3:1: services: read or change 201 different headers with routes and flags, more than 200; share some',
  ]);
});

t.test('every place that a header is read or changed counts, once per name', async (t) => {
  const header = (name: string) => ({ header: name });
  const shop = {
    versions: { v1: { endpoints: ['http://a:1'] } },
    split: { strategy: 'hash', weights: { v1: 100 }, key: header('H1') },
    override: header('H2'),
    affinity: header('H3'),
    balance: { policy: 'maglev', key: header('H4') },
    rateLimit: { rate: 1, key: header('H5') },
    experiments: [{ name: 'e', key: header('H6'), weights: { v1: 100 } }],
  };
  const cart = {
    versions: { v1: { endpoints: ['http://a:1'] } },
    split: { strategy: 'header', header: 'H7', values: { a: 'v1' } },
    override: header('h1'),
    affinity: { cookie: 'H-cookie' },
    rateLimit: { rate: 1, key: { query: 'H-query' } },
  };
  const route = {
    match: { host: 'x.test', headers: { H8: '1' } },
    service: 'shop',
    requestHeaders: { set: { H9: '1' }, add: { H10: '1' }, remove: ['H11'] },
    responseHeaders: { set: { H12: '1' }, add: { H13: '1' }, remove: ['h13'] },
    rateLimit: { rate: 1, key: header('H14') },
    fault: { header: 'H15', delay: { by: '1s' } },
  };
  const text = (others: number): string => {
    const set = Object.fromEntries(Array.from({ length: others }, (_, i) => [`O${i}`, '1']));
    const routes = [route, { service: 'cart', requestHeaders: { set } }];
    return `listen: :1\nroutes: ${JSON.stringify(routes)}\nservices: ${JSON.stringify({ shop, cart })}\n`;
  };
  t.strictSame(faultsOf(text(MAX_READ_HEADERS - 15)), []);
  t.match(faultsOf(text(MAX_READ_HEADERS - 14)), [/read or change 201 different headers/]);
});
