/**
 * A channel of the configuration as the recipient of an event reader: which events it gets, and what is posted for each, by kind.
 *
 * An event is sent where its level is at least the channel's and its type is among the channel's. What is told again because nobody has
 * acknowledged it is sent whatever the channel asks for otherwise. A secret is read at each try, so a new one needs no reload; one that
 * cannot be read is a failure like any other, tried again and logged.
 */

import type { NotificationConfig } from '../../model/rollout-config.ts';
import { Secret } from '../../model/secret.ts';
import type { EventLevel, SluiceEvent } from '../events/event.ts';
import { matchesTypes } from '../events/event-filter.ts';
import { readSecret } from '../secret-reference.ts';
import { alertmanager } from './alertmanager.ts';
import type { ReaderManner } from './event-reader.ts';
import type { Recipient, Telling } from './recipient.ts';
import { webhookHeaders } from './signature.ts';
import { slackMessage } from './slack.ts';
import { filledIn } from './template.ts';
import type { WebhookAnswer } from './webhook-sender.ts';

/** Most notifications that wait for a channel that fails. */
export const MOST_WAITING = 1_000;
/** Tries of a message that the receiver calls wrong. */
export const REFUSALS = 3;

export const CHANNEL_MANNER: ReaderManner = {
  ...{ log: 'notification', field: 'channel', userAgent: 'sluice-notification', cursors: 'notification-channels/' },
  ...{ most: MOST_WAITING, refusals: REFUSALS },
};

export interface ChannelContext {
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly env: NodeJS.ProcessEnv;
  /** Where people reach the admin API; null: links are left out. */
  readonly externalUrl: string | null;
}

const RANK: Readonly<Record<EventLevel, number>> = { info: 0, warning: 1, critical: 2 };

export const isSelected = (
  { severity, types }: Pick<NotificationConfig, 'severity' | 'types'>,
  { level, type }: Pick<SluiceEvent, 'level' | 'type'>,
): boolean => RANK[level] >= RANK[severity] && matchesTypes(types, type);

export function channelOf(config: NotificationConfig, context: ChannelContext): Recipient {
  const { name, template } = config;
  const url = new URL(config.url);
  const wants = (event: SluiceEvent): boolean => isSelected(config, event);
  switch (config.kind) {
    case 'webhook':
      return {
        ...{ name, wants, origin: url.origin },
        send: async (sender, event, id) => {
          const body = JSON.stringify(webhookMessage(event, template));
          const headers = signed(config, context, id, body);
          return 'fault' in headers ? headers : sender.post(url, body, headers.fields);
        },
      };
    case 'slack':
      return {
        ...{ name, wants, origin: url.origin },
        send: (sender, event) => sender.post(url, JSON.stringify(slackMessage(event, template))),
      };
    case 'alertmanager':
      return alertmanager({
        ...{ name, url, isSelected: wants, wallClock: context.wallClock, externalUrl: context.externalUrl },
        describe: (event) => filledIn(template, event, (value) => value),
      });
  }
}

function webhookMessage(event: Telling, template: string | null): Readonly<Record<string, unknown>> {
  const { id, at, type, level, service, version, endpoint, message, data, notification } = event;
  return {
    ...{ id, at, type, severity: level, service: service ?? null, version: version ?? null },
    ...{ endpoint: endpoint ?? null, message, data: data ?? {} },
    text: filledIn(template, event, (value) => value),
    ...(notification !== undefined && { notification }),
  };
}

function signed(
  { secret: source }: NotificationConfig,
  { env, wallClock }: ChannelContext,
  id: string,
  body: string,
): WebhookAnswer | { readonly fields: Record<string, string> } {
  try {
    const secret = source === null ? undefined : new Secret(source, readSecret(source, env));
    return { fields: webhookHeaders(secret, { id, timestamp: Math.floor(wallClock() / 1000), body }) };
  } catch (error) {
    return { fault: (error as Error).message, status: null, retryAfter: null };
  }
}
