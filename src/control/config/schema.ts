/**
 * The JSON Schema of `sluice.yaml`, and its only source.
 *
 * It is published as `config/sluice.schema.json` for editors, and the loader runs it (through ajv) for structure: which keys
 * exist, which are required, what type each has. What a schema cannot say (weights sum to 100, a route names a service that
 * exists) is checked by the `resolve-*` files. Two habits serve the messages: every leaf has a `title` that completes "must be …",
 * and alternatives are type unions with keywords per type rather than `anyOf`, which ajv answers with one fault per branch.
 */
import {
  DOWNSTREAM_TIMEOUTS,
  LIMITS,
  PLAIN_DEFAULTS,
  POOL,
  SERVICE_TIMEOUTS,
  type Setting,
  type Settings,
} from './settings.ts';
import { DURATION_PATTERN, SIZE_PATTERN } from './units.ts';

/** The part of JSON Schema used here. */
export interface SchemaNode {
  readonly type?: string | readonly string[];
  readonly title?: string;
  readonly description?: string;
  readonly default?: unknown;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly minimum?: number;
  readonly maximum?: number;
  readonly minItems?: number;
  readonly minProperties?: number;
  readonly items?: SchemaNode;
  readonly properties?: Readonly<Record<string, SchemaNode>>;
  readonly required?: readonly string[];
  readonly propertyNames?: SchemaNode;
  readonly additionalProperties?: boolean | SchemaNode;
  readonly $schema?: string;
}

export const NAME_PATTERN = '^[A-Za-z0-9][A-Za-z0-9._-]{0,62}$';
export const TOKEN_PATTERN = "^[!#$%&'*+.^_`|~0-9A-Za-z-]{1,128}$";

const NAME_TITLE = 'a name of 1 to 63 letters, digits, ".", "_" or "-", the first a letter or a digit';

function settingSchema(setting: Setting): SchemaNode {
  const shared = { description: setting.meaning, default: setting.fallback };
  switch (setting.kind) {
    case 'size':
      return {
        type: ['string', 'integer'],
        title: 'a size such as 16KiB, 1MiB, 10MB or a number of bytes',
        ...shared,
        pattern: SIZE_PATTERN,
        minimum: 0,
      };
    case 'duration':
      return {
        type: 'string',
        title: 'a duration such as 250ms, 10s, 5m or 1h',
        ...shared,
        pattern: DURATION_PATTERN,
      };
    case 'count': {
      const { least, most } = setting;
      return {
        type: 'integer',
        title: `a whole number from ${least} to ${most}`,
        ...shared,
        minimum: Number(least),
        maximum: Number(most),
      };
    }
  }
}

function group(description: string, properties: Readonly<Record<string, SchemaNode>>): SchemaNode {
  return { type: 'object', description, additionalProperties: false, properties };
}

function settingsGroup(description: string, settings: Settings): SchemaNode {
  const entries = Object.entries(settings).map(([key, setting]) => [key, settingSchema(setting)] as const);
  return group(description, Object.fromEntries(entries));
}

function named(description: string, value: SchemaNode): SchemaNode {
  return {
    type: 'object',
    description,
    minProperties: 1,
    propertyNames: { type: 'string', title: NAME_TITLE, pattern: NAME_PATTERN },
    additionalProperties: value,
  };
}

const name = (description: string): SchemaNode => ({
  type: 'string',
  title: NAME_TITLE,
  description,
  pattern: NAME_PATTERN,
});

const flag = (description: string, fallback: boolean): SchemaNode => ({
  type: 'boolean',
  title: 'true or false',
  description,
  default: fallback,
});

const LISTEN_TITLE = 'an address such as 127.0.0.1:8080, :8080, [::1]:8080 or 8080';

const endpoint: SchemaNode = {
  type: ['string', 'object'],
  title: 'an endpoint: http://host:port, or {url, weight}',
  description: 'One upstream address: a URL, or a mapping of `url` and `weight`.',
  additionalProperties: false,
  required: ['url'],
  properties: {
    url: {
      type: 'string',
      title: 'a URL such as http://127.0.0.1:3000',
      description: '`http://host:port`, without a path.',
    },
    weight: {
      type: 'integer',
      title: 'a whole number from 1 to 1000',
      description: "Relative share of the version's requests.",
      default: PLAIN_DEFAULTS.endpointWeight,
      minimum: 1,
      maximum: 1000,
    },
  },
};

const service: SchemaNode = {
  type: 'object',
  description: 'What users call.',
  additionalProperties: false,
  required: ['versions'],
  properties: {
    versions: named('The releases of the service, by name.', {
      type: 'object',
      description: 'One release of the service.',
      additionalProperties: false,
      required: ['endpoints'],
      properties: {
        endpoints: {
          type: 'array',
          title: 'a list of endpoints',
          description: 'Where the version runs; at least one.',
          minItems: 1,
          items: endpoint,
        },
      },
    }),
    lanes: {
      ...group("Each version's role. May be left out where there is one version, which is then stable.", {
        stable: name('The version that users are on.'),
        canary: name('The version that gets a share of the traffic to prove itself.'),
        candidate: name('A version reachable by the override header only.'),
      }),
      required: ['stable'],
    },
    split: {
      ...group('How requests are shared among versions. Left out, stable gets all of them.', {
        strategy: {
          type: 'string',
          title: 'weighted',
          description: 'How a request gets its version.',
          enum: [PLAIN_DEFAULTS.splitStrategy],
          default: PLAIN_DEFAULTS.splitStrategy,
        },
        weights: {
          type: 'object',
          description: 'Percent per version, in steps of 0.01, summing to 100; a version not named gets 0.',
          propertyNames: { type: 'string', title: NAME_TITLE, pattern: NAME_PATTERN },
          additionalProperties: {
            type: 'number',
            title: 'a percentage from 0 to 100',
            description: "The version's share of the service's requests.",
            minimum: 0,
            maximum: 100,
          },
        },
      }),
      required: ['weights'],
    },
    override: {
      ...group('Lets a request choose its version.', {
        header: {
          type: 'string',
          title: 'a header name such as X-Canary-Deploy',
          description: 'The header whose value, a lane or a version name, forces the version.',
          pattern: TOKEN_PATTERN,
        },
      }),
      required: ['header'],
    },
    timeouts: settingsGroup('How long the upstream may take.', SERVICE_TIMEOUTS),
    pool: settingsGroup('Idle connections to the upstream.', POOL),
    exposeVersion: flag('Adds `x-sluice-version` to responses.', PLAIN_DEFAULTS.exposeVersion),
  },
};

const route: SchemaNode = {
  type: 'object',
  description: 'Requests that match go to the service; the most specific route wins.',
  additionalProperties: false,
  required: ['service'],
  properties: {
    match: group('What a request must have; left out, every request matches.', {
      host: {
        type: 'string',
        title: 'a host such as shop.example.com or *.example.com',
        description: 'Exact host, or `*.` and a domain; without a port. Left out, every host.',
      },
      pathPrefix: {
        type: 'string',
        title: 'a path that begins with "/"',
        description: 'What the path begins with.',
        default: PLAIN_DEFAULTS.pathPrefix,
      },
    }),
    service: name('The name of a service.'),
  },
};

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
    services: named('The services, by name.', service),
    routes: {
      type: 'array',
      title: 'a list of routes',
      description: 'Which requests go to which service. May be left out where there is one service.',
      default: [],
      items: route,
    },
  },
};
