/**
 * The scenarios: which upstreams, which configuration, which load, which faults. docs/failures.md explains the configuration.
 *
 * All but two are to end without an error for the client. `unprotected` has the same upstreams and the same faults with nothing switched
 * on, to show that the faults are real; `unshielded` is about what comes after the errors.
 */
import type { Scenario } from './chaos-faults.ts';
import type { Load } from './chaos-messages.ts';

const STABLE = ['v1-a', 'v1-b', 'v1-c'];
export const CANARY = 'v2';

const health = { path: '/health', interval: '500ms', timeout: '1s', unhealthy: 2 };
const outlier = { baseEjection: '1s' };
/** For faults that are noticed at once: nobody waits for a dead process. */
const quick = { retry: { attempts: 1 }, shield: {}, health, outlier };
/** For upstreams that take a request and do not answer. */
const patient = {
  ...quick,
  retry: { attempts: 2, on: ['connect-failure', 'reset', 'timeout', 502, 503, 504], perTryTimeout: '250ms' },
};

const gets = (targets: readonly string[] = ['/shop']): Omit<Load, 'port'> => ({
  connections: 50,
  rate: 2_000,
  method: 'GET',
  bodyBytes: 0,
  targets,
});

const policies = ['round_robin', 'weighted_round_robin', 'random', 'least_request', 'peak_ewma'];
const keyed = ['ring_hash', 'maglev'];

export const killed: Scenario = {
  name: 'killed',
  stable: STABLE,
  canary: CANARY,
  services: { shop: { ...quick, balance: 'least_request' } },
  load: gets(),
  faults: [
    { kind: 'kill', victims: [CANARY] },
    { kind: 'kill', victims: ['v1-b'] },
    { kind: 'kill', victims: [CANARY, 'v1-a'] },
  ],
};

/** Every balancing policy at once, a service for each; the same three endpoints. */
export const everyPolicy: Scenario = {
  name: 'killed, every policy',
  stable: STABLE,
  services: Object.fromEntries([
    ...policies.map((policy) => [policy, { ...quick, shield: undefined, balance: policy }] as const),
    ...keyed.map((policy) => [policy, { ...quick, shield: undefined, balance: { policy, key: { query: 'user' } } }]),
  ]),
  load: gets([...policies, ...keyed].map((policy) => `/${policy}?user=*`)),
  faults: [{ kind: 'kill', victims: ['v1-b'] }],
};

export const blackHole: Scenario = {
  name: 'black hole',
  stable: STABLE,
  canary: CANARY,
  services: { shop: { ...patient, balance: 'least_request' } },
  load: gets(),
  faults: [
    { kind: 'stop', victims: [CANARY] },
    { kind: 'stop', victims: ['v1-b'] },
  ],
};

export const misbehaving: Scenario = {
  name: 'bad answers',
  stable: STABLE,
  canary: CANARY,
  services: { shop: { ...patient, outlier: { baseEjection: '300ms' }, balance: 'round_robin' } },
  load: gets(),
  // A short ejection, so that who misbehaves is let back in and thrown out again while it lasts.
  faults: (['reset', 'error503', 'garbage', 'slow'] as const).map((kind, nth) => ({
    kind,
    victims: [CANARY, STABLE[nth % STABLE.length]!],
  })),
};

export const uploads: Scenario = {
  name: 'PUT of 10 KiB',
  stable: STABLE,
  canary: CANARY,
  services: { shop: { ...quick, balance: 'least_request' } },
  load: { ...gets(), rate: 1_000, method: 'PUT', bodyBytes: 10_240 },
  faults: [
    { kind: 'kill', victims: [CANARY] },
    { kind: 'kill', victims: ['v1-a'] },
  ],
};

export const absent: Scenario = {
  name: 'nobody listens at first',
  stable: STABLE,
  canary: CANARY,
  absent: [CANARY, 'v1-a'],
  // Checks may find out before the first request does; in the service without them it is the requests that do.
  services: { shop: quick, unchecked: { ...quick, health: undefined } },
  load: gets(['/shop', '/unchecked']),
  faults: [{ kind: 'absent', victims: [CANARY, 'v1-a'] }],
};

export const unprotected: Scenario = {
  name: 'unprotected',
  stable: STABLE,
  canary: CANARY,
  services: { shop: { balance: 'round_robin' } },
  load: gets(),
  faults: [
    { kind: 'kill', victims: [CANARY] },
    { kind: 'kill', victims: ['v1-b'] },
  ],
};

/**
 * Retries without the shield: the canary has one endpoint, so a request that is tried again finds it dead again, until it has been ejected in
 * between. Then the second attempt fails over to stable. Users see some errors; what counts is that the canary has its share back afterwards.
 */
export const unshielded: Scenario = {
  name: 'retry without shield',
  stable: STABLE,
  canary: CANARY,
  services: { shop: { ...quick, shield: undefined } },
  load: gets(),
  faults: [{ kind: 'kill', victims: [CANARY] }],
};

/** Those in which users must not notice anything. */
export const protectedScenarios = [killed, everyPolicy, blackHole, misbehaving, uploads, absent];
