/**
 * The process as a whole: alive, ready, its metrics, its state, its end; and the way into the API, for programs and for browsers.
 *
 * `/` is the dashboard to whoever prefers HTML, which is what browsers say of themselves, and a list of addresses to anyone else: people type it
 * either way, and nobody should have to know a longer one.
 *
 * Readiness is about traffic: a store that cannot be written or an alert does not take a proxy out of its load balancer, since requests are
 * served all the same. Those are told beside it.
 */
import { Type } from 'typebox';
import type { ServerStatus } from '../../operations.ts';
import { PROBLEMS } from '../../problems.ts';
import { preferredType } from '../accept.ts';
import { defineCall, json } from '../call.ts';
import { grantsOf, type Identified } from '../permissions.ts';
import { serverStatus } from '../schemas/change-views.ts';
import { statusExample } from '../schemas/examples.ts';
import { identified, identifiedExample } from '../schemas/page-views.ts';
import { closed, reason, why } from '../schemas/values.ts';

const index = closed({
  name: Type.String(),
  docs: Type.String(),
  openapi: Type.String(),
  api: Type.String(),
  metrics: Type.String(),
  health: Type.String(),
  readiness: Type.String(),
});

const readiness = closed({
  ready: Type.Boolean(),
  state: Type.String(),
  reasons: Type.Array(Type.String(), { description: 'Why it is not ready.' }),
  notes: Type.Array(Type.String(), { description: 'What is wrong without keeping it from being ready.' }),
});

const INDEX = {
  name: 'sluice',
  docs: '/docs',
  openapi: '/openapi.json',
  api: '/api/v1/status',
  metrics: '/metrics',
  health: '/healthz',
  readiness: '/readyz',
};

function reasonsNotReady({ state, workers }: ServerStatus): string[] {
  return [
    ...(state === 'starting' ? ['The workers are starting.'] : []),
    ...(state === 'draining' ? ['Sluice is shutting down.'] : []),
    ...(state === 'serving' && workers.listening === 0 ? ['No worker is listening.'] : []),
  ];
}

function problemsPage(): string {
  const rows = Object.entries(PROBLEMS).map(
    ([code, { status, title }]) =>
      `<tr id="${code}"><td><code>${code}</code></td><td>${status}</td><td>${title}</td></tr>`,
  );
  const head = '<tr><th>code</th><th>status</th><th>meaning</th></tr>';
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>Problems</title><table>${head}${rows.join('')}</table></html>\n`;
}

export const processCalls = [
  defineCall({
    id: 'getIndex',
    method: 'GET',
    path: '/',
    tag: 'process',
    summary: 'Where everything is; to a browser, the dashboard',
    fields: {
      accept: 'The dashboard where text/html is preferred.',
      'if-none-match': 'Of the dashboard: 304 where it has not changed.',
    },
    answers: [
      {
        status: 200,
        description: 'Addresses on this server, or the dashboard.',
        content: { ...json(index, INDEX), 'text/html': { schema: Type.String() } },
      },
      { status: 304, description: 'The dashboard has not changed.', content: {} },
    ],
    handle({ headers }, { dashboard }) {
      const wanted = preferredType(headers.accept, ['application/json', 'text/html']);
      if (wanted === 'text/html') return dashboard.page(headers);
      return { headers: { vary: 'accept, origin' }, body: INDEX };
    },
  }),
  defineCall({
    id: 'getIdentity',
    method: 'GET',
    path: '/api/v1/identity',
    tag: 'process',
    summary: 'Who you are, and what you may do',
    answers: [{ status: 200, description: 'Of the token.', content: json(identified, identifiedExample) }],
    handle({ actor: { name, role } }, { isOpen }) {
      return { body: { name, role, open: isOpen(), permissions: grantsOf(role) } satisfies Identified };
    },
  }),
  defineCall({
    id: 'getHealth',
    method: 'GET',
    path: '/healthz',
    tag: 'process',
    summary: 'Is the process alive?',
    answers: [
      {
        status: 200,
        description: 'It is.',
        content: json(closed({ status: Type.Literal('ok') }), { status: 'ok' }),
      },
    ],
    handle: () => ({ body: { status: 'ok' } }),
  }),
  defineCall({
    id: 'getReadiness',
    method: 'GET',
    path: '/readyz',
    tag: 'process',
    summary: 'Should it get traffic?',
    answers: [
      {
        status: 200,
        description: 'It should.',
        content: json(readiness, { ready: true, state: 'serving', reasons: [], notes: [] }),
      },
      {
        status: 503,
        description: 'It should not, and why.',
        content: json(readiness, {
          ready: false,
          state: 'draining',
          reasons: ['Sluice is shutting down.'],
          notes: [],
        }),
      },
    ],
    handle(_input, { operations }) {
      const status = operations.status();
      const reasons = reasonsNotReady(status);
      const ready = reasons.length === 0;
      const notes =
        status.store.trouble === null ? [] : [`The state cannot be written: ${status.store.trouble.message}`];
      return { status: ready ? 200 : 503, body: { ready, state: status.state, reasons, notes } };
    },
  }),
  defineCall({
    id: 'getProblems',
    method: 'GET',
    path: '/docs/problems',
    tag: 'process',
    summary: 'Kinds of problems, for people',
    answers: [{ status: 200, description: 'A page.', content: { 'text/html': { schema: Type.String() } } }],
    handle: () => ({ type: 'text/html; charset=utf-8', body: problemsPage() }),
  }),
  defineCall({
    id: 'getOpenApi',
    method: 'GET',
    path: '/openapi.json',
    tag: 'process',
    summary: 'This description, OpenAPI 3.1',
    answers: [{ status: 200, description: 'The document.', content: json(Type.Object({})) }],
    handle: (_input, parts) => ({ body: parts.openApi() }),
  }),
  defineCall({
    id: 'getMetrics',
    method: 'GET',
    path: '/metrics',
    tag: 'process',
    summary: 'Metrics for Prometheus',
    fields: { accept: 'OpenMetrics where it is asked for.' },
    answers: [{ status: 200, description: 'Text exposition.', content: { 'text/plain': { schema: Type.String() } } }],
    async handle({ headers }, { metrics }) {
      const { contentType, body } = await metrics.expose(headers.accept);
      return { type: contentType, body };
    },
  }),
  defineCall({
    id: 'getStatus',
    method: 'GET',
    path: '/api/v1/status',
    tag: 'process',
    summary: 'What the process is doing',
    answers: [{ status: 200, description: 'Its state.', content: json(serverStatus, statusExample) }],
    handle: (_input, { operations }) => ({ body: operations.status() }),
  }),
  defineCall({
    id: 'drainServer',
    method: 'POST',
    path: '/api/v1/drain',
    tag: 'process',
    summary: 'End the process: no new requests, the present ones finish',
    query: why,
    body: { schema: closed({ reason: Type.Optional(reason) }), example: { reason: 'new machine' }, optional: true },
    answers: [
      {
        status: 202,
        description: 'It is on its way.',
        content: json(closed({ state: Type.Literal('draining') }), { state: 'draining' }),
      },
    ],
    problems: ['draining', 'store_unavailable', 'store_full'],
    async handle({ actor, query, body }, { operations }) {
      await operations.drain(actor, { ...query, ...body });
      return { status: 202, body: { state: 'draining' } };
    },
  }),
];
