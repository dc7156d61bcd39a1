/**
 * The text of a notification: what somebody wrote, with facts of the event in place of `{{name}}`.
 *
 * A name that there is not is refused when the configuration is read; what an event lacks (a reload has no version) is empty. Facts come from
 * outside, from paths that users ask for up to what a webhook answered. So each is made plain (no control characters), bounded, and
 * then harmless in the way of the channel that it goes to; the text around them is the operator's own and stays as it is. Values are put in
 * once: `{{` in one of them is text. There is no logic in templates: whoever needs it has the whole event in the webhook's JSON.
 */
import { placeholderFault } from '../config/placeholders.ts';
import { plainText } from '../rollout/tasks/plain-text.ts';
import type { Telling } from './recipient.ts';

const FACTS = {
  message: ({ message }) => message,
  type: ({ type }) => type,
  service: ({ service }) => service,
  version: ({ version }) => version,
  severity: ({ level }) => level,
  at: ({ at }) => at,
} as const satisfies Readonly<Record<string, (event: Telling) => string | undefined>>;

const DATA = 'data.';
const DEFAULT = '{{message}}';
/** Characters of one value. */
const LONGEST_VALUE = 1_000;

/** What is wrong with a template, and how to mend it; null where it is sound. */
export const templateFault = (text: string): string | null => placeholderFault(text, Object.keys(FACTS), DATA);

/** @param template null: the message. @param harmless what the channel needs done to a value from outside. */
export function filledIn(template: string | null, event: Telling, harmless: (value: string) => string): string {
  return (template ?? DEFAULT).replace(/\{\{([^{}]*)\}\}/g, (_, name: string) =>
    harmless(bounded(plainText(factOf(event, name.trim())), LONGEST_VALUE)),
  );
}

/** At most so many characters, the last one an ellipsis where something is missing. */
export const bounded = (text: string, most: number): string =>
  text.length <= most
    ? text
    : `${text
        .slice(0, most - 1)
        .toWellFormed()
        .replace(/\ufffd$/, '')}…`;

function factOf(event: Telling, name: string): string {
  if (Object.hasOwn(FACTS, name)) return FACTS[name as keyof typeof FACTS](event) ?? '';
  return name.startsWith(DATA) ? textOf(found(event.data, name.slice(DATA.length))) : '';
}

/** `a.b` is the field of that name, or b within a. */
function found(data: unknown, name: string): unknown {
  if (typeof data !== 'object' || data === null) return undefined;
  if (Object.hasOwn(data, name)) return (data as Readonly<Record<string, unknown>>)[name];
  const [first = '', ...rest] = name.split('.');
  if (rest.length === 0 || !Object.hasOwn(data, first)) return undefined;
  return found((data as Readonly<Record<string, unknown>>)[first], rest.join('.'));
}

function textOf(value: unknown): string {
  if (value === undefined || value === null) return '';
  return typeof value === 'object' ? JSON.stringify(value) : String(value);
}
