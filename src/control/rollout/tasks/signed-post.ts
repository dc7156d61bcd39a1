/**
 * What gates and webhook hooks post: JSON about the rollout, signed as the webhooks of events are (notify/signature.ts).
 *
 * The id of a delivery stays the same over its tries, which is how a receiver knows what it has had before. The secret is read at each
 * delivery. Credentials in the address become an Authorization field, since undici leaves them out. Messages name only the origin: the path of a
 * webhook often is its password.
 */
import type { Agent } from 'undici';
import { Secret } from '../../../model/secret.ts';
import { webhookHeaders } from '../../notify/signature.ts';
import { readSecret } from '../../secret-reference.ts';
import { type Answer, exchange } from './exchange.ts';
import { plainLine } from './plain-text.ts';
import type { TaskRun } from './task.ts';

export interface Post {
  readonly url: URL;
  /** Of the delivery. */
  readonly id: string;
  readonly content: Readonly<Record<string, unknown>>;
  /** `env:NAME` or `file:/path`; null: not signed. */
  readonly secret: string | null;
  readonly timeout: number;
}

/** What both say about where a rollout stands. */
export function standing({ target }: TaskRun): Record<string, unknown> {
  const { rollout, service, version, stable, strategy, step, weight } = target;
  return { rollout, service, version, stable, strategy, step, weight };
}

/** Characters that neither a header field nor the signature's own dots leave room for are replaced. */
export const deliveryId = (...parts: readonly (string | number)[]): string =>
  parts.join(':').replace(/[^A-Za-z0-9_:-]/g, '-');

/** @throws Error where the secret cannot be read. */
export function signedPost(agent: Agent, post: Post, run: TaskRun): Promise<Answer> {
  const { url, id, content, timeout } = post;
  const body = JSON.stringify(content);
  const timestamp = Math.floor(run.wallClock() / 1000);
  const secret = post.secret === null ? undefined : new Secret(post.secret, readSecret(post.secret, run.env));
  const headers = {
    'content-type': 'application/json',
    'user-agent': 'sluice-rollout',
    ...credentials(url),
    ...webhookHeaders(secret, { id, timestamp, body }),
  };
  const { origin, pathname, search } = url;
  return exchange(agent, { origin, path: pathname + search, method: 'POST', headers, body, timeout }, run, run.signal);
}

function credentials({ username, password }: URL): Record<string, string> {
  if (username === '' && password === '') return {};
  const pair = `${decodeURIComponent(username)}:${decodeURIComponent(password)}`;
  return { authorization: `Basic ${Buffer.from(pair).toString('base64')}` };
}

/** The `message` of a JSON answer as one line; empty where there is none. */
export function messageIn({ body }: Answer): string {
  try {
    const content: unknown = JSON.parse(body);
    const message = typeof content === 'object' && content !== null && 'message' in content ? content.message : '';
    return typeof message === 'string' ? plainLine(message) : '';
  } catch {
    return '';
  }
}

/** `http://127.0.0.1:9000 answered 202: wait for the nightly run` */
export function sentenceOf(url: URL, answer: Answer): string {
  const message = messageIn(answer);
  const said = answer.fault === null ? `answered ${answer.status}` : `did not answer: ${answer.fault}`;
  return `${url.origin} ${said}${message === '' ? '' : `: ${message}`}`;
}
