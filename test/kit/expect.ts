/** Checks that several suites make of one answer or one request; they return what is wrong instead of failing, so that a
 * table of thousands of deliveries reports its first fault with the bytes and not thousands of passed assertions. */
import { type Message, value } from './message.ts';
import type { Answer } from './raw-client.ts';

export type Expected = Readonly<Record<string, string | RegExp | null>>;

/** The first field that is not as expected; null where all are. */
export function wrongField(message: Message, expected: Expected = {}): string | null {
  for (const [name, wanted] of Object.entries(expected)) {
    const found = value(message, name);
    const good = wanted instanceof RegExp ? found !== null && wanted.test(found) : found === wanted;
    if (!good) return `${name} is ${JSON.stringify(found)}, not ${wanted}`;
  }
  return null;
}

export function wrongTrailer(message: Message, expected: Readonly<Record<string, string>> = {}): string | null {
  const found = Object.fromEntries(message.trailers.map(([name, text]) => [name.toLowerCase(), text]));
  return JSON.stringify(found) === JSON.stringify(expected) ? null : `trailers are ${JSON.stringify(found)}`;
}

/** What a reply that Sluice writes itself must look like. */
export function wrongLocalReply(answer: Answer, status: number, flag = '[A-Z]+', closing = true): string | null {
  if (answer.status !== status) return `status is ${answer.status}, not ${status}`;
  const signature = wrongField(answer, { 'proxy-status': /^sluice(;|$)/, 'content-type': /^text\/plain/ });
  if (signature !== null) return signature;
  if (closing && !/^close$/i.test(value(answer, 'connection') ?? '')) return 'no connection: close';
  const body = new RegExp(`^sluice: ${status} [^()\\r\\n]+ \\(${flag}\\)\\n?$`);
  return body.test(answer.body) ? null : `body is ${JSON.stringify(answer.body)}, not ${body}`;
}
