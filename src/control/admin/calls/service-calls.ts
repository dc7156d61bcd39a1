/**
 * Services: looking at them, lanes, and taking all traffic back to stable.
 *
 * A rollback that names steps but not `"mode": "gradual"` is refused: who writes steps does not expect everything at once, and who is in a hurry
 * writes none.
 */
import { Type } from 'typebox';
import { parseDuration, parsePercent } from '../../config/units.ts';
import { OperationError } from '../../problems.ts';
import { defineCall, json } from '../call.ts';
import { underPrecondition } from '../precondition.ts';
import { lanesChanged, rollbackStarted } from '../schemas/change-views.ts';
import { appliedExample, serviceExample, weightsExample } from '../schemas/examples.ts';
import { serviceView } from '../schemas/traffic-views.ts';
import { closed, duration, nameOf, nullable, ofService, reason, why, words } from '../schemas/values.ts';
import { CHANGE_PROBLEMS, IF_MATCH } from './change.ts';

const PERCENT = '^(100(\\.0{1,2})?|[0-9]{1,2}(\\.[0-9]{1,2})?) ?%$';

const rollbackBody = closed({
  reason,
  mode: Type.Optional(words('immediate', 'gradual')),
  by: Type.Optional(
    Type.Unsafe<number | string>({
      type: ['number', 'string'],
      title: 'percentage points from 0.01 to 100, such as 20 or "20%"',
      minimum: 0.01,
      maximum: 100,
      pattern: PERCENT,
      description: 'How much each step takes back; for `gradual`. Default 20.',
    }),
  ),
  every: Type.Optional(duration('Time between steps; for `gradual`. Default 1m.')),
});

const laneName = nullable(nameOf('a version'));

export const serviceCalls = [
  defineCall({
    id: 'listServices',
    method: 'GET',
    path: '/api/v1/services',
    tag: 'services',
    summary: 'All services, with what their versions and endpoints do now',
    answers: [
      {
        status: 200,
        description: 'In the order of the file.',
        content: json(closed({ services: Type.Array(serviceView) }, { title: 'Services' }), {
          services: [serviceExample],
        }),
      },
    ],
    handle: (_input, { operations }) => ({ body: { services: operations.services() } }),
  }),
  defineCall({
    id: 'getService',
    method: 'GET',
    path: '/api/v1/services/{service}',
    tag: 'services',
    summary: 'One service',
    pathSchema: ofService,
    answers: [{ status: 200, description: 'The service.', content: json(serviceView, serviceExample) }],
    problems: ['not_found'],
    handle: ({ path }, { operations }) => ({ body: operations.service(path.service) }),
  }),
  defineCall({
    id: 'setLanes',
    method: 'PUT',
    path: '/api/v1/services/{service}/lanes',
    tag: 'services',
    summary: 'Put versions into lanes',
    description: 'Lanes left out stay as they are; null empties one.',
    pathSchema: ofService,
    query: why,
    body: {
      schema: closed(
        {
          stable: Type.Optional(nameOf('a version')),
          canary: Type.Optional(laneName),
          candidate: Type.Optional(laneName),
          reason: Type.Optional(reason),
        },
        { minProperties: 1, title: 'an object of lanes and versions' },
      ),
      example: { canary: 'v2' },
    },
    fields: IF_MATCH,
    answers: [
      {
        status: 200,
        description: 'Every worker has taken it up.',
        content: json(lanesChanged, { lanes: serviceExample.lanes, ...appliedExample }),
      },
    ],
    problems: [...CHANGE_PROBLEMS, 'changed_meanwhile'],
    async handle({ path, query, body, actor, headers }, { operations }) {
      const { reason: why, ...lanes } = { ...query, ...body };
      const options = why === undefined ? {} : { reason: why };
      return {
        body: await underPrecondition(
          headers,
          () => operations.weights(path.service),
          (match) => operations.setLanes(actor, path.service, lanes, { ...options, ...match }),
        ),
      };
    },
  }),
  defineCall({
    id: 'rollBack',
    method: 'POST',
    path: '/api/v1/services/{service}/rollback',
    tag: 'services',
    summary: 'Take all traffic back to stable',
    pathSchema: ofService,
    query: why,
    body: { schema: rollbackBody, example: { reason: 'v2 loses orders', mode: 'immediate' } },
    fields: IF_MATCH,
    answers: [
      {
        status: 200,
        description: 'Done, or with `gradual` begun.',
        content: json(rollbackStarted, {
          mode: 'immediate',
          ...weightsExample,
          weights: { v1: 100, v2: 0 },
          ...appliedExample,
        }),
      },
    ],
    problems: [...CHANGE_PROBLEMS, 'changed_meanwhile'],
    async handle({ path, body, actor, headers }, { operations }) {
      const mode = body.mode ?? 'immediate';
      if (mode === 'immediate') refuseSteps(body);
      const by = parsePercent(body.by);
      const everyMs = parseDuration(body.every);
      if (everyMs === 0) throw fault('every', 'must be longer than 0');
      const options = { reason: body.reason, ...(by !== null && { by }), ...(everyMs !== null && { everyMs }) };
      return {
        body: await underPrecondition(
          headers,
          () => operations.weights(path.service),
          (match) => operations.rollback(actor, path.service, mode, { ...options, ...match }),
        ),
      };
    },
  }),
];

/** An operator who names steps does not expect everything at once. */
function refuseSteps(body: { readonly by?: unknown; readonly every?: unknown }): void {
  for (const key of ['by', 'every'] as const) {
    if (body[key] !== undefined) throw fault(key, 'is for "mode": "gradual"; add that, or leave this out');
  }
}

const fault = (key: string, message: string): OperationError =>
  new OperationError('invalid_request', `${key} ${message}.`, [{ field: `/${key}`, message }]);
