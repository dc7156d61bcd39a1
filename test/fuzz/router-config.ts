/**
 * Configurations with everything on, drawn at random: routes, splits, sessions, retries, shield, hedges, circuits, limits, faults.
 *
 * Each is one that a user could write. Two drawn after each other differ in versions, endpoints, lanes, services and every figure, so that going
 * from one to the next meets requests in flight in every state. All of them take `X-Secret` off requests and `X-Leak` off answers: whoever sees
 * one has seen an edit go wrong.
 */
import type { Dice } from './dice.ts';

type Part = Record<string, unknown>;

const POLICIES = ['round_robin', 'weighted_round_robin', 'random', 'least_request', 'peak_ewma', 'ring_hash', 'maglev'];

/** Short enough that whatever stalls ends soon, long enough that a busy machine answers in time. */
const SERVICE_TIMEOUTS = { connect: '200ms', request: '400ms', response: '200ms', idle: '200ms', tunnel: '200ms' };
const TIMEOUTS = { head: '400ms', bodyIdle: '400ms', keepAlive: '400ms', halfClose: '100ms' };

export interface Addresses {
  readonly stable: readonly string[];
  readonly canary: readonly string[];
}

/** Some of a list, at least one. */
function some<T>(dice: Dice, list: readonly T[]): T[] {
  const found = list.filter(() => dice.chance(0.7));
  return found.length === 0 ? [dice.one(list)] : found;
}

const endpoints = (dice: Dice, urls: readonly string[]): Part => ({
  endpoints: some(dice, urls).map((url) => ({
    url,
    weight: 1 + dice.below(3),
    maxRequests: dice.chance(0.3) ? 1 + dice.below(6) : 0,
  })),
});

function split(dice: Dice): Part {
  const canary = dice.one([0, 10, 50, 90, 100]);
  const weights = { v1: 100 - canary, v2: canary };
  switch (dice.below(4)) {
    case 0:
      return { strategy: 'hash', key: { header: 'X-User' }, weights };
    case 1:
      return { strategy: 'header', header: 'X-Split', values: { a: 'v1', b: 'v2' }, weights };
    case 2:
      return { strategy: dice.one(['latency', 'round_robin']) };
    default:
      return { weights };
  }
}

function resilience(dice: Dice): Part {
  const few = (): number => (dice.chance(0.4) ? 1 + dice.below(12) : 0);
  const retry = {
    on: dice.chance(0.7) ? ['connect-failure', 'reset', 'timeout', '5xx'] : ['connect-failure', 503],
    attempts: 1 + dice.below(3),
    perTryTimeout: dice.one(['0s', '60ms']),
    backoff: dice.one(['0ms', '2ms', '20ms']),
    maxBody: dice.one(['0B', '1KiB', '64KiB']),
    budget: dice.one<unknown>(['100%', { percent: 10, minimum: 5 }]),
  };
  return {
    ...(dice.chance(0.8) ? { retry } : {}),
    ...(dice.chance(0.6) ? { shield: { forced: dice.chance(0.5), maxBody: dice.one(['1KiB', '64KiB']) } } : {}),
    ...(dice.chance(0.5) ? { hedge: { after: dice.one(['1ms', '10ms', '30ms']) } } : {}),
    ...(dice.chance(0.5)
      ? { outlier: { consecutive5xx: 1 + dice.below(5), maxEjectionPercent: dice.one([50, 100]) } }
      : {}),
    circuit: {
      maxRequests: dice.chance(0.2) ? 20 + dice.below(40) : 0,
      maxConnections: few(),
      maxPending: few(),
      maxRetries: few(),
    },
  };
}

function service(dice: Dice, urls: Addresses): Part {
  const canary = dice.chance(0.8);
  return {
    versions: {
      v1: endpoints(dice, urls.stable),
      ...(canary ? { v2: endpoints(dice, urls.canary) } : {}),
    },
    ...(canary ? { lanes: { stable: 'v1', canary: 'v2' }, split: split(dice) } : {}),
    override: { header: 'X-Lane' },
    ...(dice.chance(0.5) ? { affinity: { cookie: 'sid', max: dice.one([2, 1000]) } } : {}),
    balance: {
      policy: dice.one(POLICIES),
      slowStart: dice.one(['0s', '0s', '100ms']),
      decay: dice.one(['10s', '20ms']),
      panicThreshold: dice.one([0, 0, 60]),
    },
    ...resilience(dice),
    timeouts: SERVICE_TIMEOUTS,
    pool: { maxIdle: dice.one([0, 2, 100]), idle: dice.one(['50ms', '300ms']), maxAge: dice.one(['0s', '200ms']) },
    exposeVersion: dice.chance(0.5),
  };
}

function routes(dice: Dice): Part[] {
  const edits = {
    requestHeaders: { remove: ['X-Secret'], set: { 'X-Edited': String(dice.below(9)) } },
    responseHeaders: { remove: ['X-Leak'], add: { [`X-Added-${dice.below(40)}`]: 'yes' } },
  };
  const fault = { delay: { by: '15ms', percent: 50 }, abort: { status: 503, percent: 20 } };
  const target = { service: 'web', ...edits };
  const all: Part[] = [
    { match: { pathPrefix: '/rewritten' }, rewrite: { path: '/other', host: 'other.example' }, ...target },
    { match: { pathPrefix: '/limited' }, rateLimit: { rate: 20, burst: 5 }, ...target },
    { match: { pathPrefix: '/faulty' }, fault, ...target },
    { match: { path: '/reply' }, reply: { status: 200, body: 'fixed' } },
    { match: { path: '/redirect' }, redirect: { path: '/plain' } },
    { match: { headers: { [`X-Match-${dice.below(40)}`]: { present: true } } }, ...target },
  ];
  return [
    ...all.filter(() => dice.chance(0.8)),
    { match: { pathPrefix: '/' }, ...target, service: dice.one(['web', 'alt']) },
  ];
}

/** The configuration as its text, which is JSON. */
export function randomConfig(dice: Dice, urls: Addresses): string {
  const services = { web: service(dice, urls), alt: service(dice, urls) };
  return JSON.stringify({ listen: '127.0.0.1:0', timeouts: TIMEOUTS, services, routes: routes(dice) }, null, 1);
}
