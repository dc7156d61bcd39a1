/**
 * Who is told of events, and of which: every type that is named must be one that can happen, since a mistyped one would look like a receiver
 * that is never told anything.
 */
import type { EventsConfig, EventWebhookConfig } from '../../model/admin-config.ts';
import { EVENT_TYPES } from '../events/event.ts';
import { parseWebhookUrl } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import { nameHint } from './nearest-name.ts';
import type { RawEvents, RawEventWebhook } from './raw-admin.ts';
import { resolveSecret } from './resolve-secret.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { EVENTS } from './settings.ts';
import type { Surroundings } from './surroundings.ts';

const TYPES = Object.keys(EVENT_TYPES);
/** `weights.*` and the like. */
const FAMILIES = [...new Set(TYPES.filter((type) => type.includes('.')).map((type) => `${type.split('.')[0]}.*`))];

export function resolveEvents(raw: RawEvents | undefined, review: Review, surroundings: Surroundings): EventsConfig {
  const webhooks = Array.isArray(raw?.webhooks) ? (raw.webhooks as readonly RawEventWebhook[]) : [];
  return {
    ...resolveSettings(EVENTS, raw, ['events'], review),
    webhooks: resolveWebhooks(webhooks, ['events', 'webhooks'], review, surroundings),
  };
}

function resolveWebhooks(
  raw: readonly RawEventWebhook[],
  path: ConfigPath,
  review: Review,
  surroundings: Surroundings,
): EventWebhookConfig[] {
  const seen = new Set<string>();
  return raw.flatMap((webhook, index) => {
    const place = [...path, index];
    if (!review.sound(place)) return [];
    const { name } = webhook;
    if (seen.has(name)) review.report([...place, 'name'], `${name} is there twice; give each webhook its own name`);
    seen.add(name);
    const url = parseWebhookUrl(webhook.url);
    if ('fault' in url) review.report([...place, 'url'], url.fault);
    const secret =
      webhook.secret === undefined ? null : resolveSecret(webhook.secret, [...place, 'secret'], review, surroundings);
    return [
      {
        name,
        url: 'ok' in url ? url.ok : '',
        ...(secret === null ? {} : { secret }),
        types: resolveTypes(webhook.types ?? [], [...place, 'types'], review),
      },
    ];
  });
}

/** Call where the part at `path` is sound. */
export function resolveTypes(raw: readonly string[], path: ConfigPath, review: Review): readonly string[] {
  for (const [index, type] of raw.entries()) {
    const fault = typeFault(type);
    if (fault !== null) review.report([...path, index], fault);
  }
  return raw;
}

function typeFault(type: string): string | null {
  const star = type.indexOf('*');
  if (star < 0) return TYPES.includes(type) ? null : `no event type ${type}; ${nameHint(type, TYPES)}`;
  if (star < type.length - 1) return 'a * stands only at the end, such as endpoint.*';
  const prefix = type.slice(0, -1);
  if (TYPES.some((known) => known.startsWith(prefix))) return null;
  return `no event type begins with ${prefix}; ${nameHint(type, FAMILIES)}`;
}
