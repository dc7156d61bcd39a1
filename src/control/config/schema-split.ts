/**
 * The part of the schema that says how a request gets its version.
 *
 * Which strategy needs which key is left to the loader: a schema with a branch per strategy would answer one mistake with a fault for
 * every branch.
 */
import { keyProperties, keySchema } from './schema-key.ts';
import {
  choice,
  cookieName,
  group,
  headerName,
  name,
  named,
  type SchemaNode,
  settingProperties,
  text,
} from './schema-node.ts';
import { AFFINITY, EXPERIMENT, PLAIN_DEFAULTS, SPLIT } from './settings.ts';
import { PERCENT_PATTERN } from './units.ts';

const weights = (description: string): SchemaNode =>
  named(description, {
    type: ['number', 'string'],
    title: 'a percentage from 0 to 100',
    description: "The version's share.",
    pattern: PERCENT_PATTERN,
    minimum: 0,
    maximum: 100,
  });

const STRATEGIES = ['weighted', 'hash', 'latency', 'header', 'round_robin'];

export const splitSchema: SchemaNode = group(
  'How requests are shared among versions. Left out, stable gets all of them.',
  {
    strategy: {
      ...choice('a strategy', STRATEGIES, 'How a request gets its version.'),
      default: PLAIN_DEFAULTS.splitStrategy,
    },
    weights: weights(
      'Percent per version, in steps of 0.01, summing to 100; a version not named gets 0. Required for `weighted` and `hash`; ' +
        'for `latency` and `round_robin` 0 means that a version takes no part.',
    ),
    key: keySchema('For `hash`, which needs it: what is hashed.'),
    header: headerName('For `header`, which needs it: the header that is looked at.'),
    values: {
      type: 'object',
      description:
        'For `header`, which needs it: the version of each value of the header; other values are split by weight.',
      minProperties: 1,
      additionalProperties: name('The version that requests with this value get.'),
    },
    ...settingProperties(SPLIT),
  },
);

export const experimentsSchema: SchemaNode = {
  type: 'array',
  title: 'a list of experiments',
  description:
    'A/B tests: users are split by key, whatever the rollout does. The first that a request takes part in decides.',
  default: [],
  items: {
    ...group('One A/B test.', {
      name: name('The name of the experiment.'),
      key: keySchema('What identifies a user.'),
      salt: text('a text', 'What makes this split independent of others. Default: the name.'),
      ...settingProperties(EXPERIMENT),
      weights: weights('Percent per version, in steps of 0.01, summing to 100.'),
    }),
    required: ['name', 'key', 'weights'],
  },
};

export const overrideSchema: SchemaNode = {
  ...group('Lets a request choose its version; the header goes before the cookie.', {
    header: headerName('The header whose value, a lane or a version name, forces the version.'),
    cookie: cookieName('The cookie whose value, a lane or a version name, forces the version.'),
  }),
  minProperties: 1,
};

export const affinitySchema: SchemaNode = {
  ...group('Keeps a session at its version and endpoint. The key is given as `cookie`, `header`, `query` or `ip`.', {
    ...keyProperties,
    cookie: cookieName('The cookie whose value is the key; Sluice issues it to whoever has none.'),
    ...settingProperties(AFFINITY),
  }),
  type: ['string', 'object'],
  title: 'none, or a key such as {cookie: sluice_session}',
  default: 'none',
  pattern: '^none$',
};
