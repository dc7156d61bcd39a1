/**
 * A notification as the incoming webhooks of Slack take it, and of those who copy them (Mattermost, Rocket.Chat, Discord behind `/slack`).
 *
 *     {"text": "…", "attachments": [{"color": "#d32f2f", "fallback": "…", "fields": […], "footer": "…", "ts": 1767268800}]}
 *
 * An attachment and not blocks, because only it has a colour and the copies know no blocks. In a value `&`, `<` and `>` are escaped, which is
 * all that Slack asks for, and what keeps `<!channel>` in an error message from calling everybody; in the operator's own template it calls.
 * Slack cuts or refuses what is too long, so it is cut here, never within an escape.
 */
import type { EventLevel } from '../events/event.ts';
import type { Telling } from './recipient.ts';
import { bounded, filledIn } from './template.ts';

export const LONGEST_TEXT = 3_000;
const LONGEST_FIELD = 200;

export const COLOURS: Readonly<Record<EventLevel, string>> = {
  info: '#2e7d32',
  warning: '#f9a825',
  critical: '#d32f2f',
};

export function slackMessage(event: Telling, template: string | null): Readonly<Record<string, unknown>> {
  const { type, level, service, version, endpoint, at, id } = event;
  const text = cut(filledIn(template, event, escaped), LONGEST_TEXT);
  const wanted = level === 'critical' ? ` · sluice notifications acknowledge ${id}` : '';
  const facts = { Severity: level, Service: service, Version: version, Endpoint: endpoint };
  return {
    text,
    attachments: [
      {
        color: COLOURS[level],
        fallback: text,
        fields: Object.entries(facts).flatMap(([title, value]) =>
          value === undefined
            ? []
            : [{ title, value: escaped(bounded(value, LONGEST_FIELD)), short: title !== 'Endpoint' }],
        ),
        footer: `${type} · ${id}${wanted}`,
        ts: Math.floor(Date.parse(at) / 1000),
      },
    ],
  };
}

export const escaped = (value: string): string =>
  value.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;');

function cut(text: string, most: number): string {
  if (text.length <= most) return text;
  return `${bounded(text, most)
    .slice(0, -1)
    .replace(/&[a-z]{0,3}$/, '')}…`;
}
