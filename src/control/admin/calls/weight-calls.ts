/**
 * Weights: who gets how much of a service's traffic. All of them carry an entity tag, so that two operators cannot overwrite each other
 * unknowingly.
 */
import { Type } from 'typebox';
import { type AdminParts, type Answer, type AnyCall, type CallInput, defineCall, json } from '../call.ts';
import { quoted } from '../entity-tag.ts';
import type { CallId } from '../permissions.ts';
import { isKnown, underPrecondition } from '../precondition.ts';
import { relativeWeightsChanged, weightsChanged, weightsView } from '../schemas/change-views.ts';
import { appliedExample, weightsExample } from '../schemas/examples.ts';
import { closed, nameOf, numbersByName, ofService, reason, why } from '../schemas/values.ts';
import { CHANGE_PROBLEMS, IF_MATCH } from './change.ts';

const ETAG = { etag: 'Of lanes and weights.' };
const changedExample = { ...weightsExample, ...appliedExample };

const relativeQuery = closed({ service: Type.Optional(nameOf('a service')), reason: Type.Optional(reason) });

const tagged = <T extends { readonly etag: string }>(body: T): Answer => ({
  headers: { etag: quoted(body.etag) },
  body,
});

async function setRelativeWeights(
  { query, body, actor, headers }: CallInput<unknown, { service?: string; reason?: string }, Record<string, number>>,
  { operations }: AdminParts,
): Promise<Answer> {
  const { service, ...options } = query;
  const present = () => operations.weights(service ?? operations.services()[0]?.name ?? '');
  return tagged(
    await underPrecondition(headers, present, (match) =>
      operations.setRelativeWeights(actor, service ?? null, body, { ...options, ...match }),
    ),
  );
}

const relativeCall = (id: CallId, path: string, summary: string): AnyCall =>
  defineCall({
    id,
    method: 'POST',
    path,
    tag: 'weights',
    summary,
    description: 'Weights in any unit; versions left out get none. Without `service` there must be only one.',
    query: relativeQuery,
    body: {
      schema: numbersByName({
        title: 'a number from 0 to 1000000000',
        most: 1e9,
        what: 'Weight by version or lane.',
      }),
      example: { v1: 3, v2: 1 },
    },
    fields: IF_MATCH,
    answers: [
      {
        status: 200,
        description: 'Every worker has taken it up.',
        content: json(relativeWeightsChanged, { service: 'demo', ...changedExample }),
        headers: ETAG,
      },
    ],
    problems: [...CHANGE_PROBLEMS, 'changed_meanwhile'],
    handle: setRelativeWeights,
  });

export const weightCalls = [
  defineCall({
    id: 'getWeights',
    method: 'GET',
    path: '/api/v1/services/{service}/weights',
    tag: 'weights',
    summary: 'The weights of a service, and their entity tag',
    pathSchema: ofService,
    fields: { 'if-none-match': 'Answers 304 where the entity tag is still the same.' },
    answers: [
      { status: 200, description: 'The weights.', content: json(weightsView, weightsExample), headers: ETAG },
      { status: 304, description: 'They are as before.', content: {}, headers: ETAG },
    ],
    problems: ['not_found'],
    handle({ path, headers }, { operations }) {
      const view = operations.weights(path.service);
      return isKnown(headers, view.etag) ? { status: 304, headers: { etag: quoted(view.etag) } } : tagged(view);
    },
  }),
  defineCall({
    id: 'setWeights',
    method: 'PUT',
    path: '/api/v1/services/{service}/weights',
    tag: 'weights',
    summary: 'Set the weights of a service',
    description: 'Percent with a resolution of 0.01, sum 100; versions left out get 0.',
    pathSchema: ofService,
    query: why,
    body: {
      schema: numbersByName({ title: 'a percentage from 0 to 100', most: 100, what: 'Percent by version or lane.' }),
      example: { stable: 90, canary: 10 },
    },
    fields: IF_MATCH,
    answers: [
      {
        status: 200,
        description: 'Every worker has taken it up.',
        content: json(weightsChanged, changedExample),
        headers: ETAG,
      },
    ],
    problems: [...CHANGE_PROBLEMS, 'changed_meanwhile'],
    async handle({ path, query, body, actor, headers }, { operations }) {
      return tagged(
        await underPrecondition(
          headers,
          () => operations.weights(path.service),
          (match) => operations.setWeights(actor, path.service, body, { ...query, ...match }),
        ),
      );
    },
  }),
  defineCall({
    id: 'resetWeights',
    method: 'DELETE',
    path: '/api/v1/services/{service}/weights',
    tag: 'weights',
    summary: 'Back to the weights of the file',
    pathSchema: ofService,
    query: why,
    fields: IF_MATCH,
    answers: [
      {
        status: 200,
        description: 'Every worker has taken it up.',
        content: json(weightsChanged, changedExample),
        headers: ETAG,
      },
    ],
    problems: [...CHANGE_PROBLEMS, 'changed_meanwhile'],
    async handle({ path, query, actor, headers }, { operations }) {
      return tagged(
        await underPrecondition(
          headers,
          () => operations.weights(path.service),
          (match) => operations.resetWeights(actor, path.service, { ...query, ...match }),
        ),
      );
    },
  }),
  relativeCall('setRelativeWeights', '/api/v1/traffic-weights', 'Set weights in any unit'),
  relativeCall('setTrafficWeights', '/api/traffic-weights', 'Set weights in any unit (short address)'),
];
