/**
 * Placeholders in what a provider is asked: `{{service}}`, `{{version}}`, `{{stable}}` and `{{window}}`.
 *
 * Whoever fills them in says how a value is escaped where it stands: in a query, in an address, in a header. Names of services and versions
 * consist of letters, digits and `._-`, so escaping never changes one; it is there so that this need not be known here. Anything else in
 * double braces stays as it is, because PromQL and others have braces of their own.
 *
 * A window is written `300s`, whole seconds and at least one minute: less than that is hardly ever more than one scrape.
 */

export interface Placeholders {
  readonly service: string;
  /** Of the side that is asked about. */
  readonly version: string;
  readonly stable: string;
  readonly window: string;
}

const PLACEHOLDER = /\{\{\s*(service|version|stable|window)\s*\}\}/g;
const SHORTEST_WINDOW = 60_000;

export const fillIn = (text: string, values: Placeholders, escaped: (value: string) => string): string =>
  text.replace(PLACEHOLDER, (_, name: keyof Placeholders) => escaped(values[name]));

/** Whether one of the texts has the placeholder. */
export const mentions = (texts: readonly string[], name: keyof Placeholders): boolean =>
  texts.some((text) => [...text.matchAll(PLACEHOLDER)].some(([, found]) => found === name));

export const windowText = (ms: number): string => `${Math.ceil(Math.max(ms, SHORTEST_WINDOW) / 1_000)}s`;
