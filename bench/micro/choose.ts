/** The routing decision: route table and smooth weighted split, with few and with many routes and items. */
import type { RouteConfig } from '../../src/model/config.ts';
import { SmoothWeighted } from '../../src/proxy/balance/smooth-weighted.ts';
import { RouteTable } from '../../src/proxy/route/route-table.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { report } from './harness.ts';

const table = (count: number): RouteTable<string> => {
  const routes: RouteConfig[] = [];
  for (let i = 0; i < count; i++) {
    routes.push({ match: { host: `host-${i}.example.com`, pathPrefix: '/' }, service: 'shop' });
  }
  return new RouteTable(routes, (service) => service, null);
};
const random = new SeededRandom(1);
const one = table(1);
const many = table(10_000);
const pair = new SmoothWeighted([9_000, 1_000], random);
const endpoints = new SmoothWeighted(new Array<number>(100).fill(1), random);

report([
  { name: 'choose: 1 route', run: () => one.match('host-0.example.com:8080', '/a/b') },
  { name: 'choose: 10,000 routes', run: () => many.match('host-9999.example.com:8080', '/a/b') },
  { name: 'choose: 2 versions', run: () => pair.pick() },
  { name: 'choose: 100 endpoints', run: () => endpoints.pick() },
]);
