/**
 * The JSON Schema of `sluice.yaml`, and its only source.
 *
 * It is published as `config/sluice.schema.json` for editors, and the loader runs it (through ajv) for structure: which keys
 * exist, which are required, what type each has. What a schema cannot say (weights sum to 100, a route names a service that
 * exists) is checked by the `resolve-*` files.
 */
import { accessLogSchema, adminSchema, eventsSchema } from './schema-admin.ts';
import { flagsSchema } from './schema-flags.ts';
import { monitorSchema } from './schema-monitor.ts';
import { flag, group, name, named, type SchemaNode, settingsGroup, TOKEN_PATTERN, text } from './schema-node.ts';
import { rolloutsSchema } from './schema-rollouts.ts';
import { routeSchema } from './schema-route.ts';
import { serviceSchema } from './schema-service.ts';
import { tracingSchema } from './schema-tracing.ts';
import { DOWNSTREAM_TIMEOUTS, LIMITS, PLAIN_DEFAULTS } from './settings.ts';

const LISTEN_TITLE = 'an address such as 127.0.0.1:8080, :8080, [::1]:8080 or 8080';

export const configSchema: SchemaNode = {
  $schema: 'https://json-schema.org/draft/2020-12/schema',
  type: 'object',
  description: 'The configuration of Sluice.',
  additionalProperties: false,
  required: ['listen', 'services'],
  properties: {
    listen: {
      type: ['string', 'integer', 'array'],
      title: `${LISTEN_TITLE}, or a list of addresses`,
      description:
        'Where Sluice listens: an address or a list of addresses. `:8080` and `8080` mean every IPv4 address.',
      minimum: 0,
      maximum: 65535,
      minItems: 1,
      items: {
        type: ['string', 'integer', 'object'],
        title: LISTEN_TITLE,
        minimum: 0,
        maximum: 65535,
        additionalProperties: false,
        required: ['address'],
        properties: {
          address: {
            type: ['string', 'integer'],
            title: LISTEN_TITLE,
            description: 'One address of the list.',
            minimum: 0,
            maximum: 65535,
          },
        },
      },
    },
    workers: {
      type: ['string', 'integer'],
      title: 'auto or a whole number from 1 to 256',
      description: 'Worker threads that serve requests; `auto` is one per available core.',
      default: PLAIN_DEFAULTS.workers,
      pattern: '^auto$',
      minimum: 1,
      maximum: 256,
    },
    limits: settingsGroup('What clients may make the proxy hold.', LIMITS),
    timeouts: settingsGroup('How long a client may take.', DOWNSTREAM_TIMEOUTS),
    trustedProxies: {
      type: 'array',
      title: 'a list of addresses and CIDR blocks',
      description: 'Peers whose `X-Forwarded-*`, `Forwarded` and `X-Request-Id` are believed.',
      default: [],
      items: { type: 'string', title: 'an address or a CIDR block such as 10.0.0.0/8 or ::1' },
    },
    headers: group('Headers that Sluice adds.', {
      forwarded: flag('Also send RFC 7239 `Forwarded`.', PLAIN_DEFAULTS.forwarded),
      via: {
        type: 'string',
        title: 'a token such as sluice',
        description: 'The name used in `Via` and `Proxy-Status`.',
        default: PLAIN_DEFAULTS.via,
        pattern: TOKEN_PATTERN,
      },
    }),
    services: named('The services, by name.', serviceSchema),
    monitor: monitorSchema,
    routes: {
      type: 'array',
      title: 'a list of routes',
      description: 'Which requests go to which service. May be left out where there is one service.',
      default: [],
      items: routeSchema,
    },
    flags: flagsSchema,
    ...rolloutsSchema,
    environment: {
      ...name(
        'Which of the values by environment hold. Left out, the variable `SLUICE_ENVIRONMENT` says it, where it is set.',
      ),
      default: PLAIN_DEFAULTS.environment,
    },
    data: text(
      'the path of a directory such as ./data',
      'Where runtime changes, audit and events are kept. Default: `data` beside the file where there is an admin API; else nothing is kept.',
    ),
    admin: adminSchema,
    events: eventsSchema,
    accessLog: accessLogSchema,
    tracing: tracingSchema,
  },
};
