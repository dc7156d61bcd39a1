/**
 * The one table of Sluice's own metrics: name, type, labels, help. Whatever is exposed is a row of it, `docs/metrics.md` lists the same
 * rows, and a test holds the two together.
 *
 * The number of series is bounded by the configuration: labels are names from it (service, version, lane, endpoint), words of closed
 * vocabularies, and the statuses of model/request-table.ts. Nothing that a client sends becomes a label. Names follow Prometheus'
 * rules: base units, `_total` for what only grows.
 */
export interface MetricDefinition {
  readonly type: 'counter' | 'gauge' | 'histogram';
  readonly labels: readonly string[];
  readonly help: string;
}

const counter = (help: string, ...labels: readonly string[]): MetricDefinition => ({ type: 'counter', labels, help });
const gauge = (help: string, ...labels: readonly string[]): MetricDefinition => ({ type: 'gauge', labels, help });
const histogram = (help: string, ...labels: readonly string[]): MetricDefinition => ({
  type: 'histogram',
  labels,
  help,
});

const OF_VERSION = ['service', 'version'] as const;
const OF_ENDPOINT = ['service', 'version', 'endpoint'] as const;

export const METRICS = {
  sluice_requests_total: counter(
    'Answers that users got, by the version that gave them and the lane it had then.',
    ...['service', 'version', 'lane', 'code'],
  ),
  sluice_request_duration_seconds: histogram('Whole requests, to the last byte of the answer.', ...OF_VERSION),
  sluice_requests_routed_total: counter(
    'Requests given to the version by route, header, experiment, session or split, before anything went wrong.',
    ...OF_VERSION,
  ),
  sluice_requests_in_flight: gauge('Requests under way.'),
  sluice_version_requests_in_flight: gauge('Requests under way on the version.', ...OF_VERSION),
  sluice_requests_pending: gauge('Requests that wait for a connection to the version.', ...OF_VERSION),
  sluice_requests_refused_total: counter('Requests refused while their head was read.'),
  sluice_local_replies_total: counter('Requests that Sluice answered with a refusal or an error of its own.'),
  sluice_responses_cut_total: counter('Responses that broke off in the middle.'),
  sluice_client_aborts_total: counter('Requests whose client went away before the end of the answer.'),

  sluice_attempts_total: counter('Attempts on upstreams, by how they ended.', ...OF_VERSION, 'outcome'),
  sluice_upstream_duration_seconds: histogram('Answered attempts, to the head of the response.', ...OF_VERSION),
  sluice_retries_total: counter('Further attempts on the version after one that failed.', ...OF_VERSION),
  sluice_retries_denied_total: counter(
    'Attempts not repeated because the retry budget or the circuit did not allow it.',
    ...OF_VERSION,
  ),
  sluice_retries_in_flight: gauge('Further attempts under way on the version.', ...OF_VERSION),
  sluice_shielded_total: counter('Requests whose failed attempt on the version was handed to stable.', ...OF_VERSION),
  sluice_shield_saved_total: counter('Shielded requests that stable then answered below 500.', ...OF_VERSION),
  sluice_shield_delay_seconds_total: counter(
    'Time that shielded requests had spent on the version before.',
    ...OF_VERSION,
  ),
  sluice_hedges_total: counter('Second attempts beside one that was slow.', ...OF_VERSION),
  sluice_hedge_wins_total: counter('Hedges that answered first.', ...OF_VERSION),
  sluice_failovers_total: counter(
    'Requests that went to stable because the version had no available endpoint.',
    ...OF_VERSION,
  ),
  sluice_circuit_overflows_total: counter('Requests refused by a circuit breaker of the version.', ...OF_VERSION),

  sluice_weight: gauge('Weight of the version now, percent.', ...OF_VERSION, 'lane'),
  sluice_affinity_hits_total: counter('Requests of sessions that the version knew.', ...OF_VERSION),
  sluice_affinity_misses_total: counter('Requests that began a session on the version.', ...OF_VERSION),
  sluice_pushed_metric: gauge('Last value pushed for the version.', ...OF_VERSION, 'metric'),

  sluice_endpoint_healthy: gauge('Whether active checks find the endpoint healthy; 1 without checks.', ...OF_ENDPOINT),
  sluice_endpoint_available: gauge('Whether the endpoint is healthy, enabled and not ejected.', ...OF_ENDPOINT),
  sluice_endpoint_ejected: gauge('Whether outlier detection has taken the endpoint out.', ...OF_ENDPOINT),
  sluice_endpoint_state: gauge('1 for what the operator says of the endpoint.', ...OF_ENDPOINT, 'state'),
  sluice_outlier_ejections_active: gauge('Endpoints of the version that are ejected now.', ...OF_VERSION),

  sluice_rollout_phase: gauge(
    '1 for the phase of every rollout that is not over, and of the latest one of each service.',
    ...['service', 'rollout', 'phase'],
  ),
  sluice_rollout_step: gauge(
    'Step of every rollout that is not over, from 1; 0 before the first.',
    ...['service', 'rollout'],
  ),
  sluice_rollout_waiting: gauge(
    'Whether something holds the rollout: a condition, an approval, a pause, its turn.',
    ...['service', 'rollout'],
  ),
  sluice_rollouts_total: counter('Rollouts that are over, by how they ended.', 'service', 'phase'),
  sluice_evidence_log_e: gauge(
    'Natural logarithm of the e-value against the canary of the running rollout, by test.',
    ...['service', 'metric'],
  ),
  sluice_evidence_threshold: gauge('What the logarithm has to reach to be enough, by test.', ...['service', 'metric']),
  sluice_canary_failures: gauge('Failed first attempts of the canary of the running rollout.', 'service'),

  sluice_connections: gauge('Open connections.', 'side', 'state'),
  sluice_connections_accepted_total: counter('Downstream connections accepted.'),
  sluice_connections_rejected_total: counter('Downstream connections closed at accept because of a limit.'),
  sluice_rate_limited_total: counter('Requests over a rate limit.'),
  sluice_rate_table_overflows_total: counter('Requests that a full table of rate limits let through.'),
  sluice_faults_injected_total: counter('Faults injected on purpose.'),
  sluice_access_log_dropped_total: counter('Lines of the access log that were dropped.'),
  sluice_trace_spans_total: counter('Spans of traced requests, by what became of them.', 'result'),

  sluice_config_reloads_total: counter('Times that the configuration was read again, by what came of it.', 'result'),
  sluice_config_last_reload_successful: gauge('Whether the configuration last read had no faults.'),
  sluice_config_last_success_timestamp_seconds: gauge('When a configuration without faults was last read.'),
  sluice_config_generation: gauge('Number of the running state; every change has the next.'),
  sluice_workers: gauge('Worker threads: configured, and listening now.', 'state'),
  sluice_workers_replaced_total: counter('Worker threads that died and were replaced.'),
  sluice_alerts_firing: gauge('Firing alerts of the monitor; no series while there are none.', ...OF_VERSION, 'alert'),
  sluice_store_up: gauge('Whether the state can be written.'),
  sluice_build_info: gauge('1; which Sluice on which Node runs.', 'version', 'node'),
} as const satisfies Readonly<Record<string, MetricDefinition>>;

export type MetricName = keyof typeof METRICS;

export const METRIC_NAMES = Object.keys(METRICS) as readonly MetricName[];
