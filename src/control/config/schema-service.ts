/**
 * The part of the schema that says what a service is: versions and lanes here, policies put together from their own files.
 */

import { healthSchema, outlierSchema } from './schema-health.ts';
import { keySchema } from './schema-key.ts';
import {
  choice,
  flag,
  group,
  list,
  name,
  named,
  type SchemaNode,
  settingProperties,
  settingsGroup,
} from './schema-node.ts';
import { rateLimitSchema } from './schema-rate-limit.ts';
import { circuitSchema, hedgeSchema, retrySchema, shieldSchema } from './schema-resilience.ts';
import { affinitySchema, experimentsSchema, overrideSchema, splitSchema } from './schema-split.ts';
import { BALANCE, ENDPOINT, PLAIN_DEFAULTS, POOL, SERVICE_TIMEOUTS } from './settings.ts';

const POLICIES = ['round_robin', 'weighted_round_robin', 'random', 'least_request', 'peak_ewma', 'ring_hash', 'maglev'];

const endpoint: SchemaNode = {
  type: ['string', 'object'],
  title: 'an endpoint: http://host:port, or {url, weight, maxRequests}',
  description: 'One upstream address: a URL, or a mapping of `url`, `weight` and `maxRequests`.',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: {
      type: 'string',
      title: 'a URL such as http://127.0.0.1:3000',
      description: '`http://host:port`, without a path.',
    },
    ...settingProperties(ENDPOINT),
  },
};

const policy: SchemaNode = {
  ...choice('a policy', POLICIES, 'How a request gets its endpoint.'),
  default: PLAIN_DEFAULTS.balancingPolicy,
};

const balance: SchemaNode = {
  ...group('', {
    policy,
    key: keySchema(
      "For `ring_hash` and `maglev`: what is hashed. Default: the affinity's key, the split's, the client's address.",
    ),
    ...settingProperties(BALANCE),
  }),
  ...policy,
  description: 'How a request gets its endpoint within a version: the name of a policy, or a mapping.',
  type: ['string', 'object'],
};

const version: SchemaNode = {
  type: 'object',
  description: 'One release of the service.',
  additionalProperties: false,
  required: ['endpoints'],
  properties: {
    endpoints: list('a list of endpoints', 'Where the version runs; at least one.', endpoint),
  },
};

export const serviceSchema: SchemaNode = {
  type: 'object',
  description: 'What users call.',
  additionalProperties: false,
  required: ['versions'],
  properties: {
    versions: named('The releases of the service, by name.', version),
    lanes: {
      ...group("Each version's role. May be left out where there is one version, which is then stable.", {
        stable: name('The version that users are on.'),
        canary: name('The version that gets a share of the traffic to prove itself.'),
        candidate: name('A version reachable by the override header only.'),
      }),
      required: ['stable'],
    },
    split: splitSchema,
    experiments: experimentsSchema,
    override: overrideSchema,
    affinity: affinitySchema,
    balance,
    health: healthSchema,
    outlier: outlierSchema,
    retry: retrySchema,
    shield: shieldSchema,
    hedge: hedgeSchema,
    circuit: circuitSchema,
    rateLimit: rateLimitSchema,
    timeouts: settingsGroup('How long the upstream may take.', SERVICE_TIMEOUTS),
    pool: settingsGroup('Idle connections to the upstream.', POOL),
    exposeVersion: flag('Adds `x-sluice-version` to responses.', PLAIN_DEFAULTS.exposeVersion),
  },
};
