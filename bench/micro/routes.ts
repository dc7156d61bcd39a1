/**
 * Finding the route of a request among 1 and among 10,000, by host, path, prefix, expression and predicates; and what a route then does to
 * the request. The last of the 10,000 is asked for.
 */
import type { RouteConfig, RouteMatch } from '../../src/model/route-config.ts';
import { FieldNames } from '../../src/proxy/http1/field-names.ts';
import { RequestHead } from '../../src/proxy/http1/request-head.ts';
import { HeaderEditor } from '../../src/proxy/route/header-edits.ts';
import { compileRewrite } from '../../src/proxy/route/rewrite.ts';
import { editedHeaders, RouteTable, routeHeaders } from '../../src/proxy/route/route-table.ts';
import { type MicroBenchmark, report } from './harness.ts';
import { CLIENT, LIMITS } from './samples.ts';

const MANY = 10_000;
const NO_EDITS = { set: [], add: [], remove: [] };

const routeOf = (match: Partial<RouteMatch>): RouteConfig => ({
  name: 'route',
  match: { methods: [], headers: [], query: [], flags: [], ...match },
  service: 'shop',
  requestHeaders: NO_EDITS,
  responseHeaders: NO_EDITS,
});

const request = (target: string, host: string): Buffer =>
  Buffer.from(`GET ${target} HTTP/1.1\r\nHost: ${host}\r\nX-Beta: 1\r\nX-Region: eu\r\n\r\n`);

const parsed = (names: FieldNames, bytes: Buffer): RequestHead => {
  const head = new RequestHead(LIMITS, names);
  head.parse(bytes, 0, bytes.length);
  return head;
};

function lookup(name: string, matches: readonly Partial<RouteMatch>[], target: string, host: string): MicroBenchmark {
  const routes = matches.map(routeOf);
  const names = new FieldNames(routeHeaders(routes));
  const table = new RouteTable(routes, names, (_, index) => index, null);
  const head = parsed(names, request(target, host));
  if (table.match(head, CLIENT) !== routes.length - 1) console.error(`${name}: another route was found`);
  return { name: `routes: ${name}`, run: () => table.match(head, CLIENT) };
}

const numbered = (count: number, match: (i: number) => Partial<RouteMatch>): Partial<RouteMatch>[] =>
  Array.from({ length: count }, (_, i) => match(i));

const host = 'shop.example.com';
const hosts = (i: number): Partial<RouteMatch> => ({ host: `host-${i}.example.com`, pathPrefix: '/' });
const wildcards = (i: number): Partial<RouteMatch> => ({ host: `*.host-${i}.example.com`, pathPrefix: '/' });
const exact = (i: number): Partial<RouteMatch> => ({ host, path: `/products/${i}/details` });
const prefixes = (i: number): Partial<RouteMatch> => ({ host, pathPrefix: `/products/${i}` });
const regexes = (i: number): Partial<RouteMatch> => ({ host, pathRegex: `/products/${i}/v\\d+/.*` });
const predicates = (i: number): Partial<RouteMatch> => ({
  host,
  pathPrefix: `/products/${i}`,
  methods: ['GET', 'HEAD'],
  headers: [
    { name: 'x-beta', exact: '1' },
    { name: 'x-region', regex: '^(eu|us)$' },
  ],
});
const queries = (i: number): Partial<RouteMatch> => ({
  host,
  pathPrefix: `/products/${i}`,
  query: [{ name: 'sort', exact: 'price' }],
});

const benchmarks: MicroBenchmark[] = [];
for (const count of [1, MANY]) {
  const last = count - 1;
  const many = count.toLocaleString('en');
  benchmarks.push(
    lookup(`${many} hosts`, numbered(count, hosts), '/a/b', `host-${last}.example.com:8080`),
    lookup(`${many} wildcard hosts`, numbered(count, wildcards), '/a/b', `www.host-${last}.example.com`),
    lookup(`${many} exact paths`, numbered(count, exact), `/products/${last}/details?page=2`, host),
    lookup(`${many} prefixes`, numbered(count, prefixes), `/products/${last}/details`, host),
    lookup(`${many} expressions`, numbered(count, regexes), `/products/${last}/v2/details`, host),
    lookup(`${many} prefixes, method and 2 headers`, numbered(count, predicates), `/products/${last}/a`, host),
    lookup(
      `${many} prefixes, 1 query parameter`,
      numbered(count, queries),
      `/products/${last}/a?page=2&sort=price`,
      host,
    ),
  );
}

const edits = { set: [['X-Region', 'us']], add: [['X-Edited', '1']], remove: ['X-Beta', 'Cookie'] } as const;
const edited = { ...routeOf({ host, pathPrefix: '/products' }), requestHeaders: edits, rewrite: { path: '/' } };
const names = new FieldNames(editedHeaders([edited]));
const editor = new HeaderEditor(edits, names);
const rewrite = compileRewrite(edited)!;
const bytes = request('/products/7/details?page=2', host);
const head = parsed(names, bytes);
const { target } = head;
benchmarks.push(
  { name: 'routes: rewrite of a prefix', run: () => rewrite.apply(target) },
  // An edit takes the fields away, so there is nothing left to edit in a head that is not parsed anew.
  { name: 'routes: parsing, without edits', run: () => head.parse(bytes, 0, bytes.length) },
  {
    name: 'routes: parsing and 3 header edits',
    run: () => {
      head.parse(bytes, 0, bytes.length);
      return editor.apply(head, names);
    },
  },
);

report(benchmarks);
