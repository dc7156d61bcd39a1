/** A stand-in for the admin API: answers with recorded views, remembers what it was asked, and a client with a captured Io beside it. */
import { once } from 'node:events';
import { createServer, type IncomingHttpHeaders, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { json, text } from 'node:stream/consumers';
import { runCli } from '../../src/cli/cli.ts';
import type { Io } from '../../src/cli/command.ts';
import type {
  Applied,
  ConfigView,
  EndpointView,
  FlagView,
  ServerStatus,
  ServiceView,
  VersionView,
  WeightsView,
} from '../../src/control/operations.ts';

const AT = '2026-01-01T12:00:00.000Z';

export const APPLIED: Applied = { generation: 8, appliedInMs: 0.41, workers: 2 };

export const endpointView = (port: number, part: Partial<EndpointView> = {}): EndpointView => ({
  url: `http://127.0.0.1:${port}`,
  weight: 1,
  state: 'enabled',
  healthy: true,
  ejected: false,
  available: true,
  inFlight: 3,
  attempts: 5400,
  values: { availability: 100, error_rate: 0, throughput: 90, p50: 1.234, p95: 3.4, p99: 512 },
  ...part,
});

export const traffic = (name: string, ok = 5400, failed = 0): VersionView['traffic'] => ({
  service: 'demo',
  version: name,
  lane: null,
  requests: ok + failed,
  inFlight: 3,
  attempts: { '2xx': ok, '3xx': 0, '4xx': 0, '5xx': failed, connect: 0, reset: 0, timeout: 0, malformed: 0 },
  replies: { '2xx': ok + failed, '3xx': 0, '4xx': 0, '5xx': 0 },
  retries: 0,
  retriesDenied: 0,
  hedges: 0,
  hedgeWins: 0,
  failovers: 0,
  overflows: 0,
  shield: { requests: 0, saved: 0, meanDelay: null },
  affinity: { hits: 0, misses: 0, hitRate: null },
});

const NO_VALUES = { availability: null, error_rate: null, throughput: null, p50: null, p95: null, p99: null };

export const versionView = (name: string, weight: number, part: Partial<VersionView> = {}): VersionView => ({
  name,
  lane: name === 'v1' ? 'stable' : name === 'v2' ? 'canary' : null,
  weight,
  source: 'file',
  attempts: 5400,
  values: endpointView(1).values,
  traffic: traffic(name),
  endpoints: [endpointView(name === 'v1' ? 3001 : 3002)],
  metrics: {},
  ...part,
});

export const WEIGHTS: WeightsView = {
  weights: { v1: 90, v2: 10 },
  lanes: { stable: 'v1', canary: 'v2' },
  etag: 'k3v9x2',
  file: { v1: 90, v2: 10 },
};

export const SERVICE: ServiceView = {
  name: 'demo',
  lanes: WEIGHTS.lanes,
  weights: WEIGHTS.weights,
  etag: WEIGHTS.etag,
  strategy: 'weighted',
  overrides: [],
  rollback: null,
  rollout: null,
  versions: [versionView('v1', 90), versionView('v2', 10, { values: NO_VALUES, traffic: traffic('v2', 0) })],
  alerts: [],
};

export const STATUS: ServerStatus = {
  version: '0.1.0',
  pid: 4711,
  startedAt: AT,
  uptimeMs: 3_725_000,
  state: 'serving',
  generation: 7,
  environment: 'default',
  listen: ['127.0.0.1:8080'],
  workers: { configured: 2, listening: 2 },
  connections: 12,
  inFlight: 3,
  store: { path: '/var/lib/sluice', revision: 41, trouble: null },
  alerts: [],
};

export const FLAG: FlagView = {
  name: 'new-checkout',
  value: 12.5,
  default: 0,
  environments: { staging: 100 },
  override: 12.5,
  key: 'header x-user-id',
  header: 'X-Flag-New-Checkout',
};

export const CONFIG: ConfigView = {
  generation: 7,
  environment: 'default',
  files: ['/etc/sluice/sluice.yaml'],
  loadedAt: AT,
  rejected: null,
  file: { listen: ['127.0.0.1:8080'] },
  effective: { listen: ['127.0.0.1:8080'], workers: 2 },
  differences: [{ key: 'services.demo.weights.v2', file: 10, override: 20, effective: 20 }],
};

export interface Asked {
  readonly call: string;
  readonly query: Readonly<Record<string, string>>;
  readonly headers: IncomingHttpHeaders;
  readonly body: unknown;
}

export interface Reply {
  readonly status?: number;
  readonly type?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** It is not Sluice that answers. */
  readonly stranger?: boolean;
  /** JSON, or text where it is one. */
  readonly body: unknown;
}

type Answer = Reply | ((asked: Asked, response: ServerResponse) => Reply | undefined);

export const problem = (status: number, detail: string, more: object = {}): Reply => ({
  status,
  type: 'application/problem+json; charset=utf-8',
  body: { type: '/docs/problems#x', title: 'A title', status, detail, instance: 'id', code: 'x', errors: [], ...more },
});

export class FakeAdmin {
  readonly asked: Asked[] = [];
  readonly #answers = new Map<string, Answer>();
  readonly #otherwise: (asked: Asked) => Reply;
  #server: Server | null = null;
  #port = 0;

  /** @param otherwise what calls without an answer get. */
  constructor(otherwise: (asked: Asked) => Reply = ({ call }) => problem(404, `nothing is recorded for ${call}`)) {
    this.#otherwise = otherwise;
  }

  async listen(): Promise<this> {
    const server = createServer(async (request, response) => {
      const { pathname, searchParams } = new URL(request.url ?? '/', 'http://admin');
      const call = `${request.method} ${pathname}`;
      const typed = request.headers['content-type'] !== undefined;
      const body = typed ? await json(request) : await text(request);
      const asked: Asked = { call, query: Object.fromEntries(searchParams), headers: request.headers, body };
      this.asked.push(asked);
      const answer = this.#answers.get(call) ?? this.#otherwise;
      const reply = typeof answer === 'function' ? answer(asked, response) : answer;
      if (reply === undefined) return;
      const own = reply.stranger ? {} : { 'sluice-api': '1' };
      const headers = { 'content-type': reply.type ?? 'application/json', ...own, ...reply.headers };
      response.writeHead(reply.status ?? 200, headers);
      response.end(typeof reply.body === 'string' ? reply.body : JSON.stringify(reply.body));
    });
    server.listen(this.#port, '127.0.0.1');
    await once(server, 'listening');
    this.#server = server;
    this.#port = (server.address() as AddressInfo).port;
    return this;
  }

  get url(): string {
    return `http://127.0.0.1:${this.#port}`;
  }

  get last(): Asked | undefined {
    return this.asked.at(-1);
  }

  /** @param call such as `GET /api/v1/status` */
  on(call: string, answer: Answer): this {
    this.#answers.set(call, answer);
    return this;
  }

  /** The port stays its own; `listen` opens it again. */
  async close(): Promise<void> {
    this.#server?.closeAllConnections();
    await new Promise((resolve) => this.#server?.close(resolve));
  }
}

export interface Called {
  code: number;
  out: string;
  err: string;
}

/** Runs a command in this process. `result` fills while it runs. */
export function start(argv: readonly string[], io: Partial<Io> = {}, result: Called = { code: -1, out: '', err: '' }) {
  const captured: Io = {
    out(text) {
      result.out += text;
    },
    err(text) {
      result.err += text;
    },
    env: {},
    ...io,
  };
  const ended = runCli(argv, captured).then((code) => {
    result.code = code;
    return result;
  });
  return { result, ended };
}

export const called = (admin: FakeAdmin, argv: readonly string[], io: Partial<Io> = {}): Promise<Called> =>
  start(argv, { ...io, env: { SLUICE_ADMIN: admin.url, ...io.env } }).ended;
