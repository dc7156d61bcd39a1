/**
 * What it takes to decide where a request goes: phases 3 to 6 (route, version, admission, endpoint), one request at a time.
 *
 * The code is that of a worker, compiled from a real configuration by its loader; heads are parsed from bytes, but outside of the measured
 * time. Every decision is timed by itself, since a budget for the 95th percentile cannot be read off a mean; the price is that
 * the two readings of the clock, some 50 ns, are in every figure. Requests differ in host, path, cookie and header, so that no branch
 * and no cache line is always the same. The figures include what garbage collection falls into them.
 *
 * `node bench/decision.ts` prints the table by itself.
 */
import { compileSnapshot } from '../src/control/config/compile.ts';
import { parseConfig } from '../src/control/config/load.ts';
import { DataPlane } from '../src/proxy/data-plane.ts';
import { clientFacts } from '../src/proxy/http1/field-rules.ts';
import { Choice } from '../src/proxy/route/choice.ts';
import { NONE } from '../src/proxy/upstream/endpoint-set.ts';
import { SeededRandom } from '../src/runtime/random.ts';

const WARM_UP = 50_000;
const DECISIONS = 200_000;
const HEADS = 4_096;
const SESSIONS = 2_000;

export interface DecisionFigures {
  readonly title: string;
  /** Microseconds. */
  readonly p50: number;
  readonly p95: number;
  readonly p99: number;
}

interface Case {
  readonly title: string;
  readonly config: object;
  readonly routes: number;
}

const endpoints = (count: number, port: number): string[] =>
  Array.from({ length: count }, (_, i) => `http://10.0.${(i / 250) | 0}.${(i % 250) + 1}:${port}`);

const split = { weights: { v1: 90, v2: 10 } };
const versions = (count: number): object => ({
  versions: { v1: { endpoints: endpoints(count, 3001) }, v2: { endpoints: endpoints(count, 3002) } },
  lanes: { stable: 'v1', canary: 'v2' },
  override: { header: 'X-Canary-Deploy' },
});
const protection = {
  outlier: {},
  retry: { attempts: 1 },
  shield: {},
  circuit: { maxRequests: 10_000, maxRetries: 1_000 },
  rateLimit: { rate: 1_000_000, burst: 1_000_000 },
};
const experiments = [{ name: 'checkout', key: { cookie: 'user' }, traffic: 20, weights: { v1: 50, v2: 50 } }];

const cases: readonly Case[] = [
  { title: 'defaults, 1 route, 2 endpoints', routes: 1, config: { ...versions(2), split } },
  { title: 'defaults, 10,000 routes, 2 endpoints', routes: 10_000, config: { ...versions(2), split } },
  {
    title: 'everything on (session cookie, experiment, rate limit, circuit, peak_ewma), 10,000 routes, 10 endpoints',
    routes: 10_000,
    config: {
      ...versions(10),
      ...protection,
      split,
      experiments,
      affinity: { cookie: 'session' },
      balance: 'peak_ewma',
    },
  },
  {
    title: 'hash split and ring_hash by header, 10,000 routes, 1,000 endpoints',
    routes: 10_000,
    config: {
      ...versions(1_000),
      ...protection,
      split: { ...split, strategy: 'hash', key: { header: 'X-User' } },
      balance: { policy: 'ring_hash', key: { header: 'X-User' } },
    },
  },
];

const hostOf = (i: number): string => `shop-${i}.example.com`;

function configOf({ config, routes }: Case): string {
  const list = Array.from({ length: routes }, (_, i) => ({
    match: { host: hostOf(i), pathPrefix: '/api', methods: ['GET'] },
    service: 'shop',
  }));
  return JSON.stringify({ listen: 0, services: { shop: config }, routes: list });
}

function headsOf({ routes }: Case, random: SeededRandom): Buffer[] {
  const any = (below: number): number => Math.floor(random.next() * below);
  return Array.from({ length: HEADS }, () =>
    Buffer.from(
      `GET /api/items/${any(1e6)}?page=${any(9)} HTTP/1.1\r\nHost: ${hostOf(any(routes))}:8080\r\nAccept: */*\r\n` +
        `Cookie: theme=dark; session=${any(SESSIONS)}-5f2b1c9e7a4d; user=${any(SESSIONS)}\r\nX-User: user-${any(SESSIONS)}\r\n\r\n`,
      'latin1',
    ),
  );
}

function measure(which: Case): DecisionFigures {
  const random = new SeededRandom(1);
  const snapshot = compileSnapshot(parseConfig(configOf(which), 'bench.yaml', {}), 1);
  const plane = new DataPlane({ snapshot, random });
  const { requestHead: head, routes } = plane.running;
  const heads = headsOf(which, random);
  const client = clientFacts('192.0.2.7', false, 'http');
  const choice = new Choice();
  const times = new Float64Array(DECISIONS);
  for (let i = -WARM_UP; i < DECISIONS; i++) {
    const bytes = heads[(i + WARM_UP) % HEADS]!;
    head.parse(bytes, 0, bytes.length);
    const start = performance.now();
    const route = routes.match(head, client)!;
    const service = route.service!;
    const late = service.rate?.wait(head, client, start + performance.timeOrigin) ?? 0;
    service.choose(head, client, route.version, start, choice);
    const version = choice.version!;
    const admitted = version.circuit.tryEnter();
    const endpoint = service.pick(version, choice, start, NONE);
    const end = performance.now();
    if (late > 0 || !admitted || endpoint === null) throw new Error(`${which.title}: a decision failed`);
    version.circuit.leave();
    if (i >= 0) times[i] = end - start;
  }
  plane.close();
  times.sort();
  const at = (share: number): number => times[Math.floor(share * DECISIONS)]! * 1000;
  return { title: which.title, p50: at(0.5), p95: at(0.95), p99: at(0.99) };
}

/** Of three runs of each case the one that was disturbed least. */
export const measureDecisions = (): DecisionFigures[] =>
  cases.map((which) => [1, 2, 3].map(() => measure(which)).reduce((best, run) => (run.p95 < best.p95 ? run : best)));

if (import.meta.main) {
  for (const { title, p50, p95, p99 } of measureDecisions()) {
    console.log(
      `${p50.toFixed(2).padStart(6)} ${p95.toFixed(2).padStart(6)} ${p99.toFixed(2).padStart(6)} µs  ${title}`,
    );
  }
}
