/**
 * The OpenAPI 3.1 document, made from the descriptions of the calls.
 *
 * It is made here and not collected from the router's routes by a plug-in, because the descriptions know more: optional bodies, several media
 * types, entity tags, examples, problems. Schemas with a title that is a name (`Service`) become components and are referred to. The
 * document is made once; it does not depend on the configuration.
 */
import type { TSchema } from 'typebox';
import { PROBLEMS, type ProblemCode } from '../problems.ts';
import type { AnyCall } from './call.ts';
import { PERMISSIONS, ROLES_WITH } from './permissions.ts';
import { problem } from './schemas/records.ts';

type Node = Record<string, unknown>;

const TAGS: Readonly<Record<string, string>> = {
  services: 'Services, lanes and rollback',
  weights: 'Who gets how much of the traffic',
  versions: 'Versions, endpoints and pushed metrics',
  rollouts: 'Rollouts, strategies and reports',
  notifications: 'What somebody has to look after',
  flags: 'Feature flags',
  records: 'Events, audit and history',
  config: 'The configuration',
  process: 'The process as a whole',
};

const NAME = /^[A-Z][A-Za-z]+$/;

export function openApiDocument(calls: readonly AnyCall[], version: string): Node {
  const schemas: Node = {};
  const paths: Record<string, Node> = {};
  for (const call of calls) {
    paths[call.path] = { ...paths[call.path], [call.method.toLowerCase()]: operation(call, schemas) };
  }
  return {
    openapi: '3.1.0',
    info: {
      title: 'Sluice admin API',
      version,
      description:
        'See and steer a running Sluice. Refusals are problem+json (RFC 9457) with a code; /docs/problems lists them.',
    },
    servers: [{ url: '/' }],
    tags: Object.entries(TAGS).map(([name, description]) => ({ name, description })),
    paths,
    components: {
      schemas,
      securitySchemes: {
        bearer: {
          type: 'http',
          scheme: 'bearer',
          description: 'A token of admin.tokens. Without any the API is open on its loopback address.',
        },
      },
    },
  };
}

function operation(call: AnyCall, schemas: Node): Node {
  const permission = PERMISSIONS[call.id];
  const roles = permission === 'open' ? null : ROLES_WITH[permission];
  return {
    operationId: call.id,
    tags: [call.tag],
    summary: call.summary,
    ...(call.description !== undefined && { description: call.description }),
    parameters: parameters(call, schemas),
    ...(call.body !== null && { requestBody: requestBody(call.body, schemas) }),
    responses: responses(call, schemas),
    security: roles === null ? [] : [{ bearer: [] }],
    'x-roles': roles ?? [],
  };
}

function parameters(call: AnyCall, schemas: Node): Node[] {
  const of = (schema: TSchema, place: 'path' | 'query'): Node[] => {
    const { properties = {}, required = [] } = schema as { properties?: Record<string, Node>; required?: string[] };
    return Object.entries(properties).map(([name, node]) => ({
      name,
      in: place,
      required: required.includes(name),
      ...(node.description !== undefined && { description: node.description }),
      schema: referred(node, schemas),
    }));
  };
  const fields = Object.entries(call.fields).map(([name, description]) => ({
    name,
    in: 'header',
    required: false,
    description,
    schema: { type: 'string' },
  }));
  // OpenAPI says that parameters of this name are ignored; Accept is described by the media types of the answers.
  return [
    ...of(call.pathSchema, 'path'),
    ...of(call.query, 'query'),
    ...fields.filter(({ name }) => name !== 'accept'),
  ];
}

function requestBody(body: NonNullable<AnyCall['body']>, schemas: Node): Node {
  const texts = (body.asText ?? []).map((type) => [type, { schema: { type: 'string' } }]);
  return {
    required: body.optional !== true,
    content: {
      'application/json': { schema: referred(body.schema, schemas), example: body.example },
      ...Object.fromEntries(texts),
    },
  };
}

const REQUEST_ID = {
  'x-request-id': { description: 'Of the request; taken over from it.', schema: { type: 'string' } },
};

function responses(call: AnyCall, schemas: Node): Node {
  const result: Record<string, Node> = {};
  for (const { status, description, content, headers = {} } of call.answers) {
    const own = Object.entries(headers).map(([name, text]) => [
      name,
      { description: text, schema: { type: 'string' } },
    ]);
    const media = Object.entries(content).map(([type, { schema, example }]) => [
      type,
      { schema: referred(schema, schemas), ...(example !== undefined && { example }) },
    ]);
    result[status] = {
      description,
      headers: { ...Object.fromEntries(own), ...REQUEST_ID },
      ...(media.length > 0 && { content: Object.fromEntries(media) }),
    };
  }
  for (const [status, codes] of problemsByStatus(call)) {
    const media = { schema: referred(problem, schemas), examples: Object.fromEntries(codes.map(problemExample)) };
    const told = codes.map((code) => `\`${code}\`: ${PROBLEMS[code].title}.`).join(' ');
    const before = result[status];
    result[status] = {
      description: before === undefined ? told : `${String(before.description)} Or ${told}`,
      headers: REQUEST_ID,
      content: { ...(before?.content as Node | undefined), 'application/problem+json': media },
    };
  }
  return result;
}

const problemExample = (code: ProblemCode): [string, Node] => {
  const { status, title } = PROBLEMS[code];
  const value = {
    type: `/docs/problems#${code}`,
    title,
    status,
    detail: `${title}.`,
    instance: 'deploy-4711',
    code,
    errors: [],
  };
  return [code, { value }];
};

/** Those of the call, and those that follow from where it is and what it takes. */
export function problemsOf(call: AnyCall): readonly ProblemCode[] {
  const permission = PERMISSIONS[call.id];
  const refusals: ProblemCode[] = ['unauthenticated', 'forbidden', 'too_many_failures'];
  const bodies: ProblemCode[] = ['too_large', 'unsupported_media_type'];
  return [
    ...new Set<ProblemCode>([
      'invalid_request',
      ...(permission === 'open' ? [] : refusals),
      'foreign_origin',
      'misdirected',
      ...(call.body === null ? [] : bodies),
      ...call.problems,
      'internal',
      'draining',
    ]),
  ];
}

function problemsByStatus(call: AnyCall): Map<number, ProblemCode[]> {
  const found = new Map<number, ProblemCode[]>();
  for (const code of problemsOf(call)) {
    const { status } = PROBLEMS[code];
    found.set(status, [...(found.get(status) ?? []), code]);
  }
  return new Map([...found].sort(([a], [b]) => a - b));
}

/** A copy in which named schemas are referred to, and collected. */
function referred(node: unknown, schemas: Node): unknown {
  if (Array.isArray(node)) return node.map((entry) => referred(entry, schemas));
  if (typeof node !== 'object' || node === null) return node;
  const { title } = node as { title?: unknown };
  if (typeof title !== 'string' || !NAME.test(title)) return copied(node, schemas);
  schemas[title] ??= copied(node, schemas);
  return { $ref: `#/components/schemas/${title}` };
}

const copied = (node: object, schemas: Node): Node =>
  Object.fromEntries(Object.entries(node).map(([key, value]) => [key, referred(value, schemas)]));
