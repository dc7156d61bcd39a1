/**
 * The registry of answers that Sluice gives itself: status, response flag, RFC 9209 error type and text, one row each.
 *
 * Response flags are Envoy's, so that dashboards and habits carry over. `docs/conformance.md` lists the same rows; a test holds the
 * two together.
 */

/** How an exchange or attempt went wrong, in the words of Envoy's access log. */
export type ResponseFlag =
  /** The client broke the protocol. */
  | 'DPE'
  /** The client was too slow. */
  | 'SI'
  /** The client went away before its answer was complete. */
  | 'DC'
  /** No route matches. */
  | 'NR'
  /** The version has no usable endpoint. */
  | 'UH'
  /** No connection to the upstream. */
  | 'UF'
  /** The upstream closed or reset the connection. */
  | 'UC'
  /** The upstream took too long. */
  | 'UT'
  /** The upstream broke the protocol. */
  | 'UPE'
  /** Too much at once. */
  | 'UO'
  /** Over a rate limit. */
  | 'RL'
  /** A fault injected on purpose. */
  | 'FI';

export interface LocalReply {
  readonly status: number;
  readonly reason: string;
  readonly flag: ResponseFlag;
  /** Error type of the Proxy-Status field. */
  readonly error: string;
  readonly text: string;
}

const row = (status: number, reason: string, flag: ResponseFlag, error: string, text: string): LocalReply => ({
  status,
  reason,
  flag,
  error,
  text,
});

const DENIED = 'http_request_denied';
const MALFORMED = 'http_request_error';

export const LOCAL_REPLIES = {
  bad_request_line: row(400, 'Bad Request', 'DPE', MALFORMED, 'malformed request line'),
  bad_target: row(400, 'Bad Request', 'DPE', MALFORMED, 'malformed or unsuitable request target'),
  bad_field: row(400, 'Bad Request', 'DPE', MALFORMED, 'malformed header field'),
  bad_host: row(400, 'Bad Request', 'DPE', MALFORMED, 'missing, repeated or malformed Host'),
  bad_content_length: row(400, 'Bad Request', 'DPE', MALFORMED, 'repeated or malformed Content-Length'),
  bad_transfer_encoding: row(400, 'Bad Request', 'DPE', MALFORMED, 'Transfer-Encoding is not one final chunked'),
  conflicting_framing: row(400, 'Bad Request', 'DPE', MALFORMED, 'both Content-Length and Transfer-Encoding'),
  bad_connection: row(
    400,
    'Bad Request',
    'DPE',
    MALFORMED,
    'Connection nominates a field that must reach the upstream',
  ),
  bad_chunk: row(400, 'Bad Request', 'DPE', MALFORMED, 'malformed chunked body'),
  request_timeout: row(408, 'Request Timeout', 'SI', MALFORMED, 'the request took too long to arrive'),
  body_too_large: row(413, 'Content Too Large', 'DPE', DENIED, 'request body over the limit'),
  target_too_long: row(414, 'URI Too Long', 'DPE', DENIED, 'request target over the limit'),
  bad_expectation: row(417, 'Expectation Failed', 'DPE', DENIED, 'the only expectation known is 100-continue'),
  head_too_large: row(431, 'Request Header Fields Too Large', 'DPE', DENIED, 'request head over the limit'),
  unknown_coding: row(501, 'Not Implemented', 'DPE', DENIED, 'the only transfer coding known is chunked'),
  unknown_method: row(501, 'Not Implemented', 'DPE', DENIED, 'method not implemented'),
  bad_version: row(505, 'HTTP Version Not Supported', 'DPE', DENIED, 'only HTTP/1.0 and HTTP/1.1 are spoken here'),
  rate_limited: row(429, 'Too Many Requests', 'RL', DENIED, 'over the rate limit'),
  overflow: row(503, 'Service Unavailable', 'UO', 'connection_limit_reached', 'too many requests at once'),
  no_route: row(404, 'Not Found', 'NR', 'destination_not_found', 'no route matches'),
  no_endpoint: row(503, 'Service Unavailable', 'UH', 'destination_unavailable', 'no usable endpoint'),
  connect_failed: row(503, 'Service Unavailable', 'UF', 'connection_refused', 'no connection to the upstream'),
  connect_timeout: row(
    503,
    'Service Unavailable',
    'UF',
    'connection_timeout',
    'connecting to the upstream took too long',
  ),
  upstream_closed: row(502, 'Bad Gateway', 'UC', 'connection_terminated', 'the upstream closed the connection'),
  upstream_malformed: row(502, 'Bad Gateway', 'UPE', 'http_protocol_error', 'malformed or ambiguous upstream response'),
  upstream_timeout: row(504, 'Gateway Timeout', 'UT', 'http_response_timeout', 'the upstream took too long to answer'),
} as const satisfies Record<string, LocalReply>;

export type ReplyCode = keyof typeof LOCAL_REPLIES;
