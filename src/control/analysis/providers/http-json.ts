/**
 * A value from an HTTP endpoint that answers JSON: a number at a dot path, such as `data.items.0.rate`.
 *
 * A number, or a text that is one, is a value; null is no data. A path that leads nowhere is a fault that says where it ended, since it is
 * mostly a path that was written wrong. Placeholders are filled into the path part by part, so that a version called `v1.2` stays one part.
 */
import type { MetricProviderConfig } from '../../../model/rollout-config.ts';
import { type Answer, harmless, isRecord, parseJson, statusFault } from './answer.ts';
import { fillIn, type Placeholders } from './template.ts';

type HttpSource = Extract<MetricProviderConfig['source'], { kind: 'http' }>;

/** @throws TypeError where the address is none. */
export const httpAddress = (source: HttpSource, values: Placeholders): URL =>
  new URL(fillIn(source.url, values, encodeURIComponent));

export const httpHeaders = (source: HttpSource, values: Placeholders): Record<string, string> =>
  Object.fromEntries(
    Object.entries(source.headers).map(([name, value]) => [name.toLowerCase(), fillIn(value, values, plain)]),
  );

export function httpValue(source: HttpSource, values: Placeholders, status: number, body: string): Answer {
  if (status < 200 || status >= 300) return statusFault(status);
  const answer = parseJson(body);
  if (answer === undefined) return { fault: 'the answer is not JSON', again: false };
  let at: unknown = answer;
  const path = source.path.split('.').map((part) => fillIn(part, values, plain));
  for (const [depth, part] of path.entries()) {
    const next = step(at, part);
    if (next === undefined) {
      const where = depth === 0 ? 'the answer' : harmless(path.slice(0, depth).join('.'));
      return { fault: `there is no ${JSON.stringify(part)} in ${where}`, again: false };
    }
    at = next;
  }
  return numberOf(at, path.join('.'));
}

function step(at: unknown, part: string): unknown {
  if (Array.isArray(at)) return /^\d+$/.test(part) ? at[Number(part)] : undefined;
  return isRecord(at) && Object.hasOwn(at, part) ? at[part] : undefined;
}

function numberOf(found: unknown, path: string): Answer {
  if (found === null) return { value: null };
  const value = typeof found === 'string' && found.trim() !== '' ? Number(found) : found;
  if (typeof value === 'number' && Number.isFinite(value)) return { value };
  return { fault: `${harmless(path)} is ${harmless(JSON.stringify(found))} and not a number`, again: false };
}

/** In a header and in a path nothing has a meaning but what ends the line. */
const plain = (value: string): string => value.replaceAll(/[\r\n]/g, '');
