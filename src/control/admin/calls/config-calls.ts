/**
 * The configuration: what the file says, what was changed at run time, what runs; checking one; reading the files again.
 */
import { Type } from 'typebox';
import { defineCall, json } from '../call.ts';
import { configView, reloadResult, validated } from '../schemas/change-views.ts';
import { appliedExample, configExample } from '../schemas/examples.ts';
import { closed, reason, why } from '../schemas/values.ts';

const MEBIBYTE = 1_048_576;

export const configCalls = [
  defineCall({
    id: 'getConfig',
    method: 'GET',
    path: '/api/v1/config',
    tag: 'config',
    summary: 'The file, what runs, and where they differ',
    answers: [{ status: 200, description: 'Without secrets.', content: json(configView, configExample) }],
    handle: (_input, { operations }) => ({ body: operations.config() }),
  }),
  defineCall({
    id: 'validateConfig',
    method: 'POST',
    path: '/api/v1/config/validate',
    tag: 'config',
    summary: 'Check a configuration without running it',
    description: 'Without a body the files on disk are checked, otherwise the text in their place.',
    body: {
      schema: closed({ text: Type.Optional(Type.String({ description: 'YAML.' })) }),
      example: { text: 'services:\n  demo: { versions: { v1: { endpoints: ["http://127.0.0.1:3001"] } } }\n' },
      optional: true,
      asText: ['application/yaml', 'text/yaml'],
      limit: MEBIBYTE,
    },
    logged: false,
    answers: [
      {
        status: 200,
        description: 'It has no fault.',
        content: json(validated, { services: 1, versions: 2, endpoints: 2, routes: 0 }),
      },
    ],
    problems: ['config_invalid', 'busy'],
    async handle({ body }, { operations }) {
      return { body: await operations.validate(body?.text ?? null) };
    },
  }),
  defineCall({
    id: 'reloadConfig',
    method: 'POST',
    path: '/api/v1/config/reload',
    tag: 'config',
    summary: 'Read the files again',
    description: 'All or nothing: where there is a fault, what ran before goes on.',
    query: why,
    body: { schema: closed({ reason: Type.Optional(reason) }), example: { reason: 'new route' }, optional: true },
    answers: [
      {
        status: 200,
        description: 'It runs, or was running already.',
        content: json(reloadResult, { changed: true, ...appliedExample, dropped: [] }),
      },
    ],
    problems: ['config_invalid', 'conflict', 'draining', 'not_acknowledged', 'store_unavailable', 'store_full'],
    async handle({ query, body, actor }, { operations }) {
      return { body: await operations.reload(actor, { ...query, ...body }) };
    },
  }),
];
