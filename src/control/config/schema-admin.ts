/**
 * The part of the schema that the control plane keeps to itself: the admin API, events, the access log.
 *
 * Places where a secret stands, or where somebody may think that one does, are `writeOnly`: no message repeats what is written there.
 */
import { choice, flag, group, name, type SchemaNode, settingProperties, text } from './schema-node.ts';
import { ACCESS_LOG, EVENTS, PLAIN_DEFAULTS } from './settings.ts';

const ROLES = ['viewer', 'operator', 'approver', 'admin'];

/** Where a secret is: exactly one of the two. */
export const secretSources: Readonly<Record<'env' | 'file', SchemaNode>> = {
  env: {
    type: 'string',
    title: 'the name of an environment variable such as SLUICE_CI_TOKEN',
    description: 'The environment variable that the secret is in.',
    pattern: '^[A-Za-z_][A-Za-z0-9_]*$',
    writeOnly: true,
  },
  file: {
    type: 'string',
    title: 'the path of a file such as /run/secrets/token',
    description: 'The file that the secret is in; line ends behind it are taken off.',
    minLength: 1,
    writeOnly: true,
  },
};

/** A list that may be empty, which is its default. */
export const listOf = (title: string, description: string, items: SchemaNode): SchemaNode => ({
  type: 'array',
  title,
  description,
  default: [],
  items,
});

const address: SchemaNode = {
  type: ['string', 'integer'],
  title: 'an address such as 127.0.0.1:9901 or 9901',
  description: 'Where the admin API listens. Beyond loopback it needs tokens.',
  default: PLAIN_DEFAULTS.adminListen,
  minimum: 0,
  maximum: 65535,
};

const token: SchemaNode = {
  ...group('One token.', {
    name: name('What the audit calls whoever uses it.'),
    role: choice(
      'a role',
      ROLES,
      '`viewer` reads, `operator` also shifts traffic, `approver` reads and approves, `admin` may do everything.',
    ),
    ...secretSources,
  }),
  title: 'a token such as {name: ci, role: operator, env: SLUICE_CI_TOKEN}',
  required: ['name', 'role'],
  writeOnly: true,
};

const tls: SchemaNode = {
  ...group('Serves the admin API over TLS.', {
    cert: text('the path of a PEM file', 'The certificate, those that lead to its root behind it.'),
    key: text('the path of a PEM file', 'Its private key, not encrypted.'),
  }),
  required: ['cert', 'key'],
};

export const adminSchema: SchemaNode = {
  ...group('The admin API: an address, or a mapping. Left out, there is none; `{}` takes all defaults.', {
    listen: address,
    tokens: {
      ...listOf(
        'a list of tokens',
        'Who may do what. Empty: everyone who reaches the address may do everything.',
        token,
      ),
      writeOnly: true,
    },
    tls,
    hosts: listOf('a list of hosts', 'Names that a Host field may have besides those of the address.', {
      type: 'string',
      title: 'a host without a port such as ops.internal',
    }),
    origins: listOf('a list of origins', 'Origins of web pages that may call the API besides its own.', {
      type: 'string',
      title: 'an origin such as https://ops.example.com',
    }),
    publicMetrics: flag('Whether `/metrics` needs no token.', PLAIN_DEFAULTS.publicMetrics),
  }),
  type: ['object', 'string', 'integer'],
  title: 'an address or a mapping such as {listen: 127.0.0.1:9901}',
  minimum: 0,
  maximum: 65535,
};

/** A secret by itself: a reference or a mapping. @param meaning what it does, up to the colon. */
export const secretSchema = (meaning: string, without: string): SchemaNode => ({
  ...group(`${meaning}: \`env:NAME\`, \`file:PATH\`, or a mapping. Left out, ${without}.`, secretSources),
  type: ['string', 'object'],
  title: 'env:NAME or file:PATH',
  writeOnly: true,
});

export const eventTypes = (description: string): SchemaNode =>
  listOf('a list of event types', description, {
    type: 'string',
    title: 'an event type such as weights.changed or endpoint.*',
  });

const webhook: SchemaNode = {
  ...group('One receiver.', {
    name: name('What logs call it.'),
    url: text('a URL such as https://hooks.example.com/sluice', 'Where events are posted as JSON.'),
    secret: secretSchema('Signs deliveries', 'they are not signed'),
    types: eventTypes('What is posted: types, or their beginning and `*`. Empty: everything.'),
  }),
  title: 'a mapping such as {name: chat, url: https://hooks.example.com/sluice}',
  required: ['name', 'url'],
};

export const eventsSchema: SchemaNode = group('What happened: how long it is kept and who is told.', {
  ...settingProperties(EVENTS),
  webhooks: listOf('a list of webhooks', 'Who is told of events.', webhook),
});

export const accessLogSchema: SchemaNode = {
  ...group('One line for each request: a path, or a mapping. Left out, there is none.', {
    path: {
      ...text('a path such as ./access.log, or "-"', 'The file to write to; `-` is standard output.'),
      default: PLAIN_DEFAULTS.accessLogPath,
    },
    format: {
      ...choice('a format', ['json', 'combined'], '`combined` is that of Apache and nginx.'),
      default: PLAIN_DEFAULTS.accessLogFormat,
    },
    ...settingProperties(ACCESS_LOG),
    errors: flag(
      'Whether statuses from 500 on and requests with a response flag are logged whatever `sample` says.',
      PLAIN_DEFAULTS.accessLogErrors,
    ),
  }),
  type: ['string', 'object'],
  title: 'a path or a mapping such as {path: ./access.log}',
  minLength: 1,
};
