/**
 * What comes of asking a provider for a value: a number, the news that there is none, or a fault.
 *
 * A fault is never a value. `again` says whether asking once more may help: a server that is down or busy may be up in a second, a query that
 * is wrong will not be right. Texts of other servers are shown in events and on terminals, so they are cut and made harmless first.
 */

export type Answer =
  | {
      /** Null: asked and answered, but there is no data. */
      readonly value: number | null;
    }
  | { readonly fault: string; readonly again: boolean };

const LONGEST_TEXT = 200;

export function harmless(text: string): string {
  const line = text.replaceAll(/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\s]+/gu, ' ').trim();
  return line.length <= LONGEST_TEXT ? line : `${line.slice(0, LONGEST_TEXT - 1)}…`;
}

/** A status that is no success. */
export function statusFault(status: number, said = ''): Answer {
  const tail = said === '' ? '' : `: ${harmless(said)}`;
  if (status >= 300 && status < 400) {
    return { fault: `answered ${status}, and redirects are not followed; configure the final address`, again: false };
  }
  return { fault: `answered ${status}${tail}`, again: status >= 500 || status === 429 || status === 408 };
}

/** @returns what is parsed, or undefined where it is no JSON. */
export function parseJson(body: string): unknown {
  try {
    return JSON.parse(body);
  } catch {
    return undefined;
  }
}

export const isRecord = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
