/**
 * Services, versions and endpoints as the API shows them: the schemas of the views in `control/operations.ts`.
 *
 * A test holds these types equal to those, so a field that is added there and forgotten here does not go unnoticed. The `title` of each is its
 * name among the components of the OpenAPI document.
 */
import { Type } from 'typebox';
import { closed, milliseconds, nullable, percentByName, time, words } from './values.ts';

const lane = words('candidate', 'canary', 'stable');

export const values = closed(
  {
    availability: nullable(Type.Number({ description: 'Percent of the attempts that were answered.' })),
    error_rate: nullable(Type.Number({ description: 'Percent of the attempts that failed.' })),
    throughput: nullable(Type.Number({ description: 'Attempts per second.' })),
    p50: nullable(milliseconds('Median time to the response head')),
    p95: nullable(milliseconds('95th percentile of it')),
    p99: nullable(milliseconds('99th percentile of it')),
  },
  { title: 'Values', description: 'Over the window of the monitor; null where nothing was counted.' },
);

export const openAlert = closed(
  {
    name: Type.String(),
    state: words('pending', 'warning', 'firing'),
    metric: words('availability', 'error_rate', 'throughput', 'p50', 'p95', 'p99'),
    value: nullable(Type.Number()),
    when: words('above', 'below'),
    threshold: Type.Number(),
    for: milliseconds('How long it has been in this state'),
    forecast: Type.Optional(milliseconds('Until the trend crosses the threshold')),
    service: Type.String(),
    version: Type.String(),
    endpoint: Type.Optional(Type.String()),
  },
  { title: 'OpenAlert', description: 'An alert of the monitor that is not ok.' },
);

export const lanes = closed(
  { stable: Type.String(), canary: Type.Optional(Type.String()), candidate: Type.Optional(Type.String()) },
  { title: 'Lanes', description: 'The version in each lane.' },
);

export const endpointView = closed(
  {
    url: Type.String(),
    weight: Type.Number({ description: 'Relative share among the endpoints of its version.' }),
    state: words('enabled', 'draining', 'disabled'),
    healthy: Type.Boolean(),
    ejected: Type.Boolean({ description: 'Taken out by outlier detection.' }),
    available: Type.Boolean({ description: 'Takes requests now.' }),
    inFlight: Type.Integer(),
    attempts: Type.Integer({ description: 'Within the window of the monitor.' }),
    values,
  },
  { title: 'Endpoint' },
);

const traffic = closed(
  {
    service: Type.String(),
    version: Type.String(),
    lane: nullable(Type.String()),
    requests: Type.Integer(),
    inFlight: Type.Integer(),
    attempts: closed({
      '2xx': Type.Integer(),
      '3xx': Type.Integer(),
      '4xx': Type.Integer(),
      '5xx': Type.Integer(),
      connect: Type.Integer(),
      reset: Type.Integer(),
      timeout: Type.Integer(),
      malformed: Type.Integer(),
    }),
    replies: closed(
      { '2xx': Type.Integer(), '3xx': Type.Integer(), '4xx': Type.Integer(), '5xx': Type.Integer() },
      {
        description:
          'What users were answered by this version; of the canary’s requests those that stable answered are stable’s.',
      },
    ),
    retries: Type.Integer(),
    retriesDenied: Type.Integer(),
    hedges: Type.Integer(),
    hedgeWins: Type.Integer(),
    failovers: Type.Integer(),
    overflows: Type.Integer(),
    shield: closed({ requests: Type.Integer(), saved: Type.Integer(), meanDelay: nullable(Type.Number()) }),
    affinity: closed({ hits: Type.Integer(), misses: Type.Integer(), hitRate: nullable(Type.Number()) }),
  },
  { title: 'Traffic', description: 'Counted since the start.' },
);

export const pushedMetrics = Type.Record(Type.String(), closed({ value: Type.Number(), at: time }), {
  title: 'PushedMetrics',
  description: 'The last value of each pushed metric.',
});

export const versionView = closed(
  {
    name: Type.String(),
    lane: nullable(lane),
    weight: Type.Number({ description: 'Percent.' }),
    source: words('file', 'override'),
    attempts: Type.Integer({ description: 'Within the window of the monitor.' }),
    values,
    traffic,
    endpoints: Type.Array(endpointView),
    metrics: pushedMetrics,
  },
  { title: 'Version' },
);

export const serviceView = closed(
  {
    name: Type.String(),
    lanes,
    weights: percentByName('Percent by version.'),
    etag: Type.String({ description: 'Of lanes and weights; in double quotes it is what If-Match takes.' }),
    strategy: Type.String(),
    overrides: Type.Array(Type.String(), { description: 'What differs from the file by a runtime change.' }),
    rollback: nullable(closed({ by: Type.Number(), everyMs: Type.Number(), reason: Type.String() })),
    rollout: nullable(Type.String({ description: 'The rollout that has the traffic in hand.' })),
    versions: Type.Array(versionView),
    alerts: Type.Array(openAlert),
  },
  { title: 'Service' },
);
