/**
 * A webhook subscription as the recipient of an event reader: one POST carries one event as JSON, signed where there is a secret.
 *
 * Order, tries and pauses are the reader's business. The log names only origins, since the path of a webhook often is its password.
 */
import type { EventWebhookConfig } from '../../model/admin-config.ts';
import { matchesTypes } from '../events/event-filter.ts';
import type { ReaderManner } from './event-reader.ts';
import type { Recipient } from './recipient.ts';
import { webhookHeaders } from './signature.ts';
import { CURSOR_PREFIX } from './webhook-cursor.ts';

export const WEBHOOK_MANNER: ReaderManner = {
  ...{ log: 'event_webhook', field: 'webhook', userAgent: 'sluice-event', cursors: CURSOR_PREFIX },
  // A program reads them: it wants all of them, and every one until it is taken.
  ...{ most: Number.POSITIVE_INFINITY, refusals: Number.POSITIVE_INFINITY },
};

/** @param wallClock milliseconds since 1970. */
export function eventWebhook(config: EventWebhookConfig, wallClock: () => number): Recipient {
  const { name, secret, types } = config;
  const url = new URL(config.url);
  return {
    name,
    origin: url.origin,
    wants: ({ type }) => matchesTypes(types, type),
    send: (sender, event, id) => {
      const body = JSON.stringify(event);
      return sender.post(url, body, webhookHeaders(secret, { id, timestamp: Math.floor(wallClock() / 1000), body }));
    },
  };
}
