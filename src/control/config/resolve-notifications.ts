/**
 * Who is told of what, and who is told next where nobody answers.
 *
 * A channel that escalates to itself, by whatever way round, would be told the same thing for ever, so a chain of escalations must end.
 */
import type { NotificationConfig } from '../../model/rollout-config.ts';
import { templateFault } from '../notify/template.ts';
import { parseWebhookUrl } from './addresses.ts';
import type { ConfigPath } from './faults.ts';
import { nameHint } from './nearest-name.ts';
import type { RawNotification } from './raw-rollouts.ts';
import { resolveTypes } from './resolve-events.ts';
import { resolveSecret } from './resolve-secret.ts';
import { resolveSettings } from './resolve-settings.ts';
import type { Review } from './review.ts';
import { ESCALATE, ROLLOUT_DEFAULTS } from './rollout-settings.ts';
import type { Surroundings } from './surroundings.ts';

const PATH: ConfigPath = ['notifications'];

export function resolveNotifications(raw: unknown, review: Review, surroundings: Surroundings): NotificationConfig[] {
  if (!Array.isArray(raw)) return [];
  const seen = new Set<string>();
  const channels = (raw as readonly RawNotification[]).flatMap((channel, index) => {
    const path = [...PATH, index];
    if (!review.sound(path)) return [];
    const { name } = channel;
    if (seen.has(name)) review.report([...path, 'name'], `${name} is there twice; give each channel its own name`);
    seen.add(name);
    return resolveChannel(channel, path, review, surroundings);
  });
  if (channels.length === raw.length) checkEscalations(channels, review);
  return channels;
}

function resolveChannel(
  raw: RawNotification,
  path: ConfigPath,
  review: Review,
  surroundings: Surroundings,
): NotificationConfig {
  const { name, kind, template, secret, escalate } = raw;
  const url = parseWebhookUrl(raw.url);
  if ('fault' in url) review.report([...path, 'url'], url.fault);
  const fault = template === undefined ? null : templateFault(template);
  if (fault !== null) review.report([...path, 'template'], fault);
  if (secret !== undefined && kind !== 'webhook') {
    review.reportKey([...path, 'secret'], `signs a webhook, and ${kind} does not look at it; remove it`);
  }
  const signed = secret === undefined ? null : resolveSecret(secret, [...path, 'secret'], review, surroundings);
  return {
    name,
    kind,
    url: 'ok' in url ? url.ok : '',
    severity: raw.severity ?? ROLLOUT_DEFAULTS.severity,
    types: resolveTypes(raw.types ?? [], [...path, 'types'], review),
    template: template ?? null,
    secret: signed?.source ?? null,
    escalate:
      escalate === undefined
        ? null
        : { ...resolveSettings(ESCALATE, escalate, [...path, 'escalate'], review), to: escalate.to },
  };
}

function checkEscalations(channels: readonly NotificationConfig[], review: Review): void {
  const next = new Map(channels.map(({ name, escalate }) => [name, escalate?.to ?? null]));
  for (const [index, { name, escalate }] of channels.entries()) {
    if (escalate === null) continue;
    const path = [...PATH, index, 'escalate', 'to'];
    const { to } = escalate;
    if (to === name) review.report(path, 'is the channel itself; name another one');
    else if (next.has(to)) {
      if (leadsBack(name, next)) review.report(path, `leads back to ${name}; let the last channel escalate to nobody`);
    } else {
      const others = [...next.keys()].filter((other) => other !== name);
      const hint = (): string => (others.length === 0 ? 'there is no other one; add it' : nameHint(to, others));
      review.report(path, () => `no channel ${to}; ${hint()}`);
    }
  }
}

function leadsBack(name: string, next: ReadonlyMap<string, string | null>): boolean {
  const passed = new Set<string>();
  let at = next.get(name) ?? null;
  while (at !== null && at !== name && !passed.has(at)) {
    passed.add(at);
    at = next.get(at) ?? null;
  }
  return at === name;
}
