/**
 * What happened and who did it: audit and history. Events have a file of their own.
 */
import { Type } from 'typebox';
import { parseDuration } from '../../config/units.ts';
import { OperationError } from '../../problems.ts';
import type { AuditVerdict, Store } from '../../store/store.ts';
import { defineCall, json } from '../call.ts';
import { auditExample } from '../schemas/examples.ts';
import { auditPage, auditVerdict, historyView } from '../schemas/records.ts';
import { closed, nameOf } from '../schemas/values.ts';

const HOUR = 3_600_000;

const word = (description: string) =>
  Type.Optional(Type.String({ title: 'a text of 1 to 256 characters', minLength: 1, maxLength: 256, description }));

const auditQuery = closed({
  since: Type.Optional(
    Type.Integer({ minimum: 0, title: 'a number from 0', description: 'Rows after this number. Default 0.' }),
  ),
  limit: Type.Optional(
    Type.Integer({ minimum: 1, maximum: 1000, title: 'a number from 1 to 1000', description: 'Default 100.' }),
  ),
  actor: word('Only what this token did.'),
  action: word('Only this action, such as weights.set.'),
  target: word('Only this target, such as services/demo/weights.'),
  newest: Type.Optional(Type.Boolean({ title: 'true or false', description: 'Newest first. Default false.' })),
});

const historyQuery = closed({
  service: nameOf('a service'),
  version: Type.Optional(nameOf('a version')),
  since: Type.Optional(
    Type.String({
      title: 'a time such as 2026-01-01T12:00:00Z, or a duration such as 15m',
      maxLength: 40,
      description: 'From when, or how far back. Default 1h.',
    }),
  ),
});

/** Reading every row takes a while, so those who ask meanwhile get the same answer. */
const verifying = new WeakMap<Store, Promise<AuditVerdict>>();

function verify(store: Store): Promise<AuditVerdict> {
  const running = verifying.get(store);
  if (running !== undefined) return running;
  const started = store.verifyAudit().finally(() => verifying.delete(store));
  verifying.set(store, started);
  return started;
}

function timeOf(text: string, now: number): number {
  const back = parseDuration(text);
  if (back !== null) return now - back;
  const time = /^\d{4}-\d{2}-\d{2}/.test(text) ? Date.parse(text) : Number.NaN;
  if (!Number.isNaN(time)) return time;
  const message = `must be a time such as 2026-01-01T12:00:00Z, or a duration such as 15m, not ${JSON.stringify(text)}`;
  throw new OperationError('invalid_request', `since ${message}`, [{ field: 'query:since', message }]);
}

export const recordCalls = [
  defineCall({
    id: 'getAudit',
    method: 'GET',
    path: '/api/v1/audit',
    tag: 'records',
    summary: 'Who changed what',
    query: auditQuery,
    answers: [{ status: 200, description: 'A page.', content: json(auditPage, { rows: [auditExample], next: null }) }],
    problems: ['store_unavailable'],
    async handle({ query }, { store }) {
      const { limit = 100, ...rest } = query;
      const rows = await store.audit({ limit, ...rest });
      const more = rows.length === limit && query.newest !== true;
      return { body: { rows, next: more ? (rows.at(-1)?.seq ?? null) : null } };
    },
  }),
  defineCall({
    id: 'verifyAudit',
    method: 'GET',
    path: '/api/v1/audit/verify',
    tag: 'records',
    summary: 'Has anybody tampered with the audit?',
    answers: [
      {
        status: 200,
        description: 'Whether every row has the hash that it should have.',
        content: json(auditVerdict, { ok: true, rows: 12, head: auditExample.hash }),
      },
    ],
    problems: ['store_unavailable'],
    async handle(_input, { store }) {
      return { body: await verify(store) };
    },
  }),
  defineCall({
    id: 'getHistory',
    method: 'GET',
    path: '/api/v1/history',
    tag: 'records',
    summary: 'What the monitor measured over time',
    query: historyQuery,
    answers: [
      {
        status: 200,
        description: 'Oldest first, one version behind the other.',
        content: json(historyView, {
          points: [{ at: 1_767_268_800_000, service: 'demo', version: 'v1', values: { error_rate: 0.1, p95: 3.4 } }],
        }),
      },
    ],
    problems: ['not_found', 'store_unavailable'],
    async handle({ query }, { operations, store, wallClock }) {
      const since = timeOf(query.since ?? `${HOUR}ms`, wallClock());
      const versions =
        query.version === undefined
          ? operations.service(query.service).versions.map(({ name }) => name)
          : [query.version];
      const points = await Promise.all(versions.map((version) => store.history(query.service, version, since)));
      return { body: { points: points.flat() } };
    },
  }),
];
