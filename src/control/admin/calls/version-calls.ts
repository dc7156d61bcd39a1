/**
 * Versions and their endpoints: registering, removing, taking one endpoint out, pushing metrics.
 *
 * Pushing metrics changes no traffic and comes every few seconds from whoever measures, so it is the one change that is not logged.
 */
import { Type } from 'typebox';
import { parseDuration } from '../../config/units.ts';
import { OperationError } from '../../problems.ts';
import { defineCall, json } from '../call.ts';
import { underPrecondition } from '../precondition.ts';
import { appliedView, endpointsView, versionChanged } from '../schemas/change-views.ts';
import { appliedExample, endpointExample, versionExample } from '../schemas/examples.ts';
import { pushedMetrics } from '../schemas/traffic-views.ts';
import { closed, duration, numbersByName, ofService, ofVersion, reason, why, words } from '../schemas/values.ts';
import { CHANGE_PROBLEMS, IF_MATCH } from './change.ts';

const url = Type.String({
  title: 'a URL such as http://127.0.0.1:3000',
  pattern: '^[Hh][Tt][Tt][Pp]://[^\\s]{1,500}$',
  description: '`http://host:port`, no path.',
});

const versionBody = closed({
  endpoints: Type.Array(
    Type.Union(
      [
        url,
        closed({
          url,
          weight: Type.Optional(
            Type.Integer({
              minimum: 1,
              maximum: 1000,
              title: 'a whole number from 1 to 1000',
              description: 'Relative share. Default 1.',
            }),
          ),
          maxRequests: Type.Optional(
            Type.Integer({
              minimum: 0,
              maximum: 1_000_000,
              title: 'a whole number from 0 to 1000000',
              description: 'Most requests at once; 0 is unlimited. Default 0.',
            }),
          ),
        }),
      ],
      { title: 'a URL, or an object with one' },
    ),
    { minItems: 1, maxItems: 1024, title: 'a list of endpoints' },
  ),
  reason: Type.Optional(reason),
});

const stateBody = closed({
  url,
  state: words('enabled', 'drain', 'disabled'),
  deadline: Type.Optional(duration('For `drain`: when its sessions have to move too. Left out: never.')),
  reason: Type.Optional(reason),
});

const METRIC_NAME = '^[a-z][a-z0-9_]{0,62}$';

export const versionCalls = [
  defineCall({
    id: 'putVersion',
    method: 'PUT',
    path: '/api/v1/services/{service}/versions/{version}',
    tag: 'versions',
    summary: 'Register a version, or replace its endpoints',
    description: 'A new version has no lane and no weight.',
    pathSchema: ofVersion,
    query: why,
    body: {
      schema: versionBody,
      example: { endpoints: ['http://127.0.0.1:3003', { url: 'http://127.0.0.1:3004', weight: 2 }] },
    },
    answers: [
      {
        status: 200,
        description: 'Its endpoints are replaced.',
        content: json(versionChanged, { version: versionExample('v3', 0), created: false, ...appliedExample }),
      },
      {
        status: 201,
        description: 'It is new.',
        content: json(versionChanged, { version: versionExample('v3', 0), created: true, ...appliedExample }),
      },
    ],
    fields: IF_MATCH,
    problems: [...CHANGE_PROBLEMS, 'changed_meanwhile'],
    async handle({ path, query, body, actor, headers }, { operations }) {
      const endpoints = body.endpoints.map((entry) => (typeof entry === 'string' ? { url: entry } : entry));
      const why = body.reason ?? query.reason;
      const options = why === undefined ? {} : { reason: why };
      const result = await underPrecondition(
        headers,
        () => operations.weights(path.service),
        (match) => operations.putVersion(actor, path.service, path.version, endpoints, { ...options, ...match }),
      );
      return { status: result.created ? 201 : 200, body: result };
    },
  }),
  defineCall({
    id: 'deleteVersion',
    method: 'DELETE',
    path: '/api/v1/services/{service}/versions/{version}',
    tag: 'versions',
    summary: 'Take a version out; its requests finish',
    pathSchema: ofVersion,
    query: why,
    answers: [
      { status: 200, description: 'Every worker has taken it up.', content: json(appliedView, appliedExample) },
    ],
    fields: IF_MATCH,
    problems: [...CHANGE_PROBLEMS, 'changed_meanwhile'],
    async handle({ path, query, actor, headers }, { operations }) {
      return {
        body: await underPrecondition(
          headers,
          () => operations.weights(path.service),
          (match) => operations.deleteVersion(actor, path.service, path.version, { ...query, ...match }),
        ),
      };
    },
  }),
  defineCall({
    id: 'setEndpointState',
    method: 'PUT',
    path: '/api/v1/services/{service}/endpoints/state',
    tag: 'versions',
    summary: 'Enable, drain or disable one endpoint',
    pathSchema: ofService,
    query: why,
    body: { schema: stateBody, example: { url: 'http://127.0.0.1:3001', state: 'drain', deadline: '30s' } },
    answers: [
      {
        status: 200,
        description: 'The endpoints with that URL.',
        content: json(endpointsView, { endpoints: [{ ...endpointExample, state: 'draining', available: false }] }),
      },
    ],
    problems: CHANGE_PROBLEMS,
    async handle({ path, query, body, actor }, { operations }) {
      const { url, state, deadline } = body;
      const deadlineMs = parseDuration(deadline);
      if (deadlineMs !== null && state !== 'drain') {
        const message = 'is for "state": "drain"; leave it out';
        throw new OperationError('invalid_request', `deadline ${message}.`, [{ field: '/deadline', message }]);
      }
      const why = body.reason ?? query.reason;
      const options = { ...(why !== undefined && { reason: why }), ...(deadlineMs !== null && { deadlineMs }) };
      return { body: { endpoints: await operations.setEndpointState(actor, path.service, url, state, options) } };
    },
  }),
  defineCall({
    id: 'pushMetrics',
    method: 'POST',
    path: '/api/v1/services/{service}/versions/{version}/metrics',
    tag: 'versions',
    summary: 'Push business and resource metrics of a version',
    pathSchema: ofVersion,
    body: {
      schema: numbersByName({
        title: 'a number',
        what: 'Value by metric.',
        names: METRIC_NAME,
        nameTitle: 'a name of 1 to 63 lower-case letters, digits or "_", the first a letter',
      }),
      example: { task_success_rate: 0.995 },
    },
    logged: false,
    answers: [
      {
        status: 200,
        description: 'The last value of each.',
        content: json(closed({ metrics: pushedMetrics }, { title: 'MetricsPushed' }), {
          metrics: versionExample('v2', 10).metrics,
        }),
      },
    ],
    problems: ['not_found', 'conflict'],
    handle: ({ path, body, actor }, { operations }) => ({
      body: { metrics: operations.pushMetrics(actor, path.service, path.version, body) },
    }),
  }),
];
