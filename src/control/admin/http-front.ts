/**
 * The HTTP side of the admin API: fastify with a route for each call, the pages under /docs, the dashboard's files, and answers for all that
 * goes wrong.
 *
 * fastify routes, reads bodies and ends slow requests; what it would decide by itself (validation, serialisation, error bodies, log lines) is
 * decided here instead. Each change is logged in one line when it is answered, refused ones included once it is known who asked; floods of
 * wrong tokens are not, those have an event of their own.
 */

import type { SecureContextOptions } from 'node:tls';
import { fastifySwagger } from '@fastify/swagger';
import { fastifySwaggerUi } from '@fastify/swagger-ui';
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from 'fastify';
import type { Logger } from '../../runtime/logger.ts';
import type { Actor } from '../operations.ts';
import { OperationError } from '../problems.ts';
import type { AdminParts, Answer, AnyCall } from './call.ts';
import { callRunner } from './call-runner.ts';
import { clientAddress } from './client-address.ts';
import { parseJsonBody } from './json-body.ts';
import { isUnexpected, problemAnswer, rawProblem } from './problem.ts';
import { requestIdOf } from './request-id.ts';
import type { Identity } from './token-book.ts';
import { admit, checkSender, dress, optionsHeaders, pathOf, type VisitRules } from './visit.ts';

export interface HttpFrontOptions {
  readonly calls: readonly AnyCall[];
  readonly parts: AdminParts;
  readonly rules: () => VisitRules;
  readonly logger: Logger;
  readonly tls: SecureContextOptions | null;
}

const BODY_LIMIT = 16_384;
const MOST_CONNECTIONS = 1_024;
const NODE_OPTIONS = {
  maxHeaderSize: 16_384,
  headersTimeout: 10_000,
  connectionsCheckingInterval: 2_000,
  handshakeTimeout: 10_000,
};

export async function httpFront(options: HttpFrontOptions): Promise<FastifyInstance> {
  const app = fastify({
    // Both names of the same thing: fastify hands one of them to node:http or node:https.
    ...(options.tls === null ? { http: NODE_OPTIONS } : { https: { ...NODE_OPTIONS, ...options.tls } }),
    requestTimeout: 30_000,
    connectionTimeout: 120_000,
    keepAliveTimeout: 65_000,
    bodyLimit: BODY_LIMIT,
    exposeHeadRoutes: false,
    return503OnClosing: false,
    forceCloseConnections: 'idle',
    genReqId: (request) => requestIdOf(request.headers['x-request-id']),
    routerOptions: { maxParamLength: 256 },
    frameworkErrors: (error, request, reply) => fail(error, request, reply, options),
    clientErrorHandler: (error, socket) => {
      const code = (error as NodeJS.ErrnoException).code;
      if (code === 'ECONNRESET' || !socket.writable) socket.destroy();
      else socket.end(rawProblem(code, requestIdOf(undefined)));
    },
  }) as unknown as FastifyInstance;
  app.server.maxConnections = MOST_CONNECTIONS;
  const visits = new WeakMap<FastifyRequest, { readonly began: number; identity: Identity | null }>();
  const callOf = (request: FastifyRequest): AnyCall | null =>
    (request.routeOptions.config as { call?: AnyCall } | undefined)?.call ?? null;

  app.addHook('onRequest', async (request, reply): Promise<unknown> => {
    const rules = options.rules();
    const visit = { began: options.parts.clock.now(), identity: null as Identity | null };
    visits.set(request, visit);
    reply.headers(dress(request.raw, request.id, rules));
    checkSender(request.raw, rules);
    if (request.method === 'OPTIONS') {
      const allowed = allowedMethods(options.calls, pathOf(request.url));
      if (allowed === null) throw noSuchAddress(request);
      return reply
        .code(204)
        .headers(optionsHeaders(request.raw, rules.guard, allowed))
        .send();
    }
    if (!request.is404) visit.identity = admit(request.raw, callOf(request)?.id ?? null, rules);
    return undefined;
  });
  app.addHook('onSend', async (_request, reply) => {
    if (options.rules().closing) reply.header('connection', 'close');
  });
  app.addHook('onResponse', async (request, reply) => {
    const call = callOf(request);
    const visit = visits.get(request);
    if (call === null || !call.logged || visit === undefined || visit.identity === null) return;
    options.logger.info('admin_call', {
      actor: visit.identity.name,
      role: visit.identity.role,
      address: clientAddress(request.raw.socket.remoteAddress),
      action: call.id,
      target: pathOf(request.url),
      status: reply.statusCode,
      ms: Number((options.parts.clock.now() - visit.began).toFixed(1)),
      requestId: request.id,
    });
  });
  app.setErrorHandler((error, request, reply) => fail(error, request, reply, options));
  app.setNotFoundHandler((request, reply) => {
    const allowed = allowedMethods(options.calls, pathOf(request.url));
    if (allowed === null) throw noSuchAddress(request);
    reply.header('allow', allowed);
    throw new OperationError('not_allowed', `${pathOf(request.url)} takes ${allowed}.`);
  });
  readJsonOnly(app);
  for (const call of options.calls) addRoute(app, call, options.parts, (request) => actorOf(request, visits));
  await addPages(app, options.parts);
  await app.ready();
  return app;
}

function readJsonOnly(app: FastifyInstance): void {
  app.removeAllContentTypeParsers();
  app.addContentTypeParser('application/json', { parseAs: 'string' }, (_request, text, done) => {
    try {
      done(null, parseJsonBody(String(text)));
    } catch (error) {
      done(error as Error);
    }
  });
}

function addRoute(app: FastifyInstance, call: AnyCall, parts: AdminParts, actorOf: (r: FastifyRequest) => Actor): void {
  const run = callRunner(call);
  // A scope of its own, for the media types that only this call takes.
  void app.register(async (scope) => {
    for (const type of call.body?.asText ?? []) {
      scope.addContentTypeParser(type, { parseAs: 'string' }, (_request, text, done) =>
        done(null, text === '' ? undefined : { text: String(text) }),
      );
    }
    scope.route({
      method: call.method,
      url: call.path.replaceAll(/\{(\w+)\}/g, ':$1'),
      exposeHeadRoute: call.head,
      bodyLimit: call.body?.limit ?? BODY_LIMIT,
      config: { call },
      handler: async (request, reply) => {
        const { params: path, headers, body } = request;
        // The parser's object has no prototype, which would be a surprise further on.
        const query = { ...(request.query as object) };
        return send(reply, await run({ path, query, body, headers, actor: actorOf(request) }, parts));
      },
    });
  });
}

function send(reply: FastifyReply, { status = 200, headers = {}, type, body }: Answer): FastifyReply {
  reply.code(status).headers(headers);
  if (type !== undefined) return reply.type(type).send(body);
  if (body === undefined) return reply.send();
  return reply.type('application/json; charset=utf-8').send(`${JSON.stringify(body)}\n`);
}

async function addPages(app: FastifyInstance, parts: AdminParts): Promise<void> {
  const document = parts.openApi() as object;
  await app.register(fastifySwagger, { mode: 'static', specification: { document: document as never } });
  await app.register(fastifySwaggerUi, {
    routePrefix: '/docs',
    theme: { title: 'Sluice admin API' },
    uiConfig: { layout: 'BaseLayout', docExpansion: 'list', displayRequestDuration: true },
  });
  app.route<{ Params: { name: string } }>({
    method: 'GET',
    url: '/dashboard/:name',
    exposeHeadRoute: true,
    handler: async ({ params, headers }, reply) => send(reply, await parts.dashboard.file(params.name, headers)),
  });
}

function actorOf(request: FastifyRequest, visits: WeakMap<FastifyRequest, { identity: Identity | null }>): Actor {
  const identity = visits.get(request)?.identity ?? { name: 'anonymous', role: 'viewer' };
  const address = clientAddress(request.raw.socket.remoteAddress);
  return { name: identity.name, role: identity.role, address, requestId: request.id };
}

function fail(error: unknown, request: FastifyRequest, reply: FastifyReply, options: HttpFrontOptions): FastifyReply {
  const { status, headers, body } = problemAnswer(error, request.id, request.headers.authorization !== undefined);
  if (isUnexpected(error)) {
    const { message, stack } = error as Error;
    options.logger.error('admin_fault', { requestId: request.id, target: pathOf(request.url), message, stack });
  }
  reply.headers(dress(request.raw, request.id, options.rules()));
  return reply
    .code(status)
    .headers(headers)
    .send(`${JSON.stringify(body)}\n`);
}

const noSuchAddress = (request: FastifyRequest): OperationError =>
  new OperationError(
    'not_found',
    `There is nothing at ${pathOf(request.url).slice(0, 200)}; /docs lists what there is.`,
  );

/** Methods that an address takes, null where there is no such address. */
function allowedMethods(calls: readonly AnyCall[], path: string): string | null {
  const found = calls.filter((call) => matches(call.path, path));
  if (found.length === 0) return null;
  const methods = found.flatMap(({ method, head }) => (head ? [method, 'HEAD'] : [method]));
  return [...new Set([...methods, 'OPTIONS'])].join(', ');
}

function matches(pattern: string, path: string): boolean {
  const wanted = pattern.split('/');
  const given = path.split('/');
  return (
    wanted.length === given.length &&
    wanted.every((part, at) => (part.startsWith('{') ? given[at] !== '' : part === given[at]))
  );
}
