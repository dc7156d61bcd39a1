/**
 * One HTTP request of a task, and what came of it as a value.
 *
 * Everything that tasks ask over HTTP is alike: one time for connecting, head and body together; redirects are not followed, since the one who
 * answers is the one who is asked; of the body at most 1 MiB is read and the rest is left. Nothing is thrown: no answer is a finding. Time is the
 * clock's, and undici's own timers are off.
 *
 * An agent belongs to one task and goes with it, so that no socket outlives what it was opened for. Checks and gates take a new connection
 * for each request: a kept one may be closed by the server just as the question is under way, and a failure that means nothing is worse
 * than a handshake. Warm-ups keep theirs, as users will.
 */
import { Agent } from 'undici';
import { socketFault } from '../../health/socket-fault.ts';
import type { TaskContext } from './task.ts';
import { TimeLimit } from './time-limit.ts';

/** Bytes of a body that are read. */
export const LARGEST_BODY = 1024 * 1024;

export interface Question {
  /** Scheme, host and port. */
  readonly origin: string;
  /** With query. */
  readonly path: string;
  readonly method: string;
  /** Names in lower case. */
  readonly headers: Readonly<Record<string, string>>;
  readonly body: string | null;
  /** Milliseconds for everything. */
  readonly timeout: number;
}

export interface Answer {
  /** Null where no complete head came. */
  readonly status: number | null;
  /** Names in lower case; a field that came more than once is joined by commas. */
  readonly headers: Readonly<Record<string, string>>;
  /** What was read of it. */
  readonly body: string;
  /** Why there is no complete answer, in a few words; null where there is. */
  readonly fault: string | null;
  /** Milliseconds until all of it was read. */
  readonly took: number;
}

export function newAgent(connections: 'kept' | 'new'): Agent {
  return new Agent({
    allowH2: false,
    pipelining: connections === 'kept' ? 1 : 0,
    connect: { timeout: 0 },
    headersTimeout: 0,
    bodyTimeout: 0,
  });
}

export async function exchange(
  agent: Agent,
  question: Question,
  { clock }: Pick<TaskContext, 'clock'>,
  signal: AbortSignal,
): Promise<Answer> {
  const { origin, path, method, headers, body, timeout } = question;
  const limit = new TimeLimit(clock, timeout, signal);
  const began = clock.now();
  const took = (): number => clock.now() - began;
  let status: number | null = null;
  let fields: Answer['headers'] = {};
  try {
    // A question that is not to be asked any more must not reach the upstream at all.
    limit.signal.throwIfAborted();
    const response = await agent.request({
      origin,
      path,
      method: method as 'GET',
      headers,
      body,
      signal: limit.signal,
    });
    status = response.statusCode;
    fields = joined(response.headers);
    const text = await readBody(response.body);
    return { status, headers: fields, body: text, fault: null, took: took() };
  } catch (error) {
    const fault = limit.expired ? `no complete answer within ${timeout} ms` : faultOf(error, limit);
    return { status, headers: fields, body: '', fault, took: took() };
  } finally {
    limit.end();
  }
}

const faultOf = (error: unknown, limit: TimeLimit): string => (limit.over ? 'cut short' : socketFault(error as Error));

async function readBody(body: AsyncIterable<Buffer>): Promise<string> {
  const parts: Buffer[] = [];
  let size = 0;
  for await (const part of body) {
    parts.push(part);
    size += part.length;
    if (size >= LARGEST_BODY) break;
  }
  return Buffer.concat(parts).subarray(0, LARGEST_BODY).toString();
}

function joined(headers: Readonly<Record<string, string | string[] | undefined>>): Record<string, string> {
  return Object.fromEntries(Object.entries(headers).map(([name, value]) => [name, String(value ?? '')]));
}
