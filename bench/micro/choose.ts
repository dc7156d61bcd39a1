/** The routing decision: route table and smooth weighted split, with few and with many routes and items. */
import type { RouteConfig } from '../../src/model/route-config.ts';
import { SmoothWeighted } from '../../src/proxy/balance/smooth-weighted.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { RouteTable } from '../../src/proxy/route/route-table.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { report } from './harness.ts';
import { CLIENT, LIMITS, NAMES } from './samples.ts';

const NO_EDITS = { set: [], add: [], remove: [] };

const table = (count: number): RouteTable<string> => {
  const routes = Array.from({ length: count }, (_, i): RouteConfig => {
    const match = { host: `host-${i}.example.com`, pathPrefix: '/', methods: [], headers: [], query: [], flags: [] };
    return { name: `route-${i}`, match, service: 'shop', requestHeaders: NO_EDITS, responseHeaders: NO_EDITS };
  });
  return new RouteTable(routes, NAMES, (route) => route.service!, null);
};
const requestFor = (host: string): RequestHead => {
  const head = new RequestHead(LIMITS, NAMES);
  const bytes = Buffer.from(`GET /a/b HTTP/1.1\r\nHost: ${host}:8080\r\n\r\n`);
  head.parse(bytes, 0, bytes.length);
  return head;
};
const random = new SeededRandom(1);
const one = table(1);
const many = table(10_000);
const first = requestFor('host-0.example.com');
const last = requestFor('host-9999.example.com');
const pair = new SmoothWeighted([9_000, 1_000], random);
const endpoints = new SmoothWeighted(new Array<number>(100).fill(1), random);

report([
  { name: 'choose: 1 route', run: () => one.match(first, CLIENT) },
  { name: 'choose: 10,000 routes', run: () => many.match(last, CLIENT) },
  { name: 'choose: 2 versions', run: () => pair.pick() },
  { name: 'choose: 100 endpoints', run: () => endpoints.pick() },
]);
