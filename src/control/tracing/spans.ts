/**
 * From the record of a traced request to its spans: one of kind SERVER, and one of kind CLIENT for each attempt.
 *
 * Names are those of OpenTelemetry's conventions for HTTP, and `sluice.*` for what they have no word for. Two of theirs are told twice:
 * `deployment.environment` is the older name of `deployment.environment.name`, and `peer.service` is what service maps are drawn from today.
 *
 * An error is what the conventions call one: for the server span a status from 500 on or an answer that was cut, for an attempt a status from
 * 400 on or no answer. A client that leaves is none, and neither is an attempt that nobody waited for any more. The query of a request is
 * never told: it often carries what should not be in a trace.
 *
 * Pure: the same record gives the same spans.
 */
import {
  type Attributes,
  createTraceState,
  type HrTime,
  type SpanContext,
  SpanKind,
  type SpanStatus,
  SpanStatusCode,
  TraceFlags,
} from '@opentelemetry/api';
import type { Resource } from '@opentelemetry/resources';
import type { ReadableSpan } from '@opentelemetry/sdk-trace';
import {
  ATTR_CLIENT_ADDRESS,
  ATTR_DEPLOYMENT_ENVIRONMENT_NAME,
  ATTR_ERROR_TYPE,
  ATTR_HTTP_REQUEST_METHOD,
  ATTR_HTTP_REQUEST_METHOD_ORIGINAL,
  ATTR_HTTP_REQUEST_RESEND_COUNT,
  ATTR_HTTP_RESPONSE_STATUS_CODE,
  ATTR_NETWORK_PROTOCOL_VERSION,
  ATTR_SERVER_ADDRESS,
  ATTR_SERVER_PORT,
  ATTR_SERVICE_VERSION,
  ATTR_URL_FULL,
  ATTR_URL_PATH,
  ATTR_URL_SCHEME,
  ATTR_USER_AGENT_ORIGINAL,
} from '@opentelemetry/semantic-conventions';
import { type FailureKind, failureKind } from '../../model/counters.ts';
import { LOCAL_REPLIES, type ReplyCode } from '../../model/local-reply.ts';
import type { AttemptRecord, TraceRecord } from '../../model/trace-record.ts';

/** Methods that may be in the name of a span; any other is a client's invention. */
const METHODS: ReadonlySet<string> = new Set([
  ...['GET', 'HEAD', 'POST', 'PUT', 'DELETE', 'CONNECT', 'OPTIONS', 'TRACE', 'PATCH', 'QUERY'],
]);

/** The words of `sluice_attempts_total{outcome}`. */
const FAILURES: Readonly<Record<FailureKind, string>> = {
  connectFailures: 'connect_failure',
  resets: 'reset',
  timeouts: 'timeout',
  malformed: 'malformed',
};

/** What all spans have in common. */
export interface SpanSource {
  readonly resource: Resource;
  readonly scope: { readonly name: string; readonly version: string };
  readonly environment: string;
}

export function spansOf(record: TraceRecord, source: SpanSource): ReadableSpan[] {
  const attempts = record.attempts.map((attempt, index) => attemptSpan(record, attempt, index, source));
  return [requestSpan(record, source), ...attempts];
}

function requestSpan(record: TraceRecord, source: SpanSource): ReadableSpan {
  const { address, port } = splitAuthority(record.authority);
  const failed = record.status >= 500 || record.cut;
  return span(source, record, {
    ...{
      kind: SpanKind.SERVER,
      spanId: record.spanId,
      parentId: record.parentId,
      start: record.start,
      end: record.end,
    },
    name: nameOf(record, record.service === '' ? record.route : record.service),
    status: failed ? errorStatus(record.cause) : { code: SpanStatusCode.UNSET },
    attributes: told({
      ...methodAttributes(record.method),
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: record.status,
      [ATTR_ERROR_TYPE]: failed ? errorType(record.cause, record.status) : '',
      [ATTR_URL_PATH]: record.path,
      [ATTR_URL_SCHEME]: record.scheme,
      [ATTR_SERVER_ADDRESS]: address,
      [ATTR_SERVER_PORT]: port,
      [ATTR_CLIENT_ADDRESS]: record.client,
      [ATTR_USER_AGENT_ORIGINAL]: record.userAgent,
      [ATTR_NETWORK_PROTOCOL_VERSION]: record.protocol,
      ...releaseAttributes(record.version, record.lane),
      'sluice.service': record.service,
      'sluice.route': record.route,
      'sluice.request_id': record.requestId,
      'sluice.response_flags': record.flags,
      'sluice.shielded_from': record.shieldedFrom,
    }),
    events: record.attempts.flatMap((attempt, index) => eventOf(record.attempts[index - 1], attempt, index)),
  });
}

function attemptSpan(record: TraceRecord, attempt: AttemptRecord, index: number, source: SpanSource): ReadableSpan {
  const { address, port } = splitAuthority(attempt.url.slice('http://'.length));
  const failed = attempt.failure !== '' || attempt.status >= 400;
  return span(source, record, {
    ...{ kind: SpanKind.CLIENT, spanId: attempt.spanId, parentId: record.spanId },
    ...{ start: attempt.start, end: attempt.end, events: [] },
    name: nameOf(record, record.service),
    status: failed ? errorStatus(attempt.failure) : { code: SpanStatusCode.UNSET },
    attributes: told({
      ...methodAttributes(record.method),
      [ATTR_HTTP_RESPONSE_STATUS_CODE]: attempt.status === 0 ? '' : attempt.status,
      [ATTR_HTTP_REQUEST_RESEND_COUNT]: index === 0 ? '' : index,
      [ATTR_ERROR_TYPE]: failed ? errorType(attempt.failure, attempt.status) : '',
      [ATTR_URL_FULL]: attempt.url + record.upstreamPath,
      [ATTR_SERVER_ADDRESS]: address,
      [ATTR_SERVER_PORT]: port === '' ? 80 : port,
      [ATTR_NETWORK_PROTOCOL_VERSION]: '1.1',
      [ATTR_SERVICE_VERSION]: attempt.version,
      [ATTR_DEPLOYMENT_ENVIRONMENT_NAME]: source.environment,
      'deployment.environment': source.environment,
      'peer.service': record.service,
      ...releaseAttributes(attempt.version, attempt.lane),
      'sluice.service': record.service,
      'sluice.attempt': attempt.cause,
      'sluice.outcome': outcomeOf(attempt),
      'sluice.response_flags': isReplyCode(attempt.failure) ? LOCAL_REPLIES[attempt.failure].flag : '',
    }),
  });
}

/** Why there was another attempt. */
function eventOf(before: AttemptRecord | undefined, attempt: AttemptRecord, index: number): ReadableSpan['events'] {
  if (before === undefined) return [];
  const attributes = told({
    [ATTR_HTTP_REQUEST_RESEND_COUNT]: index,
    [ATTR_ERROR_TYPE]: attempt.cause === 'hedge' ? '' : errorType(before.failure, before.status),
    'sluice.version': attempt.version,
    'sluice.shielded_from': attempt.cause === 'shield' ? before.version : '',
  });
  return [{ name: `sluice.${attempt.cause}`, time: hrTime(attempt.start), attributes }];
}

const releaseAttributes = (version: string, lane: string): Attributes => ({
  'sluice.version': version,
  'sluice.lane': lane,
  'deployment.strategy': lane === 'canary' ? 'canary' : '',
});

const methodAttributes = (method: string): Attributes =>
  METHODS.has(method)
    ? { [ATTR_HTTP_REQUEST_METHOD]: method }
    : { [ATTR_HTTP_REQUEST_METHOD]: '_OTHER', [ATTR_HTTP_REQUEST_METHOD_ORIGINAL]: method };

function nameOf({ method }: TraceRecord, target: string): string {
  const name = METHODS.has(method) ? method : 'HTTP';
  return target === '' ? name : `${name} ${target}`;
}

function outcomeOf({ failure, judged, status }: AttemptRecord): string {
  if (isReplyCode(failure)) return FAILURES[failureKind(failure)];
  return judged ? `${Math.floor(status / 100)}xx` : 'abandoned';
}

/** The code of a local reply, else the status: either way one of a few dozen words. */
const errorType = (code: string, status: number): string =>
  isReplyCode(code) ? code : status === 0 ? '' : `${status}`;

/** A status speaks for itself; a failure of Sluice's own is told in words. */
const errorStatus = (code: string): SpanStatus =>
  isReplyCode(code)
    ? { code: SpanStatusCode.ERROR, message: LOCAL_REPLIES[code].text }
    : { code: SpanStatusCode.ERROR };

const isReplyCode = (code: string): code is ReplyCode => Object.hasOwn(LOCAL_REPLIES, code);

/** Without what the request does not have. */
const told = (attributes: Attributes): Attributes =>
  Object.fromEntries(Object.entries(attributes).filter(([, value]) => value !== ''));

/** `host`, `host:port` or `[::1]:port`. */
function splitAuthority(authority: string): { readonly address: string; readonly port: number | '' } {
  const [, host = '', port = ''] = /^(\[[^\]]*\]|[^:]*)(?::([0-9]{1,5}))?$/.exec(authority) ?? [];
  return { address: host.replace(/^\[(.*)\]$/, '$1'), port: port === '' ? '' : Number(port) };
}

interface SpanParts {
  readonly name: string;
  readonly kind: SpanKind;
  readonly spanId: string;
  readonly parentId: string;
  readonly start: number;
  readonly end: number;
  readonly status: SpanStatus;
  readonly attributes: Attributes;
  readonly events: ReadableSpan['events'];
}

function span({ resource, scope }: SpanSource, { traceId, state }: TraceRecord, parts: SpanParts): ReadableSpan {
  const { name, kind, spanId, parentId, start, end, status, attributes, events } = parts;
  const shared = {
    ...{ traceId, traceFlags: TraceFlags.SAMPLED },
    ...(state === '' ? {} : { traceState: createTraceState(state) }),
  };
  const context: SpanContext = { ...shared, spanId };
  // Only the client's own span is elsewhere.
  const parent: SpanContext = { ...shared, spanId: parentId, isRemote: kind === SpanKind.SERVER };
  return {
    ...{ name, kind, status, attributes, events, resource, instrumentationScope: scope },
    spanContext: () => context,
    ...(parentId === '' ? {} : { parentSpanContext: parent }),
    ...{ startTime: hrTime(start), endTime: hrTime(Math.max(start, end)), duration: hrTime(Math.max(0, end - start)) },
    ...{ links: [], ended: true, droppedAttributesCount: 0, droppedEventsCount: 0, droppedLinksCount: 0 },
  };
}

/** @param ms milliseconds, with fractions. */
function hrTime(ms: number): HrTime {
  const seconds = Math.floor(ms / 1000);
  return [seconds, Math.min(999_999_999, Math.round((ms - seconds * 1000) * 1e6))];
}
