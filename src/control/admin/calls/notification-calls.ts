/**
 * Notifications that somebody has to acknowledge, so that they are not escalated.
 *
 * Acknowledging is for whoever runs the services, not for whoever may only look: it silences what would call the next person.
 */
import { Type } from 'typebox';
import { defineCall, json } from '../call.ts';
import { notificationExample } from '../schemas/rollout-examples.ts';
import { notificationView } from '../schemas/rollout-views.ts';
import { closed, reason, why } from '../schemas/values.ts';

const ofNotification = closed({
  notification: Type.String({
    title: 'the id of a notification',
    pattern: '^[A-Za-z0-9][A-Za-z0-9._:-]{0,127}$',
    description: 'Id of a notification.',
  }),
});

export const notificationCalls = [
  defineCall({
    id: 'listNotifications',
    method: 'GET',
    path: '/api/v1/notifications',
    tag: 'notifications',
    summary: 'What somebody has to acknowledge, or has',
    answers: [
      {
        status: 200,
        description: 'Newest first.',
        content: json(closed({ notifications: Type.Array(notificationView) }, { title: 'Notifications' }), {
          notifications: [notificationExample],
        }),
      },
    ],
    handle: (_input, { operations }) => ({ body: { notifications: operations.notifications() } }),
  }),
  defineCall({
    id: 'acknowledgeNotification',
    method: 'POST',
    path: '/api/v1/notifications/{notification}/acknowledge',
    tag: 'notifications',
    summary: 'Say that somebody looks after it',
    description: 'It is escalated no further.',
    pathSchema: ofNotification,
    query: why,
    body: { schema: closed({ reason: Type.Optional(reason) }), example: { reason: 'I am on it' }, optional: true },
    answers: [
      {
        status: 200,
        description: 'It is acknowledged.',
        content: json(notificationView, {
          ...notificationExample,
          acknowledged: { by: 'ops', at: '2026-01-01T12:13:40.000Z' },
        }),
      },
    ],
    problems: ['not_found', 'conflict', 'draining', 'store_unavailable', 'store_full'],
    async handle({ path, query, body, actor }, { operations }) {
      return { body: await operations.acknowledge(actor, path.notification, { ...query, ...body }) };
    },
  }),
];
