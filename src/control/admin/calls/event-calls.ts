/**
 * Events: as a stream that goes on (server-sent events), or a list of them as JSON.
 *
 * Which of the two is decided by Accept; whoever says nothing gets the stream. A reader resumes with Last-Event-ID, which EventSource
 * sends by itself and which therefore counts for more than `since` in the address.
 */
import type { IncomingHttpHeaders } from 'node:http';
import { Type } from 'typebox';
import { OperationError } from '../../problems.ts';
import { preferredType } from '../accept.ts';
import { defineCall, json } from '../call.ts';
import { eventFilter } from '../event-filter.ts';
import { eventGap, gapField, resumedFrom } from '../event-gap.ts';
import { eventsSince, newestEvents } from '../event-list.ts';
import { formatEvent } from '../event-stream.ts';
import { eventExample } from '../schemas/examples.ts';
import { eventList } from '../schemas/records.ts';
import { closed } from '../schemas/values.ts';

const STREAM = 'text/event-stream';
const JSON_TYPE = 'application/json';
const eventQuery = closed({
  since: Type.Optional(
    Type.Integer({
      minimum: 0,
      title: 'the number of an event',
      description: 'Events later than this one. Left out: the stream begins now, the list has the newest.',
    }),
  ),
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
      'last-event-id': 'Resumes a stream behind this event; counts for more than `since`.',
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
    async handle({ query, headers, actor }, { events, streams, clock, stillHolds }) {
      const filter = eventFilter(query.types);
      const wanted = preferredType(headers.accept, [STREAM, JSON_TYPE]) ?? JSON_TYPE;
      if (wanted === JSON_TYPE) {
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
      const since = resumeFrom(headers, query.since);
      const stream = streams.open({ source: events, clock, filter, since }, () =>
        stillHolds(headers.authorization, actor),
      );
      return { type: `${STREAM}; charset=utf-8`, headers: { 'x-accel-buffering': 'no' }, body: stream };
    },
  }),
];
