/**
 * The part of the schema that says what happens when an attempt fails, and when there is too much to do at once.
 */
import {
  choice,
  flag,
  group,
  list,
  type SchemaNode,
  settingProperties,
  settingSchema,
  settingsGroup,
} from './schema-node.ts';
import { CIRCUIT, HEDGE, PLAIN_DEFAULTS, RETRY, RETRY_BUDGET, SHIELD } from './settings.ts';

const CONDITIONS = ['connect-failure', 'reset', 'timeout', '5xx', 'gateway-error'];

const conditions = (description: string, fallback: readonly (string | number)[]): SchemaNode => ({
  ...list('a list of failures such as [connect-failure, reset, 503]', description, {
    ...choice('a failure', CONDITIONS, ''),
    type: ['string', 'integer'],
    title: `a failure: ${CONDITIONS.join(', ')}, or a status from 400 to 599`,
    minimum: 400,
    maximum: 599,
  }),
  default: fallback,
});

const methods = (description: string, fallback: string): SchemaNode => ({
  type: ['string', 'array'],
  title: 'safe, idempotent, all, or a list such as [GET, POST]',
  description,
  default: fallback,
  pattern: '^(safe|idempotent|all)$',
  minItems: 1,
  items: { type: 'string', title: 'a method in upper case such as GET', pattern: '^[A-Z][A-Z-]{0,31}$' },
});

export const retrySchema: SchemaNode = group('Repeats failed requests; `{}` turns it on with all defaults.', {
  on: conditions('The failures after which a request is repeated.', PLAIN_DEFAULTS.retryOn),
  methods: methods('Whose requests are repeated once they have been sent.', PLAIN_DEFAULTS.retryMethods),
  ...settingProperties(RETRY),
  budget: {
    ...settingsGroup('', RETRY_BUDGET),
    ...settingSchema(RETRY_BUDGET.percent),
    description: 'Bounds retries, shielded attempts and hedges together: a percentage, or a mapping of the two below.',
    type: ['number', 'string', 'object'],
    title: 'a percentage such as 20%, or {percent, minimum}',
  },
});

export const shieldSchema: SchemaNode = group(
  'Answers a failed request of the canary from stable; `{}` turns it on with all defaults.',
  {
    on: conditions('The failures of the canary that stable makes good.', PLAIN_DEFAULTS.shieldOn),
    methods: methods('Whose requests are shielded.', PLAIN_DEFAULTS.shieldMethods),
    ...settingProperties(SHIELD),
    forced: flag('Also shields requests that chose the canary themselves.', PLAIN_DEFAULTS.shieldForced),
  },
);

export const hedgeSchema: SchemaNode = {
  ...group('Sends a request that stays without an answer to a second endpoint; the first answer wins.', {
    ...settingProperties(HEDGE),
    methods: methods('Whose requests are hedged.', PLAIN_DEFAULTS.hedgeMethods),
  }),
  required: ['after'],
};

export const circuitSchema: SchemaNode = settingsGroup(
  'Most that each version has to do at once; more is answered with 503.',
  CIRCUIT,
);
