/**
 * The part of the schema that says which requests are traced and where their spans go.
 *
 * Keys are those that whoever has set up an OpenTelemetry exporter knows, in this file's style: `endpoint`, `headers`, `compression` and
 * `timeout` of the OTLP exporter, and a parent-based sampler with a ratio. What is said of headers is `writeOnly`, since they carry keys.
 */

import { secretSources } from './schema-admin.ts';
import { choice, group, type SchemaNode, settingProperties, TOKEN_PATTERN, text } from './schema-node.ts';
import { count, duration, type Settings } from './settings.ts';

export const TRACING = {
  sample: {
    kind: 'percent',
    fine: true,
    fallback: 1,
    least: 0,
    most: 100,
    meaning: 'Share of the requests without a parent that is traced.',
  },
  maxPerSecond: count(
    100,
    0,
    1_000_000,
    'Most requests per second, over all workers, that are traced because their parent is; 0 is none.',
  ),
  timeout: duration('10s', '100ms', '5m', 'How long one batch may take, repetitions included.'),
  queue: count(2_048, 64, 1_000_000, 'Most spans that wait to be sent; more are dropped and counted.'),
} as const satisfies Settings;

export const TRACING_DEFAULTS = { parent: 'respect', service: 'sluice', compression: 'none' } as const;

const headers: SchemaNode = {
  type: 'object',
  description:
    'Headers that go with them, by name: `env:NAME` or `file:PATH` where the whole value is a secret, else a text.',
  propertyNames: { type: 'string', title: 'a header name such as Authorization', pattern: TOKEN_PATTERN },
  additionalProperties: {
    ...group('Its value.', secretSources),
    type: ['string', 'object'],
    title: 'a text, env:NAME or file:PATH; numbers and flags want quotes',
    writeOnly: true,
  },
};

export const tracingSchema: SchemaNode = {
  ...group('Spans of some of the requests, posted to an OpenTelemetry collector. Left out, there are none.', {
    endpoint: text(
      'a URL such as http://127.0.0.1:4318/v1/traces',
      'Where spans are posted (OTLP over HTTP, protobuf). Without a path, `/v1/traces`.',
    ),
    headers,
    ...settingProperties(TRACING),
    parent: {
      ...choice(
        'a rule',
        ['respect', 'ignore'],
        '`respect` follows the trace context that a request brings, `ignore` begins a trace of its own.',
      ),
      default: TRACING_DEFAULTS.parent,
    },
    service: {
      ...text('a name such as edge-proxy', '`service.name` of the spans.'),
      default: TRACING_DEFAULTS.service,
    },
    environment: text(
      'a name such as production',
      '`deployment.environment.name` of the spans. Default: `environment` of the file.',
    ),
    compression: {
      ...choice('a compression', ['none', 'gzip'], 'How batches are compressed.'),
      default: TRACING_DEFAULTS.compression,
    },
  }),
  title: 'a mapping such as {endpoint: http://127.0.0.1:4318/v1/traces}',
  required: ['endpoint'],
};
