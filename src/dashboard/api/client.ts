/**
 * Calls of the admin API from the page: one function, which answers with JSON or throws a {@link CallFailed} that can be shown as it is.
 *
 * Addresses are relative to where the page came from, so it works behind a path of a reverse proxy as well. A 401 forgets the token and asks for another one;
 * whoever called is told like of any other failure.
 */
import { forgetToken, session } from '../state/session.ts';
import type { Problem } from './views.ts';

export class CallFailed extends Error {
  readonly status: number;
  readonly problem: Problem | null;

  /** @param status 0 where there was no answer. */
  constructor(message: string, status: number, problem: Problem | null) {
    super(message);
    this.status = status;
    this.problem = problem;
  }
}

export interface CallOptions {
  readonly method?: 'GET' | 'PUT' | 'POST' | 'DELETE';
  readonly body?: unknown;
  readonly ifMatch?: string;
  readonly accept?: string;
}

/** The page's folder on the server, with a slash at its end. */
const base = new URL('./', document.baseURI);

export const addressOf = (path: string): string => new URL(path, base).href;

export function authorization(): Record<string, string> {
  const { token } = session.get();
  return token === null ? {} : { authorization: `Bearer ${token}` };
}

/** @param path without a slash in front: `api/v1/services`. @throws CallFailed */
export async function call<T>(path: string, options: CallOptions = {}): Promise<T> {
  const response = await send(path, options);
  return (await response.json()) as T;
}

/** @throws CallFailed */
export async function callText(path: string, options: CallOptions = {}): Promise<string> {
  return (await send(path, options)).text();
}

async function send(path: string, { method = 'GET', body, ifMatch, accept }: CallOptions): Promise<Response> {
  const { token } = session.get();
  let response: Response;
  try {
    response = await fetch(addressOf(path), {
      method,
      cache: 'no-store',
      credentials: 'omit',
      headers: {
        accept: accept ?? 'application/json',
        ...authorization(),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...(ifMatch !== undefined && { 'if-match': `"${ifMatch}"` }),
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
  } catch {
    throw new CallFailed('Sluice does not answer.', 0, null);
  }
  if (response.ok) return response;
  throw await failureOf(response, token);
}

/** @param token that was sent; a refused one is forgotten, unless another one has been entered meanwhile. */
export async function failureOf(response: Response, token: string | null): Promise<CallFailed> {
  const problem = await problemOf(response);
  const detail = problem?.detail ?? problem?.title ?? `Sluice answered ${response.status}.`;
  const faults = (problem?.errors ?? []).map(({ message }) => message).filter((message) => !detail.includes(message));
  const message = [detail, ...faults.slice(0, 3)].join(' ');
  const now = session.get();
  if (response.status === 401 && now.token === token) forgetToken(token === null ? now.refused : message);
  return new CallFailed(message, response.status, problem);
}

async function problemOf(response: Response): Promise<Problem | null> {
  try {
    return (await response.json()) as Problem;
  } catch {
    return null;
  }
}

/** A name as a part of an address. */
export const part = encodeURIComponent;
