/**
 * Events and the live state: as a stream that goes on (server-sent events), or as JSON, a list of events or one state.
 *
 * Which of the two is decided by Accept; whoever says nothing gets the stream. The live stream is the stream of events with states between them, so
 * that one connection keeps a page up to date: what happened, in order and each once, and how things stand. A reader resumes with Last-Event-ID, which EventSource
 * sends by itself and which therefore counts for more than `since` in the address.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import { OperationError } from '../../problems.ts';
import { preferredType } from '../accept.ts';
import { type AdminParts, type Answer, type CallInput, defineCall, json } from '../call.ts';
import { type EventFilter, eventFilter } from '../event-filter.ts';
import { eventGap, gapField, resumedFrom } from '../event-gap.ts';
import { eventsSince, newestEvents } from '../event-list.ts';
import { type EventStream, formatEvent } from '../event-stream.ts';
import { formatState } from '../live-ticker.ts';
import { eventExample } from '../schemas/examples.ts';
import { liveExample, liveState } from '../schemas/page-views.ts';
import { eventList } from '../schemas/records.ts';
import { closed } from '../schemas/values.ts';

const STREAM = 'text/event-stream';
const JSON_TYPE = 'application/json';
const since = (description: string) =>
  Type.Optional(Type.Integer({ minimum: 0, title: 'the number of an event', description }));
const LAST_EVENT_ID = 'Resumes a stream behind this event; counts for more than `since`.';
const eventQuery = closed({
  since: since('Events later than this one. Left out: the stream begins now, the list has the newest.'),
  limit: Type.Optional(
    Type.Integer({
      minimum: 1,
      maximum: 1000,
      title: 'a number from 1 to 1000',
      description: 'Of a list. Default 100.',
    }),
  ),
  types: Type.Optional(
    Type.String({
      title: 'event types, separated by commas',
      maxLength: 1000,
      description: 'Only these, separated by commas; endpoint.* is all that begin so.',
    }),
  ),
});

const wantsJson = ({ accept }: IncomingHttpHeaders): boolean =>
  (preferredType(accept, [STREAM, JSON_TYPE]) ?? JSON_TYPE) === JSON_TYPE;

/** @throws OperationError invalid_request, busy */
function openStream(
  { query, headers, actor }: Pick<CallInput<unknown, { since?: number }, unknown>, 'query' | 'headers' | 'actor'>,
  { events, clock, streams, stillHolds }: AdminParts,
  filter: EventFilter,
  firstState: () => Buffer | null = () => null,
): EventStream {
  const since = resumeFrom(headers, query.since);
  return streams.open({ source: events, clock, filter, since, firstState }, () =>
    stillHolds(headers.authorization, actor),
  );
}

const streamAnswer = (stream: EventStream): Answer => ({
  type: `${STREAM}; charset=utf-8`,
  headers: { 'x-accel-buffering': 'no' },
  body: stream,
});

function resumeFrom(headers: IncomingHttpHeaders, since: number | undefined): number | null {
  const field = headers['last-event-id'];
  if (field === undefined || field === '') return since ?? null;
  const id = typeof field === 'string' && /^[0-9]{1,15}$/.test(field) ? Number(field) : null;
  if (id !== null) return id;
  throw new OperationError('invalid_request', 'Last-Event-ID must be the number of an event.');
}

function nextPage(since: number, limit: number, types: string | undefined): string {
  const query = new URLSearchParams({
    since: String(since),
    limit: String(limit),
    ...(types !== undefined && { types }),
  });
  return `</api/v1/events?${query}>; rel="next"`;
}

export const eventCalls = [
  defineCall({
    id: 'getEvents',
    method: 'GET',
    path: '/api/v1/events',
    tag: 'records',
    summary: 'What happens',
    description: 'A stream that goes on, or with "Accept: application/json" a list of what was.',
    query: eventQuery,
    fields: {
      accept: 'text/event-stream or application/json.',
      'last-event-id': LAST_EVENT_ID,
    },
    head: false,
    answers: [
      {
        status: 200,
        description: 'Events, oldest first.',
        headers: {
          link: 'Of a list that may go on: where it does, with rel="next".',
          'sluice-event-gap':
            'Of a list that cannot begin behind `since`: since=N, from=N, last=N. A stream begins with the message `gap` then.',
        },
        content: {
          [STREAM]: { schema: Type.String(), example: formatEvent(eventExample) },
          ...json(eventList, [eventExample]),
        },
      },
    ],
    problems: ['busy', 'store_unavailable'],
    async handle(input, parts) {
      const { query, headers } = input;
      const { events } = parts;
      const filter = eventFilter(query.types);
      if (wantsJson(headers)) {
        const limit = query.limit ?? 100;
        if (query.since === undefined) return { body: await newestEvents(events, limit, filter) };
        const gap = await eventGap(events, query.since);
        const { found, next } = await eventsSince(events, resumedFrom(query.since, gap), limit, filter);
        return {
          headers: {
            ...(next !== null && { link: nextPage(next, limit, query.types) }),
            ...(gap !== null && { 'sluice-event-gap': gapField(gap) }),
          },
          body: found,
        };
      }
      return streamAnswer(openStream(input, parts, filter));
    },
  }),
  defineCall({
    id: 'getLive',
    method: 'GET',
    path: '/api/v1/live',
    tag: 'records',
    summary: 'What happens, and how things stand',
    description:
      'The stream of events, and about once a second a message `state` with the process, its services, and the rollouts that have not ' +
      'ended or have within the last minute. With "Accept: application/json" one such state.',
    query: closed({ since: since('Events later than this one come first. Left out: from now on.') }),
    fields: { accept: 'text/event-stream or application/json.', 'last-event-id': LAST_EVENT_ID },
    head: false,
    answers: [
      {
        status: 200,
        description: 'Events, oldest first, with states between them; or one state.',
        content: {
          [STREAM]: { schema: Type.String(), example: formatState('{…}') + formatEvent(eventExample) },
          ...json(liveState, liveExample),
        },
      },
    ],
    problems: ['busy', 'store_unavailable'],
    handle(input, parts) {
      const { live } = parts;
      if (!wantsJson(input.headers)) {
        const stream = openStream(
          input,
          parts,
          () => true,
          () => live.frame(),
        );
        live.follow(stream);
        return streamAnswer(stream);
      }
      const state = live.json();
      if (state === null) throw new OperationError('internal', 'The state cannot be made; the log says why.');
      return { type: `${JSON_TYPE}; charset=utf-8`, body: `${state}\n` };
    },
  }),
];
