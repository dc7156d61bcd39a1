/**
 * Problems, events, audit rows and history as the API shows them. Held equal to the types of the control plane by a test.
 */
import { Type } from 'typebox';
import { EVENT_TYPES, type EventType } from '../../events/event.ts';
import { PROBLEMS, type ProblemCode } from '../../problems.ts';
import { closed, nullable, time, words } from './values.ts';

export const problem = Type.Object(
  {
    type: Type.String({ description: 'Where the kind is explained, relative to this API.' }),
    title: Type.String(),
    status: Type.Integer(),
    detail: Type.String({ description: 'What was wrong, and how to mend it.' }),
    instance: Type.String({ description: 'The request id.' }),
    code: Type.Enum(Object.keys(PROBLEMS) as ProblemCode[]),
    errors: Type.Array(
      closed({
        field: Type.String({ description: 'JSON pointer into the body, query:NAME or path:NAME.' }),
        message: Type.String(),
        file: Type.Optional(Type.String()),
        line: Type.Optional(Type.Integer()),
        column: Type.Optional(Type.Integer()),
      }),
    ),
  },
  { title: 'Problem', description: 'RFC 9457. A changed_meanwhile has the present weights as `present`.' },
);

export const event = closed(
  {
    id: Type.Integer({ description: 'Grows, over restarts too.' }),
    at: time,
    type: Type.Enum(Object.keys(EVENT_TYPES) as EventType[]),
    level: words('info', 'warning', 'critical'),
    service: Type.Optional(Type.String()),
    version: Type.Optional(Type.String()),
    endpoint: Type.Optional(Type.String()),
    message: Type.String(),
    data: Type.Optional(Type.Record(Type.String(), Type.Unknown())),
  },
  { title: 'Event' },
);

export const eventList = Type.Array(event, { title: 'EventList', description: 'Oldest first.' });

export const auditRow = closed(
  {
    seq: Type.Integer({ description: 'From 1, without gaps.' }),
    at: time,
    actor: Type.String(),
    role: Type.String(),
    address: Type.String(),
    requestId: Type.String(),
    action: Type.String(),
    target: Type.String(),
    before: Type.Unknown(),
    after: Type.Unknown(),
    reason: Type.String(),
    previous: Type.String({ description: 'Hash of the row before.' }),
    hash: Type.String(),
  },
  { title: 'AuditRow' },
);

export const auditPage = closed(
  {
    rows: Type.Array(auditRow),
    next: nullable(
      Type.Integer({ description: 'What `since` is to be for the next page; null where this is the last.' }),
    ),
  },
  { title: 'AuditPage' },
);

export const auditVerdict = closed(
  {
    ok: Type.Boolean(),
    rows: Type.Integer(),
    head: Type.String({
      description: 'Hash of the last row: noted elsewhere, it proves later that nothing was cut off.',
    }),
    fault: Type.Optional(closed({ seq: Type.Integer(), message: Type.String() })),
  },
  { title: 'AuditVerdict' },
);

export const historyPoint = closed(
  {
    at: Type.Integer({ description: 'Milliseconds since 1970.' }),
    service: Type.String(),
    version: Type.String(),
    values: Type.Record(Type.String(), nullable(Type.Number())),
  },
  { title: 'HistoryPoint' },
);

export const historyView = closed({ points: Type.Array(historyPoint) }, { title: 'History' });
