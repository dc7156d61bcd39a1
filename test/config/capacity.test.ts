/** More than the data plane's tables hold is refused when the file is read. */
import t from 'tap';
import { MAX_READ_HEADERS, MAX_VERSIONS } from '../../src/model/capacity.ts';
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

t.test('override headers', async (t) => {
  const own = (i: number) => ({ override: { header: `X-Lane-${i}` } });
  t.strictSame(faultsOf(services(MAX_READ_HEADERS, own)), []);
  t.strictSame(faultsOf(services(MAX_READ_HEADERS + 1, own)), [
    '3:1: services: read 201 different override headers, more than 200; share some',
  ]);
});
