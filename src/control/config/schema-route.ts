/**
 * The part of the schema that says which requests go where, and what is changed about them on the way.
 *
 * What depends on more than one key (exactly one way to give a path, exactly one of service, redirect and reply) is left to the
 * `resolve-route*` files, whose messages say which keys were written.
 */
import { flagMatchSchema } from './schema-flags.ts';
import {
  choice,
  group,
  headerName,
  list,
  name,
  type SchemaNode,
  settingSchema,
  TOKEN_PATTERN,
  text,
} from './schema-node.ts';
import { rateLimitSchema } from './schema-rate-limit.ts';
import { PLAIN_DEFAULTS, type Setting } from './settings.ts';

/** The numbers of `fault`. */
export const FAULT = {
  by: { kind: 'duration', least: '1ms', most: '1h', meaning: 'How long the request waits before it goes on.' },
  percent: { kind: 'percent', fallback: 100, least: 0, most: 100, meaning: 'Share of the requests that are meant.' },
} as const satisfies Readonly<Record<string, Setting>>;

export const REPLY_DEFAULTS = { status: 200, body: '', contentType: 'text/plain; charset=utf-8' } as const;
export const REDIRECT_STATUS = 302;

const path = (description: string): SchemaNode => ({
  type: 'string',
  title: 'a path that begins with "/"',
  description,
});

const host = (title: string, description: string): SchemaNode => ({ type: 'string', title, description });

const status = (least: number, most: number, description: string): SchemaNode => ({
  type: 'integer',
  title: `a status from ${least} to ${most}`,
  description,
  minimum: least,
  maximum: most,
});

/** Names that are header names, as keys of a mapping. */
const headerNames: SchemaNode = { type: 'string', title: 'a header name such as X-Beta', pattern: TOKEN_PATTERN };

const valueMatch = (description: string): SchemaNode => ({
  ...group(description, {
    regex: text('a regular expression', 'Must be found somewhere in the value.'),
    present: { type: 'boolean', title: 'true or false', description: 'Whether it must be there at all.' },
  }),
  type: ['string', 'object'],
  title: 'a text in quotes such as "1", {regex: "…"} or {present: true}',
});

const headerEdits = (description: string): SchemaNode => {
  const value: SchemaNode = {
    type: 'string',
    title: 'a text; numbers and flags want quotes',
    description: 'Its value.',
  };
  return group(description, {
    set: {
      type: 'object',
      description: 'Headers to write instead of those that are there, by name.',
      propertyNames: headerNames,
      additionalProperties: value,
    },
    add: {
      type: 'object',
      description: 'Headers to write besides those that are there, by name; a list writes several.',
      propertyNames: headerNames,
      additionalProperties: {
        ...value,
        type: ['string', 'array'],
        title: 'a text or a list of texts; numbers and flags want quotes',
        minItems: 1,
        items: value,
      },
    },
    remove: list('a list of header names', 'Headers to take off.', headerName('The name of a header.')),
  });
};

const match = group('What a request must have; left out, every request matches.', {
  host: host(
    'a host such as shop.example.com or *.example.com',
    'Exact host, or `*.` and a domain; without a port. Left out, every host.',
  ),
  path: path('What the path is.'),
  pathPrefix: { ...path('What the path begins with, in whole segments.'), default: PLAIN_DEFAULTS.pathPrefix },
  pathRegex: text('a regular expression', 'What the path matches from its beginning to its end.'),
  methods: list('a list of methods such as [GET, POST]', 'One of these methods.', {
    type: 'string',
    title: 'a method in upper case such as GET',
    pattern: TOKEN_PATTERN,
  }),
  headers: {
    type: 'object',
    description: 'Headers by name, all of which must be as given.',
    propertyNames: headerNames,
    additionalProperties: valueMatch('The value, or a mapping of one of the two below.'),
  },
  query: {
    type: 'object',
    description: 'Query parameters by name, all of which must be as given.',
    propertyNames: { type: 'string', title: 'the name of a query parameter', minLength: 1 },
    additionalProperties: valueMatch('The value, or a mapping of one of the two below.'),
  },
  flags: flagMatchSchema,
});

const redirect = group('Answers with a redirect; what is left out stays as it was asked for.', {
  scheme: choice('a scheme', ['http', 'https'], 'The scheme to go to.'),
  host: host('a host without a port such as www.example.com', 'The host to go to.'),
  port: {
    type: 'integer',
    title: 'a port from 1 to 65535',
    description: 'The port to go to. Left out with another host or scheme, the usual one.',
    minimum: 1,
    maximum: 65535,
  },
  path: path('The path to go to; replaces what `rewrite.path` would replace.'),
  status: { ...status(301, 308, '301, 302, 303, 307 or 308.'), default: REDIRECT_STATUS },
});

const reply = group('Answers without asking a service.', {
  status: { ...status(200, 599, 'The status of the answer.'), default: REPLY_DEFAULTS.status },
  body: { type: 'string', title: 'a text', description: 'The body of the answer.', default: REPLY_DEFAULTS.body },
  contentType: {
    ...text('a content type such as text/html; charset=utf-8', 'What the body is.'),
    default: REPLY_DEFAULTS.contentType,
  },
});

const fault = group('Faults on purpose, for tests and drills.', {
  header: headerName('Only requests with this header are meant.'),
  delay: {
    ...group('Lets requests wait.', { by: settingSchema(FAULT.by), percent: settingSchema(FAULT.percent) }),
    required: ['by'],
  },
  abort: {
    ...group('Answers requests with an error.', {
      status: status(400, 599, 'The status of the answer.'),
      percent: settingSchema(FAULT.percent),
    }),
    required: ['status'],
  },
});

export const routeSchema: SchemaNode = {
  type: 'object',
  description: 'Requests that match go to the service; the most specific route wins.',
  additionalProperties: false,
  properties: {
    name: name('What logs and limits call the route; without one, `routes[n]`.'),
    match,
    service: name(
      'The service that gets the requests. Each route has exactly one of `service`, `redirect` and `reply`.',
    ),
    version: name('The lane or version of the service that every request of this route goes to.'),
    redirect,
    reply,
    rewrite: group('What the service is asked for instead.', {
      path: path('Replaces the path, the prefix that matched, or, with `$1`, what the expression matched.'),
      host: host('a host such as internal.example or internal.example:8080', 'Replaces the host.'),
    }),
    requestHeaders: headerEdits('Changes headers on the way to the service.'),
    responseHeaders: headerEdits('Changes headers on the way to the client.'),
    rateLimit: rateLimitSchema,
    fault,
  },
};
