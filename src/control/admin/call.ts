/**
 * A call of the admin API as data: where it is, what it takes, what it answers, and the function that does it.
 *
 * Router, validation, permissions and the OpenAPI document are all made from the same descriptions, so that what is documented is what is
 * checked. Answers are written with `JSON.stringify` and not with a serialiser made from their schema: that one drops fields which the
 * schema forgot and turns what does not fit into something that does, and an operator must see what the control plane said. Tests hold
 * the answers and their schemas together instead.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { type Static, type TObject, type TSchema, Type } from 'typebox';
import type { Clock } from '../../runtime/clock.ts';
import type { EventSource } from '../events/event-log.ts';
import type { Actor, Operations } from '../operations.ts';
import type { ProblemCode } from '../problems.ts';
import type { Store } from '../store/store.ts';
import type { EventStreams } from './event-streams.ts';
import type { LiveTicker } from './live-ticker.ts';
import type { CallId } from './permissions.ts';
import type { Identity } from './token-book.ts';

export interface MetricsText {
  expose(accept?: string): Promise<{ readonly contentType: string; readonly body: string }>;
}

/** The dashboard; the request's fields say what a browser has already, and which codings it takes. */
export interface PageFiles {
  page(headers: IncomingHttpHeaders): Promise<Answer>;
  /** @throws OperationError not_found */
  file(name: string, headers: IncomingHttpHeaders): Promise<Answer>;
}

/** What calls are done with. */
export interface AdminParts {
  readonly operations: Operations;
  readonly events: EventSource;
  readonly streams: EventStreams;
  readonly live: LiveTicker;
  readonly dashboard: PageFiles;
  readonly store: Store;
  readonly metrics: MetricsText;
  readonly clock: Clock;
  /** Milliseconds since 1970. */
  readonly wallClock: () => number;
  readonly openApi: () => unknown;
  /** Whether no token is configured. */
  readonly isOpen: () => boolean;
  /** Whether who presented this would still be let in as the same. */
  readonly stillHolds: (authorization: string | undefined, identity: Identity) => boolean;
}

export interface CallInput<P, Q, B> {
  readonly path: P;
  readonly query: Q;
  readonly body: B;
  readonly actor: Actor;
  readonly headers: IncomingHttpHeaders;
}

export interface Answer {
  /** Default 200. */
  readonly status?: number;
  readonly headers?: Readonly<Record<string, string>>;
  /** JSON, unless `type` says otherwise; undefined is no body. */
  readonly body?: unknown;
  /** Media type of a body that is a text, bytes or a stream. */
  readonly type?: string;
}

export interface AnswerShape {
  readonly status: number;
  readonly description: string;
  /** By media type; empty where there is no body. */
  readonly content: Readonly<Record<string, { readonly schema: TSchema; readonly example?: unknown }>>;
  readonly headers?: Readonly<Record<string, string>>;
}

export interface BodyShape<B extends TSchema> {
  readonly schema: B;
  readonly example: unknown;
  /** Whether it may be left out. Default false. */
  readonly optional?: boolean;
  /** Media types of which the text as it is becomes the body `{ text }`. */
  readonly asText?: readonly string[];
  /** Bytes. Default 16 KiB. */
  readonly limit?: number;
}

export type Method = 'GET' | 'PUT' | 'POST' | 'DELETE';

export interface Call<P extends TObject = TObject, Q extends TObject = TObject, B extends TSchema = TSchema> {
  readonly id: CallId;
  readonly method: Method;
  /** With `{name}` for what varies. */
  readonly path: string;
  readonly tag: string;
  readonly summary: string;
  readonly description?: string;
  readonly pathSchema: P;
  readonly query: Q;
  readonly body: BodyShape<B> | null;
  readonly answers: readonly AnswerShape[];
  /** Besides those that every call can end in. */
  readonly problems: readonly ProblemCode[];
  /** Request fields that the call looks at, with what they do. */
  readonly fields: Readonly<Record<string, string>>;
  /** Whether each use is logged; only changes are. */
  readonly logged: boolean;
  /** Whether HEAD is answered as well; a GET without end has none. */
  readonly head: boolean;
  handle(input: CallInput<Static<P>, Static<Q>, Static<B>>, parts: AdminParts): Answer | Promise<Answer>;
}

/** A call whose types have been forgotten, for lists of them. */
export type AnyCall = Omit<Call, 'handle'> & {
  handle(input: CallInput<never, never, never>, parts: AdminParts): Answer | Promise<Answer>;
};

type Defaults = 'pathSchema' | 'query' | 'body' | 'fields' | 'logged' | 'head' | 'problems';

const NOTHING = Type.Object({}, { additionalProperties: false });
type Nothing = typeof NOTHING;

/** Fills in what most calls leave out: no path names, no query, no body; changes are logged. */
export function defineCall<P extends TObject = Nothing, Q extends TObject = Nothing, B extends TSchema = TSchema>(
  call: Omit<Call<P, Q, B>, Defaults> & Partial<Pick<Call<P, Q, B>, Defaults>>,
): AnyCall {
  const filled = {
    pathSchema: NOTHING,
    query: NOTHING,
    body: null,
    fields: {},
    problems: [],
    logged: call.method !== 'GET',
    head: call.method === 'GET',
    ...call,
  };
  return filled as unknown as AnyCall;
}

export const json = (schema: TSchema, example?: unknown): AnswerShape['content'] => ({
  'application/json': { schema, ...(example !== undefined && { example }) },
});
