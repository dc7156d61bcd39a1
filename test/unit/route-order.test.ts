/**
 * The table against a reference that is too simple to be wrong: sort all routes by the documented order, take the first that matches. Sets
 * of routes and requests are drawn from few words, so that they overlap in every way.
 */
import t from 'tap';
import type { RouteConfig, RouteMatch, ValueMatch } from '../../src/model/route-config.ts';
import { FlagSet } from '../../src/proxy/route/flags.ts';
import { literalPrefix } from '../../src/proxy/route/route-pattern.ts';
import { RouteTable } from '../../src/proxy/route/route-table.ts';
import { SeededRandom } from '../../src/runtime/random.ts';
import { DIRECT } from '../kit/request-head.ts';
import { namesFor, requests, routeOf } from './route-requests.ts';

const SETS = 400;
const REQUESTS = 40;

const dice = new SeededRandom(20_261_121);
const below = (n: number): number => Math.floor(dice.next() * n);
const pick = <T>(list: readonly T[]): T => list[below(list.length)]!;
const some = <T>(list: readonly T[], share: number): T[] => list.filter(() => dice.next() < share);

const HOSTS = ['a.test', 'b.a.test', 'c.b.a.test', 'd.test'];
const ROUTE_HOSTS = [undefined, ...HOSTS, '*.test', '*.a.test', '*.b.a.test'];
const PATHS = ['/', '/a', '/a/', '/a/b', '/ab', '/a/b/c', '/ab/c', '/a/7', '/b', '//a', '/abc'];
const PATTERNS = [
  '/a.*',
  '/a/\\d+',
  '^/a/b$',
  '/(a|b)',
  '/a|/b',
  '.*b.*',
  '/ab?c?',
  '/a\\/b.*',
  '/ab{1,2}c',
  '/[ab].*',
];
const METHODS = ['GET', 'POST', 'PUT'];
const FLAGS = [
  { name: 'on', share: 10_000, key: null, header: null },
  { name: 'off', share: 0, key: null, header: null },
];

interface Request {
  readonly method: string;
  readonly host: string;
  readonly path: string;
  readonly headers: Readonly<Record<string, string>>;
  readonly query: Readonly<Record<string, string>>;
}

function randomValue(name: string): ValueMatch {
  const kind = below(4);
  if (kind === 0) return { name, exact: pick(['1', '2']) };
  if (kind === 1) return { name, regex: pick(['^1', '[12]', '2$']) };
  return { name, present: kind === 2 };
}

function randomRoute(index: number): RouteConfig {
  const host = pick(ROUTE_HOSTS);
  const kind = below(3);
  const path =
    kind === 0 ? { path: pick(PATHS) } : kind === 1 ? { pathRegex: pick(PATTERNS) } : { pathPrefix: pick(PATHS) };
  const match: Partial<RouteMatch> = {
    ...(host === undefined ? {} : { host }),
    ...path,
    methods: dice.next() < 0.6 ? [] : some(METHODS, 0.5),
    headers: some(['x-one', 'x-two', 'x-three'], 0.2).map(randomValue),
    query: some(['p', 'q'], 0.2).map(randomValue),
    flags: some(['on', 'off'], 0.2).map((name) => ({ name, on: dice.next() < 0.8 === (name === 'on') })),
  };
  return routeOf(match, { name: `route ${index}` });
}

function randomRequest(): Request {
  const values = (names: readonly string[]): Record<string, string> =>
    Object.fromEntries(some(names, 0.5).map((name) => [name, pick(['1', '2', '12'])]));
  return {
    method: pick(METHODS),
    host: pick([...HOSTS, 'e.test', 'other']),
    path: pick([...PATHS, '/a/7/x', '/x', '/abbc', '/ba']),
    headers: values(['x-one', 'x-two', 'x-three']),
    query: values(['p', 'q']),
  };
}

function hostClass(host: string | undefined): number {
  if (host === undefined) return 0;
  return host.startsWith('*') ? host.length : 1_000;
}

function pathClass(match: RouteMatch): number {
  if (match.path !== undefined) return 2_000;
  return match.pathRegex !== undefined ? 1_000 : match.pathPrefix!.length;
}

/** Higher goes first, and the first difference decides. */
const places = ({ match }: RouteConfig): number[] => [
  hostClass(match.host),
  pathClass(match),
  match.methods.length > 0 ? 1 : 0,
  match.headers.length + match.flags.length,
  match.query.length,
];

function precedence(a: RouteConfig, b: RouteConfig): number {
  const [left, right] = [places(a), places(b)];
  const place = left.findIndex((value, i) => value !== right[i]);
  return place < 0 ? 0 : right[place]! - left[place]!;
}

function valueHolds(match: ValueMatch, values: Readonly<Record<string, string>>): boolean {
  const value = values[match.name];
  if (match.present !== undefined) return match.present === (value !== undefined);
  if (value === undefined) return false;
  return match.exact === undefined ? new RegExp(match.regex!).test(value) : match.exact === value;
}

function matches({ match }: RouteConfig, request: Request): boolean {
  const { host, path, pathPrefix, pathRegex, methods, headers, query, flags } = match;
  if (host?.startsWith('*') && !request.host.endsWith(host.slice(1))) return false;
  if (host !== undefined && !host.startsWith('*') && host !== request.host) return false;
  if (path !== undefined && path !== request.path) return false;
  if (pathRegex !== undefined && new RegExp(`^(?:${pathRegex})$`).exec(request.path) === null) return false;
  if (pathPrefix !== undefined) {
    const whole = pathPrefix.endsWith('/') ? pathPrefix : `${pathPrefix}/`;
    if (request.path !== pathPrefix && !request.path.startsWith(whole)) return false;
  }
  if (methods.length > 0 && !methods.includes(request.method)) return false;
  if (flags.some(({ name, on }) => (name === 'on') !== on)) return false;
  return (
    headers.every((one) => valueHolds(one, request.headers)) && query.every((one) => valueHolds(one, request.query))
  );
}

t.test('the table finds what the documented order says', async (t) => {
  let found = 0;
  const differences: unknown[] = [];
  for (let set = 0; set < SETS; set++) {
    const routes = Array.from({ length: 1 + below(40) }, (_, index) => randomRoute(index));
    const names = namesFor(routes);
    const flags = new FlagSet(FLAGS, names, () => false);
    const table = new RouteTable(routes, names, (route) => route, null, flags);
    const parse = requests(names);
    const ordered = routes.toSorted(precedence);
    for (let i = 0; i < REQUESTS; i++) {
      const request = randomRequest();
      const query = new URLSearchParams(request.query).toString();
      const line = `${request.method} ${request.path}${query === '' ? '' : `?${query}`}`;
      const fields = Object.entries(request.headers).map(([name, value]) => `${name}: ${value}`);
      const expected = ordered.find((route) => matches(route, request)) ?? null;
      const actual = table.match(parse(line, request.host, ...fields), DIRECT);
      if (expected !== null) found++;
      if (actual !== expected) differences.push({ request, expected, actual });
    }
  }
  t.strictSame(differences.slice(0, 3), []);
  t.ok(found > (SETS * REQUESTS) / 4, `${found} of ${SETS * REQUESTS} requests had a route`);
});

t.test('a literal prefix is one of every path that the expression takes', async (t) => {
  const cases: [source: string, prefix: string][] = [
    ['/user/\\d+', '/user/'],
    ['^/user$', '/user'],
    ['/a\\.b', '/a.b'],
    ['/colou?r', '/colo'],
    ['/ab*', '/a'],
    ['/ab+', '/ab'],
    ['/ab{0,1}', '/a'],
    ['/a(b|c)', '/a'],
    ['/a[|]b', '/a'],
    ['/a\\|b', '/a|b'],
    ['/a|/b', ''],
    ['(?:/a|/b)', ''],
    ['.*', ''],
    ['', ''],
    ['/\\x41', '/'],
    ['/a$|x', ''],
  ];
  for (const [source, prefix] of cases) t.equal(literalPrefix(source), prefix, source);

  const atoms = [
    'a',
    'b',
    '/',
    '\\/',
    '\\.',
    '.',
    '[ab]',
    '(a)',
    '(?:a|b)',
    '\\w',
    'a?',
    'b*',
    'a+',
    'b{0,2}',
    '|',
    '^',
    '$',
  ];
  const wrong: string[] = [];
  let accepted = 0;
  for (let i = 0; i < 20_000; i++) {
    const source = Array.from({ length: 1 + below(6) }, () => pick(atoms)).join('');
    const text = Array.from({ length: below(6) }, () => pick(['a', 'b', '/', '.'])).join('');
    if (!new RegExp(`^(?:${source})$`).test(text)) continue;
    accepted++;
    if (!text.startsWith(literalPrefix(source))) wrong.push(`${source} takes ${text}`);
  }
  t.strictSame(wrong, []);
  t.ok(accepted > 200, `${accepted} texts were accepted`);
});
