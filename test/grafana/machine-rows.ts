/** Rows about what stands behind: failures that were hidden, endpoints, connections, and the process itself. */
import { ENDPOINT_STATES, endpointState, INSTANCE, rate, VERSION } from './expressions.ts';
import { BAD, curves, figure, GOOD, LIMIT, type Row, stacked, states } from './panel.ts';

const perVersion = (metric: string): string => `sum by (version) (${rate(metric, VERSION)})`;
const perInstance = (metric: string): string => `sum by (instance) (${rate(metric, INSTANCE)})`;
const total = (metric: string): string => `sum (${rate(metric, INSTANCE)})`;

export const secondChancesRow: Row = {
  title: '$service: failures that users did not see',
  panels: [
    curves({
      ...{ title: 'Shielded', unit: 'reqps', width: 8 },
      description:
        'Requests that failed on a version and were handed to stable, and how many of them stable answered below 500. For long on end it hides a broken version.',
      queries: [
        { expr: perVersion('sluice_shielded_total'), legend: '{{version}} shielded' },
        { expr: perVersion('sluice_shield_saved_total'), legend: '{{version}} saved' },
      ],
    }),
    curves({
      ...{ title: 'Retries', unit: 'reqps', width: 8 },
      description: 'Further attempts after one that failed, and those that the budget or the circuit did not allow.',
      queries: [
        { expr: perVersion('sluice_retries_total'), legend: '{{version}} repeated' },
        { expr: perVersion('sluice_retries_denied_total'), legend: '{{version}} denied' },
      ],
      colours: [['/ denied$/', BAD]],
    }),
    curves({
      ...{ title: 'Failovers, hedges, overflows', unit: 'reqps', width: 8 },
      description:
        'Requests that went to stable because their version had no endpoint; second attempts beside a slow one; requests that a circuit breaker refused.',
      queries: [
        { expr: perVersion('sluice_failovers_total'), legend: '{{version}} failed over' },
        { expr: perVersion('sluice_hedges_total'), legend: '{{version}} hedged' },
        { expr: perVersion('sluice_circuit_overflows_total'), legend: '{{version}} refused' },
      ],
      colours: [['/ refused$/', BAD]],
    }),
  ],
};

export const endpointsRow: Row = {
  title: '$service: endpoints',
  panels: [
    states({
      ...{ title: 'Endpoints', unit: 'short', width: 16, height: 9, words: { first: 0, values: ENDPOINT_STATES } },
      description:
        'What each endpoint is: unhealthy by its checks, ejected for its answers, draining or disabled by an operator.',
      queries: [{ expr: endpointState(), legend: '{{version}} {{endpoint}}' }],
    }),
    curves({
      ...{ title: 'Under way and waiting', unit: 'short', width: 8, height: 9 },
      description: 'Requests under way on a version, and those that wait for a connection to it.',
      queries: [
        { expr: `sum by (version) (sluice_version_requests_in_flight{${VERSION}})`, legend: '{{version}} under way' },
        { expr: `sum by (version) (sluice_requests_pending{${VERSION}})`, legend: '{{version}} waiting' },
      ],
      colours: [['/ waiting$/', BAD]],
    }),
  ],
};

export const connectionsRow: Row = {
  title: 'Connections, all services',
  panels: [
    stacked({
      ...{ title: 'Connections', unit: 'short', width: 8 },
      description: 'Open connections to clients (downstream) and to endpoints (upstream), with and without a request.',
      queries: [{ expr: `sum by (side, state) (sluice_connections{${INSTANCE}})`, legend: '{{side}} {{state}}' }],
    }),
    curves({
      ...{ title: 'Accepted and rejected', unit: 'cps', width: 8 },
      description: 'New client connections, and those that were closed at once because of a limit.',
      queries: [
        { expr: total('sluice_connections_accepted_total'), legend: 'accepted' },
        { expr: total('sluice_connections_rejected_total'), legend: 'rejected' },
      ],
      colours: [['/^rejected$/', BAD]],
    }),
    curves({
      ...{ title: 'Not from an upstream', unit: 'reqps', width: 8 },
      description:
        'Refused while the head was read, over a rate limit, answered with an error by Sluice itself, left by the client, or broken off in the middle.',
      queries: [
        { expr: total('sluice_requests_refused_total'), legend: 'refused' },
        { expr: total('sluice_rate_limited_total'), legend: 'rate limited' },
        { expr: total('sluice_local_replies_total'), legend: 'local replies' },
        { expr: total('sluice_client_aborts_total'), legend: 'client left' },
        { expr: total('sluice_responses_cut_total'), legend: 'cut' },
      ],
    }),
  ],
};

export const processRow: Row = {
  title: 'Process, all services',
  panels: [
    figure({
      ...{ title: 'Workers listening', unit: 'percentunit', width: 4, max: 1 },
      description: 'Share of the configured worker threads that listen.',
      queries: [
        {
          expr: `sum (sluice_workers{${INSTANCE},state="listening"}) / sum (sluice_workers{${INSTANCE},state="configured"})`,
        },
      ],
      steps: [
        { color: BAD, value: null },
        { color: GOOD, value: 1 },
      ],
    }),
    figure(
      {
        ...{ title: 'State can be written', unit: 'short', width: 4 },
        description: 'Whether changes can be kept. Without it, changes by API are refused; traffic goes on.',
        words: {
          first: 0,
          values: [
            ['no', BAD],
            ['yes', GOOD],
          ],
        },
        queries: [{ expr: `min (sluice_store_up{${INSTANCE}})` }],
      },
      'none',
    ),
    figure(
      {
        ...{ title: 'Configuration', unit: 'short', width: 4 },
        description: 'Whether the files that were read last had no faults. Where they had, what ran before goes on.',
        words: {
          first: 0,
          values: [
            ['rejected', BAD],
            ['in force', GOOD],
          ],
        },
        queries: [{ expr: `min (sluice_config_last_reload_successful{${INSTANCE}})` }],
      },
      'none',
    ),
    figure(
      {
        ...{ title: 'Running since', unit: 's', width: 4 },
        description: 'Age of the youngest process.',
        queries: [{ expr: `min (time() - process_start_time_seconds{${INSTANCE}})` }],
      },
      'none',
    ),
    stacked(
      {
        ...{ title: 'Configuration read', unit: 'short', width: 8, height: 5, decimals: 0 },
        description: 'Times that the files were read again: applied, unchanged, or rejected.',
        queries: [
          {
            expr: `sum by (result) (increase(sluice_config_reloads_total{${INSTANCE}}[$__rate_interval]))`,
            legend: '{{result}}',
          },
        ],
        colours: [
          ['/^applied$/', GOOD],
          ['/^rejected$/', BAD],
        ],
      },
      { drawStyle: 'bars', fillOpacity: 80 },
    ),
    curves(
      {
        ...{ title: 'Event loop lag', unit: 's', width: 8 },
        description:
          'How late the control plane’s event loop is: health checks, rollouts and the admin API wait for it. Requests do not, they are in other threads. The dashed line is where the alert begins.',
        queries: [
          { expr: `max by (instance) (nodejs_eventloop_lag_p99_seconds{${INSTANCE}})`, legend: '{{instance}} p99' },
          { expr: `max by (instance) (nodejs_eventloop_lag_max_seconds{${INSTANCE}})`, legend: '{{instance}} max' },
        ],
        steps: [
          { color: 'transparent', value: null },
          { color: BAD, value: 0.2 },
        ],
      },
      LIMIT,
    ),
    curves({
      ...{ title: 'Memory', unit: 'bytes', width: 8 },
      description:
        'Resident memory of the whole process, and the heap of the control plane’s thread. Workers have heaps of their own.',
      queries: [
        { expr: `sum by (instance) (process_resident_memory_bytes{${INSTANCE}})`, legend: '{{instance}} resident' },
        { expr: `sum by (instance) (nodejs_heap_size_used_bytes{${INSTANCE}})`, legend: '{{instance}} heap' },
      ],
    }),
    curves({
      ...{ title: 'CPU', unit: 'short', width: 8 },
      description: 'Cores in use by the whole process.',
      queries: [{ expr: perInstance('process_cpu_seconds_total'), legend: '{{instance}}' }],
    }),
    curves({
      ...{ title: 'Garbage collection', unit: 'percentunit', width: 8 },
      description: 'Share of the time that the control plane’s thread spends collecting.',
      queries: [
        {
          expr: `sum by (instance, kind) (${rate('nodejs_gc_duration_seconds_sum', INSTANCE)})`,
          legend: '{{instance}} {{kind}}',
        },
      ],
    }),
    curves({
      ...{ title: 'File descriptors', unit: 'percentunit', width: 8 },
      description: 'Share in use. Without any left Sluice can neither accept nor connect.',
      queries: [
        {
          expr: `max by (instance) (process_open_fds{${INSTANCE}} / process_max_fds{${INSTANCE}})`,
          legend: '{{instance}}',
        },
      ],
    }),
    curves(
      {
        ...{ title: 'Workers replaced', unit: 'short', width: 8, decimals: 0 },
        description: 'Worker threads that died and were replaced since the start.',
        queries: [{ expr: `sum by (instance) (sluice_workers_replaced_total{${INSTANCE}})`, legend: '{{instance}}' }],
      },
      { lineInterpolation: 'stepAfter' },
    ),
  ],
};
